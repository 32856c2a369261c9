//! `tidegate approve`

use aws_sdk_sagemaker::types::ModelApprovalStatus;
use serde::Serialize;
use statemachine::RunId;
use statemachine::run::Phase;

use crate::context::Context;
use crate::error::Error;
use crate::follow;

/// The longest ApprovalDescription, in characters (UpdateModelPackage, in the SageMaker API reference).
const COMMENT_LIMIT: usize = 1024;

/// What to say of which run's model.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate approve a-0123456789abcdef --comment 'checked with the clinic'\n  \
                        tidegate approve a-01 --reject")]
pub(crate) struct Arguments {
    /// The run's id, or as much of its beginning as no other run has
    run: String,
    /// Refuse the model; what is live stays live
    #[arg(long)]
    reject: bool,
    /// Why; kept in the model registry
    #[arg(long, short, value_name = "TEXT")]
    comment: Option<String>,
    /// Follow the run to its end; exit code 1 unless it ends live or succeeded
    #[arg(long, short)]
    wait: bool,
}

/// What was said.
#[derive(Debug, Serialize)]
struct Said {
    run: RunId,
    package: String,
    status: &'static str,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    if arguments.comment.as_ref().is_some_and(|comment| comment.chars().count() > COMMENT_LIMIT) {
        return Err(Error::usage(format!("the comment has more than {COMMENT_LIMIT} characters: shorten it")));
    }
    let session = context.session().await?;
    let run = follow::find(&session, &arguments.run).await?;
    let package = match (run.phase, run.package) {
        (Phase::AwaitingApproval, Some(package)) => package,
        (phase, _) => {
            let error = Error::failed(format!("run {} does not await approval: it is {phase}", run.id));
            return Err(if phase.is_end() {
                error
            } else {
                error.hint(format!("look again: `tidegate run {}`", run.id))
            });
        }
    };
    let status = if arguments.reject { ModelApprovalStatus::Rejected } else { ModelApprovalStatus::Approved };
    let request = session.aws.sagemaker().update_model_package().model_package_arn(&package);
    let request = request.model_approval_status(status).set_approval_description(arguments.comment.clone());
    let answer = request.send().await;
    answer.map_err(|error| Error::aws(format!("model package `{package}` cannot be updated"), error))?;
    let status = if arguments.reject { "Rejected" } else { "Approved" };
    if arguments.wait {
        context.terminal.note(&format!("{status} {package}"));
        return follow::to_the_end_from(context, &session, &run.id, &run.facts).await;
    }
    let said = Said { run: run.id, package, status };
    context
        .terminal
        .show(&said, || format!("{status} {}\n\nfollow it with: tidegate run {} --wait", said.package, said.run))
}
