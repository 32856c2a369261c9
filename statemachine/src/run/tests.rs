use proptest::prelude::*;

use super::fixtures::*;
use super::*;

fn our_config(world: &World) -> String {
    format!("tumours-{}", world.run().id)
}

#[test]
fn an_arrival_asks_for_one_execution_of_exactly_its_object_version() {
    let world = world_in(Phase::Starting);
    assert_eq!(world.pending(), ["start"]);
    let Command::Start { pipeline, stage, parameters, token } = &world.run().outbox[0].command else { panic!() };
    assert_eq!(pipeline, "tumours");
    assert_eq!(stage[0].object, object("v1"));
    assert_eq!(stage[0].to, format!("runs/tumours/{}/input/a.csv", world.run().id));
    assert_eq!(parameters["InputDataUri"], format!("s3://data/runs/tumours/{}/input/", world.run().id));
    assert_eq!(token.len(), 64);
}

#[test]
fn the_whole_road_to_live_leaves_an_empty_outbox_and_a_champion() {
    let world = world_in(Phase::Live);
    assert_eq!(world.pending(), Vec::<String>::new());
    let champion = world.around.endpoint.champion.as_ref().unwrap();
    assert_eq!(champion.run, world.run().id);
    assert_eq!(champion.config, our_config(&world));
    assert_eq!(world.around.endpoint.deploying, None);
}

#[test]
fn status_events_in_reverse_order_end_in_the_same_run() {
    let events = [
        step(2, "preprocess", StepStatus::Executing),
        step(3, "preprocess", StepStatus::Succeeded),
        status(1, ExecutionStatus::Executing),
        status(10, ExecutionStatus::Succeeded),
    ];
    let mut forward = world_in(Phase::Starting);
    let mut backward = forward.clone();
    events.iter().for_each(|event| drop(forward.give(event)));
    events.iter().rev().for_each(|event| drop(backward.give(event)));
    assert_eq!(forward, backward);
    assert_eq!(forward.run().phase, Phase::Evaluating);
}

#[test]
fn a_failure_raises_one_alert_however_often_the_event_comes() {
    let mut world = world_in(Phase::Running);
    for _ in 0..3 {
        world.give(&status(10, ExecutionStatus::Failed));
    }
    assert_eq!(world.pending().len(), 1);
    assert_eq!(world.run().failure.as_ref().unwrap().step.as_deref(), Some("train"));
}

#[test]
fn a_retried_execution_brings_a_failed_run_back() {
    let mut world = world_in(Phase::Failed);
    world.give(&status(20, ExecutionStatus::Executing));
    assert_eq!((world.run().phase, world.run().failure.clone()), (Phase::Running, None));
    world.give(&status(30, ExecutionStatus::Succeeded));
    assert_eq!(world.run().phase, Phase::Evaluating);
}

#[test]
fn a_late_event_of_an_earlier_attempt_changes_no_phase() {
    for phase in Phase::ALL {
        let mut world = world_in(phase);
        if world.run().execution.as_ref().is_none_or(|execution| execution.at < at(10)) {
            continue;
        }
        world.give(&status(5, ExecutionStatus::Failed));
        world.give(&status(5, ExecutionStatus::Executing));
        assert_eq!(world.run().phase, phase);
    }
}

#[test]
fn an_execution_that_is_seen_before_its_start_is_answered_is_not_started_again() {
    let mut world = world_in(Phase::Starting);
    world.give(&status(1, ExecutionStatus::Executing));
    assert_eq!(world.pending(), Vec::<String>::new());
    let late = Event { at: at(2), kind: EventKind::ExecutionStarted { execution_arn: EXECUTION.into() } };
    assert_eq!(world.give(&late).outcome, Outcome::Ignored);
}

#[test]
fn an_approval_that_overtakes_the_registration_is_not_forgotten() {
    let mut world = World::after(&road_to(Phase::AwaitingApproval)[..4]);
    assert_eq!(world.run().phase, Phase::Evaluating);
    world.give(&approval(11, Approval::Approved));
    world.give(&registered(12));
    assert_eq!(world.run().phase, Phase::Deploying);
}

