//! Training: `/opt/ml/input`, `/opt/ml/model`, `/opt/ml/output`.

use std::path::Path;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::process::LaunchSpec;
use super::run::{End, Work};
use super::transfer;

pub(super) async fn prepare(work: &Work<'_>, python: &Path) -> Result<LaunchSpec, End> {
    let job = work.job;
    let config = work.opt_ml.join("input/config");
    for folder in ["input/config", "input/data", "model", "output/data", "code"] {
        std::fs::create_dir_all(work.opt_ml.join(folder)).map_err(|error| End::internal(&error))?;
    }
    let hyperparameters = job.request.get("HyperParameters").cloned().unwrap_or_else(|| json!({}));
    let files = [
        ("hyperparameters.json", hyperparameters.clone()),
        ("resourceconfig.json", resource_config(job.text("/ResourceConfig/InstanceType"))),
        ("inputdataconfig.json", input_data_config(job.list("InputDataConfig"))),
    ];
    for (name, content) in files {
        std::fs::write(config.join(name), content.to_string()).map_err(|error| End::internal(&error))?;
    }
    for channel in job.list("InputDataConfig") {
        let name = channel.get("ChannelName").and_then(Value::as_str).unwrap_or_default();
        let source = channel.pointer("/DataSource/S3DataSource").ok_or_else(|| {
            End::client(&format_args!("the local engine reads channels from S3 only, which `{name}` is not"))
        })?;
        let folder = work.opt_ml.join("input/data").join(name);
        transfer::download_source(&work.engine.s3, source, &folder).await?;
    }
    source_code(work, &hyperparameters).await?;

    let strings = |pointer: &str| -> Vec<String> {
        let list =
            job.request.get("AlgorithmSpecification").and_then(|spec| spec.get(pointer)).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()).unwrap_or_default()
    };
    let env =
        vec![("TRAINING_JOB_NAME".to_owned(), job.name.clone()), ("TRAINING_JOB_ARN".to_owned(), job.arn.clone())];
    let mut entrypoint = strings("ContainerEntrypoint").into_iter();
    let (program, args) = match entrypoint.next() {
        Some(program) => (program, entrypoint.chain(strings("ContainerArguments")).collect()),
        None => {
            let shim = std::path::absolute(work.engine.config.containers.join("train.py"));
            let shim = shim.map_err(|error| End::internal(&error))?;
            (python.to_string_lossy().into_owned(), vec![shim.to_string_lossy().into_owned()])
        }
    };
    Ok(work.spec(program, args, python, env))
}

/// Script mode: the hyperparameter `sagemaker_submit_directory` names the packed source code. Its value is JSON, as all
/// values in script mode, or plain text.
async fn source_code(work: &Work<'_>, hyperparameters: &Value) -> Result<(), End> {
    let Some(value) = hyperparameters.get("sagemaker_submit_directory").and_then(Value::as_str) else { return Ok(()) };
    let uri: String = serde_json::from_str(value).unwrap_or_else(|_| value.to_owned());
    if !uri.starts_with("s3://") {
        return Ok(());
    }
    let (bucket, key) = transfer::split_uri(&uri)?;
    let packed = work.opt_ml.join("input/sourcedir.tar.gz");
    transfer::fetch(&work.engine.s3, bucket, key, &packed).await?;
    let code = work.opt_ml.join("code");
    let unpacked = tokio::task::spawn_blocking(move || super::unpack(&packed, &code)).await;
    match unpacked {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(End::client(&format_args!("cannot unpack `{uri}`: {error}"))),
        Err(error) => Err(End::internal(&error)),
    }
}

