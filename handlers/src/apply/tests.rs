#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Mutex;

use serde_json::{Value, json};
use statemachine::queue::Concurrency;
use statemachine::run::BatchSpec;

use super::prepare::tests::{CONFIG, deployment, files};
use super::prepare::{Prepared, WantedSchedule, prepare};
use super::*;
use crate::effects::testing::{Answer, Fake};
use crate::ledger::{Verdict, Wait};

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

/// The configuration with more in its trigger, and limits.
fn config_with(trigger: &str, limits: &str) -> String {
    let text = CONFIG.replacen("    suffix: .csv\n", &format!("    suffix: .csv\n{trigger}"), 1);
    text.replacen("parameters:\n  Rounds", &format!("{limits}parameters:\n  Rounds"), 1)
}

const EXPECTED: &str = "    expected: {by: \"06:00\", timezone: Europe/Zurich, days: MON-FRI, within: 12h}\n";

#[tokio::test]
async fn what_the_trigger_and_the_limits_say_is_recorded() {
    let config = config_with(
        "    min_size: 1\n    max_size: 2GiB\n    batch: {quiet: 2m, longest: 30m}\n",
        "concurrency: {parallel: 3}\ndeadline: 2h\n",
    );
    let prepared = prepare(&files(&config), &deployment()).unwrap();
    let survey = |prepared: &Prepared| {
        let (listed, schedule) = (listed(&["tumours.nightly"]), ok(&known_schedule(prepared)));
        Fake::new([records(&[]), uploaded(prepared), ok(&described(prepared)), listed, schedule, ok(&json!({}))])
    };
    let fake = survey(&prepared);
    apply_to(&fake, &config).await.unwrap();
    let applied = record(&fake);
    assert_eq!((applied.min_size, applied.max_size), (Some(1), Some(2_147_483_648)));
    assert_eq!(applied.spec.batch, Some(BatchSpec { quiet_seconds: 120, longest_seconds: 1800 }));
    assert_eq!(applied.spec.concurrency, Concurrency::Wait { at_most: 3 });
    assert_eq!(applied.spec.deadline_seconds, 7200);
    assert_eq!(applied.waits_for("raw/tumours/a.csv", 1), Verdict::Takes(Wait::Batch));

    for (kind, complete, wait) in [
        ("marker", Complete::Marker { name: "done".to_owned() }, Wait::Marker),
        ("manifest", Complete::Manifest { name: "done".to_owned() }, Wait::Manifest),
    ] {
        let config = config_with(&format!("    complete: {{{kind}: done}}\n"), "");
        let fake = survey(&prepare(&files(&config), &deployment()).unwrap());
        apply_to(&fake, &config).await.unwrap();
        assert_eq!(record(&fake).complete, Some(complete));
        assert_eq!(record(&fake).waits_for("raw/tumours/done", 0), Verdict::Takes(wait));
    }
}

#[tokio::test]
async fn data_that_is_expected_is_asked_for_by_a_schedule_of_its_own() {
    let config = config_with(EXPECTED, "");
    let prepared = prepare(&files(&config), &deployment()).unwrap();
    let survey = |listed_schedules: &[&str]| {
        let listed = listed(listed_schedules);
        vec![records(&[]), uploaded(&prepared), ok(&described(&prepared)), listed, ok(&known_schedule(&prepared))]
    };

    // It is made.
    let mut answers = survey(&["tumours.nightly"]);
    answers.extend([ok(&json!({"Name": "tidegate"})), ok(&json!({"ScheduleArn": "arn:e"})), ok(&json!({}))]);
    let fake = Fake::new(answers);
    let (applied, lines) = apply_to(&fake, &config).await.unwrap();
    assert_eq!(fake.calls()[5..], ["GET /schedule-groups/tidegate", "POST /schedules/tumours..expected", "PutItem"]);
    let made = fake.requests()[6].json();
    assert_eq!(made["ScheduleExpression"], "cron(0 6 ? * MON-FRI *)");
    assert_eq!(made["ScheduleExpressionTimezone"], "Europe/Zurich");
    assert_eq!(made["Target"]["Arn"], deployment().schedule_function_arn);
    let input: Value = serde_json::from_str(made["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(
        input,
        json!({"kind": "expected", "pipeline": "tumours", "scheduled_time": "<aws.scheduler.scheduled-time>",
               "within_seconds": 43_200})
    );
    assert_eq!(applied.schedules[".expected"], Action::Create);
    assert!(lines.contains(&"check for expected data: created".to_owned()), "{lines:?}");
    // The lost firings of schedules are looked for by the record; this is none of those.
    assert_eq!(record(&fake).schedules.keys().collect::<Vec<_>>(), ["nightly"]);
    assert_eq!(record(&fake).expected, Some(Expected { within_seconds: 43_200 }));

    // It stays.
    let mut answers = survey(&["tumours.nightly", "tumours..expected"]);
    answers.extend([ok(&known(&prepared.schedules[1])), ok(&json!({}))]);
    let fake = Fake::new(answers);
    let (applied, _) = apply_to(&fake, &config).await.unwrap();
    assert_eq!(applied.schedules[".expected"], Action::Keep);

    // It changes.
    let mut later = known(&prepared.schedules[1]);
    later["ScheduleExpression"] = json!("cron(0 7 * * ? *)");
    let mut answers = survey(&["tumours.nightly", "tumours..expected"]);
    answers.extend([ok(&later), ok(&json!({"ScheduleArn": "arn:e"})), ok(&json!({}))]);
    let fake = Fake::new(answers);
    apply_to(&fake, &config).await.unwrap();
    assert_eq!(fake.calls()[6..], ["PUT /schedules/tumours..expected", "PutItem"]);

    // It goes.
    let mut answers = survey(&["tumours.nightly", "tumours..expected"]);
    answers.extend([ok(&json!({})), ok(&json!({}))]);
    let fake = Fake::new(answers);
    let (applied, lines) = apply_to(&fake, CONFIG).await.unwrap();
    assert_eq!(fake.calls()[5..], ["DELETE /schedules/tumours..expected", "PutItem"]);
    assert_eq!(applied.schedules[".expected"], Action::Delete);
    assert!(lines.contains(&"check for expected data: deleted".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_record_of_an_earlier_version_differs_in_what_was_written_only() {
    let prepared = prepare(&files(CONFIG), &deployment()).unwrap();
    let mut before = other("tumours", "tumours");
    before.config = prepared.pipeline.to_json();
    assert!(before.config.as_object_mut().unwrap().remove("deadline").is_some());
    let fake = Fake::new([
        records(&[&before]),
        uploaded(&prepared),
        ok(&described(&prepared)),
        listed(&["tumours.nightly"]),
        ok(&known_schedule(&prepared)),
    ]);
    let aws = fake.aws();
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    let plan = plan(&aws, &ledger, &deployment(), &files(CONFIG)).await.unwrap();
    assert!(plan.is_empty(), "{:?}", plan.changes);
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
