//! A small AWS on loopback: the services as far as the handlers use them, and not a word further.
//!
//! A form of request that is not known here is a problem that fails the test, never an answer that may happen to do.

mod dynamodb;
mod engine;
mod executions;
mod expression;
mod hosting;
mod registry;
mod s3;
mod scheduler;
mod server;
mod sns;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) use dynamodb::Table;
use engine::Will;
pub(crate) use executions::pipeline_arn;
pub(crate) use server::Server;
use wire::{Answer, Request};

use crate::fault::{Fault, Progress};
use crate::time;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const BUCKET: &str = "data";
pub(crate) const TABLE: &str = "ledger";
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alerts";
/// The Region in ARNs. The clients are given another for each run, because the SDK counts retries in the process by
/// Region, and one run's faults are not to use up another's.
pub(crate) const REGION: &str = "eu-west-1";

/// What has no token: a message is published again, and a rollout that has ended is begun again.
const UNREPEATABLE: [&str; 2] = ["Publish", "UpdateEndpoint"];

/// How late a request is that was stuck: when Lambda has tried the event again.
const LATE: SignedDuration = SignedDuration::from_secs(90);

/// A call of AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// As in the signature: `dynamodb`, `s3`, `sagemaker`, `sns`, `scheduler`.
    pub(crate) service: String,
    pub(crate) operation: String,
}

impl Call {
    /// Whether it only asks.
    pub(crate) fn reads(&self) -> bool {
        ["Get", "Query", "Describe", "List"].iter().any(|verb| self.operation.starts_with(verb))
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.service, self.operation)
    }
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    DataArrival,
    Schedule,
    PipelineStatus,
    EndpointStatus,
    ModelPackage,
    /// Every minute.
    Sweep,
}

/// An event on its way to a function.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) function: Function,
    pub(crate) event: Value,
    /// From 1; Lambda makes three.
    pub(crate) attempt: u32,
}

/// What the future holds.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// AWS does something by itself.
    Engine(engine::Move),
    /// An event is delivered.
    Event(Delivery),
}

/// What the service forgets to do, so that the test can show that it would notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sabotage {
    /// Every condition of a write counts as true.
    pub(crate) no_conditions: bool,
    /// A client token that was seen before is not known.
    pub(crate) no_tokens: bool,
}

/// AWS as it stands. A copy of it is a place to begin again from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cloud {
    pub(crate) table: Table,
    pub(crate) s3: s3::Objects,
    pub(crate) executions: executions::Executions,
    pub(crate) registry: registry::Registry,
    pub(crate) hosting: hosting::Hosting,
    pub(crate) topic: sns::Topic,
    pub(crate) schedules: scheduler::Schedules,
    /// Why whatever happens happens: how the executions and deployments of this scenario end.
    pub(crate) will: Will,
    /// Every event is delivered twice.
    pub(crate) twice: bool,
    pub(crate) sabotage: Sabotage,
    pub(crate) future: BTreeMap<(Timestamp, u64), Due>,
    order: u64,
    /// Every call, however many attempts the SDK made of it.
    pub(crate) calls: Vec<Call>,
    seen: BTreeMap<String, usize>,
    /// What the invocation has done that AWS would do again, and has not noted in the ledger yet.
    unnoted: BTreeSet<&'static str>,
    /// What may have been done again.
    pub(crate) excuses: BTreeSet<&'static str>,
    pub(crate) progress: Option<Progress>,
    /// What the handlers asked for that AWS does not have, or this does not know.
    pub(crate) problems: Vec<String>,
}

impl Cloud {
    /// Something will happen.
    pub(crate) fn later(&mut self, after: SignedDuration, due: Due) {
        self.order += 1;
        self.future.insert((time::now() + after, self.order), due);
    }

