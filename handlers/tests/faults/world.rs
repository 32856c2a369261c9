//! What is around the functions: EventBridge that delivers, Lambda that tries again, the dead-letter queue, time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use handlers::aws::{Aws, Endpoints, base_config_for};
use handlers::intake::{Intake, IntakeError, Scope};
use handlers::settings::{Clock, Context, SILENCE, Schedules, Settings};
use handlers::sweep::sweep;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use statemachine::definition::{JobSecurity, SecurityText};
use tokio::task::LocalSet;

use crate::cloud::{ACCOUNT, BUCKET, Call, Cloud, Delivery, Due, Function, REGION, Server, TABLE, TOPIC};
use crate::time;

/// Of each function (infra/lib/handler-function.ts).
const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

/// What Lambda waits before it tries an asynchronous event again (Lambda developer guide, asynchronous invocation).
const RETRIES: [SignedDuration; 2] = [SignedDuration::from_mins(1), SignedDuration::from_mins(2)];

/// How long a dead letter lies until someone whom the alarm has called gives it again.
const REPLAY: SignedDuration = SignedDuration::from_mins(30);

/// By the clock on the wall: a run takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run whose clouds never clear is not waited for.
const LONGEST: SignedDuration = SignedDuration::from_hours(72);

/// How an invocation ended.
#[derive(Debug)]
enum Ended {
    Well,
    Badly,
    Killed,
}

/// An event that was taken on, with how many calls there were before and after.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) delivery: Delivery,
    pub(crate) calls: std::ops::Range<usize>,
}

impl Taken {
    pub(crate) fn is_arrival(&self) -> bool {
        self.delivery.function == Function::DataArrival
    }

    /// What the event says, in a word, and the calls that it makes.
    pub(crate) fn likeness(&self, calls: &[Call]) -> String {
        let detail = &self.delivery.event["detail"];
        let words = ["currentPipelineExecutionStatus", "currentStepStatus", "EndpointStatus", "ModelApprovalStatus"];
        let word = words.iter().find_map(|word| detail[word].as_str()).unwrap_or_default();
        let calls: Vec<String> = calls[self.calls.clone()].iter().map(Call::to_string).collect();
        format!("{:?} {word}: {}", self.delivery.function, calls.join(", "))
    }
}

/// A place to begin again from: AWS just before an event was delivered.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) cloud: Cloud,
    pub(crate) now: Timestamp,
}

/// What a run left.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) cloud: Cloud,
    /// The events in the order in which they were taken on.
    pub(crate) taken: Vec<Taken>,
    /// AWS before each of those events, where it was asked for.
    pub(crate) places: Vec<Place>,
    /// Events that became dead letters, and were given again afterwards.
    pub(crate) dead: usize,
    /// What the handlers said last, for people.
    pub(crate) errors: Vec<String>,
}

/// Lets everything happen that will, from a place on.
pub(crate) fn play(place: Place, number: usize, keep_places: bool) -> Outcome {
    time::start_at(place.now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let server = Server::start(place.cloud).await;
        let mut world = World::new(&server, number, keep_places);
        let mut outcome =
            Outcome { cloud: Cloud::default(), taken: Vec::new(), places: Vec::new(), dead: 0, errors: Vec::new() };
        if tokio::time::timeout(PATIENCE, world.run(&mut outcome)).await.is_err() {
            server.cloud.borrow_mut().problems.push("the run does not end".to_owned());
        }
        drop(world);
        outcome.cloud = server.cloud.borrow().clone();
        outcome
    })
}

struct World<'s> {
    server: &'s Server,
    cloud: Rc<RefCell<Cloud>>,
    context: Context,
    region: String,
    keep_places: bool,
    /// The last sweep.
    swept: Timestamp,
}

impl<'s> World<'s> {
    fn new(server: &'s Server, number: usize, keep_places: bool) -> Self {
        let region = format!("{REGION}-{number}");
        let context = context(&server.url, &region);
        Self { server, cloud: server.cloud.clone(), context, region, keep_places, swept: time::now() }
    }

    async fn run(&mut self, outcome: &mut Outcome) {
        let end = time::now() + LONGEST;
        loop {
            let Some((at, due)) = self.next() else { return };
            if at > end {
                self.cloud.borrow_mut().problems.push(format!("three days later there is still {due:?}"));
                return;
            }
            time::pass_to(at);
            match due {
                Due::Engine(what) => self.cloud.borrow_mut().happen(what),
                Due::Event(delivery) => self.take_on(delivery, at, outcome).await,
            }
        }
    }

