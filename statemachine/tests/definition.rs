//! The definition of the example pipeline, byte for byte, and what holds of every definition.
//!
//! `UPDATE_GOLDEN=1 cargo test -p statemachine --test definition` writes the golden files anew.

// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use statemachine::config::Pipeline;
use statemachine::definition::{CodeLocation, Environment, RenderError, inference_image, render, report_uri};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/definition").join(name)
}

fn example() -> String {
    fs::read_to_string(golden("pipeline.yaml")).unwrap()
}

fn parse(text: &str) -> Pipeline {
    Pipeline::parse("pipeline.yaml", text, &|_| true).unwrap_or_else(|errors| panic!("{errors}"))
}

fn environment(region: &str) -> Environment {
    let code = CodeLocation::new("0123456789abcdef".repeat(4)).unwrap();
    let bucket = format!("tidegate-data-000000000000-{region}");
    Environment::new("000000000000", region, &bucket, "arn:aws:iam::000000000000:role/tidegate-job", code).unwrap()
}

/// Compares with a golden file, or writes it when `UPDATE_GOLDEN` is set.
fn compare(name: &str, found: &str) {
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap();
    assert!(wanted == found, "{} is stale: look at the change, then set UPDATE_GOLDEN=1\n{found}", path.display());
}

fn pretty(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap())
}

#[test]
fn the_example_renders_as_it_did() {
    let definition = render(&parse(&example()), &environment("us-east-1")).unwrap();
    compare("definition.json", &pretty(&definition.body));
    compare("definition.sha256", &format!("{}\n", definition.sha256));
}

#[test]
fn the_example_is_stored_as_it_was() {
    let pipeline = parse(&example());
    let stored = serde_json::to_string(&pipeline).unwrap();
    compare("pipeline.json", &pretty(&stored));
    assert_eq!(serde_json::from_str::<Pipeline>(&stored).unwrap(), pipeline);
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    // The same sections, last first: each begins at a line that is not indented.
    let text = example();
    let mut sections: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            sections.push(String::new());
        }
        let section = sections.last_mut().unwrap();
        section.push_str(line);
        section.push('\n');
    }
    sections.reverse();
    let reversed = sections.concat();
    assert_ne!(reversed, text);
    assert_eq!(parse(&reversed), parse(&text));
}