    /// AWS tells EventBridge, which tells a function a second later.
    pub(crate) fn tell(&mut self, function: Function, source: &str, detail_type: &str, detail: Value) {
        let event = json!({
            "version": "0", "id": format!("event-{}", self.order), "detail-type": detail_type, "source": source,
            "account": ACCOUNT, "region": REGION, "resources": [], "detail": detail,
            "time": time::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        let delivery = Delivery { function, event, attempt: 1 };
        if self.twice {
            self.later(SignedDuration::from_secs(3), Due::Event(delivery.clone()));
        }
        self.later(SignedDuration::from_secs(1), Due::Event(delivery));
    }

    /// One attempt of a call: what goes wrong with it, and the answer where the service has done its work.
    fn receive(&mut self, request: &Request) -> (Option<Fault>, Option<Answer>) {
        let call = Call { service: request.service.clone(), operation: request.operation() };
        let fresh = self.calls.len();
        let number = *self.seen.entry(request.id.clone()).or_insert(fresh);
        if number == fresh {
            self.calls.push(call.clone());
        }
        let fault = self.progress.as_mut().and_then(|plan| plan.strike(number, &request.id, &call, time::now()));
        self.excuse(&call, fault);
        if fault == Some(Fault::Late) {
            self.later(LATE, Due::Engine(engine::Move::Late(request.clone())));
        }
        let works = fault.is_none_or(Fault::acts_at_once);
        (fault, works.then(|| self.serve(request)))
    }

    /// A function begins.
    pub(crate) fn invoked(&mut self) {
        self.unnoted.clear();
    }

    /// What AWS does a second time when it is asked a second time, because it knows no token for it: done, with its
    /// answer lost, or with the ledger away when it was to be noted, it is asked for again. Nothing else is an excuse.
    fn excuse(&mut self, call: &Call, fault: Option<Fault>) {
        let done = UNREPEATABLE.into_iter().find(|operation| *operation == call.operation);
        let writes = ["PutItem", "TransactWriteItems"].contains(&call.operation.as_str());
        let acts = fault.is_none_or(Fault::acts_at_once);
        let made_up_for = self.progress.as_ref().is_some_and(Progress::is_made_up_for);
        match fault {
            Some(fault) if fault.has_effect() && done.is_some() => self.excuses.extend(done),
            Some(_) if call.service == "dynamodb" && !made_up_for && !(writes && acts) => {
                self.excuses.extend(&self.unnoted);
            }
            _ => {}
        }
        if writes && acts {
            self.unnoted.clear();
        }
        self.unnoted.extend(done.filter(|_| acts));
    }

    fn serve(&mut self, request: &Request) -> Answer {
        let operation = request.operation();
        let served = match request.service.as_str() {
            "dynamodb" => self.dynamodb(&operation, &request.json()),
            "sagemaker" => self.sagemaker(&operation, &request.json()),
            "s3" => self.s3(&operation, request),
            "sns" => self.sns(&operation, request),
            "scheduler" => self.scheduler(&operation, request),
            other => Err(format!("there is no service {other}")),
        };
        served.unwrap_or_else(|problem| {
            self.problems.push(format!("{}.{operation}: {problem}", request.service));
            Answer::refused(&request.service, "ValidationException", &problem)
        })
    }

    fn sagemaker(&mut self, operation: &str, body: &Value) -> Result<Answer, String> {
        let answer = match operation {
            "StartPipelineExecution" => self.start_execution(body),
            "StopPipelineExecution" => self.stop_execution(body),
            "DescribePipelineExecution" => self.describe_execution(body),
            "ListPipelineExecutionSteps" => self.list_steps(body),
            "ListPipelineParametersForExecution" => self.list_parameters(body),
            "DescribeTrainingJob" => self.describe_training_job(body),
            "CreateModelPackageGroup" => self.create_group(body),
            "CreateModelPackage" => self.create_package(body),
            "DescribeModelPackage" => self.describe_package(body),
            "CreateModel" => self.create_model(body),
            "DescribeModel" => self.describe_model(body),
            "CreateEndpointConfig" => self.create_config(body),
            "DescribeEndpointConfig" => self.describe_config(body),
            "CreateEndpoint" => self.create_endpoint(body),
            "UpdateEndpoint" => self.update_endpoint(body),
            "DeleteEndpoint" => self.delete_endpoint(body),
            "DescribeEndpoint" => self.describe_endpoint(body),
            other => Err(format!("{other} is not known here")),
        };
        // What SageMaker refuses is not a problem of the test: handlers are to understand it.
        answer.map(|answer| answer.unwrap_or_else(|refusal| refusal.answer()))
    }
}

/// SageMaker says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: &'static str,
    message: String,
}

/// An answer of SageMaker, a refusal in its words, or a problem of the test.
type Said = Result<Result<Answer, Refusal>, String>;

fn refuse(code: &'static str, message: impl Into<String>) -> Said {
    Ok(Err(Refusal { code, message: message.into() }))
}

fn say(answer: &Value) -> Said {
    Ok(Ok(Answer::json(200, answer)))
}

impl Refusal {
    fn answer(self) -> Answer {
        Answer::refused("sagemaker", self.code, &self.message)
    }
}

/// A member that must be there.
fn text<'v>(body: &'v Value, member: &str) -> Result<&'v str, String> {
    body.get(member).and_then(Value::as_str).ok_or_else(|| format!("{member} is missing in {body}"))
}

/// Seconds since 1970, as the JSON protocol writes times.
fn epoch(time: Timestamp) -> Value {
    json!(time.as_second())
}

fn arn(what: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{ACCOUNT}:{what}")
}
