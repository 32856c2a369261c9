//! What holds of any text, and of any pipeline.
// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use proptest::prelude::*;
use statemachine::config::{Errors, Pipeline};
use statemachine::definition::{CodeLocation, Environment, render};

const EXAMPLE: &str = include_str!("golden/definition/pipeline.yaml");

/// The example with every key of `trigger`, `concurrency` and `deadline` that goes together.
fn with_all_keys(together: &str) -> String {
    let arrival = format!(
        "    suffix: .csv\n    min_size: 1\n    max_size: 2GiB\n    {together}\n    expected: {{by: \"06:00\", timezone: \
         Europe/Zurich, days: MON-FRI, within: 24h}}\nconcurrency: {{parallel: 3}}\ndeadline: 2h\n"
    );
    let text = EXAMPLE.replacen("    suffix: .csv\n", &arrival, 1);
    assert_ne!(text, EXAMPLE);
    text
}

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

const REFERENCE: &str = include_str!("../../pipelines/README.md");

#[test]
fn the_reference_is_a_pipeline_that_is_accepted() {
    let text = REFERENCE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    body(&parse(text).unwrap_or_else(|errors| panic!("{errors}")));
}

/// An error about a key that is none says which are.
#[test]
fn the_reference_names_every_key() {
    let text = with_all_keys("batch: {quiet: 2m, odd: 1}")
        .replacen("within: 24h", "odd: 1", 1)
        .replacen("    min_size: 1\n", "    odd: 1\n", 1)
        .replacen("{parallel: 3}", "{parallel: 3, odd: 1}", 1)
        .replacen("pipeline:", "odd: 1\npipeline:", 1)
        .replacen("arguments: [", "odd: [", 1)
        .replacen("preset:", "odd:", 1)
        .replacen("max_runtime: 30m", "odd: 1", 1)
        .replacen("report:", "odd:", 1)
        .replacen("{attempts: 2", "{odd: 2", 1)
        .replacen("at_least: 0.90", "odd: 0.90", 1)
        .replacen("{tolerance: 0.02}", "{odd: 0.02}", 1)
        .replacen("instances: 1", "odd: 1", 1)
        .replacen("    timezone: Europe/Zurich\n", "    odd: 1\n", 1);
    let mut errors = parse(&text).unwrap_err().to_string();
    let text = with_all_keys("complete: {odd: 1}");
    errors.push_str(&format!("\n{}", parse(&text).unwrap_err()));
    let lists: Vec<&str> =
        errors.lines().filter_map(|line| Some(line.split_once(" is not a key here: accepted are ")?.1)).collect();
    assert_eq!(lists.len(), 14, "{errors}");
    for key in lists.iter().flat_map(|list| list.split(';').next().unwrap_or_default().split(", ")) {
        let written = format!("{}:", key.trim_matches('`'));
        assert!(REFERENCE.contains(key) || REFERENCE.contains(&written), "{key}");
    }
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
    let texts = prop::sample::select(vec![
        EXAMPLE.to_owned(),
        with_all_keys("batch: {quiet: 2m, longest: 30m}"),
        with_all_keys("complete: {marker: _SUCCESS}"),
        with_all_keys("complete: {manifest: manifest.json}"),
    ]);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, words), 0..6);
    (texts, edits).prop_map(|(mut text, edits)| {
        for (at, length, word) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, word);
            }
        }
        text
    })
}

/// Any right `trigger`, `concurrency` and `deadline`, as YAML.
fn limits() -> impl Strategy<Value = String> {
    let size = || {
        prop_oneof![
            (1..5_000_u64).prop_map(|count| count.to_string()),
            (1..5_000_u64, prop::sample::select(vec!["KiB", "MiB", "GiB"]))
                .prop_map(|(count, unit)| format!("{count}{unit}")),
        ]
    };
    let sizes = prop_oneof![
        Just(String::new()),
        size().prop_map(|size| format!("    min_size: {size}\n")),
        size().prop_map(|size| format!("    max_size: {size}\n")),
        (1..9_000_u64, 0..9_000_u64)
            .prop_map(|(min, more)| { format!("    min_size: {min}\n    max_size: {}\n", min + more) }),
    ];
    let name = "[!\"$-.0-9:-~]{1,128}".prop_map(|name| serde_json::to_string(&name).unwrap_or_default());
    let grouping = prop_oneof![
        Just(String::new()),
        (60..=43_200_u64, 0..=43_200_u64)
            .prop_map(|(quiet, more)| { format!("    batch: {{quiet: {quiet}s, longest: {}s}}\n", quiet + more) }),
        (60..=3_600_u64).prop_map(|quiet| format!("    batch: {{quiet: {quiet}s}}\n")),
        name.clone().prop_map(|name| format!("    complete: {{marker: {name}}}\n")),
        name.prop_map(|name| format!("    complete: {{manifest: {name}}}\n")),
    ];
    let day = || prop::sample::select(vec!["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]);
    let days = prop::collection::vec(
        prop_oneof![day().prop_map(str::to_owned), (day(), day()).prop_map(|(from, to)| format!("{from}-{to}")),],
        1..4,
    )
    .prop_map(|days| days.join(","));
    let zone = prop::sample::select(vec!["UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires"]);
    let expected = prop_oneof![
        Just(String::new()),
        (0..24, 0..60).prop_map(|(hour, minute)| format!("    expected: {{by: {hour:02}:{minute:02}}}\n")),
        (0..24, 0..60, days, zone, 60..=2_678_400).prop_map(|(hour, minute, days, zone, within)| format!(
            "    expected: {{by: \"{hour:02}:{minute:02}\", days: \"{days}\", timezone: {zone}, within: {within}s}}\n"
        )),
    ];
    let concurrency = prop_oneof![
        Just(String::new()),
        prop::sample::select(vec!["queue", "skip", "replace"]).prop_map(|word| format!("concurrency: {word}\n")),
        (1..=200).prop_map(|count| format!("concurrency: {{parallel: {count}}}\n")),
    ];
    let deadline =
        prop_oneof![Just(String::new()), (300..=2_592_000).prop_map(|seconds| format!("deadline: {seconds}s\n")),];
    (sizes, grouping, expected, concurrency, deadline).prop_map(|(sizes, grouping, expected, concurrency, deadline)| {
        format!("{sizes}{grouping}{expected}{concurrency}{deadline}")
    })
}

#[test]
fn a_pipeline_that_an_earlier_version_stored_is_read() {
    let pipeline = parse(EXAMPLE).unwrap();
    let mut stored = pipeline.to_json();
    // There was no `deadline`, and of `arrival` there were `prefix` and `suffix`.
    assert!(stored.as_object_mut().unwrap().remove("deadline").is_some());
    assert_eq!(stored["trigger"]["arrival"].as_object().unwrap().len(), 2);
    assert_eq!(Pipeline::from_json(&stored).unwrap(), pipeline);
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
    fn any_trigger_and_any_limit_survives_being_stored(limits in limits()) {
        let text = EXAMPLE.replacen("    suffix: .csv\n", &limits, 1);
        let pipeline = parse(&text).map_err(|errors| TestCaseError::fail(format!("{errors}\n{text}")))?;
        let stored = serde_json::to_string(&pipeline).unwrap();
        let again: Pipeline = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(serde_json::to_string(&again).unwrap(), stored);
        prop_assert_eq!(again, pipeline);
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
