//! Items of the ledger that the functions alone know, as each version wrote them: pipelines, objects and the settings. Runs,
//! endpoints and queues are in the state machine's test of the same name.
//!
//! `UPDATE_GOLDEN=1 cargo test --workspace --test ledger_items` writes today's items anew. Once a version was released, its
//! folder does not change any more: a change of the schema begins another.

// Tests read and write files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use handlers::apply::Deployment;
use handlers::ledger::{Complete, Expected, ObjectOutcome, ObjectRecord, PipelineRecord, Verdict, Wait};
use jiff::Timestamp;
use serde_json::Value;
use statemachine::RunId;
use statemachine::config::Pipeline;
use statemachine::definition::{JobSecurity, SecurityText};
use statemachine::queue::Concurrency;
use statemachine::run::{BatchSpec, DEADLINE_SECONDS, ObjectVersion, RunSpec};

/// The folder of the items that this version writes.
const TODAY: &str = "2";

fn path(version: &str, name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../statemachine/tests/golden/ledger");
    folder.join(version).join(format!("{name}.json"))
}

fn item(version: &str, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path(version, name)).unwrap()).unwrap()
}

/// Everything that `before` holds, `after` holds too; it may hold more.
fn keeps(before: &Value, after: &Value, place: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let now = after.get(key).unwrap_or_else(|| panic!("{place}.{key} is lost"));
                keeps(value, now, &format!("{place}.{key}"));
            }
        }
        _ => assert_eq!(before, after, "{place}"),
    }
}

#[test]
fn a_pipeline_of_version_1_is_read_and_loses_nothing() {
    let item = item("1", "pipeline-breast-cancer");
    let record: PipelineRecord = serde_json::from_str(&item.to_string()).unwrap();
    keeps(&item, &serde_json::to_value(&record).unwrap(), "pipeline");
    assert_eq!((record.min_size, record.max_size), (None, None));
    assert_eq!((&record.complete, record.expected), (&None, None));
    assert_eq!((record.spec.concurrency, record.spec.batch), (Concurrency::Unlimited, None));
    assert_eq!(record.spec.deadline_seconds, DEADLINE_SECONDS);
    assert_eq!(record.waits_for("raw/breast-cancer/a.csv", 0), Verdict::Takes(Wait::Run));
    assert_eq!(record.waits_for("raw/other/a.csv", 1), Verdict::NotMine);
    let config = Pipeline::from_json(&record.config).unwrap();
    assert_eq!((config.name().as_str(), config.deadline().seconds()), ("breast-cancer", DEADLINE_SECONDS));
}

#[test]
fn items_are_written_as_this_version_writes_them() {
    let records = [
        ("pipeline-batch", serde_json::to_value(batching()).unwrap()),
        ("pipeline-marker", serde_json::to_value(marked()).unwrap()),
        ("object-versioned", serde_json::to_value(object(Some("v1"))).unwrap()),
        ("object-unversioned", serde_json::to_value(object(None)).unwrap()),
        ("settings", serde_json::to_value(settings(secured())).unwrap()),
    ];
    for (name, written) in records {
        let written = format!("{}\n", serde_json::to_string_pretty(&written).unwrap());
        let path = path(TODAY, name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &written).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == written,
            "the item {name} is written in another form than version {TODAY}'s: begin another version, or, where \
             {TODAY} was never released, set UPDATE_GOLDEN=1\n{written}"
        );
    }
}

#[test]
fn items_of_this_version_are_read_as_they_were() {
    let read = |name: &str| serde_json::from_str::<PipelineRecord>(&item(TODAY, name).to_string()).unwrap();
    assert_eq!(read("pipeline-batch"), batching());
    assert_eq!(read("pipeline-marker"), marked());
    let read = |name: &str| serde_json::from_str::<ObjectRecord>(&item(TODAY, name).to_string()).unwrap();
    assert_eq!(read("object-versioned"), object(Some("v1")));
    assert_eq!(read("object-unversioned"), object(None));
    assert_eq!(serde_json::from_value::<Deployment>(item(TODAY, "settings")).unwrap(), settings(secured()));
}

