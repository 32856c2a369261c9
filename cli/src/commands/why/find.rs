//! What a person means.

use handlers::ledger::PipelineRecord;
use statemachine::run::RunId;

use crate::error::Error;

/// What a text names.
#[derive(Debug, PartialEq)]
pub(super) enum Subject<'a> {
    /// A run, by its id or its beginning.
    Run,
    /// An object; in the data bucket where none is named.
    Object { bucket: Option<&'a str>, key: &'a str, version: Option<&'a str> },
    /// A schedule of a pipeline that there is.
    Schedule { pipeline: &'a PipelineRecord, name: &'a str },
    /// A word that may be a file's name, the beginning of a run's id, or nothing.
    File,
}

/// The name of a pipeline's check for data that is due, among its schedules.
const EXPECTED: &str = "expected";

/// Reads an argument. What is not decided by its form is decided by what there is.
pub(super) fn subject<'a>(pipelines: &'a [PipelineRecord], text: &'a str) -> Subject<'a> {
    if text.strip_prefix("run:").is_some() || RunId::parse(text).is_ok() {
        return Subject::Run;
    }
    if let Some((bucket, key)) = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        let (key, version) = split(key);
        return Subject::Object { bucket: Some(bucket), key, version };
    }
    let schedule = text.split_once(['.', '/']).and_then(|(pipeline, name)| {
        let pipeline = pipelines.iter().find(|known| known.name == pipeline)?;
        names(pipeline).contains(&name.to_owned()).then_some(Subject::Schedule { pipeline, name })
    });
    if let Some(schedule) = schedule {
        return schedule;
    }
    if text.contains('/') && !text.starts_with('/') {
        let (key, version) = split(text);
        return Subject::Object { bucket: None, key, version };
    }
    Subject::File
}

/// `key?versionId=…`
fn split(key: &str) -> (&str, Option<&str>) {
    let mark = ["?versionId=", "?etag="].into_iter().find_map(|mark| key.split_once(mark));
    mark.map_or((key, None), |(key, version)| (key, Some(version)))
}

/// The schedules of a pipeline, with its check for data that is due.
fn names(pipeline: &PipelineRecord) -> Vec<String> {
    let own = pipeline.schedules.keys().cloned();
    own.chain(pipeline.expected.map(|_| EXPECTED.to_owned())).collect()
}

/// It names nothing; the nearest names are told.
pub(super) fn unknown(pipelines: &[PipelineRecord], text: &str) -> Error {
    let error = Error::usage(format!(
        "`{text}` is no run, object or schedule: accepted are a run's id or its beginning, `s3://bucket/key` or a key, \
         each also with `?versionId=…`, and `pipeline.schedule`"
    ));
    let schedules = |pipeline: &PipelineRecord| -> Vec<String> {
        names(pipeline).iter().map(|name| format!("{}.{name}", pipeline.name)).collect()
    };
    if let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.name == text) {
        let mut hint = format!("`{text}` is a pipeline; its runs: `tidegate runs --pipeline {text}`");
        let own = schedules(pipeline).iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        if !own.is_empty() {
            hint.push_str(&format!("; its schedules: {}", own.join(", ")));
        }
        return error.hint(hint);
    }
    let all = pipelines.iter().flat_map(|pipeline| schedules(pipeline).into_iter().chain([pipeline.name.clone()]));
    let mut near: Vec<(f32, String)> = all
        .map(|name| (similar::TextDiff::from_chars(text, name.as_str()).ratio(), name))
        .filter(|(ratio, _)| *ratio > 0.6)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    match near.is_empty() {
        true => error.hint("`tidegate runs` lists the runs"),
        false => error.hint(format!("near it: {}", near.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow;
    use crate::render::fixtures::pipeline;

    #[test]
    fn a_text_names_a_run_an_object_or_a_schedule() {
        let pipelines = [pipeline("tumours")];
        let read = |text: &'static str| subject(&pipelines, text);
        assert_eq!(read("a-0123456789abcdef"), Subject::Run);
        assert_eq!(read("run:a-01"), Subject::Run);
        let object = |bucket, key, version| Subject::Object { bucket, key, version };
        assert_eq!(read("s3://b/raw/x.csv"), object(Some("b"), "raw/x.csv", None));
        assert_eq!(read("s3://b/raw/x.csv?versionId=v"), object(Some("b"), "raw/x.csv", Some("v")));
        assert_eq!(read("raw/tumours/x.csv"), object(None, "raw/tumours/x.csv", None));
        let nightly = Subject::Schedule { pipeline: &pipelines[0], name: "nightly" };
        assert_eq!(read("tumours.nightly"), nightly);
        assert_eq!(read("tumours/nightly"), nightly);
        assert_eq!(read("tumours/x.csv"), object(None, "tumours/x.csv", None));
        for word in ["a-01", "x.csv", "tumours", "tumours.weekly", ""] {
            assert_eq!(read(word), Subject::File, "{word}");
        }
    }

    #[test]
    fn what_names_nothing_is_told_with_the_nearest_names() {
        let pipelines = [pipeline("tumours")];
        let hint = |text: &str| unknown(&pipelines, text).hint.unwrap_or_default();
        assert!(hint("tumours.nigtly").starts_with("near it: `tumours.nightly`"), "{}", hint("tumours.nigtly"));
        assert!(hint("tumours").contains("its schedules: `tumours.nightly`"));
        assert_eq!(hint("qqqq"), "`tidegate runs` lists the runs");
        assert_eq!(unknown(&pipelines, "x").code.number(), 2);
        assert!(!follow::may_be_a_run("tumours") && follow::may_be_a_run("a-01") && follow::may_be_a_run("r"));
    }
}
