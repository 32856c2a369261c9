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

/// The documents that lead somewhere.
const LINKED: [&str; 13] = [
    "README.md",
    "docs/ACCESS.md",
    "docs/ARCHITECTURE.md",
    "docs/GROUND.md",
    "docs/GUARDRAILS.md",
    "docs/LOCAL.md",
    "docs/NETWORK.md",
    "docs/PLANNING.md",
    "docs/RECOVERY.md",
    "docs/RUNBOOK.md",
    "docs/SEMANTICS.md",
    "docs/STUDIO.md",
    "infra/README.md",
];

/// The rows of the table of the ground, in its order.
const GROUND: &str = "A1 A2 A3 A4 A5 A6 A12 A13 B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12 C1 C2 C3 C4 C5 C6 C7 C8 D1 D2 D3 D4 D5 D6 D7 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10";

/// A function of that name, or a test of that title; a title may go on with what is tested.
fn is_test(text: &str, name: &str) -> bool {
    ["'", "\"", "`", "${"].iter().any(|end| text.contains(&format!("{name}{end}")))
        || text.contains(&format!("fn {name}("))
}

/// Each row names where it is made, in backticks and there, and its tests, in the words they are called by.
#[test]
fn every_row_of_the_ground_is_made_and_tested() {
    let mut text = String::new();
    sources(&root(), &mut text);
    let table = std::fs::read_to_string(root().join("docs/GROUND.md")).unwrap();
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [row, what, places, tests] = cells[..] else { panic!("a row of another form: {line}") };
        if row == "row" || row.starts_with("---") {
            continue;
        }
        assert!(!what.is_empty(), "{row} says nothing");
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let (places, tests) = (names(places), names(tests));
        assert!(!places.is_empty() && !tests.is_empty(), "{row} names no place or no test");
        wrong.extend(places.into_iter().filter(|place| !root().join(place).exists()));
        wrong.extend(tests.into_iter().filter(|test| !is_test(&text, test)));
        found.push(row.to_owned());
    }
    assert_eq!(found.join(" "), GROUND);
    assert!(wrong.is_empty(), "places and tests named in docs/GROUND.md that do not exist: {wrong:#?}");
}

/// Each row of attacks names the tests that try them; a name may stop at `…`, and `*` is all of a module.
#[test]
fn every_attack_on_the_way_in_is_tried_by_a_test_that_exists() {
    let mut text = String::new();
    sources(&root(), &mut text);
    let page = std::fs::read_to_string(root().join("docs/ACCESS.md")).unwrap();
    let table = page.split("## Attacks").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 25, "only {} attacks", rows.len());
    let mut missing = Vec::new();
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "an attack that nobody tries: {row}");
        for name in names {
            let there = match name.rsplit("::").next().unwrap().split_once('…') {
                _ if name.contains('/') => root().join(name).exists(),
                _ if name.ends_with("::*") => {
                    root().join(format!("access/tests/saml/{}.rs", &name[..name.len() - 3])).exists()
                }
                Some((begin, _)) => text.contains(&format!("fn {begin}")),
                None => is_test(&text, name.rsplit("::").next().unwrap()),
            };
            if !there {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "tests named in docs/ACCESS.md that do not exist: {missing:#?}");
}

/// Whoever cannot get in is told a code: the operator's page says what to do, or that it is one of the table of attacks.
#[test]
fn every_code_of_a_refused_assertion_is_on_the_page() {
    let page = std::fs::read_to_string(root().join("docs/ACCESS.md")).unwrap();
    let source = std::fs::read_to_string(root().join("access/src/saml/refusal.rs")).unwrap();
    let codes: Vec<&str> =
        source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split('"').nth(1)).collect();
    assert!(codes.len() > 40, "only {} codes", codes.len());
    let missing: Vec<_> = codes.into_iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "codes that docs/ACCESS.md does not explain: {missing:?}");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in LINKED {
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
        "studio-access",
        "studio-sign-in",
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