#[test]
fn a_person_may_refuse_and_think_better_of_it() {
    let mut world = world_in(Phase::AwaitingApproval);
    world.give(&approval(20, Approval::Rejected));
    assert_eq!(world.run().phase, Phase::Rejected);
    world.give(&approval(30, Approval::Approved));
    assert_eq!(world.run().phase, Phase::Deploying);
}

#[test]
fn the_old_model_in_service_is_a_rollback_only_once_the_change_was_asked_for() {
    let mut world = world_in(Phase::Deploying);
    let old = endpoint_is(20, EndpointStatus::InService, "old");
    assert_eq!(world.give(&old).outcome, Outcome::Ignored);
    world.give(&done(21, CommandId::deploy()));
    world.give(&old);
    assert_eq!(world.run().phase, Phase::RolledBack);
    assert_eq!(world.around.endpoint.deploying, None);
    assert!(world.pending()[0].starts_with("alert:rolled_back"));
}

#[test]
fn only_one_deployment_at_a_time_and_the_newest_goes_next() {
    let mut first = world_in(Phase::Deploying);
    let mut ids = Vec::new();
    let mut waiting = Vec::new();
    for version in ["v2", "v3"] {
        let mut road = road_to(Phase::Deploying);
        road[0] = requested(version, ApprovalMode::Automatic);
        let mut world = World { run: None, around: first.around.clone() };
        road.iter().for_each(|event| drop(world.give(event)));
        assert_eq!(world.run().phase, Phase::AwaitingTurn);
        first.around.endpoint = world.around.endpoint.clone();
        ids.push(world.run().id.clone());
        waiting.push(world.run.unwrap());
    }
    let ours = our_config(&first);
    first.give(&endpoint_is(30, EndpointStatus::InService, &ours));
    assert_eq!(first.pending(), [format!("tell:{}:turn", ids[1])]);

    let mut newest = World { run: Some(waiting.remove(1)), around: first.around.clone() };
    newest.give(&Event { at: at(31), kind: EventKind::YourTurn });
    assert_eq!(newest.run().phase, Phase::Deploying);
    newest.give(&done(32, CommandId::deploy()));
    let ours = our_config(&newest);
    newest.give(&endpoint_is(33, EndpointStatus::InService, &ours));
    let told = newest.pending();
    assert!(told.contains(&format!("tell:{}:superseded:{}", ids[0], ids[1])), "{told:?}");
    assert!(told.contains(&format!("tell:{}:superseded:{}", first.run().id, ids[1])), "{told:?}");
    assert_eq!(newest.around.endpoint.waiting, Vec::<RunId>::new());
}

#[test]
fn a_turn_that_finds_its_run_gone_is_given_on() {
    let mut world = world_in(Phase::Rejected);
    let next = RunId::arrival("tumours", &object("v7"));
    world.around.endpoint.waiting = vec![next.clone()];
    world.give(&Event { at: at(31), kind: EventKind::YourTurn });
    assert!(world.pending().contains(&format!("tell:{next}:turn")), "{:?}", world.pending());
}

#[test]
fn a_newer_model_that_finds_the_endpoint_free_overtakes_who_waits() {
    let mut world = World::after(&road_to(Phase::Deploying)[..4]);
    let older = RunId::arrival("tumours", &object("v0"));
    world.around.endpoint.waiting = vec![older.clone()];
    world.give(&registered(12));
    assert_eq!(world.around.endpoint.deploying.as_ref().unwrap().overtakes, [older]);
    assert!(world.around.endpoint.waiting.is_empty());
}

