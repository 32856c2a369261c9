//! Processing: inputs and outputs at the paths of the request.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::process::LaunchSpec;
use super::run::{End, Work, read_start};
use super::{training, transfer};

/// The image's own Python: any of these as the first word means the environment's.
const PYTHONS: [&str; 4] = ["python", "python3", "/usr/bin/python3", "/usr/local/bin/python3"];

pub(super) async fn prepare(work: &Work<'_>, python: &Path) -> Result<LaunchSpec, End> {
    let job = work.job;
    for folder in ["config", "output", "processing"] {
        std::fs::create_dir_all(work.opt_ml.join(folder)).map_err(|error| End::internal(&error))?;
    }
    let instance = job.text("/ProcessingResources/ClusterConfig/InstanceType");
    let files =
        [("processingjobconfig.json", job_config(work)), ("resourceconfig.json", training::resource_config(instance))];
    for (name, content) in files {
        std::fs::write(work.opt_ml.join("config").join(name), content.to_string())
            .map_err(|error| End::internal(&error))?;
    }
    for input in job.list("ProcessingInputs") {
        let name = input.get("InputName").and_then(Value::as_str).unwrap_or_default();
        let source = input.get("S3Input").ok_or_else(|| {
            End::client(&format_args!("the local engine reads inputs from S3 only, which `{name}` is not"))
        })?;
        let path = source.get("LocalPath").and_then(Value::as_str);
        let path = path.ok_or_else(|| End::client(&format_args!("the input `{name}` has no LocalPath")))?;
        transfer::download_source(&work.engine.s3, source, &local(&work.opt_ml, path)).await?;
    }
    for (_, path) in outputs(work) {
        std::fs::create_dir_all(path).map_err(|error| End::internal(&error))?;
    }

    let strings = |member: &str| -> Vec<String> {
        let list = job.request.get("AppSpecification").and_then(|app| app.get(member)).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()).unwrap_or_default()
    };
    let mut entrypoint = strings("ContainerEntrypoint").into_iter();
    let program = entrypoint.next().ok_or_else(|| {
        End::client(&"the local engine does not have the image's own entry point; set ContainerEntrypoint")
    })?;
    let program = if PYTHONS.contains(&program.as_str()) { python.to_string_lossy().into_owned() } else { program };
    Ok(work.spec(program, entrypoint.chain(strings("ContainerArguments")).collect(), python, Vec::new()))
}

/// What the container finds in `/opt/ml/config/processingjobconfig.json`: the request under the job's ARN.
fn job_config(work: &Work<'_>) -> Value {
    let mut config = Map::new();
    config.insert("ProcessingJobArn".to_owned(), work.job.arn.clone().into());
    config.extend(work.job.request.clone());
    for (member, usual) in [
        ("Environment", json!({})),
        ("ProcessingInputs", json!([])),
        ("ProcessingOutputConfig", json!({"Outputs": []})),
    ] {
        config.entry(member).or_insert(usual);
    }
    Value::Object(config)
}

/// The folder of a path under `/opt/ml`, which the request's check has made sure of.
fn local(opt_ml: &Path, path: &str) -> PathBuf {
    opt_ml.join(path.strip_prefix("/opt/ml").unwrap_or(path).trim_start_matches('/'))
}

/// The S3 URI and the folder of each output.
fn outputs(work: &Work<'_>) -> Vec<(String, PathBuf)> {
    let outputs = work.job.request.get("ProcessingOutputConfig").and_then(|config| config.get("Outputs"));
    let outputs = outputs.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let place = |output: &Value| {
        let text = |pointer| output.pointer(pointer).and_then(Value::as_str);
        Some((text("/S3Output/S3Uri")?.to_owned(), local(&work.opt_ml, text("/S3Output/LocalPath")?)))
    };
    outputs.iter().filter_map(place).collect()
}

/// After the process, however it ended: what it wants to say.
pub(super) fn after(work: &Work<'_>) -> Result<(), End> {
    let message = read_start(&work.opt_ml.join("output/message"));
    Ok(work.update(|job| job.exit_message = message)?)
}

pub(super) async fn upload(work: &Work<'_>) -> Result<(), End> {
    for (uri, folder) in outputs(work) {
        transfer::upload_folder(&work.engine.s3, &folder, &uri).await?;
    }
    Ok(())
}
