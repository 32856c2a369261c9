//! A run: one attempt to turn data into a live model, from its trigger to its end.

mod command;
mod decide;
mod event;
mod ids;
mod lifecycle;
mod phase;
mod record;
mod spec;

pub use command::{Command, CommandId, Message, Pending, PendingCommand, Purpose, Stage};
pub use decide::decide;
pub use event::{
    Approval, Around, Decision, EndpointStatus, Event, EventKind, ExecutionStatus, Failure, Outcome, StepChange,
    StepStatus, TrainedModel,
};
pub use ids::{ObjectVersion, ParseRunIdError, RunId, execution_id};
pub use lifecycle::{Examples, lifecycle_table};
pub use phase::Phase;
pub use record::{Batch, Evaluation, Execution, FACT_LIMIT, Fact, Inputs, Run, Stop, Trigger};
pub use spec::{ApprovalMode, BatchSpec, DEADLINE_SECONDS, DeploymentSpec, EvaluationSpec, RunSpec};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod tests;