#[test]
fn a_failed_deployment_keeps_the_champion_and_gives_the_turn_on() {
    let live = world_in(Phase::Live);
    let mut road = road_to(Phase::Deploying);
    road[0] = requested("v2", ApprovalMode::Automatic);
    let mut world = World { run: None, around: live.around.clone() };
    road.iter().for_each(|event| drop(world.give(event)));
    world.around.endpoint.waiting = vec![RunId::arrival("tumours", &object("v3"))];
    world.give(&done(20, CommandId::deploy()));
    world.give(&endpoint_is(21, EndpointStatus::InService, &live.around.endpoint.champion.as_ref().unwrap().config));
    assert_eq!(world.run().phase, Phase::RolledBack);
    assert_eq!(world.around.endpoint.champion, live.around.endpoint.champion);
    assert!(world.pending().iter().any(|id| id.ends_with(":turn")));
}

#[test]
fn the_gate_is_asked_again_when_the_champion_changed_while_waiting() {
    let mut world = world_in(Phase::AwaitingTurn);
    world.around.endpoint.deploying = None;
    if let Some(run) = &mut world.run {
        let against =
            crate::gate::AgainstChampion::new(crate::gate::Finite::new(0.0).unwrap(), crate::gate::Direction::Higher);
        let path = crate::gate::MetricPath::new("accuracy").unwrap();
        let criterion = crate::gate::Criterion::new(path, None, Some(against.unwrap())).unwrap();
        run.spec.gate = Some(crate::gate::Gate::new(vec![criterion]).unwrap());
    }
    let better = crate::gate::Report::parse(br#"{"accuracy":0.99}"#).unwrap().metrics(None);
    world.around.endpoint.champion = Some(crate::endpoint::Champion {
        run: RunId::arrival("tumours", &object("v0")),
        config: "c".into(),
        package: "p".into(),
        metrics: better,
        since: at(0),
    });
    world.give(&Event { at: at(31), kind: EventKind::YourTurn });
    assert_eq!(world.run().phase, Phase::Rejected);
    assert_eq!(world.around.endpoint.deploying, None);
}

#[test]
fn a_run_survives_json() {
    for phase in Phase::ALL {
        let run = world_in(phase).run.unwrap();
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run, "{phase}");
    }
}

#[test]
fn two_inputs_of_one_name_are_staged_apart() {
    let mut event = requested("v1", ApprovalMode::Automatic);
    if let EventKind::Requested { inputs, .. } = &mut event.kind {
        let mut other = object("v1");
        other.key = "raw/tumours/deeper/a.csv".into();
        inputs.objects.push(other);
    }
    let world = World::after(&[event]);
    let Command::Start { stage, .. } = &world.run().outbox[0].command else { panic!() };
    assert_ne!(stage[0].to, stage[1].to);
}

#[test]
fn a_command_is_free_until_it_is_claimed_and_again_when_the_claim_has_ended() {
    let mut run = run();
    let free = |run: &Run, second: i64| run.unclaimed(at(second)).any(|pending| pending.id == CommandId::start());
    assert!(free(&run, 0));
    for pending in &mut run.outbox {
        pending.state = Pending::Claimed { until: at(40) };
    }
    assert!(!free(&run, 39));
    assert!(free(&run, 40));
}

#[test]
fn a_start_that_may_have_been_heard_is_not_taken_for_refused() {
    for (unheard, then) in [(false, Phase::Stopped), (true, Phase::Starting)] {
        let mut world = world_in(Phase::Starting);
        let start = world.run.as_mut().unwrap().outbox.iter_mut().find(|it| it.id == CommandId::start()).unwrap();
        start.claim(at(1));
        if unheard {
            // Whoever claimed it first died, before or after SageMaker started the execution.
            start.claim(at(2));
        }
        let kind = EventKind::Postponed { command: CommandId::start(), reason: "no room".into() };
        world.give(&Event { at: at(2), kind });
        world.give(&stop(3, None));
        assert_eq!(world.run().phase, then);
        assert_eq!(world.run().has_pending(&CommandId::start()), unheard);
    }
}

