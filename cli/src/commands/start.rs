//! `tidegate start`

use aws_sdk_sagemaker::types::Parameter;
use statemachine::RunId;

use crate::context::Context;
use crate::error::Error;
use crate::follow;
use crate::view::Begun;

/// What to start.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate start breast-cancer --wait\n  \
                        tidegate start breast-cancer --parameter InstanceType=ml.m5.xlarge")]
pub(crate) struct Arguments {
    /// The pipeline
    pipeline: String,
    /// A pipeline parameter; may be given several times
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,
    /// Follow the run to its end; exit code 1 unless it ends live or succeeded
    #[arg(long, short)]
    wait: bool,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("give NAME=VALUE".to_owned()),
    }
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let pipelines = session.ledger().pipelines().await?;
    let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.name == arguments.pipeline) else {
        return Err(super::drop::unknown(&pipelines, &arguments.pipeline));
    };
    let given = arguments.parameter.iter();
    let given = given.map(|(name, value)| Parameter::builder().name(name).value(value).build()).collect::<Vec<_>>();
    let request = session.aws.sagemaker().start_pipeline_execution().pipeline_name(&pipeline.name);
    let answer = request.set_pipeline_parameters((!given.is_empty()).then_some(given)).send().await;
    let answer =
        answer.map_err(|error| Error::aws(format!("pipeline `{}` cannot be started", pipeline.name), error))?;
    let Some(arn) = answer.pipeline_execution_arn else {
        return Err(Error::failed("SageMaker did not say which execution it started")
            .hint(format!("`aws sagemaker list-pipeline-executions --pipeline-name {}`", pipeline.name)));
    };
    let run = RunId::manual(&arn);
    if arguments.wait {
        context.terminal.note(&format!("{arn}\nrun {run}"));
        return follow::to_the_end(context, &session, &run).await;
    }
    let text = format!("{arn}\nrun {run}\n\nfollow it with: tidegate run {run} --wait");
    let begun = Begun { run, pipeline: pipeline.name.clone(), object: None, execution: Some(arn) };
    context.terminal.show(&begun, || text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        assert_eq!(parameter("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(parameter("A="), Ok(("A".into(), String::new())));
        assert!(parameter("A").is_err() && parameter("=b").is_err());
    }
}
