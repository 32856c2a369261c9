use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::wire::{Answer, Request, decoded};
use super::{BUCKET, Cloud};

/// One version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) etag: String,
    pub(crate) body: String,
}

/// The data bucket: versions by key, the newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects(pub(crate) BTreeMap<String, Vec<Version>>);

impl Objects {
    /// Writes a new version, and tells which.
    pub(crate) fn put(&mut self, key: &str, body: &str) -> Version {
        let versions = self.0.entry(key.to_owned()).or_default();
        let id = format!("v{}", versions.len() + 1);
        let version = Version { id, etag: format!("e{:08x}", body.len()), body: body.to_owned() };
        versions.push(version.clone());
        version
    }

    fn find(&self, key: &str, version: Option<&str>) -> Option<&Version> {
        let versions = self.0.get(key)?;
        match version {
            None => versions.last(),
            Some(id) => versions.iter().find(|version| version.id == id),
        }
    }
}

impl Cloud {
    pub(super) fn s3(&mut self, operation: &str, request: &Request) -> Result<Answer, String> {
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket != BUCKET {
            return Err(format!("there is no bucket {bucket}"));
        }
        match operation {
            "CopyObject" => self.copy_object(key, request),
            "GetObject" => Ok(match self.s3.find(key, request.parameter("versionId")) {
                Some(version) => Answer { status: 200, kind: "binary/octet-stream", body: version.body.clone() },
                None => Answer::error("s3", 404, "NoSuchKey", "The specified key does not exist."),
            }),
            // Without the body, whose length the server tells all the same.
            "HeadObject" => Ok(match self.s3.find(key, request.parameter("versionId")) {
                Some(version) => Answer { status: 200, kind: "binary/octet-stream", body: version.body.clone() },
                None => Answer { status: 404, kind: "application/xml", body: String::new() },
            }),
            "ListObjectVersions" => Ok(self.list(request, true)),
            "ListObjectsV2" => Ok(self.list(request, false)),
            other => Err(format!("{other} is not known here")),
        }
    }

    fn copy_object(&mut self, key: &str, request: &Request) -> Result<Answer, String> {
        let source = decoded(request.header("x-amz-copy-source").unwrap_or_default());
        let (path, version) = match source.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version)),
            None => (source.as_str(), None),
        };
        let from = path.strip_prefix(BUCKET).and_then(|rest| rest.strip_prefix('/'));
        let from = from.ok_or_else(|| format!("{source} is not in the bucket"))?;
        let Some(found) = self.s3.find(from, version).cloned() else {
            return Ok(Answer::error("s3", 404, "NoSuchKey", "The specified key does not exist."));
        };
        if let Some(etag) = request.header("x-amz-copy-source-if-match")
            && etag.trim_matches('"') != found.etag
        {
            return Ok(Answer::error("s3", 412, "PreconditionFailed", "it was overwritten"));
        }
        self.s3.put(key, &found.body);
        Ok(Answer::xml(200, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"))
    }

    fn list(&self, request: &Request, versions: bool) -> Answer {
        let prefix = request.parameter("prefix").unwrap_or_default();
        let mut entries = String::new();
        for (key, known) in self.s3.0.iter().filter(|(key, _)| key.starts_with(prefix)) {
            for (place, version) in known.iter().enumerate().rev() {
                let Version { id, etag, body } = version;
                let (latest, size) = (place + 1 == known.len(), body.len());
                let both = format!("<Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>");
                let entry = match (versions, latest) {
                    (true, _) => {
                        format!("<Version>{both}<VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest></Version>")
                    }
                    (false, true) => format!("<Contents>{both}</Contents>"),
                    (false, false) => String::new(),
                };
                // Writing to a string cannot fail.
                let _ = write!(entries, "{entry}");
            }
        }
        let name = if versions { "ListVersionsResult" } else { "ListBucketResult" };
        Answer::xml(200, format!("<{name}><IsTruncated>false</IsTruncated>{entries}</{name}>"))
    }
}