#[test]
fn a_stored_pipeline_is_checked_again() {
    let stored = serde_json::to_string(&parse(&example())).unwrap();
    for (from, to, message) in [
        (
            "preprocess.train",
            "preprocess.nothing",
            "`steps.train.inputs.train`: step `preprocess` has no output `nothing`",
        ),
        (r#""gate":"#, r#""gates":"#, "`gates` is not a key here"),
        (r#""label""#, r#""sagemaker_program""#, "`sagemaker_program` is not free"),
    ] {
        let broken = stored.replace(from, to);
        assert_ne!(broken, stored, "{from}");
        let error = serde_json::from_str::<Pipeline>(&broken).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// Every `Get`, anywhere in the definition.
fn gets<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(path)) = members.get("Get") {
                found.push(path);
            }
            members.values().for_each(|member| gets(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| gets(item, found)),
        _ => {}
    }
}

#[test]
fn every_get_of_the_definition_names_something_that_is_there() {
    let body: Value =
        serde_json::from_str(&render(&parse(&example()), &environment("us-east-1")).unwrap().body).unwrap();
    let mut found = Vec::new();
    gets(&body, &mut found);
    found.sort_unstable();
    found.dedup();
    assert_eq!(
        found,
        [
            "Execution.PipelineExecutionId",
            "Parameters.InputDataUri",
            "Parameters.InstanceType",
            "Steps.preprocess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri",
            "Steps.preprocess.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri",
            "Steps.train.ModelArtifacts.S3ModelArtifacts",
        ]
    );
}

#[test]
fn the_report_lies_where_the_definition_puts_it() {
    let pipeline = parse(&example());
    let body: Value = serde_json::from_str(&render(&pipeline, &environment("us-east-1")).unwrap().body).unwrap();
    let evaluate = body["Steps"].as_array().unwrap().iter().find(|step| step["Name"] == "evaluate").unwrap();
    let output = &evaluate["Arguments"]["ProcessingOutputConfig"]["Outputs"][0];
    let values = output["S3Output"]["S3Uri"]["Std:Join"]["Values"].as_array().unwrap();
    let folder: Vec<&str> = values.iter().map(|value| value.as_str().unwrap_or("p4jn9xou8a8s")).collect();
    let file = evaluate["PropertyFiles"][0]["FilePath"].as_str().unwrap();
    assert_eq!(
        report_uri(&pipeline, "tidegate-data-000000000000-us-east-1", "p4jn9xou8a8s").unwrap(),
        format!("{}/{file}", folder.join("/"))
    );
    assert_eq!(evaluate["PropertyFiles"][0]["OutputName"], output["OutputName"]);
}

#[test]
fn no_arguments_means_no_key() {
    let body: Value =
        serde_json::from_str(&render(&parse(&example()), &environment("us-east-1")).unwrap().body).unwrap();
    for step in body["Steps"].as_array().unwrap() {
        let specification = &step["Arguments"]["AppSpecification"];
        assert_eq!(specification.get("ContainerArguments").is_some(), step["Name"] == "preprocess", "{step}");
    }
}

#[test]
fn parameters_keep_their_types_and_templates_become_joins() {
    let text = example()
        .replace("  InstanceType: ml.m5.large", "  InstanceType: ml.m5.large\n  Depth: 6\n  Rate: 0.5\n  Fast: true")
        .replace(
            "{label: diagnosis, preset: medium_quality}",
            "{depth: '{{parameters.Depth}}', out: 's3://{{bucket}}/x/{{parameters.InstanceType}}', n: 3, f: 1.0, b: true}",
        )
        .replace("\"0.2\"", "'{{parameters.Depth}}', '{{parameters.InstanceType}}'");
    let body: Value = serde_json::from_str(&render(&parse(&text), &environment("us-east-1")).unwrap().body).unwrap();
    let types: Vec<(&str, &str, &Value)> = body["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["Name"].as_str().unwrap(), one["Type"].as_str().unwrap(), &one["DefaultValue"]))
        .collect();
    assert_eq!(
        types,
        [
            ("InputDataUri", "String", &"s3://tidegate-data-000000000000-us-east-1/raw/breast-cancer/".into()),
            ("Depth", "Integer", &6.into()),
            ("Fast", "Boolean", &true.into()),
            ("InstanceType", "String", &"ml.m5.large".into()),
            ("Rate", "Float", &0.5.into()),
        ]
    );
    let steps = body["Steps"].as_array().unwrap();
    let train = steps.iter().find(|step| step["Name"] == "train").unwrap();
    let settings = &train["Arguments"]["HyperParameters"];
    assert_eq!(settings["depth"].to_string(), r#"{"Std:Join":{"On":"","Values":[{"Get":"Parameters.Depth"}]}}"#);
    assert_eq!(
        settings["out"].to_string(),
        r#"{"Std:Join":{"On":"","Values":["s3://tidegate-data-000000000000-us-east-1/x/",{"Get":"Parameters.InstanceType"}]}}"#
    );
    assert_eq!((&settings["n"], &settings["f"], &settings["b"]), (&"3".into(), &"1.0".into(), &"true".into()));
    assert_eq!(settings["sagemaker_program"], r#""train.py""#);
    let preprocess = steps.iter().find(|step| step["Name"] == "preprocess").unwrap();
    assert_eq!(
        preprocess["Arguments"]["AppSpecification"]["ContainerArguments"].to_string(),
        r#"["--test-fraction",{"Std:Join":{"On":"","Values":[{"Get":"Parameters.Depth"}]}},{"Get":"Parameters.InstanceType"}]"#
    );
}

#[test]
fn an_unknown_region_is_refused() {
    let error = render(&parse(&example()), &environment("xx-middle-9")).unwrap_err();
    assert!(matches!(error, RenderError::UnknownRegion { .. }), "{error}");
    assert!(error.to_string().contains("`eu-central-1`"));
}

#[test]
fn what_grows_too_long_when_filled_in_is_refused() {
    let argument = format!("{}{{{{bucket}}}}", "x".repeat(250));
    let text = example().replace("\"0.2\"", &format!("'{argument}'"));
    let error = render(&parse(&text), &environment("us-east-1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an argument of step `preprocess` has 286 characters: SageMaker accepts 256, shorten it"
    );
}

#[test]
fn the_inference_image_follows_the_region() {
    let pipeline = parse(&example());
    assert_eq!(
        inference_image(&pipeline, "eu-central-2").unwrap().unwrap(),
        "380420809688.dkr.ecr.eu-central-2.amazonaws.com/autogluon-inference:1.4.0-cpu-py311-ubuntu22.04"
    );
    assert_eq!(pipeline.model_step().unwrap().name.as_str(), "train");
}

#[test]
fn a_schedule_gives_its_parameters_filled_in() {
    let pipeline = parse(&example());
    let (name, schedule) = pipeline.schedules().iter().next().unwrap();
    assert_eq!(pipeline.schedule_resource_name(name), "breast-cancer.nightly");
    assert_eq!(schedule.expression.to_string(), "cron(0 3 * * ? *)");
    let parameters = environment("us-east-1").schedule_parameters(schedule).unwrap();
    let given: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(given, [("InputDataUri", "s3://tidegate-data-000000000000-us-east-1/raw/breast-cancer/")]);
}
