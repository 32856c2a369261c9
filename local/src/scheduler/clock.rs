//! What fires schedules when they are due.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::error::Error;
use super::model::{ActionAfterCompletion, Firing, Schedule, ScheduleState};
use super::{context, target, validate};
use crate::engine::Engine;

/// The wall clock may jump, after a suspend for one: look at it at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Between the attempts of a firing; doubled each time. AWS backs off for longer.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// What the clock and the API share.
#[derive(Default)]
pub(super) struct Clock {
    changed: Notify,
    /// The firings that a task works on.
    at_work: Mutex<HashSet<String>>,
}

impl Clock {
    /// A schedule has changed: compute anew when to wake.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }
}

/// Fires until the engine stops. Takes up what an earlier engine left, and fires once for each schedule that was due while
/// no engine ran: with the latest time that is not longer ago than the schedule's `MaximumEventAgeInSeconds`, and else to
/// its dead-letter queue.
pub(super) async fn run(engine: Arc<Engine>) {
    let clock = engine.part::<Clock>();
    if let Err(error) = take_up(&engine) {
        tracing::error!(%error, "cannot take up what an earlier engine left");
    }
    loop {
        let sleep = match tick(&engine) {
            Ok(next) => next.map_or(LONGEST_SLEEP, |next| until(next, engine.now()).min(LONGEST_SLEEP)),
            Err(error) => {
                tracing::error!(%error, "the scheduler cannot read or write its state");
                FIRST_RETRY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = clock.changed.notified() => {}
            () = engine.shutdown.cancelled() => return,
        }
    }
}

/// Goes on with unfinished firings, and forgets one-time schedules that a killed engine had fired and not deleted.
fn take_up(engine: &Arc<Engine>) -> Result<(), Error> {
    let mut firings = engine.store.list::<Firing>()?;
    let now = engine.now();
    for schedule in engine.store.list::<Schedule>()? {
        let own = super::model::key(&schedule.group, &schedule.name);
        if is_done(&schedule) && firings.iter().all(|firing| firing.schedule != own) {
            engine.store.delete::<Schedule>(&own)?;
        }
        if schedule.next.is_some_and(|next| next <= now) {
            // It was due again while no engine ran, and that one is made up for.
            for old in firings.extract_if(.., |firing| firing.schedule == own && is_too_old(firing, now)) {
                engine.store.delete::<Firing>(&old.key)?;
            }
        }
    }
    firings.into_iter().for_each(|firing| work(engine, firing));
    Ok(())
}

fn until(next: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}

/// Fires what is due and tells when the next schedule is.
fn tick(engine: &Arc<Engine>) -> Result<Option<Timestamp>, Error> {
    let mut earliest: Option<Timestamp> = None;
    for schedule in engine.store.list::<Schedule>()? {
        let next = match schedule.next {
            Some(next) if next <= engine.now() => fire(engine, &schedule, next)?,
            next => next,
        };
        earliest = match (earliest, next) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(earliest)
}

/// Writes the firing down, moves the schedule on and sets to work.
fn fire(engine: &Arc<Engine>, schedule: &Schedule, next: Timestamp) -> Result<Option<Timestamp>, Error> {
    let now = engine.now();
    let plan = validate::plan(&schedule.settings, schedule.anchor)?;
    let just_before = next.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(next);
    let oldest = now.checked_sub(max_age(&schedule.settings.target)).unwrap_or(next);
    // One that is too old goes to the dead-letter queue.
    let due = plan.last_between(just_before.max(oldest), now).unwrap_or(next);
    let own = super::model::key(&schedule.group, &schedule.name);
    let firing = Firing {
        key: format!("{own}/{}", due.as_millisecond()),
        schedule: own.clone(),
        schedule_arn: schedule.arn.clone(),
        due,
        target: schedule.settings.target.clone(),
        attempts: 0,
    };
    // One that is there already was written before a crash and is being worked on.
    let created = engine.store.create(&firing.key, &firing)?;
    let following = plan.next_after(now);
    engine.store.update(&own, |kept: &mut Schedule| {
        // Changed by the API in between: the new time stands.
        if kept.next == schedule.next && kept.modified == schedule.modified {
            kept.next = following;
        }
        Ok::<_, Error>(kept.next)
    })?;
    // Not before the schedule has moved on: at its end the work looks whether anything is still to come.
    if created {
        work(engine, firing);
    }
    Ok(following)
}

fn max_age(target: &super::model::Target) -> SignedDuration {
    let policy = target.retry_policy.as_ref();
    SignedDuration::from_secs(
        policy.and_then(|policy| policy.maximum_event_age_in_seconds).unwrap_or(validate::MAX_AGE),
    )
}

fn is_too_old(firing: &Firing, now: Timestamp) -> bool {
    now.duration_since(firing.due) > max_age(&firing.target)
}

fn work(engine: &Arc<Engine>, firing: Firing) {
    let clock = engine.part::<Clock>();
    if !clock.at_work.lock().unwrap_or_else(PoisonError::into_inner).insert(firing.key.clone()) {
        return;
    }
    let engine = Arc::clone(engine);
    engine.tasks.clone().spawn(async move {
        let key = firing.key.clone();
        tokio::select! {
            () = deliver(&engine, firing) => {}
            // It stays on disk for the next engine.
            () = engine.shutdown.cancelled() => {}
        }
        clock.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    });
}

async fn deliver(engine: &Arc<Engine>, mut firing: Firing) {
    let policy = firing.target.retry_policy.as_ref();
    let retries = policy.and_then(|policy| policy.maximum_retry_attempts).unwrap_or(validate::MAX_RETRIES);
    let age = max_age(&firing.target);
    let mut wait = FIRST_RETRY;
    loop {
        let execution = uuid::Uuid::new_v4().simple().to_string();
        let execution = execution.get(..16).unwrap_or(&execution);
        let payload = context::payload(&firing, execution, &engine.config.region, &engine.config.account);
        let refusal = if is_too_old(&firing, engine.now()) {
            target::Refusal::too_late()
        } else if let Err(refusal) = target::invoke(engine, &firing, &payload).await {
            firing.attempts += u32::from(refusal.reached);
            refusal
        } else {
            tracing::info!(schedule = firing.schedule_arn, due = %firing.due, "fired");
            break;
        };
        let (schedule, message) = (&firing.schedule_arn, &refusal.message);
        let too_old =
            engine.now().duration_since(firing.due) + SignedDuration::try_from(wait).unwrap_or_default() > age;
        let exhausted = if i64::from(firing.attempts) > retries {
            Some("MaximumRetryAttempts")
        } else if too_old {
            Some("MaximumEventAgeInSeconds")
        } else {
            None
        };
        if refusal.permanent || exhausted.is_some() {
            tracing::error!(schedule, due = %firing.due, code = refusal.code, message, "given up");
            // The queue is the last resort: it is waited for, and a queue that refuses leaves nothing but the log.
            while let Err(lost) = target::bury(engine, &firing, &payload, &refusal, exhausted).await {
                tracing::error!(schedule, message = lost.message, "the dead-letter queue did not take it");
                if lost.permanent {
                    break;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_RETRY);
            }
            break;
        }
        tracing::warn!(schedule, attempt = firing.attempts, message, "the target did not take it, trying again");
        if let Err(error) = engine.store.put(&firing.key, &firing) {
            tracing::warn!(%error, "the number of attempts is not kept");
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_RETRY);
    }
    if let Err(error) = finish(engine, &firing) {
        tracing::error!(%error, schedule = firing.schedule_arn, "cannot close a firing; it will be repeated");
    }
}

/// Forgets the firing, and the schedule when it asked for that and has nothing more to come.
fn finish(engine: &Arc<Engine>, firing: &Firing) -> Result<(), Error> {
    engine.store.delete::<Firing>(&firing.key)?;
    if engine.store.get::<Schedule>(&firing.schedule)?.is_some_and(|schedule| is_done(&schedule)) {
        engine.store.delete::<Schedule>(&firing.schedule)?;
    }
    Ok(())
}

/// Nothing more is to come of it, and it asked to be deleted then.
fn is_done(schedule: &Schedule) -> bool {
    schedule.settings.action_after_completion == ActionAfterCompletion::Delete
        && schedule.settings.state == ScheduleState::Enabled
        && schedule.next.is_none()
}

#[cfg(test)]
mod tests;
