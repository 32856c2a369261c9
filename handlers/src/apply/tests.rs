#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;

use serde_json::{Value, json};
use statemachine::queue::Concurrency;

use super::prepare::tests::{CONFIG, deployment, files};
use super::prepare::{Prepared, WantedSchedule, prepare};
use super::*;
use crate::effects::testing::{Answer, Fake};
use crate::ledger::{Verdict, Wait};

mod arrivals;
mod security;

const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/tumours";

fn ok(body: &Value) -> Answer {
    Answer::json(200, &body.to_string())
}

fn missing(code: &str) -> Answer {
    Answer::json(400, &json!({"__type": code, "message": "does not exist", "Message": "does not exist"}).to_string())
}

fn records(records: &[&PipelineRecord]) -> Answer {
    let items: Vec<Value> = records
        .iter()
        .map(|record| {
            let body = serde_json::to_string(record).unwrap();
            json!({"pk": {"S": "pipelines"}, "sk": {"S": record.name}, "body": {"S": body}})
        })
        .collect();
    ok(&json!({"Items": items, "Count": items.len()}))
}

fn uploaded(prepared: &Prepared) -> Answer {
    let objects = prepared.code.iter();
    let objects =
        objects.map(|(key, content)| format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", content.len()));
    Answer::xml(200, &format!("<ListBucketResult>{}</ListBucketResult>", objects.collect::<String>()))
}

fn described(prepared: &Prepared) -> Value {
    json!({
        "PipelineArn": ARN,
        "PipelineDefinition": prepared.definition.body,
        "PipelineDescription": "Tell malignant from benign",
        "RoleArn": deployment().pipeline_role_arn,
    })
}

fn listed(names: &[&str]) -> Answer {
    ok(&json!({"Schedules": names.iter().map(|name| json!({"Name": name})).collect::<Vec<_>>()}))
}

/// As it was made: what was sent is what Scheduler has.
fn known_schedule(prepared: &Prepared) -> Value {
    known(&prepared.schedules[0])
}

fn known(wanted: &WantedSchedule) -> Value {
    let deployment = deployment();
    json!({
        "Arn": "arn:s", "Name": wanted.resource, "State": "ENABLED",
        "ScheduleExpression": wanted.expression, "ScheduleExpressionTimezone": wanted.time_zone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": deployment.schedule_function_arn, "RoleArn": deployment.schedule_role_arn,
            "Input": wanted.input.to_string(),
            "DeadLetterConfig": {"Arn": deployment.schedule_dlq_arn},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 185},
        },
    })
}

async fn apply_to(fake: &Fake, config: &str) -> Result<(Applied, Vec<String>), ApplyError> {
    let aws = fake.aws();
    let lines = Mutex::new(Vec::new());
    let progress = |line: &str| lines.lock().unwrap().push(line.to_owned());
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    let applied = apply(&aws, &ledger, &deployment(), &files(config), &progress).await?;
    Ok((applied, lines.into_inner().unwrap()))
}

