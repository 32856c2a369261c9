use super::*;

fn path(text: &str) -> MetricPath {
    MetricPath::new(text).unwrap()
}

fn bound(comparison: Comparison, value: f64) -> Threshold {
    Threshold { comparison, value: Finite::new(value).unwrap() }
}

fn against(tolerance: f64, better: Direction) -> AgainstChampion {
    AgainstChampion::new(Finite::new(tolerance).unwrap(), better).unwrap()
}

fn gate(metric: &str, threshold: Option<Threshold>, champion: Option<AgainstChampion>) -> Gate {
    Gate::new(vec![Criterion::new(path(metric), threshold, champion).unwrap()]).unwrap()
}

fn report(text: &str) -> Result<Report, UnreadableReport> {
    Report::parse(text.as_bytes())
}

#[test]
fn thresholds_hold_at_their_boundary_as_they_say() {
    for (comparison, at, beyond, short) in [
        (Comparison::AtLeast, true, 0.91, 0.89),
        (Comparison::Above, false, 0.91, 0.89),
        (Comparison::AtMost, true, 0.89, 0.91),
        (Comparison::Below, false, 0.89, 0.91),
    ] {
        let gate = gate("m", Some(bound(comparison, 0.9)), None);
        let passed = |value: f64| gate.decide(&report(&format!("{{\"m\":{value}}}")), None).passed;
        assert_eq!(passed(0.9), at, "{comparison:?} at the boundary");
        assert!(passed(beyond), "{comparison:?} beyond");
        assert!(!passed(short), "{comparison:?} short");
    }
}

#[test]
fn the_champion_is_compared_with_a_tolerance_in_the_right_direction() {
    let live = report(r#"{"auc":0.95}"#).unwrap().metrics(None);
    let higher = gate("auc", None, Some(against(0.02, Direction::Higher)));
    assert!(higher.decide(&report(r#"{"auc":0.94}"#), Some(&live)).passed);
    assert!(!higher.decide(&report(r#"{"auc":0.92}"#), Some(&live)).passed);
    let lower = gate("auc", None, Some(against(0.02, Direction::Lower)));
    assert!(lower.decide(&report(r#"{"auc":0.96}"#), Some(&live)).passed);
    assert!(!lower.decide(&report(r#"{"auc":0.98}"#), Some(&live)).passed);
}

#[test]
fn without_a_live_model_the_champion_demand_holds_and_says_so() {
    let decision = gate("auc", None, Some(against(0.0, Direction::Higher))).decide(&report(r#"{"auc":0.1}"#), None);
    assert!(decision.passed);
    assert_eq!(decision.summary(), "gate passed: auc = 0.1: there is no live model to compare with");
}

#[test]
fn a_live_model_without_the_metric_fails_closed() {
    let live = report(r#"{"other":1}"#).unwrap().metrics(None);
    let decision =
        gate("auc", None, Some(against(0.0, Direction::Higher))).decide(&report(r#"{"auc":0.99}"#), Some(&live));
    assert!(!decision.passed);
}

#[test]
fn missing_nan_infinite_text_and_unreadable_all_fail_closed_with_their_reason() {
    let gate = gate("a.b", Some(bound(Comparison::AtMost, 1e9)), None);
    for (text, reason) in [
        ("{}", "a.b is missing from the evaluation report"),
        (r#"{"a":{"b":"NaN"}}"#, "a.b is `\"NaN\"`, not a finite number"),
        (r#"{"a":{"b":null}}"#, "a.b is `null`, not a finite number"),
        (r#"{"a":{"b":{"value":"inf"}}}"#, "a.b is `\"inf\"`, not a finite number"),
        ("[]", "the evaluation report cannot be read: it is not a JSON object"),
    ] {
        let decision = gate.decide(&report(text), None);
        assert!(!decision.passed, "{text}");
        assert_eq!(decision.summary(), format!("gate failed: {reason}"));
    }
    for text in [r#"{"a":{"b":NaN}}"#, r#"{"a":{"b":Infinity}}"#, "", "{", r#"{"a":{"b":1e999}}"#] {
        let decision = gate.decide(&report(text), None);
        assert!(!decision.passed, "{text}");
        assert!(decision.summary().contains("cannot be read"), "{text}: {}", decision.summary());
    }
}

#[test]
fn a_value_member_counts_under_its_parents_path() {
    let report = report(r#"{"m":{"auc":{"value":0.97,"standard_deviation":0.01}}}"#).unwrap();
    assert_eq!(report.metric(&path("m.auc")).unwrap().get(), 0.97);
    assert_eq!(report.metric(&path("m.auc.standard_deviation")).unwrap().get(), 0.01);
}

#[test]
fn a_failed_decision_names_only_what_failed_and_a_passed_one_all() {
    let gate = Gate::new(vec![
        Criterion::new(path("a"), Some(bound(Comparison::AtLeast, 0.5)), None).unwrap(),
        Criterion::new(path("b"), Some(bound(Comparison::Below, 0.5)), None).unwrap(),
    ])
    .unwrap();
    assert_eq!(gate.decide(&report(r#"{"a":0.6,"b":0.6}"#), None).summary(), "gate failed: b = 0.6: is not below 0.5");
    assert_eq!(
        gate.decide(&report(r#"{"a":0.6,"b":0.4}"#), None).summary(),
        "gate passed: a = 0.6: is at least 0.5; b = 0.4: is below 0.5"
    );
}

#[test]
fn what_cannot_be_a_gate_is_refused() {
    assert_eq!(Gate::new(vec![]), Err(GateError::Empty));
    assert!(Criterion::new(path("a"), None, None).is_err());
    assert!(AgainstChampion::new(Finite::new(-0.1).unwrap(), Direction::Higher).is_err());
    assert!(Finite::new(f64::NAN).is_none());
    for bad in ["", ".", "a..b", "a b", "a.", "ä"] {
        assert!(MetricPath::new(bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<Gate>("[]").is_err(), "a stored gate is checked again");
}

#[test]
fn an_oversized_report_is_refused() {
    let text = format!("{{\"m\":1,\"x\":\"{}\"}}", "x".repeat(report::REPORT_LIMIT));
    assert!(report(&text).is_err());
}

#[test]
fn the_metrics_that_the_gate_asks_for_are_kept_before_all_others() {
    let many: Vec<String> = (0..400).map(|number| format!("\"a{number:03}\":{number}")).collect();
    let gate = gate("z", None, Some(against(0.0, Direction::Higher)));
    let kept = report(&format!("{{{},\"z\":1}}", many.join(","))).unwrap().metrics(Some(&gate));
    assert_eq!(kept.iter().count(), report::METRICS_LIMIT);
    assert_eq!(kept.get(&path("z")).unwrap().get(), 1.0);
}

#[test]
fn a_report_of_too_many_values_fails_closed() {
    let many: Vec<String> = (0..=report::LEAF_LIMIT).map(|number| format!("\"a{number}\":1")).collect();
    assert!(report(&format!("{{{}}}", many.join(","))).is_err());
}
