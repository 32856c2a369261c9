//! Whole executions through the engine's operations, with shell scripts as steps and an S3 that is a map.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use local::engine::{Engine, EngineConfig};
use serde_json::{Value, json};

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

const IMAGE: &str = "1.dkr.ecr.us-east-1.amazonaws.com/shell:1";
const ROLE: &str = "arn:aws:iam::000000000000:role/steps";

/// Listing, reading and writing: what the engine asks of S3.
async fn s3(objects: Objects) -> String {
    async fn list(
        State(objects): State<Objects>,
        UrlPath(bucket): UrlPath<String>,
        Query(query): Query<BTreeMap<String, String>>,
    ) -> String {
        let prefix = format!("{bucket}/{}", query.get("prefix").cloned().unwrap_or_default());
        let objects = objects.lock().unwrap();
        let keys = objects.keys().filter(|key| key.starts_with(&prefix));
        let contents: String =
            keys.map(|key| format!("<Contents><Key>{}</Key></Contents>", &key[bucket.len() + 1..])).collect();
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
    }
    async fn read(
        State(objects): State<Objects>,
        UrlPath((bucket, key)): UrlPath<(String, String)>,
    ) -> Result<Bytes, (StatusCode, &'static str)> {
        let found = objects.lock().unwrap().get(&format!("{bucket}/{key}")).cloned();
        found.ok_or((StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>"))
    }
    async fn write(
        State(objects): State<Objects>,
        UrlPath((bucket, key)): UrlPath<(String, String)>,
        headers: HeaderMap,
        body: Bytes,
    ) {
        let chunked = headers.get("content-encoding").is_some_and(|value| value == "aws-chunked");
        let body = if chunked { unchunk(&body) } else { body };
        objects.lock().unwrap().insert(format!("{bucket}/{key}"), body);
    }
    let router = Router::new()
        .route("/{bucket}", get(list))
        .route("/{bucket}/", get(list))
        .route("/{bucket}/{*key}", get(read).put(write))
        .with_state(objects);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// `<size in hex>[;...]\r\n<bytes>\r\n ... 0\r\n<trailers>`
fn unchunk(body: &[u8]) -> Bytes {
    let (mut rest, mut all) = (body, Vec::new());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(line.split(';').next().unwrap(), 16).unwrap();
        if size == 0 {
            return all.into();
        }
        all.extend(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
}

struct World {
    folder: PathBuf,
    config: EngineConfig,
    objects: Objects,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("tidegate-execution-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("env/bin")).unwrap();
        // Steps are shell scripts, so the image's Python need only exist.
        std::fs::write(folder.join("env/bin/python"), "").unwrap();
        let images = json!({"images": [{"repository": "shell", "environment": "env"}]});
        std::fs::write(folder.join("images.json"), images.to_string()).unwrap();
        let objects = Objects::default();
        objects.lock().unwrap().insert("b/in/a.txt".into(), "hello\n".into());
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let config = EngineConfig {
            region: "us-east-1".into(),
            images: folder.join("images.json"),
            root: folder.clone(),
            ..EngineConfig::of_checkout(checkout, folder.join("home"), 1, &s3(Arc::clone(&objects)).await)
        };
        std::fs::create_dir_all(config.engine_dir()).unwrap();
        Self { folder, config, objects }
    }

    async fn engine(&self) -> Arc<Engine> {
        let engine = Engine::open(self.config.clone()).unwrap();
        local::execution::resume(&engine).await;
        engine
    }

    /// What happened, in the order in which it would be delivered.
    fn events(&self) -> Vec<String> {
        let folder = self.config.events_dir();
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let told = files.iter().map(|file| {
            let event: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let detail = &event["detail"];
            match detail["stepName"].as_str() {
                Some(step) => format!("{step} {}", detail["currentStepStatus"].as_str().unwrap()),
                None => detail["currentPipelineExecutionStatus"].as_str().unwrap().to_owned(),
            }
        });
        told.collect()
    }
}

fn token() -> String {
    format!("{0}{0}", uuid::Uuid::new_v4().simple())
}

fn step(name: &str, script: &str, input: Value) -> Value {
    json!({"Name": name, "Type": "Processing", "Arguments": {
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", script, "/opt/ml/processing"]},
        "RoleArn": ROLE,
        "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": input, "LocalPath": "/opt/ml/processing/in",
            "S3DataType": "S3Prefix", "S3InputMode": "File"}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {
            "S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}, name]}},
            "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}}]},
    }})
}

fn with(mut step: Value, member: &str, value: Value) -> Value {
    step[member] = value;
    step
}

async fn start(engine: &Arc<Engine>, steps: Value, parameters: Value) -> String {
    let definition = json!({
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Least", "Type": "Integer", "DefaultValue": 1}],
        "Steps": steps,
    });
    let create = json!({"PipelineName": "Test", "PipelineDefinition": definition.to_string(), "RoleArn": ROLE,
        "ClientRequestToken": token()});
    if engine.call("CreatePipeline", create.clone()).await.is_err() {
        let update = json!({"PipelineName": "Test", "PipelineDefinition": definition.to_string()});
        engine.call("UpdatePipeline", update).await.unwrap();
    }
    let request = json!({"PipelineName": "Test", "ClientRequestToken": token(), "PipelineParameters": parameters});
    let first = engine.call("StartPipelineExecution", request.clone()).await.unwrap();
    assert_eq!(engine.call("StartPipelineExecution", request).await.unwrap(), first, "the same token");
    first["PipelineExecutionArn"].as_str().unwrap().to_owned()
}

async fn ended(engine: &Arc<Engine>, arn: &str) -> Value {
    for _ in 0..600 {
        let request = json!({"PipelineExecutionArn": arn});
        let execution = engine.call("DescribePipelineExecution", request).await.unwrap();
        if !matches!(execution["PipelineExecutionStatus"].as_str(), Some("Executing" | "Stopping")) {
            return execution;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the execution hangs")
}

async fn statuses(engine: &Arc<Engine>, arn: &str) -> BTreeMap<String, (String, String)> {
    let request = json!({"PipelineExecutionArn": arn, "MaxResults": 100});
    let answer = engine.call("ListPipelineExecutionSteps", request).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = answer["PipelineExecutionSteps"].as_array().unwrap().iter();
    steps.map(|step| (text(&step["StepName"]), (text(&step["StepStatus"]), text(&step["FailureReason"])))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_flows_through_steps_and_a_condition_chooses() {
    let world = World::new().await;
    let engine = world.engine().await;
    let first = step("first", "cat $0/in/a.txt $0/in/a.txt > $0/out/b.txt", json!("s3://b/in/"));
    let out = json!({"Get": "Steps.first.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"});
    let second = step("second", r#"echo "{\"lines\": $(wc -l < $0/in/b.txt)}" > $0/out/r.json"#, out);
    let second =
        with(second, "PropertyFiles", json!([{"PropertyFileName": "r", "OutputName": "out", "FilePath": "r.json"}]));
    let lines = json!({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.second.PropertyFiles.r"}, "Path": "lines"}});
    let gate = json!({"Name": "gate", "Type": "Condition", "Arguments": {
        "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": lines, "RightValue": {"Get": "Parameters.Least"}}],
        "IfSteps": [],
        "ElseSteps": [{"Name": "few", "Type": "Fail", "Arguments":
            {"ErrorMessage": {"Std:Join": {"On": "", "Values": ["only ", lines]}}}}],
    }});
    let steps = json!([first, second, gate]);
    let arn = start(&engine, steps.clone(), json!([])).await;
    assert_eq!(ended(&engine, &arn).await["PipelineExecutionStatus"], "Succeeded");
    let id = arn.rsplit('/').next().unwrap();
    assert_eq!(world.objects.lock().unwrap()[&format!("b/{id}/first/b.txt")], "hello\nhello\n");
    assert_eq!(
        world.events(),
        [
            "Executing",
            "first Starting",
            "first Executing",
            "first Succeeded",
            "second Starting",
            "second Executing",
            "second Succeeded",
            "gate Starting",
            "gate Succeeded",
            "Succeeded"
        ]
    );

    let arn = start(&engine, steps, json!([{"Name": "Least", "Value": "3"}])).await;
    let execution = ended(&engine, &arn).await;
    assert_eq!(execution["PipelineExecutionStatus"], "Failed");
    assert_eq!(execution["FailureReason"], "Step failure: One or multiple steps failed.");
    assert_eq!(statuses(&engine, &arn).await["few"], ("Failed".into(), "only 2".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_keeps_back_what_waits_for_it_and_a_retry_goes_on() {
    let world = World::new().await;
    let engine = world.engine().await;
    let script = r#"cat $0/in/go || { mkdir -p $0/../output; echo "not yet" > $0/../output/message; exit 9; }"#;
    let steps = json!([
        step("good", "true", json!("s3://b/in/")),
        with(step("bad", script, json!("s3://b/in/")), "DependsOn", json!(["good"])),
        with(step("after", "true", json!("s3://b/in/")), "DependsOn", json!(["bad"])),
        step("empty", "true", json!("s3://b/nothing/")),
    ]);
    let arn = start(&engine, steps, json!([])).await;
    assert_eq!(ended(&engine, &arn).await["PipelineExecutionStatus"], "Failed");
    let seen = statuses(&engine, &arn).await;
    assert_eq!(seen["good"].0, "Succeeded");
    assert_eq!(seen["bad"], ("Failed".into(), "AlgorithmError: not yet, exit code: 9".into()));
    assert!(seen["empty"].1.starts_with("ClientError: No S3 objects found under S3 URL \"s3://b/nothing/\""));
    assert!(!seen.contains_key("after"));

    world.objects.lock().unwrap().extend([("b/in/go".into(), "".into()), ("b/nothing/x".into(), "".into())]);
    let retry = json!({"PipelineExecutionArn": arn, "ClientRequestToken": token()});
    engine.call("RetryPipelineExecution", retry).await.unwrap();
    assert_eq!(ended(&engine, &arn).await["PipelineExecutionStatus"], "Succeeded");
    assert_eq!(world.events().iter().filter(|event| *event == "good Succeeded").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_jobs() {
    let world = World::new().await;
    let engine = world.engine().await;
    let arn = start(&engine, json!([step("long", "sleep 60", json!("s3://b/in/"))]), json!([])).await;
    while statuses(&engine, &arn).await.get("long").is_none_or(|step| step.0 != "Executing") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stop = json!({"PipelineExecutionArn": arn, "ClientRequestToken": token()});
    engine.call("StopPipelineExecution", stop).await.unwrap();
    assert_eq!(ended(&engine, &arn).await["PipelineExecutionStatus"], "Stopped");
    assert_eq!(statuses(&engine, &arn).await["long"].0, "Stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_outlives_its_engine() {
    let world = World::new().await;
    let engine = world.engine().await;
    // The second time the object is there, and the step ends at once.
    let long = step("long", "test -e $0/in/go || sleep 60", json!("s3://b/in/"));
    let retries = json!([{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 0, "MaxAttempts": 1}]);
    let patient = start(&engine, json!([with(long.clone(), "RetryPolicies", retries)]), json!([])).await;
    let plain = start(&engine, json!([long]), json!([])).await;
    for arn in [&patient, &plain] {
        while statuses(&engine, arn).await.get("long").is_none_or(|step| step.0 != "Executing") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    engine.shutdown.cancel();
    engine.tasks.close();
    tokio::time::timeout(Duration::from_secs(10), engine.tasks.wait()).await.unwrap();
    drop(engine);

    world.objects.lock().unwrap().insert("b/in/go".into(), "".into());
    let engine = world.engine().await;
    assert_eq!(ended(&engine, &patient).await["PipelineExecutionStatus"], "Succeeded");
    assert_eq!(ended(&engine, &plain).await["PipelineExecutionStatus"], "Failed");
    assert!(statuses(&engine, &plain).await["long"].1.starts_with("InternalServerError: the local engine stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn e10_steps_run_with_network_and_keys_and_their_jobs_tell_them() {
    const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let network = json!({
        "EnableInterContainerTrafficEncryption": true,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
    });
    let secured = |name: &str, instance: &str| {
        let mut step = step(name, "cp $0/in/a.txt $0/out/", json!("s3://b/in/"));
        let arguments = &mut step["Arguments"];
        arguments["NetworkConfig"] = network.clone();
        let cluster = &mut arguments["ProcessingResources"]["ClusterConfig"];
        (cluster["InstanceType"], cluster["VolumeKmsKeyId"]) = (instance.into(), KEY.into());
        arguments["ProcessingOutputConfig"]["KmsKeyId"] = KEY.into();
        step
    };
    let world = World::new().await;
    let engine = world.engine().await;
    let arn = start(&engine, json!([secured("good", "ml.m5.large"), secured("bad", "ml.g5.xlarge")]), json!([])).await;
    ended(&engine, &arn).await;
    let statuses = statuses(&engine, &arn).await;
    assert_eq!(statuses["good"].0, "Succeeded", "{statuses:?}");
    assert_eq!(statuses["bad"].0, "Failed");
    assert!(statuses["bad"].1.contains("is not supported for the instance type ml.g5.xlarge"), "{statuses:?}");

    let steps = engine.call("ListPipelineExecutionSteps", json!({"PipelineExecutionArn": arn})).await.unwrap();
    let job = steps.to_string();
    let name = job.split("processing-job/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let described = engine.call("DescribeProcessingJob", json!({"ProcessingJobName": name})).await.unwrap();
    assert_eq!(described["NetworkConfig"], network);
    assert_eq!(described["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"], KEY);
    assert_eq!(described["ProcessingOutputConfig"]["KmsKeyId"], KEY);

    // What the service model says is checked as well.
    for (member, value) in
        [("Subnets", json!([])), ("SecurityGroupIds", json!(vec!["sg-1"; 6])), ("Subnets", Value::Null)]
    {
        let mut broken = secured("broken", "ml.m5.large");
        broken["Arguments"]["NetworkConfig"]["VpcConfig"][member] = value;
        let arn = start(&engine, json!([broken]), json!([])).await;
        assert_eq!(ended(&engine, &arn).await["PipelineExecutionStatus"], "Failed", "{member}");
    }
}
