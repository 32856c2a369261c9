//! An account in memory, as far as a clean-up sees it: SageMaker, EFS, EC2, AWS Backup and CloudFormation, with their refusals,
//! with things that take a while, with pages of two, and with faults where a test wants them.

mod network;
mod people;
mod storage;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::Value;

pub(super) use self::network::Group;
pub(super) use self::people::{App, Named};
pub(super) use self::storage::{FileSystem, JobState, MountTarget};
use crate::aws::Aws;
use crate::effects::testing::{Answer, Noted, aws_over};

pub(super) const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/TidegateStudio-team/51af3dc0";

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A fault of the service, and nothing was done.
    Before,
    /// A fault of the service, and all was done.
    After,
    /// All was done, and no answer came.
    Lost,
    Throttled,
    Denied,
    /// The service says that there is no such thing, and there is.
    Missing,
}

pub(super) const FAULTS: [Fault; 6] =
    [Fault::Before, Fault::After, Fault::Lost, Fault::Throttled, Fault::Denied, Fault::Missing];

/// Which calls go wrong.
#[derive(Clone, Debug)]
pub(super) enum Calls {
    /// The one of this number, from 0.
    Number(usize),
    /// All of this operation.
    Named(String),
}

/// What is in the account.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) stack_status: String,
    /// By id; with their status.
    pub(super) domains: BTreeMap<String, &'static str>,
    pub(super) apps: Vec<App>,
    pub(super) spaces: Vec<Named>,
    pub(super) profiles: Vec<Named>,
    pub(super) file_systems: BTreeMap<String, FileSystem>,
    pub(super) mount_targets: BTreeMap<String, MountTarget>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) jobs: BTreeMap<String, (String, JobState)>,
    /// What becomes of the next jobs, beside completion.
    pub(super) bad_jobs: Vec<&'static str>,
    /// How long everything takes that is not done at once, in looks.
    pub(super) patience: u32,
    pub(super) fault: Option<(Calls, Fault)>,
    /// The operations that were asked for.
    pub(super) calls: Vec<String>,
    /// What changed, in order.
    pub(super) done: Vec<String>,
}

/// An answer that is no success: code and status.
pub(super) struct No(&'static str, u16);

type Reply = Result<Value, No>;

#[derive(Clone, Debug)]
pub(super) struct Cloud(pub(super) Arc<Mutex<World>>);

impl Cloud {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn aws(&self) -> Aws {
        aws_over(self.clone())
    }

    pub(super) fn with<T>(&self, see: impl FnOnce(&mut World) -> T) -> T {
        see(&mut self.0.lock().unwrap())
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.with(|world| world.answer(&Noted::of(&request)));
        HttpConnectorFuture::ready(match answer {
            Some(answer) => Ok(answer.response()),
            None => Err(ConnectorError::io("the connection was lost".into())),
        })
    }
}

/// A page of two, and the token of the next one.
pub(super) fn page(items: Vec<Value>, token: Option<&str>) -> (Vec<Value>, Option<String>) {
    let begin: usize = token.map_or(0, |token| token.parse().unwrap());
    let more = (begin + 2 < items.len()).then(|| (begin + 2).to_string());
    (items.into_iter().skip(begin).take(2).collect(), more)
}

impl World {
    /// `None`: no answer comes.
    fn answer(&mut self, request: &Noted) -> Option<Answer> {
        let service = request.uri.split("://").nth(1).unwrap().split('.').next().unwrap().to_owned();
        let form: BTreeMap<String, String> =
            form_urlencoded::parse(request.body.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        let operation = match service.as_str() {
            "ec2" | "cloudformation" => form["Action"].clone(),
            "elasticfilesystem" | "backup" => storage::operation(request).to_owned(),
            _ => request.target().rsplit_once('.').unwrap().1.to_owned(),
        };
        let number = self.calls.len();
        self.calls.push(operation.clone());
        let fault = self.fault.clone().filter(|(calls, _)| match calls {
            Calls::Number(wanted) => *wanted == number,
            Calls::Named(wanted) => *wanted == operation,
        });
        let fault = fault.map(|(_, fault)| fault);
        if let Some(fault @ (Fault::Before | Fault::Throttled | Fault::Denied | Fault::Missing)) = fault {
            return Some(refuse(&service, &failure(&service, fault)));
        }
        let reply = match service.as_str() {
            "ec2" => self.ec2(&operation, &form),
            "cloudformation" => Ok(Value::String(format!(
                "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackStatus>{}</StackStatus></member></Stacks>\
                 </DescribeStacksResult></DescribeStacksResponse>",
                self.stack_status
            ))),
            "elasticfilesystem" => self.efs(&operation, request),
            "backup" => self.backup(&operation, request),
            _ => self.sagemaker(&operation, &request.json()),
        };
        match fault {
            Some(Fault::After) => Some(refuse(&service, &failure(&service, Fault::After))),
            Some(_) => None,
            None => Some(match reply {
                Ok(Value::String(xml)) => Answer::xml(200, &xml),
                Ok(Value::Null) => Answer::json(204, ""),
                Ok(answer) => Answer::json(200, &answer.to_string()),
                Err(no) => refuse(&service, &no),
            }),
        }
    }

    pub(super) fn note(&mut self, what: String) {
        self.done.push(what);
    }
}

/// How each service says it.
fn failure(service: &str, fault: Fault) -> No {
    match (fault, service) {
        (Fault::Throttled, "ec2") => No("RequestLimitExceeded", 503),
        (Fault::Throttled, "elasticfilesystem") => No("TooManyRequests", 429),
        (Fault::Throttled, _) => No("ThrottlingException", 400),
        (Fault::Denied, "ec2") => No("UnauthorizedOperation", 403),
        (Fault::Denied, "cloudformation") => No("AccessDenied", 403),
        (Fault::Denied, _) => No("AccessDeniedException", 400),
        (Fault::Missing, "ec2") => No("InvalidGroup.NotFound", 400),
        (Fault::Missing, "elasticfilesystem") => No("FileSystemNotFound", 404),
        (Fault::Missing, "backup") => No("ResourceNotFoundException", 400),
        (Fault::Missing, "cloudformation") => No("ValidationError", 400),
        (Fault::Missing, _) => No("ResourceNotFound", 400),
        (_, "ec2") => No("InternalError", 500),
        (_, _) => No("InternalFailure", 500),
    }
}

fn refuse(service: &str, No(code, status): &No) -> Answer {
    let message = if *code == "ValidationError" { "it does not exist" } else { "the fake says so" };
    match service {
        "ec2" => Answer::xml(
            *status,
            &format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
            ),
        ),
        "cloudformation" => Answer::xml(
            *status,
            &format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"),
        ),
        _ => Answer::json(*status, &format!(r#"{{"__type": "{code}", "message": "{message}"}}"#)),
    }
}
