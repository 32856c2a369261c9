//! `tidegate drop`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use handlers::apply::Deployment;
use handlers::ledger::{PipelineRecord, Verdict, Wait};
use statemachine::RunId;
use statemachine::run::ObjectVersion;

use crate::context::Context;
use crate::error::Error;
use crate::follow;
use crate::target::Session;
use crate::view::Begun;

/// The largest object of one PutObject, bytes (PutObject, in the S3 API reference).
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// How long a run may take to collect the object. The event takes seconds, retries included minutes.
const COLLECTED_WITHIN: Duration = Duration::from_secs(180);

/// What to give to which pipeline.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tidegate drop cells.csv\n  tidegate drop cells.csv --pipeline breast-cancer --wait"
)]
pub(crate) struct Arguments {
    /// The file; it keeps its name
    file: PathBuf,
    /// The pipeline; needed only where several wait for such a file
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
    /// Follow the run to its end; exit code 1 unless it ends live or succeeded
    #[arg(long, short)]
    wait: bool,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let (name, size) = check(&arguments.file)?;
    let session = context.session().await?;
    let ledger = session.ledger();
    let pipelines = ledger.pipelines().await?;
    let Place { pipeline, key, wait } = choose(&pipelines, arguments.pipeline.as_deref(), &name, size)?;
    let bucket = Deployment::load(&ledger).await?.bucket;
    let object = upload(
        context,
        &session,
        &arguments.file,
        ObjectVersion { bucket, key, version_id: None, etag: None, size, sequencer: None },
    )
    .await?;
    let run = match wait {
        Wait::Batch => collector(context, &session, &pipeline, &object).await?,
        Wait::Run | Wait::Marker | Wait::Manifest => RunId::arrival(&pipeline, &object),
    };
    let begun = Begun { run, pipeline, object: Some(object.clone()), execution: None };
    if !arguments.wait {
        return context.terminal.show(&begun, || {
            format!("{object}\nrun {}\n\nfollow it with: tidegate run {} --wait", begun.run, begun.run)
        });
    }
    context.terminal.note(&format!("{object}\nrun {}", begun.run));
    follow::to_the_end(context, &session, &begun.run).await
}

/// The file's name and size.
fn check(file: &Path) -> Result<(String, u64), Error> {
    let shown = file.display();
    let found = std::fs::metadata(file).map_err(|error| Error::usage(format!("`{shown}` cannot be read: {error}")))?;
    if !found.is_file() {
        return Err(Error::usage(format!("`{shown}` is not a file: give one file")));
    }
    if found.len() > LARGEST {
        return Err(Error::usage(format!("`{shown}` has more than 5 GiB"))
            .hint("upload it with `aws s3 cp`, which sends large files in parts; the run starts all the same"));
    }
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::usage(format!("the name of `{shown}` is not UTF-8: rename it")))?;
    Ok((name.to_owned(), found.len()))
}

