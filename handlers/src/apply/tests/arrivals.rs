//! What `trigger`, `concurrency` and `deadline` become.

use statemachine::run::BatchSpec;

use super::*;

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
