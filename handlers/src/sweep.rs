//! The sweep: whatever a crash, a lost event or a lost schedule left behind is found here, once a minute.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use statemachine::config::Pipeline;
use statemachine::run::Trigger;
use statemachine::{Event, EventKind, Run, RunId};
use tracing::{info, warn};

use crate::drive::Drive;
use crate::intake::{Intake, IntakeError, Scope};
use crate::ledger::PipelineRecord;
use crate::observe::{Observe, ObserveError};
use crate::settings::Context;

/// The most runs that one sweep looks at. What is left is due at the next.
const RUNS_AT_ONCE: usize = 500;

/// After which a sweep takes up nothing new: its function has five minutes.
const TIME: SignedDuration = SignedDuration::from_mins(4);

/// How long one run may take: as long as a function lives that handles an event, so that nothing is carried out under a
/// claim that has ended ([`crate::drive::CLAIM`]).
const LIFE: Duration = Duration::from_secs(30);

/// How late a schedule's firing may be before it counts as lost. EventBridge Scheduler tries to hand it over again and
/// again; one that comes later still begins its run after all.
const LATENESS: SignedDuration = SignedDuration::from_mins(10);

/// How long a lost firing is looked for: a few sweeps would do, and the sweep may itself have been away.
const MEMORY: SignedDuration = SignedDuration::from_mins(30);

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Runs that were due.
    pub due: usize,
    /// Of these, such whose commands were carried out.
    pub drained: usize,
    /// Of these, such that AWS was asked about.
    pub asked: usize,
    /// Firings of schedules that were found to be lost.
    pub missed: usize,
    /// Runs that could not be dealt with this time.
    pub failed: usize,
}

/// Looks at every run that is due, and at every schedule that should have fired.
///
/// # Errors
/// The ledger cannot be read. One run's trouble is counted and logged, and is no error: the run stays due.
pub async fn sweep(context: &Context) -> Result<Swept, IntakeError> {
    let started = context.clock.now();
    let drive = Drive::new(context);
    let mut swept = Swept::default();
    for id in drive.ledger().due(started, RUNS_AT_ONCE).await? {
        if context.clock.now().duration_since(started) > TIME {
            break;
        }
        swept.due += 1;
        match tokio::time::timeout(LIFE, look(context, &id)).await {
            Ok(Ok(Looked { drained, asked })) => {
                swept.drained += usize::from(drained);
                swept.asked += usize::from(asked);
            }
            Ok(Err(error)) => {
                warn!(run = %id, error = %error, "a run could not be swept");
                swept.failed += 1;
            }
            Err(_) => {
                warn!(run = %id, "a run could not be swept in time");
                swept.failed += 1;
            }
        }
    }
    for pipeline in drive.ledger().pipelines().await? {
        match lost_firings(context, &pipeline).await {
            Ok(missed) => swept.missed += missed,
            Err(error) => {
                warn!(pipeline = pipeline.name, error = %error, "the schedules could not be looked at");
                swept.failed += 1;
            }
        }
    }
    info!(
        due = swept.due,
        drained = swept.drained,
        asked = swept.asked,
        missed = swept.missed,
        failed = swept.failed,
        "swept"
    );
    Ok(swept)
}

struct Looked {
    drained: bool,
    asked: bool,
}

async fn look(context: &Context, id: &RunId) -> Result<Looked, IntakeError> {
    let drive = Drive::new(context);
    let due = |run: &Run| run.due(context.settings.silence).is_some_and(|due| due <= context.clock.now());
    let mut looked = Looked { drained: false, asked: false };
    // The index is a moment behind the run.
    let Some(mut run) = drive.ledger().run(id).await?.map(|run| run.value).filter(&due) else { return Ok(looked) };
    if run.unclaimed(context.clock.now()).next().is_some() {
        looked.drained = true;
        match Box::pin(drive.give(id, &[], false)).await? {
            Some(after) => run = after,
            None => return Ok(looked),
        }
    }
    if run.phase.is_end() || !due(&run) {
        return Ok(looked);
    }
    looked.asked = true;
    let asked = Intake::new(context, Scope::none()).ask(&run).await;
    let (events, trouble) = match asked {
        Ok(events) => (events, None),
        Err(error) => {
            // The deadline passes all the same; and what AWS will not tell is not asked for every minute.
            let now = |kind| Event { at: context.clock.now(), kind };
            let mut events = vec![now(EventKind::DeadlinePassed)];
            if matches!(error, IntakeError::Observe(ObserveError::Permanent(_))) {
                events.push(now(EventKind::Swept));
            }
            (events, Some(error))
        }
    };
    Box::pin(drive.give(id, &events, false)).await?;
    trouble.map_or(Ok(looked), Err)
}

/// Records each firing that was due a while ago and made no run.
async fn lost_firings(context: &Context, pipeline: &PipelineRecord) -> Result<usize, IntakeError> {
    let now = context.clock.now();
    let late = now.saturating_sub(LATENESS).unwrap_or(Timestamp::MIN);
    let forgotten = late.saturating_sub(MEMORY).unwrap_or(Timestamp::MIN);
    if pipeline.schedules.is_empty() {
        return Ok(0);
    }
    let config = match Pipeline::from_json(&pipeline.config) {
        Ok(config) => config,
        Err(error) => {
            warn!(pipeline = pipeline.name, error = %error, "the schedules cannot be looked at: apply the pipeline again");
            return Ok(0);
        }
    };
    let drive = Drive::new(context);
    let mut missed = 0;
    for (name, schedule) in config.schedules() {
        let before = |time: Timestamp| schedule.expression.previous_due(&schedule.time_zone, time);
        let dues = std::iter::successors(before(late), |due| before(*due));
        let mut on = None;
        for due in dues.take_while(|due| *due >= pipeline.applied && *due >= forgotten) {
            let id = RunId::schedule(&pipeline.name, name.as_str(), &due.to_string());
            if drive.ledger().run(&id).await?.is_some() {
                continue;
            }
            // Someone may have paused it, and is to have peace.
            let is_on = match on {
                Some(known) => known,
                None => {
                    let resource = config.schedule_resource_name(name);
                    let group = &context.settings.schedules.group;
                    Observe::new(&context.aws).schedule_is_on(group, &resource).await?
                }
            };
            on = Some(is_on);
            if !is_on {
                break;
            }
            let kind = EventKind::Missed {
                trigger: Trigger::Schedule { name: name.to_string(), scheduled_time: due },
                spec: Box::new(pipeline.spec.clone()),
                reason: format!("schedule `{name}` was due at {due} and has not fired"),
            };
            match Box::pin(drive.give(&id, &[Event { at: now, kind }], true)).await {
                Ok(_) => missed += 1,
                Err(error) => warn!(run = %id, error = %error, "a lost firing could not be told"),
            }
        }
    }
    Ok(missed)
}
