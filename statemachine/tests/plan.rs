//! What a plan says.
#![allow(clippy::unwrap_used, clippy::panic)]

use statemachine::config::Pipeline;
use statemachine::definition::{Action, CodeLocation, Deployed, Environment, Subject, plan, render};

const EXAMPLE: &str = include_str!("golden/definition/pipeline.yaml");

fn parse(text: &str) -> Pipeline {
    Pipeline::parse("pipeline.yaml", text, &|_| true).unwrap_or_else(|errors| panic!("{errors}"))
}

fn definition(pipeline: &Pipeline, code: char) -> String {
    let code = CodeLocation::new(code.to_string().repeat(64)).unwrap();
    let role = "arn:aws:iam::000000000000:role/tidegate-job";
    let environment = Environment::new("000000000000", "us-east-1", "tidegate-data", role, code).unwrap();
    render(pipeline, &environment).unwrap().body
}

#[test]
fn the_first_plan_creates_everything() {
    let pipeline = parse(EXAMPLE);
    let plan = plan(Deployed::default(), &pipeline, &definition(&pipeline, 'a'));
    assert_eq!(
        plan.to_string(),
        "pipeline breast-cancer: 12 to create, 0 to update, 0 to delete, 0 unchanged
+ definition
+ description
+ trigger
+ schedule nightly
+ deadline
+ parameter InputDataUri
+ parameter InstanceType
+ step evaluate
+ step preprocess
+ step train
+ gate
+ deployment"
    );
    assert!(!plan.is_empty());
}

#[test]
fn the_same_again_changes_nothing() {
    let pipeline = parse(EXAMPLE);
    let body = definition(&pipeline, 'a');
    let deployed = Deployed { pipeline: Some(&pipeline), definition: Some(&body) };
    let plan = plan(deployed, &pipeline, &body);
    assert!(plan.is_empty());
    assert!(
        plan.to_string().starts_with("pipeline breast-cancer: 0 to create, 0 to update, 0 to delete, 12 unchanged\n= ")
    );
}

#[test]
fn each_change_is_told_with_its_keys() {
    let before = parse(EXAMPLE);
    let text = EXAMPLE
        .replace("max_runtime: 30m", "max_runtime: 1h")
        .replace("label: diagnosis, ", "")
        .replace("  nightly:", "  weekly:")
        .replace("at_least: 0.90", "above: 0.90")
        .replace("      test: preprocess.test", "      also: preprocess.test\n      test: preprocess.test");
    let after = parse(&text);
    let (old, new) = (definition(&before, 'a'), definition(&after, 'a'));
    let plan = plan(Deployed { pipeline: Some(&before), definition: Some(&old) }, &after, &new);
    assert_eq!(
        plan.to_string(),
        r#"pipeline breast-cancer: 1 to create, 3 to update, 1 to delete, 8 unchanged
= definition
= description
= trigger
- schedule nightly
+ schedule weekly
= deadline
= parameter InputDataUri
= parameter InstanceType
~ step evaluate
    ProcessingInputs[also].AppManaged: added false
    ProcessingInputs[also].InputName: added "also"
    ProcessingInputs[also].S3Input.LocalPath: added "/opt/ml/processing/input/also"
    ProcessingInputs[also].S3Input.S3CompressionType: added "None"
    ProcessingInputs[also].S3Input.S3DataDistributionType: added "FullyReplicated"
    ProcessingInputs[also].S3Input.S3DataType: added "S3Prefix"
    ProcessingInputs[also].S3Input.S3InputMode: added "File"
    ProcessingInputs[also].S3Input.S3Uri: added {"Get":"Steps.preprocess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"}
= step preprocess
~ step train
    HyperParameters.label: removed "\"diagnosis\""
    StoppingCondition.MaxRuntimeInSeconds: 1800 → 3600
~ gate
    [0].above: added 0.9
    [0].at_least: removed 0.9
= deployment"#
    );
}

#[test]
fn limits_and_expectations_show_as_they_are_written() {
    let change = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        parse(&EXAMPLE.replacen(from, to, 1))
    };
    let before = change("suffix: .csv", "batch: {quiet: 5m}");
    let after = change("suffix: .csv", "expected: {by: \"06:00\", days: MON-FRI}\nconcurrency: replace\ndeadline: 2h");
    let body = definition(&before, 'a');
    let told = |before: &Pipeline, after: &Pipeline| {
        let plan = plan(Deployed { pipeline: Some(before), definition: Some(&body) }, after, &body).to_string();
        plan.lines().filter(|line| !line.starts_with("= ")).skip(1).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        told(&before, &after),
        r#"~ trigger
    arrival.batch.longest: removed "1h"
    arrival.batch.quiet: removed "5m"
    arrival.expected.by: added "06:00"
    arrival.expected.days: added "MON-FRI"
    arrival.expected.timezone: added "UTC"
    arrival.expected.within: added "1d"
+ concurrency
~ deadline
    "1d" → "2h""#
    );
    let three = parse(&EXAMPLE.replacen("schedules:", "concurrency: {parallel: 3}\nschedules:", 1));
    let queue = parse(&EXAMPLE.replacen("schedules:", "concurrency: queue\nschedules:", 1));
    assert_eq!(told(&three, &queue), "~ concurrency\n    added \"queue\"\n    parallel: removed 3");
}

#[test]
fn new_code_shows_as_a_short_hash() {
    let pipeline = parse(EXAMPLE);
    let (old, new) = (definition(&pipeline, 'a'), definition(&pipeline, 'b'));
    let text = plan(Deployed { pipeline: Some(&pipeline), definition: Some(&old) }, &pipeline, &new).to_string();
    let line = "    ProcessingInputs[code].S3Input.S3Uri: \"s3://tidegate-data/code/breast-cancer/aaaaaaaaaaaa…/src/\" → \
                \"s3://tidegate-data/code/breast-cancer/bbbbbbbbbbbb…/src/\"";
    assert!(text.lines().any(|found| found == line), "{text}");
}

#[test]
fn a_definition_that_someone_broke_is_an_update() {
    let pipeline = parse(EXAMPLE);
    let new = definition(&pipeline, 'a');
    for broken in ["", "[]", "{", "null"] {
        let plan = plan(Deployed { pipeline: Some(&pipeline), definition: Some(broken) }, &pipeline, &new);
        let change = plan.changes.iter().find(|change| change.subject == Subject::Definition).unwrap();
        assert_eq!(change.action, Action::Update, "{broken}");
    }
}

#[test]
fn a_step_that_someone_added_by_hand_is_deleted() {
    let pipeline = parse(EXAMPLE);
    let new = definition(&pipeline, 'a');
    let edited = new.replace(r#""Steps":["#, r#""Steps":[{"Name":"extra","Type":"Fail","Arguments":{}},"#);
    assert_ne!(edited, new);
    let plan = plan(Deployed { pipeline: Some(&pipeline), definition: Some(&edited) }, &pipeline, &new);
    let change = plan.changes.iter().find(|change| change.subject == Subject::Step("extra".to_owned())).unwrap();
    assert_eq!(change.action, Action::Delete);
}
