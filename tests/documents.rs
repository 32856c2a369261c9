//! The documents say what is so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use tidegate_tests::{programs, root};

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "cdk.out", "__pycache__"].contains(&&*name) && !name.starts_with('.') {
                sources(&path, text);
            }
        } else if [".rs", ".ts", ".py"].iter().any(|ending| name.ends_with(ending)) {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Each row of the contract ends in a cell with the names of its tests, each in backticks.
#[test]
fn every_promise_of_the_contract_has_a_test_that_exists() {
    let mut text = String::new();
    sources(&root(), &mut text);
    let contract = std::fs::read_to_string(root().join("docs/SEMANTICS.md")).unwrap();
    let rows: Vec<&str> = contract.lines().filter(|line| line.starts_with("| ") && !line.contains("|---")).collect();
    assert!(rows.len() > 20, "the contract has only {} rows", rows.len());
    let mut missing = Vec::new();
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        if cell == "test" {
            continue;
        }
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a promise without a test: {row}");
        missing.extend(names.into_iter().filter(|name| !text.contains(name)));
    }
    assert!(missing.is_empty(), "tests named in docs/SEMANTICS.md that do not exist: {missing:?}");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in ["README.md", "docs/ARCHITECTURE.md", "docs/SEMANTICS.md", "docs/LOCAL.md", "docs/RUNBOOK.md"] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{document} links to {link}, which does not exist");
        }
    }
}

/// Lambda's provided.al2023 has glibc 2.34 (Amazon Linux 2023 release notes): a function that asks for a newer symbol
/// would not start there, however well it runs here.
#[test]
fn the_functions_start_on_amazon_linux_2023() {
    for function in [
        "on-data-arrival",
        "on-schedule",
        "on-pipeline-status",
        "on-endpoint-status",
        "on-model-package",
        "sweep",
        "pipeline-resource",
        "studio-resource",
    ] {
        let path = programs().unwrap().join(function);
        let output = Command::new("objdump").arg("-T").arg(&path).output().unwrap();
        assert!(output.status.success(), "objdump {}: build it with `make build`", path.display());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let newest = text
            .split("GLIBC_2.")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok())
            .max();
        let newest = newest.unwrap();
        assert!(newest <= 34, "{function} needs GLIBC_2.{newest}, and provided.al2023 has 2.34");
    }
}
