//! What holds of any text, and of any pipeline.
// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use statemachine::config::{Errors, Pipeline};
use statemachine::definition::{CodeLocation, Environment, render};

const EXAMPLE: &str = include_str!("golden/definition/pipeline.yaml");

fn parse(text: &str) -> Result<Pipeline, Errors> {
    Pipeline::parse("pipeline.yaml", text, &|_| true)
}

fn body(pipeline: &Pipeline) -> String {
    let code = CodeLocation::new("0".repeat(64)).unwrap();
    let role = "arn:aws:iam::000000000000:role/tidegate-job";
    render(pipeline, &Environment::new("000000000000", "us-east-1", "tidegate-data", role, code).unwrap()).unwrap().body
}

#[test]
fn the_pipelines_of_this_repository_are_accepted_and_render() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let home = entry.unwrap().path();
        let file = home.join("pipeline.yaml");
        if !file.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let pipeline = Pipeline::parse(&file.display().to_string(), &text, &|path| home.join(path).is_file());
        body(&pipeline.unwrap_or_else(|errors| panic!("{errors}")));
        count += 1;
    }
    assert!(count > 0, "no pipeline in {}", folder.display());
}

/// The example with parts of it cut, doubled or replaced: nearly right, which is what people write.
fn nearly_right() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        ":",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "~",
        "{{",
        "}}",
        "1",
        "1e9",
        ".inf",
        "train",
        "model",
        "true",
        "\u{feff}",
        "é",
        "\u{0}",
        "x: y",
        "# ",
        "---\n",
        "? ",
        "%YAML 9.9\n",
    ]);
    prop::collection::vec((0..EXAMPLE.len(), 0..12usize, words), 0..6).prop_map(|edits| {
        let mut text = EXAMPLE.to_owned();
        for (at, length, word) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, word);
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "\\PC*|(?s).{0,200}") {
        if let Err(errors) = parse(&text) {
            prop_assert!(errors.count() > 0);
            prop_assert!(errors.iter().all(|error| error.line > 0 && error.column > 0));
        }
    }

    #[test]
    fn what_is_nearly_right_is_refused_at_a_place_or_renders_the_same_twice(text in nearly_right()) {
        match parse(&text) {
            Err(errors) => {
                prop_assert!(errors.count() > 0);
                for error in &errors {
                    prop_assert!(error.line > 0 && error.column > 0 && error.line <= text.lines().count() + 1, "{error}");
                    prop_assert!(error.message.chars().all(|c| !c.is_control()), "{error:?}");
                }
            }
            Ok(pipeline) => {
                let first = body(&pipeline);
                prop_assert_eq!(&first, &body(&parse(&text).unwrap()));
                prop_assert!(serde_json::from_str::<serde_json::Value>(&first).is_ok());
                let stored = serde_json::to_string(&pipeline).unwrap();
                let again: Pipeline = serde_json::from_str(&stored).unwrap();
                prop_assert_eq!(&again, &pipeline);
                prop_assert_eq!(first, body(&again));
            }
        }
    }

    #[test]
    fn any_value_survives_being_stored(
        text in "\\PC{0,60}",
        whole in any::<i64>(),
        float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
    ) {
        let quoted = serde_json::to_string(&text).unwrap();
        let change = format!("{{label: {quoted}, whole: {whole}, float: {float:?}}}");
        if let Ok(pipeline) = parse(&EXAMPLE.replace("{label: diagnosis, preset: medium_quality}", &change)) {
            let stored = serde_json::to_string(&pipeline).unwrap();
            prop_assert_eq!(serde_json::from_str::<Pipeline>(&stored).unwrap(), pipeline);
        } else {
            prop_assert!(text.contains("{{"), "{change}");
        }
    }
}
