//! The functions' loop.

use std::panic;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::config::Config;
use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use tokio::time::timeout;

use super::answer::Answer;
use super::problem::Problem;
use super::request::Request;
use super::service::{Function, Service, in_json, on_a_page};
use crate::aws::Aws;
use crate::settings::{Clock, variable};

/// API Gateway waits for 29 s.
const TIME: Duration = Duration::from_secs(26);

const FILE: &str = "access.json";

/// Serves requests until Lambda ends the process. A configuration that cannot be used is told in the log, and to everybody
/// who asks as a 500: a function that does not start would be a 502 without a word.
///
/// # Errors
/// The runtime API cannot be reached.
pub async fn serve(function: Function) -> Result<(), Error> {
    crate::runtime::init_quiet_logs();
    // The message of a panic may hold what was being looked at.
    panic::set_hook(Box::new(|about| {
        let place = about.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic");
    }));
    let service = match Service::from_environment() {
        Ok(service) => Some(Arc::new(service)),
        Err(error) => {
            tracing::error!(%error, "the configuration cannot be used");
            None
        }
    };
    let service = &service;
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<_, Error> {
        Ok(respond(service.clone(), function, event.payload, &event.context.request_id).await)
    }))
    .await
}

impl Service {
    fn from_environment() -> Result<Self, Error> {
        let aws = Aws::from_environment()?;
        let root = PathBuf::from(variable("LAMBDA_TASK_ROOT")?);
        let text = std::fs::read_to_string(root.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
        let config = Config::parse(&text, &|name| variable(name).ok())?;
        Ok(Self {
            config,
            table: variable("TIDEGATE_ACCESS_TABLE")?,
            aws,
            https: super::cognito::Https::default(),
            clock: Clock::system(),
            patience: super::studio::Patience::default(),
            found: super::studio::Found::default(),
            keys: super::cognito::PoolKeys::default(),
        })
    }
}

/// Answers in every case, and in time.
pub(super) async fn respond(
    service: Option<Arc<Service>>,
    function: Function,
    event: Value,
    lambda_id: &str,
) -> ApiGatewayProxyResponse {
    let request = match Request::of(event, lambda_id) {
        Ok(request) => request,
        Err(problem) => return on_a_page(&problem, lambda_id, None).into_response(),
    };
    let (correlation, program) = (request.correlation.clone(), request.path.starts_with("/domainName/"));
    let failed = |problem: &Problem| -> Answer {
        tracing::error!(correlation, code = problem.code, detail = problem.detail.as_deref(), "not answered");
        if program { in_json(problem, &correlation) } else { on_a_page(problem, &correlation, None) }
    };
    let Some(service) = service else {
        return failed(&Problem::broken("configuration", "the log of the function's start says what is wrong"))
            .into_response();
    };
    // A task of its own: a panic in it ends it alone.
    let mut task = tokio::spawn(async move { service.handle(function, &request).await });
    let answer = match timeout(TIME, &mut task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => failed(&Problem::broken("panic", "an error in Tidegate itself")),
        Err(_) => {
            task.abort();
            failed(&Problem::unavailable("no answer within 26 s"))
        }
    };
    answer.into_response()
}
