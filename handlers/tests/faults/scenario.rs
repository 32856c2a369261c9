//! What is played: stories of a pipeline, each with how it has to end.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use statemachine::RunId;
use statemachine::run::ObjectVersion;

use crate::cloud::{ACCOUNT, BUCKET, Cloud, Delivery, Due, Function, REGION, pipeline_arn};
use crate::time;
use crate::world::{Outcome, Place, Taken};

/// A story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    begin: fn(&mut Cloud),
    /// How each run ends, in the order of their creation.
    pub(crate) phases: &'static [&'static str],
    /// The cause of each alert.
    pub(crate) alerts: &'static [&'static str],
    /// The executions that there are in the end.
    pub(crate) executions: usize,
    /// The changes of endpoints that took effect.
    pub(crate) deployments: usize,
    /// Whether a delay cannot change which run comes first, and with it what each run is told.
    pub(crate) ordered: bool,
    /// Faults begin with this arrival: what came before it is another story's.
    from_arrival: usize,
}

/// An arrival that goes live: what each story differs from.
const LIVE: Scenario = Scenario {
    name: "an arrival goes live",
    begin: |cloud| {
        apply(cloud, json!({}));
        arrive(cloud, 0, "a.csv");
    },
    phases: &["live"],
    alerts: &[],
    executions: 1,
    deployments: 1,
    ordered: true,
    from_arrival: 0,
};

impl Scenario {
    /// AWS before anything has happened.
    pub(crate) fn start(&self) -> Place {
        let now: Timestamp = START.parse().unwrap();
        time::start_at(now);
        let mut cloud = Cloud::default();
        (self.begin)(&mut cloud);
        Place { cloud, now }
    }

    /// The events whose calls are to go wrong.
    pub(crate) fn in_focus<'o>(&self, clean: &'o Outcome) -> &'o [Taken] {
        let mut arrivals = clean.taken.iter().enumerate().filter(|(_, taken)| taken.is_arrival());
        let first = arrivals.nth(self.from_arrival).map_or(0, |(place, _)| place);
        &clean.taken[first..]
    }
}

