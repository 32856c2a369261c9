//! A pipeline's schedules in EventBridge Scheduler: the group holds exactly those of `pipeline.yaml`, and one more where
//! data is expected by some time.

use std::collections::BTreeMap;

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target,
};
use serde_json::Value;

use super::prepare::{EXPECTED, WantedSchedule};
use super::{Action, ApplyError, Change, Deployment};
use crate::effects::{CallError, EffectError, Meaning};

/// For how long Scheduler tries to hand over a firing, in seconds. A nightly run that is six hours late is none.
const EVENT_AGE: i32 = 6 * 3600;

/// How often it tries within that time: as often as Scheduler allows.
const ATTEMPTS: i32 = 185;

/// What is to be done with one schedule.
#[derive(Debug)]
pub(super) struct ScheduleStep {
    /// In `pipeline.yaml`, or [`EXPECTED`].
    name: String,
    /// In Scheduler.
    resource: String,
    /// `None` where it is to go.
    wanted: Option<WantedSchedule>,
    /// `None` where there is none.
    known: Option<GetScheduleOutput>,
    differences: Vec<String>,
}

impl ScheduleStep {
    fn action(&self) -> Action {
        match (&self.wanted, &self.known) {
            (None, _) => Action::Delete,
            (Some(_), None) => Action::Create,
            (Some(_), Some(_)) if self.differences.is_empty() => Action::Keep,
            (Some(_), Some(_)) => Action::Update,
        }
    }

    pub(super) fn change(&self) -> Change {
        let details = match &self.wanted {
            Some(wanted) if self.known.is_none() => vec![format!("{} in {}", wanted.expression, wanted.time_zone)],
            _ => self.differences.clone(),
        };
        Change { action: self.action(), what: self.what(), details }
    }

    fn what(&self) -> String {
        match &*self.name {
            EXPECTED => "check for expected data".to_owned(),
            name => format!("schedule `{name}`"),
        }
    }
}

/// Looks at what there is.
pub(super) async fn survey(
    client: &Client,
    deployment: &Deployment,
    pipeline: &str,
    wanted: &[WantedSchedule],
) -> Result<Vec<ScheduleStep>, ApplyError> {
    let mut names = list(client, &deployment.schedule_group, pipeline).await?;
    let mut steps = Vec::new();
    for wanted in wanted {
        let known = match names.iter().position(|name| *name == wanted.resource) {
            Some(place) => get(client, &deployment.schedule_group, &names.swap_remove(place)).await?,
            None => None,
        };
        let differences =
            known.as_ref().map(|known| differences(known, wanted, deployment)).transpose()?.unwrap_or_default();
        let (name, resource) = (wanted.name.clone(), wanted.resource.clone());
        steps.push(ScheduleStep { name, resource, wanted: Some(wanted.clone()), known, differences });
    }
    for resource in names {
        let name = resource.split_once('.').map_or(&*resource, |(_, name)| name).to_owned();
        steps.push(ScheduleStep { name, resource, wanted: None, known: None, differences: Vec::new() });
    }
    Ok(steps)
}

/// The names in Scheduler of a pipeline's schedules. A pipeline's name has no dot, so no other's begin so.
pub(super) async fn list(client: &Client, group: &str, pipeline: &str) -> Result<Vec<String>, ApplyError> {
    let prefix = format!("{pipeline}.");
    let request = client.list_schedules().group_name(group).name_prefix(&prefix);
    let listed = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match listed {
        // The prefix is checked again: a service that ignores it must not cost another pipeline its schedules.
        Ok(listed) => Ok(listed
            .into_iter()
            .filter_map(|schedule| schedule.name)
            .filter(|name| name.starts_with(&prefix))
            .collect()),
        Err(error) => match CallError::of(error) {
            error if error.meaning == Meaning::Missing => Ok(Vec::new()),
            error => Err(error.effect(format_args!("the schedules of group `{group}` cannot be listed")).into()),
        },
    }
}

async fn get(client: &Client, group: &str, name: &str) -> Result<Option<GetScheduleOutput>, ApplyError> {
    match client.get_schedule().group_name(group).name(name).send().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match CallError::of(error) {
            error if error.meaning == Meaning::Missing => Ok(None),
            error => Err(error.effect(format_args!("schedule `{name}` cannot be looked at")).into()),
        },
    }
}

fn differences(
    known: &GetScheduleOutput,
    wanted: &WantedSchedule,
    deployment: &Deployment,
) -> Result<Vec<String>, ApplyError> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, known: Option<&str>, wanted: &str| {
        if known != Some(wanted) {
            differences.push(format!("{what} {} becomes {wanted}", known.unwrap_or("(none)")));
        }
    };
    compare("expression", known.schedule_expression(), &wanted.expression);
    compare("time zone", known.schedule_expression_timezone(), &wanted.time_zone);
    let theirs = known.target();
    let ours = target(wanted, deployment)?;
    compare("target", theirs.map(Target::arn), ours.arn());
    compare("role", theirs.map(Target::role_arn), ours.role_arn());
    let input = theirs.and_then(Target::input).and_then(|input| serde_json::from_str::<Value>(input).ok());
    if input.as_ref() != Some(&wanted.input) {
        differences.push("parameters".to_owned());
    }
    let delivery = |target: &Target| (target.dead_letter_config().cloned(), target.retry_policy().cloned());
    if theirs.map(delivery) != Some(delivery(&ours)) {
        differences.push("delivery".to_owned());
    }
    if known.flexible_time_window().map(FlexibleTimeWindow::mode) != Some(&FlexibleTimeWindowMode::Off) {
        differences.push("flexible time window".to_owned());
    }
    Ok(differences)
}

