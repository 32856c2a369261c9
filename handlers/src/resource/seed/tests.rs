#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Cursor, Write};
use std::sync::Arc;

use serde_json::Value;
use zip::write::SimpleFileOptions;

use super::*;
use crate::cloudformation::testing::{answer_to, request};
use crate::effects::testing::{Answer as AwsAnswer, Fake};
use crate::resource::{Context, handle};

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer.start_file(*path, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn prefix(text: &str) -> Prefix {
    Prefix::try_from(text.to_owned()).unwrap()
}

fn properties(prefix: &str) -> Value {
    json!({
        "ServiceToken": "arn:f", "SourceBucket": "assets", "SourceKey": "a.zip", "Bucket": "tidegate-data",
        "Prefix": prefix,
    })
}

async fn answer(kind: &str, properties: &Value, aws: &Fake) -> Value {
    let id = (kind != "Create").then_some("tidegate-seed");
    let context = Arc::new(Context { aws: aws.aws(), table: "tidegate".to_owned() });
    let asked = request(kind, "Custom::TidegateSeed", properties, id);
    answer_to(asked, |event| handle(context, event)).await
}

fn missing() -> AwsAnswer {
    AwsAnswer::xml(404, "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>")
}

fn content(text: &str) -> AwsAnswer {
    AwsAnswer::bytes(text.as_bytes().to_vec())
}

fn done() -> AwsAnswer {
    AwsAnswer::xml(200, "")
}

#[tokio::test]
async fn a6_data_is_put_under_its_prefix() {
    let archive = zipped(&[("a.csv", "1"), ("deep/b.csv", "2"), (".DS_Store", "x")]);
    let fake = Fake::new([AwsAnswer::bytes(archive), missing(), done(), missing(), done()]);
    let answer = answer("Create", &properties("raw/tumours/"), &fake).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(answer["PhysicalResourceId"], "tidegate-seed");
    assert_eq!(answer["Data"], json!({"Written": "2", "Kept": "0"}));
    let calls = fake.calls();
    assert_eq!(calls[0], "GET /a.zip");
    assert_eq!(calls[1..3], ["GET /raw/tumours/a.csv", "PUT /raw/tumours/a.csv"]);
    assert_eq!(calls[3..], ["GET /raw/tumours/deep/b.csv", "PUT /raw/tumours/deep/b.csv"]);
}

#[tokio::test]
async fn a6_what_is_there_already_is_not_put_again() {
    let archive = || AwsAnswer::bytes(zipped(&[("a.csv", "one"), ("b.csv", "two"), ("c.csv", "three")]));
    // The same, the same length with another content, another length.
    let fake = Fake::new([archive(), content("one"), content("TWO"), done(), content("thre"), done()]);
    let answer = answer("Update", &properties("raw/"), &fake).await;
    assert_eq!(answer["Data"], json!({"Written": "2", "Kept": "1"}), "{answer}");
    let put: Vec<String> = fake.calls().into_iter().filter(|call| call.starts_with("PUT")).collect();
    assert_eq!(put, ["PUT /raw/b.csv", "PUT /raw/c.csv"]);
}

#[tokio::test]
async fn a6_a_deletion_leaves_the_data_and_succeeds_without_a_call() {
    let fake = Fake::new([]);
    for properties in [properties("raw/x/"), json!({})] {
        let answer = answer("Delete", &properties, &fake).await;
        assert_eq!((&answer["Status"], &answer["PhysicalResourceId"]), (&json!("SUCCESS"), &json!("tidegate-seed")));
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a6_every_failure_is_answered_with_its_reason() {
    let denied = || AwsAnswer::xml(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    let archive = || AwsAnswer::bytes(zipped(&[("a.csv", "1")]));
    for (prefix, answers, reason) in [
        ("data/", vec![], "Custom::TidegateSeed cannot be read: `Prefix`"),
        ("raw/../x/", vec![], "Custom::TidegateSeed cannot be read: `Prefix`"),
        ("raw/x/", vec![missing()], "the archive s3://assets/a.zip cannot be read: no (NoSuchKey)"),
        ("raw/x/", vec![content("no zip")], "the seed's archive: the archive cannot be read: "),
        ("raw/x/", vec![AwsAnswer::bytes(zipped(&[]))], "the seed's archive has no file in it"),
        ("raw/x/", vec![archive(), denied()], "s3://tidegate-data/raw/x/a.csv cannot be compared: the function's role"),
        ("raw/x/", vec![archive(), missing(), denied()], "s3://tidegate-data/raw/x/a.csv cannot be written: the"),
    ] {
        let answer = answer("Create", &properties(prefix), &Fake::new(answers)).await;
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer["Reason"].as_str().unwrap().starts_with(reason), "{answer}");
    }
}

#[test]
fn a6_no_path_leads_out_of_the_prefix() {
    for path in ["../a.csv", "x/../../a.csv"] {
        let error = objects(&zipped(&[("ok.csv", "1"), (path, "2")]), &prefix("raw/x/")).unwrap_err();
        assert!(matches!(error, SeedError::Archive(FilesError::Path(_))), "{path}: {error}");
    }
    // An absolute path may be taken for one within.
    if let Ok(objects) = objects(&zipped(&[("/etc/passwd", "1")]), &prefix("raw/x/")) {
        assert_eq!(objects[0].0, "raw/x/etc/passwd");
    }
}

#[test]
fn a6_what_unpacks_to_too_much_or_to_a_key_too_long_is_refused() {
    let zeros = "0".repeat(33 * 1024 * 1024);
    let error = objects(&zipped(&[("a", &zeros)]), &prefix("raw/x/")).unwrap_err();
    assert!(error.to_string().starts_with("the seed has more than 32 MiB"), "{error}");
    let long = format!("{}.csv", "é".repeat(508));
    let error = objects(&zipped(&[(&long, "1")]), &prefix("raw/x/")).unwrap_err();
    assert!(error.to_string().ends_with("has 1026 bytes: S3 takes keys of 1024, shorten the file's path"), "{error}");
}

#[test]
fn a6_markers_and_manifests_come_last() {
    let files = ["2026/_SUCCESS", "Manifest.json", "a.csv", "z.csv"].map(|path| (path, "1"));
    let objects = objects(&zipped(&files), &prefix("raw/x/")).unwrap();
    let keys: Vec<&str> = objects.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["raw/x/a.csv", "raw/x/z.csv", "raw/x/2026/_SUCCESS", "raw/x/Manifest.json"]);
}