pub(crate) const ALL: [Scenario; 19] = [
    LIVE,
    Scenario {
        name: "an execution fails",
        begin: |cloud| {
            cloud.will.trains = false;
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
        },
        phases: &["failed"],
        alerts: &["failed"],
        deployments: 0,
        ..LIVE
    },
    Scenario {
        name: "the gate refuses a model",
        begin: |cloud| {
            cloud.will.accuracy = vec![0.5];
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
        },
        phases: &["rejected"],
        alerts: &["rejected"],
        deployments: 0,
        ..LIVE
    },
    Scenario {
        name: "a person approves",
        begin: |cloud| {
            apply(cloud, json!({"deployment": {"approval": "manual"}}));
            arrive(cloud, 0, "a.csv");
        },
        alerts: &["approval_needed"],
        ..LIVE
    },
    Scenario {
        name: "a person refuses",
        begin: |cloud| {
            cloud.will.approves = false;
            apply(cloud, json!({"deployment": {"approval": "manual"}}));
            arrive(cloud, 0, "a.csv");
        },
        phases: &["rejected"],
        alerts: &["approval_needed", "rejected"],
        deployments: 0,
        ..LIVE
    },
    Scenario {
        name: "a deployment is rolled back",
        begin: |cloud| {
            cloud.will.deploys = 1;
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 1800, "a.csv");
        },
        phases: &["live", "rolled_back"],
        alerts: &["rolled_back"],
        executions: 2,
        deployments: 2,
        from_arrival: 1,
        ..LIVE
    },
    Scenario {
        name: "a schedule fires, and fires again",
        begin: |cloud| {
            apply(cloud, json!({}));
            cloud.s3.put("raw/tumours/a.csv", "a,b\n1,2\n");
            let event = json!({"pipeline": "tumours", "name": "nightly", "scheduled_time": START});
            errand(cloud, 0, event.clone());
            errand(cloud, 10, event);
        },
        ..LIVE
    },
    Scenario {
        name: "every event comes twice",
        begin: |cloud| {
            cloud.twice = true;
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
        },
        ..LIVE
    },
    Scenario {
        name: "two arrivals share an endpoint",
        begin: |cloud| {
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 60, "a.csv");
        },
        phases: &["live", "superseded"],
        executions: 2,
        deployments: 2,
        ordered: false,
        from_arrival: 1,
        ..LIVE
    },
    Scenario {
        name: "an execution that a person started",
        begin: |cloud| {
            apply(cloud, json!({}));
            cloud.s3.put("raw/tumours/a.csv", "a,b\n1,2\n");
            let parameters = vec![("InputDataUri".to_owned(), "s3://data/raw/tumours/".to_owned())];
            cloud.begin("tumours", Some("by-hand".to_owned()), parameters);
        },
        ..LIVE
    },
    Scenario {
        name: "nothing is heard of SageMaker",
        begin: |cloud| {
            cloud.will.tells = false;
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
        },
        ..LIVE
    },
    Scenario {
        name: "the account has no room for the execution",
        begin: |cloud| {
            cloud.executions.no_room = 2;
            apply(cloud, json!({}));
            arrive(cloud, 0, "a.csv");
        },
        ..LIVE
    },
    Scenario {
        name: "three objects are collected",
        begin: |cloud| {
            apply(cloud, json!({"batch": {"quiet_seconds": 3600, "longest_seconds": 7200}}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 20, "b.csv");
            arrive(cloud, 40, "c.csv");
        },
        ordered: false,
        ..LIVE
    },
    Scenario {
        name: "the second of two waits for its place",
        begin: |cloud| {
            cloud.will.training = SignedDuration::from_hours(1);
            apply(cloud, json!({"concurrency": {"wait": {"at_most": 1}}}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 10, "a.csv");
        },
        phases: &["live", "superseded"],
        executions: 2,
        deployments: 2,
        ordered: false,
        ..LIVE
    },
    Scenario {
        name: "the second of two is skipped",
        begin: |cloud| {
            cloud.will.training = SignedDuration::from_hours(1);
            apply(cloud, json!({"concurrency": "skip"}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 10, "a.csv");
        },
        phases: &["live", "skipped"],
        ordered: false,
        ..LIVE
    },
    Scenario {
        name: "the second of two replaces the first",
        begin: |cloud| {
            cloud.will.training = SignedDuration::from_hours(1);
            apply(cloud, json!({"concurrency": "replace"}));
            arrive(cloud, 0, "a.csv");
            arrive(cloud, 10, "a.csv");
        },
        phases: &["live", "stopped"],
        executions: 2,
        ordered: false,
        ..LIVE
    },
    Scenario {
        name: "no data came by six",
        begin: |cloud| {
            apply(cloud, json!({}));
            let event = json!({"kind": "expected", "pipeline": "tumours", "scheduled_time": START,
                               "within_seconds": 86400});
            errand(cloud, 0, event.clone());
            errand(cloud, 10, event);
        },
        phases: &["missed"],
        alerts: &["no_data"],
        executions: 0,
        deployments: 0,
        ..LIVE
    },
    Scenario {
        name: "a person has a run replayed, twice",
        begin: |cloud| {
            apply(cloud, json!({}));
            let object = arrive(cloud, 0, "a.csv");
            let event = json!({"kind": "replay", "run": RunId::arrival("tumours", &object), "attempt": 1});
            errand(cloud, 3600, event.clone());
            errand(cloud, 3700, event);
        },
        phases: &["superseded", "live"],
        executions: 2,
        deployments: 2,
        ..LIVE
    },
    Scenario {
        name: "a person has a run stopped",
        begin: |cloud| {
            cloud.will.training = SignedDuration::from_hours(1);
            apply(cloud, json!({}));
            let object = arrive(cloud, 0, "a.csv");
            let event = json!({"kind": "stop", "run": RunId::arrival("tumours", &object), "by": "ada"});
            errand(cloud, 300, event);
        },
        phases: &["stopped"],
        alerts: &[],
        deployments: 0,
        ..LIVE
    },
];

/// Nothing happens, and the sweep looks.
pub(crate) const IDLE: Scenario = Scenario {
    name: "nothing happens",
    begin: |cloud| {
        apply(cloud, json!({}));
        let delivery = Delivery { function: Function::Sweep, event: json!({}), attempt: 1 };
        cloud.later(SignedDuration::ZERO, Due::Event(delivery));
    },
    phases: &[],
    executions: 0,
    deployments: 0,
    ..LIVE
};

/// When every story begins.
const START: &str = "2026-03-02T08:00:00Z";

/// The pipeline as `tidegate apply` records it.
fn apply(cloud: &mut Cloud, differs: Value) {
    let mut record = pipeline();
    for (name, value) in differs.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| name == "deployment") {
            Some(parts) => record["spec"]["deployment"].as_object_mut().unwrap().extend(parts.clone()),
            None => record["spec"][name] = value.clone(),
        }
    }
    cloud.table.put_body("pipelines", "tumours", &record);
}

