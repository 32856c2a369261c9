//! Whatever comes in is read or refused: no panic, no work without bound, no answer without bound. The targets are those
//! that `make fuzz` runs for as long as one likes; here each has its seeds and a bounded number of mutations.

// Tests read files; the crate under test may not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]
#![allow(clippy::print_stderr, unreachable_pub)]

#[path = "../../fuzz/src/bounded.rs"]
mod bounded;
#[path = "../../fuzz/src/documents.rs"]
mod documents;

use std::fmt::Write;

use documents::{evaluation, pipeline_yaml, stored_pipeline};

#[test]
fn any_pipeline_yaml_is_read_or_refused() {
    bounded::run("pipeline_yaml", pipeline_yaml, 256);
}

#[test]
fn any_stored_pipeline_is_read_or_refused() {
    bounded::run("stored_pipeline", stored_pipeline, 128);
}

#[test]
fn any_evaluation_is_read_or_refused_and_passes_only_by_its_numbers() {
    bounded::run("evaluation", evaluation, 800);
}

/// So large that quadratic work or memory would be seen, and within the limit of the file.
fn large(mut line: impl FnMut(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        let line = line(number);
        if text.len() + line.len() > 500_000 {
            break;
        }
        text.push_str(&line);
    }
    text
}

#[test]
fn a_long_key_is_not_repeated_for_all_below_it() {
    let key = "k".repeat(400_000);
    let below = large(|number| format!("    x{number}: 1\n"));
    pipeline_yaml(format!("pipeline: p\nsteps:\n  ? {key}\n  :\n    type: training\n{below}").as_bytes());
    pipeline_yaml(format!("pipeline: p\nparameters:\n  ? {key}\n  :\n{below}").as_bytes());
    let members = large(|number| format!("\"x{number}\":1,"));
    stored_pipeline(format!("{{\"steps\":{{\"{key}\":{{\"type\":\"training\",{members}\"y\":1}}}}}}").as_bytes());
}

#[test]
fn a_long_name_in_a_report_is_not_kept_for_each_of_its_values() {
    let name = "n".repeat(20_000);
    let values: Vec<String> = (0..1500).map(|number| format!("\"x{number}\":1")).collect();
    evaluation(format!("{{\"accuracy\":0.99,\"{name}\":{{{}}}}}", values.join(",")).as_bytes());
}

#[test]
fn a_mistake_in_every_line_is_told_a_bounded_number_of_times() {
    let unknown = large(|number| format!("key{number}: 1\n"));
    pipeline_yaml(unknown.as_bytes());
    let twice = large(|number| format!("key{}: 1\n", number / 2));
    pipeline_yaml(twice.as_bytes());
    let steps = large(|number| {
        let step = "type: processing, image: sklearn, instance: ml.m5.large, script: src/a.py, outputs: [o]";
        format!("  s{number}: {{{step}, inputs: {{a: t{number}.o}}}}\n")
    });
    pipeline_yaml(format!("pipeline: p\nsteps:\n{steps}").as_bytes());
    let parameters = large(|number| format!("  P{number:060}: 1\n"));
    let uses = large(|number| format!("      a{number}: \"{{{{parameters.Q{number:060}}}}}\"\n"));
    let training =
        "type: training\n    image: sklearn\n    instance: ml.m5.large\n    script: src/a.py\n    hyperparameters";
    pipeline_yaml(format!("pipeline: p\nparameters:\n{parameters}steps:\n  s:\n    {training}:\n{uses}").as_bytes());
}

#[test]
fn a_report_is_stored_within_its_items_room() {
    let name = "n".repeat(250);
    let mut report = String::from("{");
    for number in 0..1500 {
        write!(report, "\"{name}{number}\":\"{}\",", "é".repeat(60)).unwrap();
    }
    report.push_str("\"accuracy\":0.99}");
    evaluation(report.as_bytes());
}
