//! The step scripts, uploaded under their content hash: what lies there never changes, it is only added.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use super::prepare::Prepared;
use super::{ApplyError, Deployment};
use crate::effects::CallError;

/// The keys that are not there, or not whole.
pub(super) async fn missing(
    client: &Client,
    deployment: &Deployment,
    prepared: &Prepared,
) -> Result<BTreeSet<String>, ApplyError> {
    let bucket = &deployment.bucket;
    let prefix = format!("code/{}/{}/", prepared.pipeline.name(), prepared.environment.code().sha256());
    let pages = client.list_objects_v2().bucket(bucket).prefix(&prefix).into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await.map_err(|error| {
        CallError::of(error).or_missing(format_args!("the code under s3://{bucket}/{prefix} cannot be listed"), || {
            format!("there is no bucket `{bucket}`: deploy the orchestrator's stack")
        })
    })?;
    let mut missing: BTreeSet<String> = prepared.code.keys().cloned().collect();
    for object in pages.iter().flat_map(|page| page.contents()) {
        let Some(key) = object.key() else { continue };
        let size = object.size().and_then(|size| usize::try_from(size).ok());
        if prepared.code.get(key).is_some_and(|content| Some(content.len()) == size) {
            missing.remove(key);
        }
    }
    Ok(missing)
}

pub(super) async fn upload(
    client: &Client,
    deployment: &Deployment,
    prepared: &Prepared,
    missing: &BTreeSet<String>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), ApplyError> {
    let bucket = &deployment.bucket;
    for (key, content) in prepared.code.iter().filter(|(key, _)| missing.contains(*key)) {
        let body = ByteStream::from(content.clone());
        let sent = client.put_object().bucket(bucket).key(key).body(body).send().await;
        sent.map_err(|error| CallError::of(error).effect(format_args!("s3://{bucket}/{key} cannot be written")))?;
        progress(&format!("code: s3://{bucket}/{key}"));
    }
    Ok(())
}