/// After the process, however it ended: the metrics that the request wants found in its log.
pub(super) fn after(work: &Work<'_>, log: &Path) -> Result<(), End> {
    let definitions = work.job.request.get("AlgorithmSpecification").and_then(|spec| spec.get("MetricDefinitions"));
    let Some(definitions) = definitions.and_then(Value::as_array) else { return Ok(()) };
    let log = std::fs::read(log).map_err(|error| End::internal(&error))?;
    let log = String::from_utf8_lossy(&log);
    let now = work.engine.now();
    let metrics = definitions.iter().filter_map(|definition| {
        let name = definition.get("Name")?.as_str()?;
        Some((name.to_owned(), last_value(definition.get("Regex")?.as_str()?, &log)?, now))
    });
    let metrics = metrics.collect();
    Ok(work.update(|job| job.metrics = metrics)?)
}

fn last_value(pattern: &str, log: &str) -> Option<f64> {
    let pattern = Regex::new(pattern).ok()?;
    pattern.captures_iter(log).filter_map(|found| found.get(1)?.as_str().parse().ok()).last()
}

pub(super) async fn upload(work: &Work<'_>) -> Result<(), End> {
    let job = work.job;
    let base = job.text("/OutputDataConfig/S3OutputPath").unwrap_or_default().trim_end_matches('/').to_owned();
    let model = send(work, &work.opt_ml.join("model"), &base, "model.tar.gz").await?;
    let data = work.opt_ml.join("output/data");
    if std::fs::read_dir(&data).is_ok_and(|mut entries| entries.next().is_some()) {
        send(work, &data, &base, "output.tar.gz").await?;
    }
    Ok(work.update(|job| job.model = Some(model))?)
}

/// Packs a folder and puts it at `<base>/<job>/output/<name>`.
async fn send(work: &Work<'_>, folder: &Path, base: &str, name: &str) -> Result<String, End> {
    let packed = work.opt_ml.join(name);
    let (from, to) = (folder.to_owned(), packed.clone());
    let result = tokio::task::spawn_blocking(move || super::pack(&from, &to)).await;
    result.map_err(|error| End::internal(&error))?.map_err(|error| End::internal(&error))?;
    let uri = format!("{base}/{}/output/{name}", work.job.name);
    let (bucket, key) = transfer::split_uri(&uri)?;
    transfer::upload(&work.engine.s3, &packed, bucket, key).await?;
    Ok(uri)
}

pub(super) fn resource_config(instance: Option<&str>) -> Value {
    let instance = instance.unwrap_or("local");
    json!({
        "current_host": "algo-1",
        "current_instance_type": instance,
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["algo-1"]}
        ],
        "network_interface_name": "lo",
    })
}

fn input_data_config(channels: &[Value]) -> Value {
    let entry = |channel: &Value| {
        let name = channel.get("ChannelName")?.as_str()?.to_owned();
        let text =
            |pointer: &str, usual: &str| Value::from(channel.pointer(pointer).and_then(Value::as_str).unwrap_or(usual));
        let mut config = Map::new();
        config.insert("TrainingInputMode".to_owned(), text("/InputMode", "File"));
        config.insert(
            "S3DistributionType".to_owned(),
            text("/DataSource/S3DataSource/S3DataDistributionType", "FullyReplicated"),
        );
        config.insert("RecordWrapperType".to_owned(), text("/RecordWrapperType", "None"));
        if let Some(content_type) = channel.get("ContentType") {
            config.insert("ContentType".to_owned(), content_type.clone());
        }
        Some((name, Value::Object(config)))
    };
    Value::Object(channels.iter().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_described_to_the_container() {
        let channels = [json!({"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": {}}})];
        assert_eq!(
            input_data_config(&channels),
            json!({"train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None", "ContentType": "text/csv"}})
        );
    }

    #[test]
    fn the_last_match_of_a_metric_counts() {
        assert_eq!(last_value("loss: ([0-9.]+)", "loss: 0.5\nloss: 0.25\n"), Some(0.25));
        assert_eq!(last_value("loss: ([0-9.]+)", "nothing"), None);
        assert_eq!(last_value("(", "x"), None);
    }
}