/// Somebody asks the function for errands, after so many seconds.
fn errand(cloud: &mut Cloud, seconds: i64, event: Value) {
    let delivery = Delivery { function: Function::Schedule, event, attempt: 1 };
    cloud.later(SignedDuration::from_secs(seconds), Due::Event(delivery));
}

fn pipeline() -> Value {
    json!({
        "name": "tumours",
        "arrival_prefix": "raw/tumours/",
        "arrival_suffix": ".csv",
        "spec": {
            "pipeline": "tumours",
            "pipeline_arn": pipeline_arn("tumours"),
            "code": "c0de",
            "definition": "def1",
            "evaluation": {"training_step": "train", "report": "s3://data/runs/{execution}/evaluation.json"},
            "gate": [{"metric": "accuracy", "threshold": {"comparison": "at_least", "value": 0.9}}],
            "deployment": {
                "endpoint": "tumours",
                "image": "image:serve",
                "program": "inference.py",
                "source": "s3://data/code/sourcedir.tar.gz",
                "instance_type": "ml.m5.large",
                "instances": 1,
                "approval": "automatic",
            },
            "role_arn": format!("arn:aws:iam::{ACCOUNT}:role/tidegate-job"),
        },
        "parameters": {"InputDataUri": "s3://data/raw/tumours/"},
        "schedules": {},
        "config": {},
        "applied": "2026-03-01T12:00:00Z",
    })
}

/// An object is written under the pipeline's prefix after so many seconds, and S3 tells.
fn arrive(cloud: &mut Cloud, seconds: i64, name: &str) -> ObjectVersion {
    let key = &format!("raw/tumours/{name}");
    let content = "a,b\n1,2\n";
    let version = cloud.s3.put(key, content);
    let at = time::now() + SignedDuration::from_secs(seconds);
    let sequencer = format!("{:016x}", at.as_millisecond());
    let event = json!({
        "version": "0", "id": format!("arrival-{}", version.id), "detail-type": "Object Created", "source": "aws.s3",
        "account": ACCOUNT, "region": REGION, "resources": [format!("arn:aws:s3:::{BUCKET}")],
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "detail": {"version": "0", "bucket": {"name": BUCKET}, "reason": "PutObject", "request-id": "r",
            "object": {"key": key, "size": content.len(), "etag": version.etag, "version-id": version.id,
                       "sequencer": sequencer}},
    });
    let delivery = Delivery { function: Function::DataArrival, event, attempt: 1 };
    if cloud.twice {
        cloud.later(SignedDuration::from_secs(seconds + 5), Due::Event(delivery.clone()));
        cloud.later(SignedDuration::from_secs(seconds + 600), Due::Event(delivery.clone()));
    }
    cloud.later(SignedDuration::from_secs(seconds), Due::Event(delivery));
    ObjectVersion {
        bucket: BUCKET.to_owned(),
        key: key.clone(),
        version_id: Some(version.id),
        etag: Some(version.etag),
        size: content.len() as u64,
        sequencer: Some(sequencer),
    }
}
