//! Objects that say that others are there: a marker for its folder, a manifest for those that it lists.

use std::collections::BTreeSet;

use serde::Deserialize;
use statemachine::run::ObjectVersion;
use statemachine::text::one_line;

use super::{Intake, IntakeError};
use crate::ledger::{PipelineRecord, Verdict, Wait};
use crate::observe::{OBJECT_LIMIT, ObserveError};

/// The largest manifest that is read, in bytes.
const MANIFEST_LIMIT: usize = 1024 * 1024;

/// SageMaker's manifest: a prefix, then names to be appended to it (S3DataSource, in the SageMaker API reference).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Prefix { prefix: String },
    Name(String),
}

impl Intake<'_> {
    /// The objects that a marker or a manifest stands for, each at its newest version; or, in words, why there are none.
    ///
    /// # Errors
    /// S3 does not answer now.
    pub(super) async fn objects_behind(
        &self,
        pipeline: &PipelineRecord,
        wait: Wait,
        object: &ObjectVersion,
    ) -> Result<Result<Vec<ObjectVersion>, String>, IntakeError> {
        let found = match wait {
            Wait::Manifest => self.listed(object).await,
            _ => self.beside(pipeline, object).await,
        };
        match found {
            Ok(objects) if objects.is_empty() => {
                Ok(Err(format!("{object} came, and there is no data that it stands for")))
            }
            Ok(objects) => Ok(Ok(objects)),
            Err(ObserveError::Permanent(reason)) => Ok(Err(reason)),
            Err(error) => Err(error.into()),
        }
    }

    /// S3 lists what was written before the marker, however late the events of those objects are.
    async fn beside(
        &self,
        pipeline: &PipelineRecord,
        marker: &ObjectVersion,
    ) -> Result<Vec<ObjectVersion>, ObserveError> {
        let folder = marker.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let uri = format!("s3://{}/{folder}/", marker.bucket);
        let mut objects = self.observe().objects(&uri, OBJECT_LIMIT).await?;
        objects.retain(|object| {
            let inside = object.key.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            inside.is_some_and(|name| !name.contains('/')) && pipeline.reads(&object.key, object.size)
        });
        Ok(objects)
    }

    async fn listed(&self, manifest: &ObjectVersion) -> Result<Vec<ObjectVersion>, ObserveError> {
        let wrong = |why: &str| ObserveError::Permanent(format!("manifest {manifest} cannot be used: {why}"));
        if manifest.size > MANIFEST_LIMIT as u64 {
            return Err(wrong(&format!("it has {} bytes, and {MANIFEST_LIMIT} are accepted", manifest.size)));
        }
        let text = self.observe().read(manifest, MANIFEST_LIMIT).await?;
        let keys = manifest_keys(&text, &manifest.bucket).map_err(|why| wrong(&why))?;
        let mut objects = Vec::new();
        for key in keys {
            let found = self.observe().newest(&manifest.bucket, &key).await?;
            let advice = "upload it, then the manifest again";
            objects.push(found.ok_or_else(|| wrong(&format!("it lists `{key}`, which is not there: {advice}")))?);
        }
        Ok(objects)
    }
}

/// The longest key of an object, in bytes (S3 user guide, "Naming Amazon S3 objects").
const KEY_LIMIT: usize = 1024;

