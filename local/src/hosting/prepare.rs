//! The folder of a deployment: model and code as they are in the container.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::api::endpoints::{Deployment, Endpoint};
use crate::engine::Engine;
use crate::jobs::archive;
use crate::jobs::process::LaunchSpec;
use crate::jobs::transfer::{self, TransferError};

/// The environment variable that names the code: a folder in the container, or a tar.gz in S3.
const SUBMIT: &str = "SAGEMAKER_SUBMIT_DIRECTORY";
/// Where S3 does not answer, as while the local cloud starts, it is asked again this often.
const ATTEMPTS: u32 = 10;
const BETWEEN: Duration = Duration::from_secs(2);

fn folder_of(engine: &Engine, endpoint: &str) -> PathBuf {
    engine.config.engine_dir().join("endpoints").join(endpoint.to_lowercase())
}

/// Downloads and unpacks what the deployment serves, unless that was done before, and says how to start the server. The
/// port is not in it.
pub(super) async fn prepare(engine: &Engine, endpoint: &str, deployment: &Deployment) -> Result<LaunchSpec, String> {
    let container = &deployment.container;
    let image = container.image.as_deref().unwrap_or_default();
    let python = engine.images.python(image).map_err(|error| error.to_string())?;
    let folder = folder_of(engine, endpoint).join(&deployment.id);
    let opt_ml = folder.join("opt-ml");
    let ready = folder.join("ready");
    if !ready.exists() {
        let local = |error: std::io::Error| format!("cannot write `{}`: {error}", folder.display());
        std::fs::create_dir_all(opt_ml.join("model")).map_err(local)?;
        if let Some(url) = &container.model_data_url {
            bring(engine, url, &folder.join("model.tar.gz"), &opt_ml.join("model")).await?;
        }
        if let Some(url) = container.environment.get(SUBMIT).filter(|place| place.starts_with("s3://")) {
            bring(engine, url, &folder.join("code.tar.gz"), &opt_ml.join("code")).await?;
        }
        std::fs::write(&ready, "").map_err(local)?;
    }
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok::<_, String>(path.to_string_lossy().into_owned())
    };
    let mut env: Vec<(String, String)> =
        container.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, value) in &mut env {
        if name == SUBMIT && value.starts_with("s3://") {
            "/opt/ml/code".clone_into(value);
        }
    }
    // The launcher puts the real folder in the place of `/opt/ml` where the process cannot have that path.
    env.push(("SM_OPT_ML".to_owned(), "/opt/ml".to_owned()));
    env.push(("PYTHONUNBUFFERED".to_owned(), "1".to_owned()));
    Ok(LaunchSpec {
        program: absolute(&python)?,
        args: vec![absolute(&engine.config.containers.join("serve.py"))?],
        env,
        opt_ml,
        log: folder_of(engine, endpoint).join(format!("{}.log", deployment.id)),
    })
}

/// A tar.gz is unpacked; a URI that ends in a slash is a folder of files.
async fn bring(engine: &Engine, uri: &str, file: &Path, folder: &Path) -> Result<(), String> {
    let mut attempt = 1;
    loop {
        match fetch(engine, uri, file, folder).await {
            Err(TransferError::Internal(reason)) if attempt < ATTEMPTS => {
                tracing::warn!(uri, reason, "not downloaded, trying again");
                attempt += 1;
                tokio::select! {
                    () = tokio::time::sleep(BETWEEN) => {}
                    () = engine.shutdown.cancelled() => return Err("the engine stops".to_owned()),
                }
            }
            Err(TransferError::Internal(reason) | TransferError::Client(reason)) => return Err(reason),
            Ok(()) => break,
        }
    }
    if file.exists() {
        let (from, to) = (file.to_owned(), folder.to_owned());
        let unpacked = tokio::task::spawn_blocking(move || archive::unpack(&from, &to)).await;
        unpacked
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("Failed to extract {uri}, which must be a tar.gz: {error}"))?;
        // Unpacked, it would only take the room twice.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

async fn fetch(engine: &Engine, uri: &str, file: &Path, folder: &Path) -> Result<(), TransferError> {
    if uri.ends_with('/') {
        return transfer::download_prefix(&engine.s3, uri, folder).await.map(drop);
    }
    let (bucket, key) = transfer::split_uri(uri)?;
    transfer::fetch(&engine.s3, bucket, key, file).await
}

/// The last lines of a deployment's log, for a failure reason.
pub(super) fn log_tail(spec: &LaunchSpec) -> String {
    const LONGEST: usize = 600;
    let text = std::fs::read(&spec.log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let text = text.trim();
    let start = text.char_indices().rev().nth(LONGEST - 1).map_or(0, |(at, _)| at);
    text.get(start..).unwrap_or_default().to_owned()
}

/// Removes what a deployment unpacked. Its log stays.
pub(super) fn discard(engine: &Engine, endpoint: &str, deployment: &Deployment) {
    remove_folder(&folder_of(engine, endpoint).join(&deployment.id));
}

/// Removes what an endpoint's deployments unpacked. Their logs stay.
pub(super) fn remove(engine: &Engine, endpoint: &str) {
    for folder in folders(&folder_of(engine, endpoint)) {
        remove_folder(&folder);
    }
}

/// Removes what deployments of an earlier engine left that neither serve nor start.
pub(super) fn clean(engine: &Engine, endpoint: &Endpoint) {
    let wanted: Vec<&str> = endpoint.live.iter().chain(&endpoint.pending).map(|kept| kept.id.as_str()).collect();
    for folder in folders(&folder_of(engine, &endpoint.name)) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.contains(&name.as_str()) {
            remove_folder(&folder);
        }
    }
}

fn folders(place: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn remove_folder(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "cannot remove");
    }
}