fn target(wanted: &WantedSchedule, deployment: &Deployment) -> Result<Target, ApplyError> {
    let retry = RetryPolicy::builder().maximum_event_age_in_seconds(EVENT_AGE).maximum_retry_attempts(ATTEMPTS).build();
    let target = Target::builder()
        .arn(&deployment.schedule_function_arn)
        .role_arn(&deployment.schedule_role_arn)
        .input(wanted.input.to_string())
        .dead_letter_config(DeadLetterConfig::builder().arn(&deployment.schedule_dlq_arn).build())
        .retry_policy(retry)
        .build();
    target.map_err(incomplete)
}

fn window() -> Result<FlexibleTimeWindow, ApplyError> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(incomplete)
}

fn incomplete(error: BuildError) -> ApplyError {
    EffectError::Permanent(format!("a schedule cannot be made: {error}")).into()
}

/// What was done, and where the schedules are.
#[derive(Debug, Default)]
pub(super) struct Reconciled {
    pub(super) actions: BTreeMap<String, Action>,
    pub(super) arns: BTreeMap<String, String>,
}

pub(super) async fn reconcile(
    client: &Client,
    deployment: &Deployment,
    steps: &[ScheduleStep],
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Reconciled, ApplyError> {
    let mut reconciled = Reconciled::default();
    let group = &deployment.schedule_group;
    if steps.iter().any(|step| step.action() == Action::Create) {
        make_group(client, group).await?;
    }
    for step in steps {
        let action = step.action();
        let arn = match (&step.wanted, &step.known) {
            (None, _) => {
                delete(client, group, &step.resource).await?;
                None
            }
            (Some(wanted), None) => Some(create(client, deployment, wanted).await?),
            (Some(_), Some(known)) if action == Action::Keep => Some(known.arn().unwrap_or_default().to_owned()),
            (Some(wanted), Some(known)) => Some(update(client, deployment, wanted, known.state()).await?),
        };
        if action != Action::Keep {
            let verb = match action {
                Action::Create => "created",
                Action::Delete => "deleted",
                _ => "updated",
            };
            progress(&format!("{}: {verb}", step.what()));
        }
        if let Some(arn) = arn.filter(|_| step.name != EXPECTED) {
            reconciled.arns.insert(step.name.clone(), arn);
        }
        reconciled.actions.insert(step.name.clone(), action);
    }
    Ok(reconciled)
}

async fn make_group(client: &Client, group: &str) -> Result<(), ApplyError> {
    let known = client.get_schedule_group().name(group).send().await;
    match known.map_err(CallError::of) {
        Ok(_) => return Ok(()),
        Err(error) if error.meaning == Meaning::Missing => {}
        Err(error) => return Err(error.effect(format_args!("schedule group `{group}` cannot be looked at")).into()),
    }
    match client.create_schedule_group().name(group).send().await.map_err(CallError::of) {
        Ok(_) => Ok(()),
        Err(error) if error.meaning == Meaning::Exists => Ok(()),
        Err(error) => Err(error.effect(format_args!("schedule group `{group}` cannot be made")).into()),
    }
}

async fn create(client: &Client, deployment: &Deployment, wanted: &WantedSchedule) -> Result<String, ApplyError> {
    let request = client
        .create_schedule()
        .group_name(&deployment.schedule_group)
        .name(&wanted.resource)
        .schedule_expression(&wanted.expression)
        .schedule_expression_timezone(&wanted.time_zone)
        .flexible_time_window(window()?)
        .target(target(wanted, deployment)?);
    match request.send().await.map_err(CallError::of) {
        Ok(answer) => Ok(answer.schedule_arn),
        // Made since we looked.
        Err(error) if error.meaning == Meaning::Exists => update(client, deployment, wanted, None).await,
        Err(error) => Err(error.effect(format_args!("schedule `{}` cannot be made", wanted.name)).into()),
    }
}

/// An update replaces all; a schedule that someone paused stays paused.
async fn update(
    client: &Client,
    deployment: &Deployment,
    wanted: &WantedSchedule,
    state: Option<&ScheduleState>,
) -> Result<String, ApplyError> {
    let request = client
        .update_schedule()
        .group_name(&deployment.schedule_group)
        .name(&wanted.resource)
        .schedule_expression(&wanted.expression)
        .schedule_expression_timezone(&wanted.time_zone)
        .flexible_time_window(window()?)
        .target(target(wanted, deployment)?)
        .set_state(state.cloned());
    let answer = request.send().await.map_err(CallError::of);
    let answer = answer.map_err(|error| error.effect(format_args!("schedule `{}` cannot be updated", wanted.name)))?;
    Ok(answer.schedule_arn)
}

/// One that is gone is deleted.
pub(super) async fn delete(client: &Client, group: &str, resource: &str) -> Result<(), ApplyError> {
    match client.delete_schedule().group_name(group).name(resource).send().await.map_err(CallError::of) {
        Ok(_) => Ok(()),
        Err(error) if error.meaning == Meaning::Missing => Ok(()),
        Err(error) => Err(error.effect(format_args!("schedule `{resource}` cannot be deleted")).into()),
    }
}