/// The keys that a manifest lists, in its order, each once.
///
/// # Errors
/// In words: it is larger than 1 MiB or of another form, its prefix is of another bucket or not under `raw/`, or it lists
/// more objects than a run reads.
pub fn manifest_keys(text: &[u8], bucket: &str) -> Result<Vec<String>, String> {
    if text.len() > MANIFEST_LIMIT {
        return Err(format!("it has {} bytes, and {MANIFEST_LIMIT} are accepted", text.len()));
    }
    let form = "accepted is SageMaker's form, `[{\"prefix\": \"s3://bucket/folder/\"}, \"name\", …]`";
    let entries: Vec<Entry> = serde_json::from_slice(text).map_err(|error| format!("{error}; {form}"))?;
    let mut entries = entries.into_iter();
    let Some(Entry::Prefix { prefix }) = entries.next() else {
        return Err(format!("it does not begin with a prefix; {form}"));
    };
    let inside = prefix.strip_prefix("s3://").and_then(|rest| rest.strip_prefix(bucket));
    let shown = one_line(&prefix, 200);
    let Some(folder) = inside.and_then(|rest| rest.strip_prefix('/')) else {
        return Err(format!("its prefix is `{shown}`, and an address in bucket `{bucket}` is accepted"));
    };
    // What a run copies must be what came in, and nothing else that the function may read.
    if !folder.starts_with("raw/") {
        return Err(format!("its prefix is `{shown}`, and an address under `s3://{bucket}/raw/` is accepted"));
    }
    let mut names = BTreeSet::new();
    let mut keys = Vec::new();
    for entry in entries {
        let Entry::Name(name) = entry else { return Err(format!("it has a second prefix; {form}")) };
        let length = folder.len() + name.len();
        if length > KEY_LIMIT {
            return Err(format!("it lists a key of {length} bytes, and a key has {KEY_LIMIT} at most"));
        }
        if !names.contains(&name) {
            keys.push(format!("{folder}{name}"));
            names.insert(name);
        }
    }
    if keys.len() > OBJECT_LIMIT {
        return Err(format!("it lists {} objects, and {OBJECT_LIMIT} are accepted", keys.len()));
    }
    Ok(keys)
}

impl PipelineRecord {
    /// Whether an object is data of this pipeline: under its prefix, with its suffix, within its sizes, and no marker.
    #[must_use]
    fn reads(&self, key: &str, size: u64) -> bool {
        let data = Self { complete: None, ..self.clone() };
        !matches!(self.waits_for(key, size), Verdict::Takes(Wait::Marker | Wait::Manifest))
            && matches!(data.waits_for(key, size), Verdict::Takes(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        manifest_keys(text.as_bytes(), "data")
    }

    #[test]
    fn a_manifest_in_sagemakers_form_is_read() {
        let text = r#"[{"prefix":"s3://data/raw/p/"},"a.csv","b/c.csv","a.csv"]"#;
        assert_eq!(read(text), Ok(vec!["raw/p/a.csv".to_owned(), "raw/p/b/c.csv".to_owned()]));
    }

    #[test]
    fn a_manifest_of_another_form_or_place_is_refused_with_what_is_accepted() {
        for (text, part) in [
            ("{}", "accepted is SageMaker's form"),
            ("[]", "does not begin with a prefix"),
            (r#"["a.csv"]"#, "does not begin with a prefix"),
            (r#"[{"prefix":"s3://data-of-others/raw/p/"},"a"]"#, "an address in bucket `data` is accepted"),
            (r#"[{"prefix":"s3://data/runs/"},"a"]"#, "under `s3://data/raw/` is accepted"),
            (r#"[{"prefix":"s3://data/raw/"},{"prefix":"s3://data/raw/"}]"#, "second prefix"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_manifest_whose_keys_would_outgrow_it_is_refused() {
        let folder = "f".repeat(500_000);
        let names: Vec<String> = (0..50_000).map(|number| format!("\"{number}\"")).collect();
        let names = names.join(",");
        let error = read(&format!("[{{\"prefix\":\"s3://data/raw/{folder}/\"}},{names}]")).unwrap_err();
        assert!(error.contains("and a key has 1024 at most"), "{error}");
        let error = read(&format!("[{{\"prefix\":\"s3://data/raw/\"}},{names}]")).unwrap_err();
        assert!(error.contains("it lists 50000 objects"), "{error}");
        let error = read(&format!("[{{\"prefix\":\"{folder}\"}}]")).unwrap_err();
        assert!(error.len() < 1000, "{} bytes", error.len());
    }
}
