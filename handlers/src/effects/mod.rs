//! Commands, carried out. Each may be carried out twice and does it once: names and tokens are made of the run alone,
//! and what is there already is compared and adopted.

mod alert;
mod deploy;
mod error;
mod evaluate;
mod register;
mod s3;
mod start;
mod stop;
#[cfg(test)]
pub(crate) mod testing;
mod wake;

use statemachine::run::{Command, EventKind, PendingCommand, Run};

use crate::settings::Context;

pub(crate) use deploy::describe as describe_endpoint;
pub use error::EffectError;
pub(crate) use error::{CallError, Meaning};
pub(crate) use evaluate::steps;
pub(crate) use register::RUN_KEY;
pub(crate) use s3::{S3Uri, read_object};

/// Carries out what a decision commands.
#[derive(Clone, Copy, Debug)]
pub struct Effects<'a> {
    context: &'a Context,
}

impl<'a> Effects<'a> {
    /// Over the context's clients, with the data bucket and the topic of its settings.
    #[must_use]
    pub fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// Carries out one command of a run; the answer is the event that acknowledges it.
    ///
    /// # Errors
    /// [`EffectError::Retry`] when the same command may succeed later, [`EffectError::Permanent`] when it never will.
    /// [`Command::Tell`] is between runs, and so for whoever has the ledger: here it is a `Retry` that says so.
    pub async fn carry_out(&self, run: &Run, command: &PendingCommand) -> Result<EventKind, EffectError> {
        let Context { aws, settings, .. } = self.context;
        let done = || EventKind::Done { command: command.id.clone() };
        match &command.command {
            Command::Start { pipeline, stage, parameters, token } => {
                let again = command.unsure || command.attempts > 0;
                let start = start::Start { run: &run.id, pipeline, stage, parameters, token, again };
                let execution_arn = start.carry_out(aws, &settings.bucket).await?;
                Ok(EventKind::ExecutionStarted { execution_arn })
            }
            Command::Evaluate { execution_arn, training_step, report_uri } => {
                let evaluation = evaluate::evaluate(aws, execution_arn, training_step, report_uri).await?;
                Ok(EventKind::Evaluated(Box::new(evaluation)))
            }
            Command::Register { group, model_data, image, environment, report_uri, execution_arn, approval, token } => {
                let register = register::Register {
                    run: &run.id,
                    group,
                    model_data,
                    image,
                    environment,
                    report_uri,
                    execution_arn,
                    approval: *approval,
                    token,
                };
                Ok(EventKind::Registered { package: register.carry_out(aws.sagemaker()).await? })
            }
            Command::Deploy { endpoint, name, package, instance_type, instances, role_arn } => {
                let rollout = deploy::Rollout {
                    client: aws.sagemaker(),
                    endpoint,
                    name,
                    package,
                    instance_type,
                    instances: *instances,
                    role_arn,
                    security: &settings.security,
                };
                rollout.carry_out().await?;
                Ok(done())
            }
            Command::Stop { execution_arn, token } => {
                stop::stop(aws.sagemaker(), execution_arn, token).await?;
                Ok(done())
            }
            Command::Wake { at, purpose } => {
                wake::wake(aws.scheduler(), &settings.schedules, &run.id, *at, *purpose).await?;
                Ok(done())
            }
            Command::Alert(alert) => {
                alert::publish(aws.sns(), &settings.topic_arn, alert).await?;
                Ok(done())
            }
            Command::Tell { run, .. } => {
                Err(EffectError::Retry(format!("telling run {run} is done by the ledger's own loop, not by a call")))
            }
        }
    }
}