#[test]
fn e10_settings_of_version_1_are_read_and_written_as_they_were() {
    let before = item("1", "settings");
    let read: Deployment = serde_json::from_value(before.clone()).unwrap();
    assert_eq!(read, settings(JobSecurity::default()));
    assert_eq!(serde_json::to_string(&read).unwrap(), before.to_string());
}

fn settings(jobs: JobSecurity) -> Deployment {
    Deployment {
        bucket: "tidegate-data-000000000000-us-east-1".to_owned(),
        topic_arn: "arn:aws:sns:us-east-1:000000000000:tidegate-alerts".to_owned(),
        job_role_arn: "arn:aws:iam::000000000000:role/tidegate-job".to_owned(),
        pipeline_role_arn: "arn:aws:iam::000000000000:role/tidegate-pipeline".to_owned(),
        schedule_role_arn: "arn:aws:iam::000000000000:role/tidegate-schedule".to_owned(),
        schedule_function_arn: "arn:aws:lambda:us-east-1:000000000000:function:tidegate-on-schedule".to_owned(),
        schedule_group: "tidegate".to_owned(),
        schedule_dlq_arn: "arn:aws:sqs:us-east-1:000000000000:tidegate-schedules-dlq".to_owned(),
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        jobs,
    }
}

fn secured() -> JobSecurity {
    JobSecurity::parse(SecurityText {
        subnets: Some("subnet-0a,subnet-0b"),
        security_groups: Some("sg-0a"),
        volume_key: Some("arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111"),
        output_key: Some("arn:aws:kms:us-east-1:000000000000:key/22222222-2222-2222-2222-222222222222"),
    })
    .unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn batching() -> PipelineRecord {
    let config = include_str!("../../fuzz/seeds/pipeline_yaml/batch.yaml");
    let config = Pipeline::parse("pipeline.yaml", config, &|_| true).unwrap().to_json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let before = item("1", "pipeline-breast-cancer");
    let spec: RunSpec = serde_json::from_value(before["spec"].clone()).unwrap();
    PipelineRecord {
        name: text(&before["name"]),
        arrival_prefix: Some("raw/breast-cancer/".to_owned()),
        arrival_suffix: Some(".csv".to_owned()),
        min_size: Some(1),
        max_size: Some(2 << 30),
        complete: None,
        expected: Some(Expected { within_seconds: 86_400 }),
        spec: RunSpec {
            concurrency: Concurrency::Wait { at_most: 3 },
            batch: Some(BatchSpec { quiet_seconds: 120, longest_seconds: 1800 }),
            deadline_seconds: 7200,
            ..spec
        },
        parameters: serde_json::from_value(before["parameters"].clone()).unwrap(),
        schedules: serde_json::from_value(before["schedules"].clone()).unwrap(),
        config,
        applied: at(),
    }
}

fn marked() -> PipelineRecord {
    let config = include_str!("../../fuzz/seeds/pipeline_yaml/marker.yaml");
    let config = Pipeline::parse("pipeline.yaml", config, &|_| true).unwrap().to_json();
    let mut record = batching();
    record.complete = Some(Complete::Marker { name: "_SUCCESS".to_owned() });
    (record.spec.batch, record.spec.concurrency) = (None, Concurrency::Replace);
    PipelineRecord { config, ..record }
}

fn object(version: Option<&str>) -> ObjectRecord {
    let object = ObjectVersion {
        bucket: "data".to_owned(),
        key: "raw/breast-cancer/a.csv".to_owned(),
        version_id: version.map(str::to_owned),
        etag: Some("e".to_owned()),
        size: 10,
        sequencer: Some("0062E99A88DC407460".to_owned()),
    };
    let run = RunId::arrival("breast-cancer", &object);
    let declined = ObjectOutcome::Declined { reason: "it has 10 bytes; `min_size` is 11".to_owned() };
    let outcome = [("breast-cancer".to_owned(), ObjectOutcome::Taken { run }), ("large-only".to_owned(), declined)];
    ObjectRecord { object, at: at(), outcome: BTreeMap::from(outcome) }
}