    /// What happens next: something that is due, or the sweep, where it would find something. A sweep that finds nothing
    /// reads only, and is left out.
    fn next(&mut self) -> Option<(Timestamp, Due)> {
        let mut cloud = self.cloud.borrow_mut();
        let sweep = cloud.table.first_due().map(|due| {
            let minute = due.max(self.swept).as_second().div_euclid(60) + 1;
            Timestamp::from_second(minute * 60).unwrap()
        });
        let first = cloud.future.first_key_value().map(|((at, _), _)| *at);
        if let Some(at) = sweep.filter(|sweep| first.is_none_or(|first| *sweep < first)) {
            self.swept = at;
            return Some((at, Due::Event(Delivery { function: Function::Sweep, event: json!({}), attempt: 1 })));
        }
        cloud.future.pop_first().map(|((at, _), due)| (at, due))
    }

    async fn take_on(&mut self, delivery: Delivery, at: Timestamp, outcome: &mut Outcome) {
        if self.keep_places {
            let mut cloud = self.cloud.borrow().clone();
            cloud.future.insert((at, 0), Due::Event(delivery.clone()));
            outcome.places.push(Place { cloud, now: time::now() });
        }
        self.cloud.borrow_mut().invoked();
        let before = self.cloud.borrow().calls.len();
        let ended = self.invoke(&delivery, outcome).await;
        let after = self.cloud.borrow().calls.len();
        outcome.taken.push(Taken { delivery: delivery.clone(), calls: before..after });
        if matches!(ended, Ended::Killed) {
            // A new sandbox has new clients.
            self.context = context(&self.server.url, &self.region);
        }
        if matches!(ended, Ended::Well) || delivery.function == Function::Sweep {
            return;
        }
        match RETRIES.get(delivery.attempt as usize - 1) {
            Some(pause) => {
                let again = Delivery { attempt: delivery.attempt + 1, ..delivery };
                self.cloud.borrow_mut().later(*pause, Due::Event(again));
            }
            None => {
                outcome.dead += 1;
                let again = Delivery { attempt: 1, ..delivery };
                self.cloud.borrow_mut().later(REPLAY, Due::Event(again));
            }
        }
    }

    /// One invocation, which Lambda ends after its time, and a fault perhaps before.
    async fn invoke(&self, delivery: &Delivery, outcome: &mut Outcome) -> Ended {
        let mut event = delivery.event.clone();
        if event.get("region").is_some() {
            event["region"] = self.region.clone().into();
        }
        let scope = Scope { account: ACCOUNT.to_owned(), region: self.region.clone() };
        let timeout = time::at(time::now() + TIMEOUT);
        tokio::select! {
            biased;
            () = self.server.kill.notified() => Ended::Killed,
            answer = handle(&self.context, scope, delivery.function, event) => match answer {
                Ok(()) => Ended::Well,
                Err(error) => {
                    outcome.errors.push(format!("{:?}: {error}", delivery.function));
                    Ended::Badly
                }
            },
            () = timeout => Ended::Killed,
        }
    }
}

async fn handle(context: &Context, scope: Scope, function: Function, event: Value) -> Result<(), IntakeError> {
    let intake = Intake::new(context, scope);
    match function {
        Function::DataArrival => intake.data_arrival(event).await,
        Function::Schedule => intake.schedule(event).await.map(drop),
        Function::PipelineStatus => intake.pipeline_status(event).await,
        Function::EndpointStatus => intake.endpoint_status(event).await,
        Function::ModelPackage => intake.model_package(event).await,
        Function::Sweep => sweep(context).await.map(drop),
    }
}

/// Clients as a function makes them, with its own timeouts and retries, but for the clock.
fn context(url: &str, region: &str) -> Context {
    let endpoints = Endpoints::from_variables([("AWS_ENDPOINT_URL".to_owned(), url.to_owned())]);
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = base_config_for(region.to_owned(), &endpoints)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(time::VirtualSleep))
        .build();
    let schedules = Schedules {
        group: "tidegate".to_owned(),
        function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:on-schedule"),
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/schedule"),
        dead_letters_arn: format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead"),
    };
    // With a network and a key, so that what is there already is compared with them too.
    let security = SecurityText {
        subnets: Some("subnet-b,subnet-a"),
        security_groups: Some("sg-a"),
        volume_key: Some("1234abcd-12ab-34cd-56ef-1234567890ab"),
        output_key: None,
    };
    let security = JobSecurity::parse(security).unwrap();
    let settings = Settings {
        table: TABLE.to_owned(),
        bucket: BUCKET.to_owned(),
        topic_arn: TOPIC.to_owned(),
        schedules,
        silence: SILENCE,
        security,
    };
    Context { aws: Aws::with_endpoints(config, endpoints), settings, clock: Clock::new(time::now) }
}