/// The run that collects the object: an earlier object may have begun it.
async fn collector(
    context: &Context,
    session: &Session,
    pipeline: &str,
    object: &ObjectVersion,
) -> Result<RunId, Error> {
    let _progress = context.terminal.progress("waiting for a run to collect it");
    let began = Instant::now();
    loop {
        if let Some(run) = session.ledger().takers(object).await?.remove(pipeline) {
            return Ok(run);
        }
        if began.elapsed() > COLLECTED_WITHIN {
            return Err(
                Error::failed(format!("no run has collected {object} yet")).hint(format!("`tidegate why {object}`"))
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Where a file is to go.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    pipeline: String,
    key: String,
    wait: Wait,
}

/// The pipeline, and the key under which it waits for the file.
fn choose(pipelines: &[PipelineRecord], wanted: Option<&str>, file: &str, size: u64) -> Result<Place, Error> {
    let key = |pipeline: &PipelineRecord| Some(format!("{}{file}", pipeline.arrival_prefix.as_deref()?));
    if let Some(wanted) = wanted {
        let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.name == wanted) else {
            return Err(unknown(pipelines, wanted));
        };
        let key = key(pipeline);
        return match key.as_deref().map_or(Verdict::NotMine, |key| pipeline.waits_for(key, size)) {
            Verdict::Takes(wait) => Ok(Place { pipeline: wanted.to_owned(), key: key.unwrap_or_default(), wait }),
            Verdict::Declined(reason) => {
                Err(Error::usage(format!("`{file}` would start nothing in pipeline `{wanted}`: {reason}")))
            }
            Verdict::NotMine => Err(Error::usage(format!("pipeline `{wanted}` does not wait for files"))
                .hint(format!("start it with `tidegate start {wanted}`"))),
        };
    }
    let place = |pipeline: &PipelineRecord| {
        let key = key(pipeline)?;
        match pipeline.waits_for(&key, size) {
            Verdict::Takes(wait) => Some(Place { pipeline: pipeline.name.clone(), key, wait }),
            Verdict::Declined(_) | Verdict::NotMine => None,
        }
    };
    let mut places: Vec<Place> = pipelines.iter().filter_map(place).collect();
    match (places.pop(), places.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            let names: Vec<String> =
                places.iter().chain([&last]).map(|place| format!("`{}`", place.pipeline)).collect();
            Err(Error::usage(format!("several pipelines wait for such a file: {}", names.join(", ")))
                .hint("name one with --pipeline"))
        }
        (None, _) => Err(unwanted(pipelines, file, size)),
    }
}

/// Nobody waits for the file: each pipeline that takes files says why.
fn unwanted(pipelines: &[PipelineRecord], file: &str, size: u64) -> Error {
    let mut error = Error::usage(format!("no pipeline waits for a file named `{file}`"));
    for pipeline in pipelines {
        let key = pipeline.arrival_prefix.as_deref().map(|prefix| format!("{prefix}{file}"));
        if let Some(Verdict::Declined(reason)) = key.map(|key| pipeline.waits_for(&key, size)) {
            error.lines.push(format!("it would start nothing in pipeline `{}`: {reason}", pipeline.name));
        }
    }
    match error.lines.len() {
        1 => error.hint("`tidegate apply DIR` makes one from a folder with pipeline.yaml"),
        _ => error,
    }
}

/// There is no such pipeline.
pub(super) fn unknown(pipelines: &[PipelineRecord], wanted: &str) -> Error {
    let names: Vec<String> = pipelines.iter().map(|pipeline| format!("`{}`", pipeline.name)).collect();
    let error = Error::usage(format!("there is no pipeline `{wanted}`"));
    if names.is_empty() {
        error.hint("none was applied yet: `tidegate apply DIR` makes one from a folder with pipeline.yaml")
    } else {
        error.hint(format!("there are: {}", names.join(", ")))
    }
}

async fn upload(
    context: &Context,
    session: &Session,
    file: &Path,
    object: ObjectVersion,
) -> Result<ObjectVersion, Error> {
    let to = format!("s3://{}/{}", object.bucket, object.key);
    let progress = context.terminal.progress(&format!("uploading {} bytes to {to}", object.size));
    let body = ByteStream::from_path(file).await;
    let body = body.map_err(|error| Error::usage(format!("`{}` cannot be read: {error}", file.display())))?;
    let request = session.aws.s3().put_object().bucket(&object.bucket).key(&object.key).body(body);
    // A large file may take longer than any other call.
    let patient = aws_sdk_s3::config::Builder::new().timeout_config(TimeoutConfig::disabled());
    let answer = request.customize().config_override(patient).send().await;
    let answer = answer.map_err(|error| Error::aws(format!("`{}` cannot be uploaded", file.display()), error))?;
    progress.done(&format!("uploaded to {to}"));
    let etag = answer.e_tag.map(|etag| etag.trim_matches('"').to_owned());
    Ok(ObjectVersion { version_id: answer.version_id, etag, ..object })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use statemachine::queue::Concurrency;
    use statemachine::run::RunSpec;

    use super::*;

    fn pipeline(name: &str, prefix: Option<&str>) -> PipelineRecord {
        PipelineRecord {
            name: name.into(),
            arrival_prefix: prefix.map(str::to_owned),
            arrival_suffix: Some(".csv".into()),
            min_size: Some(1),
            max_size: None,
            complete: None,
            expected: None,
            spec: RunSpec {
                pipeline: name.into(),
                pipeline_arn: String::new(),
                code: String::new(),
                definition: String::new(),
                evaluation: None,
                gate: None,
                deployment: None,
                role_arn: String::new(),
                concurrency: Concurrency::default(),
                batch: None,
                deadline_seconds: 86_400,
            },
            parameters: BTreeMap::new(),
            schedules: BTreeMap::new(),
            config: serde_json::Value::Null,
            applied: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_pipeline_that_waits_is_found() {
        let pipelines = [pipeline("a", Some("raw/a/")), pipeline("b", Some("raw/b/")), pipeline("c", None)];
        let place = |name: &str| Place { pipeline: name.into(), key: format!("raw/{name}/x.csv"), wait: Wait::Run };
        assert_eq!(choose(&pipelines[1..], None, "x.csv", 1), Ok(place("b")));
        assert_eq!(choose(&pipelines, Some("a"), "x.csv", 1), Ok(place("a")));
        let message = |wanted, file| choose(&pipelines, wanted, file, 1).unwrap_err().lines.join("\n");
        assert_eq!(message(None, "x.csv"), "several pipelines wait for such a file: `a`, `b`");
        assert_eq!(
            message(None, "x.txt"),
            "no pipeline waits for a file named `x.txt`\n\
             it would start nothing in pipeline `a`: its key does not end in `.csv`\n\
             it would start nothing in pipeline `b`: its key does not end in `.csv`"
        );
        let mut marked = pipeline("m", Some("raw/m/"));
        marked.complete = Some(handlers::ledger::Complete::Marker { name: "_SUCCESS".into() });
        let error = choose(&[marked], None, "x.csv", 1).unwrap_err();
        assert_eq!(
            error.lines,
            [
                "no pipeline waits for a file named `x.csv`",
                "it would start nothing in pipeline `m`: it is no `_SUCCESS`; the marker starts the run"
            ]
        );
        assert!(choose(&[pipeline("c", None)], None, "x.csv", 1).unwrap_err().hint.is_some());
        assert_eq!(
            message(Some("a"), "x.txt"),
            "`x.txt` would start nothing in pipeline `a`: its key does not end in `.csv`"
        );
        assert_eq!(
            choose(&pipelines, Some("a"), "x.csv", 0).unwrap_err().lines,
            ["`x.csv` would start nothing in pipeline `a`: it has 0 bytes; `min_size` is 1"]
        );
        assert_eq!(message(Some("c"), "x.csv"), "pipeline `c` does not wait for files");
        let error = choose(&pipelines, Some("d"), "x.csv", 1).unwrap_err();
        assert_eq!(error.lines, ["there is no pipeline `d`"]);
        assert_eq!(error.hint.as_deref(), Some("there are: `a`, `b`, `c`"));
    }
}