fn record(fake: &Fake) -> PipelineRecord {
    let put = fake.requests().pop().unwrap();
    assert_eq!(put.target(), "DynamoDB_20120810.PutItem");
    serde_json::from_str(put.json()["Item"]["body"]["S"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_first_apply_makes_everything_and_records_it_last() {
    let mut answers = vec![
        records(&[]),
        Answer::xml(200, "<ListBucketResult/>"),
        missing("ResourceNotFound"),
        missing("ResourceNotFoundException"),
    ];
    answers.extend(vec![Answer::xml(200, ""); 5]);
    answers.extend([
        ok(&json!({"PipelineArn": ARN})),
        missing("ResourceNotFoundException"),
        ok(&json!({"ScheduleGroupArn": "arn:g"})),
        ok(&json!({"ScheduleArn": "arn:s"})),
        ok(&json!({})),
    ]);
    let fake = Fake::new(answers);
    let (applied, lines) = apply_to(&fake, CONFIG).await.unwrap();
    assert_eq!((applied.action, &*applied.pipeline_arn), (Action::Create, ARN));
    assert_eq!(applied.schedules, BTreeMap::from([("nightly".to_owned(), Action::Create)]));
    let calls = fake.calls();
    let rest = [
        "CreatePipeline",
        "GET /schedule-groups/tidegate",
        "POST /schedule-groups/tidegate",
        "POST /schedules/tumours.nightly",
        "PutItem",
    ];
    assert_eq!(calls[9..], rest);
    assert!(calls[4..9].iter().all(|call| call.starts_with("PUT /code/tumours/")), "{calls:?}");
    assert_eq!(lines.len(), 8, "{lines:?}");

    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let requests = fake.requests();
    assert_eq!(requests[9].json()["PipelineDefinition"], *prepared.definition.body);
    assert_eq!(requests[9].json()["RoleArn"], deployment().pipeline_role_arn);
    let schedule = requests[12].json();
    assert_eq!(schedule["ScheduleExpressionTimezone"], "Europe/Zurich");
    assert_eq!(schedule["FlexibleTimeWindow"]["Mode"], "OFF");
    assert_eq!(schedule["Target"]["DeadLetterConfig"]["Arn"], deployment().schedule_dlq_arn);
    assert_eq!(schedule["GroupName"], "tidegate");

    let record = record(&fake);
    assert_eq!(record.arrival_prefix.as_deref(), Some("raw/tumours/"));
    assert_eq!(record.schedules, BTreeMap::from([("nightly".to_owned(), "arn:s".to_owned())]));
    assert_eq!(record.spec.pipeline_arn, ARN);
    assert_eq!(record.waits_for("raw/tumours/a.csv", 0), Verdict::Takes(Wait::Run));
    assert!(matches!(record.waits_for("raw/tumours/a.txt", 0), Verdict::Declined(_)));
    assert_eq!(
        (record.spec.concurrency, record.spec.batch, record.spec.deadline_seconds),
        (Concurrency::Unlimited, None, 86_400)
    );
    assert_eq!((record.min_size, record.max_size, record.complete, record.expected), (None, None, None, None));
    assert_eq!(record.config, prepared.pipeline.to_json());
}

#[tokio::test]
async fn a_second_apply_changes_nothing_but_the_record() {
    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let fake = Fake::new([
        records(&[]),
        uploaded(&prepared),
        ok(&described(&prepared)),
        listed(&["tumours.nightly"]),
        ok(&known_schedule(&prepared)),
        ok(&json!({})),
    ]);
    let (applied, _) = apply_to(&fake, CONFIG).await.unwrap();
    assert_eq!((applied.action, applied.schedules["nightly"]), (Action::Keep, Action::Keep));
    assert_eq!(fake.requests().len(), 6);
    assert_eq!(record(&fake).schedules["nightly"], "arn:s");
}

#[tokio::test]
async fn what_differs_is_planned_and_then_updated_and_a_paused_schedule_stays_paused() {
    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let mut pipeline = described(&prepared);
    pipeline["PipelineDefinition"] = json!("{}");
    let mut schedule = known_schedule(&prepared);
    schedule["ScheduleExpression"] = json!("rate(1 day)");
    schedule["State"] = json!("DISABLED");
    let survey = || {
        let listed = listed(&["tumours.nightly", "tumours.old", "tumours-2.nightly"]);
        [records(&[]), uploaded(&prepared), ok(&pipeline), listed, ok(&schedule)]
    };

    let fake = Fake::new(survey());
    let aws = fake.aws();
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    let plan = plan(&aws, &ledger, &deployment(), &files(CONFIG)).await.unwrap();
    let shown: Vec<(Action, &str)> = plan.changes.iter().map(|change| (change.action, &*change.what)).collect();
    let code = format!("code {}", &plan.code_hash[..12]);
    assert_eq!(
        shown,
        [
            (Action::Keep, &*code),
            (Action::Update, "pipeline `tumours`"),
            (Action::Update, "schedule `nightly`"),
            (Action::Delete, "schedule `old`"),
        ]
    );
    assert_eq!(plan.changes[2].details, ["expression rate(1 day) becomes cron(0 3 * * ? *)"]);
    assert!(!plan.is_empty());

    let fake = Fake::new(survey().into_iter().chain([
        ok(&json!({"PipelineArn": ARN})),
        ok(&json!({"ScheduleArn": "arn:s"})),
        ok(&json!({})),
        ok(&json!({})),
    ]));
    apply_to(&fake, CONFIG).await.unwrap();
    assert_eq!(
        fake.calls()[5..],
        ["UpdatePipeline", "PUT /schedules/tumours.nightly", "DELETE /schedules/tumours.old", "PutItem"]
    );
    assert_eq!(fake.requests()[6].json()["State"], "DISABLED");
}

#[tokio::test]
async fn a_wrong_configuration_calls_nobody() {
    let fake = Fake::new([]);
    let error = apply_to(&fake, &CONFIG.replace("raw/tumours/\n    suffix", "tumours/\n    suffix")).await.unwrap_err();
    assert!(matches!(error, ApplyError::Config(_)), "{error}");
    assert!(fake.requests().is_empty());
}

fn other(name: &str, endpoint: &str) -> PipelineRecord {
    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let mut spec = run_spec(&prepared.pipeline, &prepared.environment, &prepared.definition, ARN).unwrap();
    spec.deployment.as_mut().unwrap().endpoint = endpoint.to_owned();
    PipelineRecord {
        name: name.to_owned(),
        arrival_prefix: Some("raw/".to_owned()),
        arrival_suffix: None,
        min_size: None,
        max_size: None,
        complete: None,
        expected: None,
        spec,
        parameters: BTreeMap::new(),
        schedules: BTreeMap::new(),
        config: Value::Null,
        applied: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn another_pipelines_endpoint_and_name_are_not_taken() {
    for (other, text) in [
        (other("elsewhere", "Tumours"), "endpoint `tumours` is of pipeline `elsewhere`"),
        (other("Tumours", "x"), "differs from `Tumours` in case alone"),
    ] {
        let fake = Fake::new([records(&[&other])]);
        let error = apply_to(&fake, CONFIG).await.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(fake.calls(), ["Query"]);
    }
}

#[tokio::test]
async fn arrivals_that_start_two_pipelines_are_warned_of() {
    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let fake = Fake::new([
        records(&[&other("elsewhere", "elsewhere")]),
        uploaded(&prepared),
        ok(&described(&prepared)),
        listed(&["tumours.nightly"]),
        ok(&known_schedule(&prepared)),
    ]);
    let aws = fake.aws();
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    let plan = plan(&aws, &ledger, &deployment(), &files(CONFIG)).await.unwrap();
    assert!(plan.is_empty());
    assert_eq!(plan.warnings, ["an object under `raw/tumours/` may start pipeline `elsewhere` as well"]);
}

fn stored(record: &PipelineRecord) -> Answer {
    let body = serde_json::to_string(record).unwrap();
    ok(&json!({"Item": {"body": {"S": body}}}))
}

async fn remove_from(fake: &Fake, deployed: Deployed) -> Result<Removed, ApplyError> {
    let aws = fake.aws();
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    remove(&aws, &ledger, &deployment(), "tumours", deployed, &|_| {}).await
}

#[tokio::test]
async fn a_removal_stops_what_runs_and_takes_what_was_deployed_and_no_more() {
    let executions = json!({"PipelineExecutionSummaries": [
        {"PipelineExecutionArn": "arn:e2", "PipelineExecutionStatus": "Executing"},
        {"PipelineExecutionArn": "arn:e1", "PipelineExecutionStatus": "Succeeded"},
    ]});
    let ours = "tumours-a-0123456789abcdef";
    let fake = Fake::new([
        listed(&["tumours.nightly", "tumours..expected"]),
        ok(&json!({})),
        ok(&json!({})),
        Answer::json(400, r#"{"__type":"ConflictException","message":"executions are running"}"#),
        ok(&executions),
        ok(&json!({})),
        ok(&json!({"PipelineArn": ARN})),
        stored(&other("tumours", "tumours")),
        ok(&json!({})),
        ok(&json!({"EndpointConfigs": [
            {"EndpointConfigName": ours},
            {"EndpointConfigName": "my-tumours-a-0123456789abcdef"},
            {"EndpointConfigName": "tumours-by-hand"},
        ]})),
        ok(&json!({})),
        ok(&json!({"Models": [{"ModelName": ours}, {"ModelName": "tumours-2-a-0123456789abcdef"}]})),
        ok(&json!({})),
        ok(&json!({})),
    ]);
    let removed = remove_from(&fake, Deployed::Delete).await.unwrap().removed;
    assert_eq!(
        removed,
        [
            "schedule `tumours.nightly`",
            "schedule `tumours..expected`",
            "pipeline `tumours`",
            "endpoint `tumours`",
            "endpoint configuration `tumours-a-0123456789abcdef`",
            "model `tumours-a-0123456789abcdef`",
            "record of pipeline `tumours`",
        ]
    );
    assert_eq!(fake.requests()[5].json()["PipelineExecutionArn"], "arn:e2");
    assert_eq!(fake.calls().last().map(String::as_str), Some("DeleteItem"));
}

#[tokio::test]
async fn what_is_gone_already_does_not_disturb_a_removal() {
    let fake = Fake::new([missing("ResourceNotFoundException"), missing("ResourceNotFound"), ok(&json!({}))]);
    assert_eq!(remove_from(&fake, Deployed::Delete).await.unwrap(), Removed::default());
}

#[tokio::test]
async fn an_endpoint_that_is_to_stay_stays() {
    let record = stored(&other("tumours", "tumours"));
    let fake = Fake::new([listed(&[]), ok(&json!({"PipelineArn": ARN})), record, ok(&json!({}))]);
    remove_from(&fake, Deployed::Keep).await.unwrap();
    let calls = fake.calls();
    assert_eq!(calls[1..], ["DeletePipeline", "GetItem", "DeleteItem"]);
}