#[test]
fn a_rollout_that_may_have_begun_is_told_by_the_endpoint_and_not_by_a_later_refusal() {
    for (unheard, then) in [(false, Phase::Failed), (true, Phase::Deploying)] {
        let mut world = world_in(Phase::Deploying);
        let deploy = world.run.as_mut().unwrap().outbox.iter_mut().find(|it| it.id == CommandId::deploy()).unwrap();
        deploy.claim(at(20));
        if unheard {
            deploy.let_go();
        }
        let kind = EventKind::CommandFailed { command: CommandId::deploy(), reason: "no".into() };
        world.give(&Event { at: at(21), kind });
        assert_eq!(world.run().phase, then);
        assert_eq!(world.around.endpoint.deploying.is_some(), unheard);
    }
    let mut gone = world_in(Phase::Batching);
    assert_eq!(gone.give(&status(100, ExecutionStatus::Succeeded)).outcome, Outcome::Illegal);
}

fn external_event() -> impl Strategy<Value = Event> {
    let statuses = prop::sample::select(ExecutionStatus::ALL.to_vec());
    let steps = prop::sample::select(StepStatus::ALL.to_vec());
    prop_oneof![
        (1i64..20, statuses).prop_map(|(second, s)| status(second, s)),
        (1i64..20, steps).prop_map(|(second, s)| step(second, "train", s)),
    ]
}

proptest! {
    #[test]
    fn an_event_twice_equals_once(phase in prop::sample::select(Phase::ALL.to_vec()), choice: prop::sample::Index) {
        let mut world = world_in(phase);
        let events = every_event(world.run(), &world.around);
        let (name, event) = &events[choice.index(events.len())];
        world.give(event);
        let once = world.clone();
        let decision = world.give(event);
        prop_assert_eq!(&once, &world, "{} in {}: {}", name, phase, decision.because);
    }

    /// Alerts and evaluations already asked for on the way are left out: they are what people were told, not where the
    /// run stands.
    #[test]
    fn any_order_of_an_executions_events_ends_in_the_same_place(
        events in prop::collection::vec(external_event(), 1..8),
        keys in prop::collection::vec(any::<u32>(), 8),
    ) {
        let mut shuffled: Vec<_> = events.iter().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let mut one = world_in(Phase::Starting);
        let mut other = one.clone();
        events.iter().for_each(|event| drop(one.give(event)));
        shuffled.iter().for_each(|(event, _)| drop(other.give(event)));
        let place = |world: &World| {
            let run = world.run();
            let facts: Vec<_> = run.facts.iter().filter(|fact| !fact.what.starts_with("failed")).cloned().collect();
            (run.execution.clone(), facts)
        };
        prop_assert_eq!(place(&one), place(&other));
        let succeeded = |world: &World| world.run().phase == Phase::Evaluating;
        let ever = events.iter().any(|event| matches!(
            event.kind, EventKind::ExecutionChanged { status: ExecutionStatus::Succeeded, .. }));
        if !ever {
            prop_assert_eq!(one.run().phase, other.run().phase);
        } else if one.run().execution.as_ref().unwrap().status == ExecutionStatus::Succeeded {
            prop_assert!(succeeded(&one) && succeeded(&other));
        }
    }

    #[test]
    fn nothing_goes_live_without_a_passed_gate(choices in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let mut world = world_in(Phase::Starting);
        for choice in choices {
            let events = every_event(world.run(), &world.around);
            world.give(&events[choice.index(events.len())].1);
            let deploying = matches!(world.run().phase, Phase::Deploying | Phase::Live | Phase::RolledBack);
            if deploying || world.pending().contains(&"deploy".to_owned()) {
                prop_assert!(world.run().gate.as_ref().unwrap().passed);
            }
        }
    }

    #[test]
    fn every_failure_rejection_and_rollback_has_its_alert(
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
    ) {
        let mut world = world_in(Phase::Starting);
        for choice in choices {
            let before = world.run().phase;
            let events = every_event(world.run(), &world.around);
            world.give(&events[choice.index(events.len())].1);
            let after = world.run().phase;
            if before != after && matches!(after, Phase::Failed | Phase::Rejected | Phase::RolledBack) {
                prop_assert!(world.pending().iter().any(|id| id.starts_with("alert:")), "{before} to {after}");
            }
        }
    }
}
