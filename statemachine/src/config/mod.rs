//! `pipeline.yaml`, parsed once into types that cannot hold a wrong value.
//!
//! [`Pipeline::parse`] reports every problem it finds, each with file, line, column and key. A [`Pipeline`] serialises
//! to JSON in the same form as the file, with defaults filled in, and is checked in full again when it is read back.

mod arrival;
mod check;
mod cron;
mod decode;
mod due;
mod errors;
mod expected;
mod instance;
mod json;
mod names;
mod parse;
mod reader;
mod schedule;
mod steps;
mod template;
mod text;
mod tree;
mod trigger;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gate::{Finite, Gate};
use crate::queue::Concurrency;

pub use arrival::{Arrival, Batch, Grouping, ObjectName, Size, SizeBounds};
pub use cron::Cron;
pub use errors::{ConfigError, Errors, PROBLEM_LIMIT};
pub use expected::{ClockTime, Days, Expected};
pub use instance::InstanceType;
pub use names::{
    ENDPOINT_NAME_LIMIT, EndpointName, HyperparameterName, InputName, MODEL_PACKAGE_GROUP_LIMIT, OutputName,
    ParameterName, PipelineName, RUN_ID_LENGTH, SCHEDULE_RESOURCE_LIMIT, ScheduleName, StepName,
};
pub use schedule::{Rate, RateUnit, ScheduleExpression, TimeZone};
pub use template::{Instance, Part, Source, Template};
pub use text::Invalid;
pub(crate) use text::{checked_text, quote};
pub use tree::FILE_LIMIT;
pub use values::{
    Approval, Description, Duration, Image, ImageUri, RawPrefix, ReportFile, SOURCE_FOLDER, Scalar, ScriptPath, Suffix,
    VALUE_LIMIT,
};

/// The default of `deadline`, in seconds.
pub const DEFAULT_DEADLINE: u64 = 86_400;

/// The parameter that every pipeline has: the S3 address of the data of this run.
pub const INPUT_DATA_URI: &str = "InputDataUri";

/// The one output of a training step: its `model.tar.gz`.
pub const MODEL_OUTPUT: &str = "model";

/// The output, and the property file, that carries an evaluation's report.
pub const REPORT_OUTPUT: &str = "evaluation";

/// A pipeline as `pipeline.yaml` describes it, checked as a whole.
///
/// Holds: step names are unique and their references resolve without a cycle; every parameter that is used is
/// declared; a gate has exactly one evaluation step, which reads exactly one model; what deploys has a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    name: PipelineName,
    description: Option<Description>,
    arrival: Option<Arrival>,
    schedules: BTreeMap<ScheduleName, Schedule>,
    concurrency: Concurrency,
    deadline: Duration,
    parameters: BTreeMap<ParameterName, Scalar>,
    steps: Vec<Step>,
    gate: Option<Gate>,
    deployment: Option<Deployment>,
}

impl Pipeline {
    /// Its name, which is also that of its model package group.
    #[must_use]
    pub fn name(&self) -> &PipelineName {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&Description> {
        self.description.as_ref()
    }

    /// The objects whose arrival starts it.
    #[must_use]
    pub fn arrival(&self) -> Option<&Arrival> {
        self.arrival.as_ref()
    }

    /// Its schedules, by name.
    #[must_use]
    pub fn schedules(&self) -> &BTreeMap<ScheduleName, Schedule> {
        &self.schedules
    }

    /// How many executions may be under way, and what becomes of one too many. A limit is 1 to 200.
    #[must_use]
    pub fn concurrency(&self) -> Concurrency {
        self.concurrency
    }

    /// A run that is not done so long after it began is an alert. 5 minutes to 30 days.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The declared parameters and their defaults, without the built-in [`INPUT_DATA_URI`].
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<ParameterName, Scalar> {
        &self.parameters
    }

    /// The steps, each after those it reads from; by name where that leaves a choice. Never empty.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name.as_str() == name)
    }

    /// What a model must satisfy.
    #[must_use]
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Where a model that passed goes. `Some` only if [`gate`](Self::gate) is.
    #[must_use]
    pub fn deployment(&self) -> Option<&Deployment> {
        self.deployment.as_ref()
    }

    /// The evaluation step whose report the gate reads. `Some` whenever there is a gate.
    #[must_use]
    pub fn evaluation_step(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.work, Work::Evaluation { .. }))
    }

    /// The training step whose model the evaluation reads, and so the model that is registered and deployed. `Some`
    /// whenever there is a gate.
    #[must_use]
    pub fn model_step(&self) -> Option<&Step> {
        self.evaluation_step()?.inputs.values().find_map(|source| match source {
            Source::Step { step, .. } => {
                self.step(step.as_str()).filter(|step| matches!(step.work, Work::Training { .. }))
            }
            Source::Uri(_) => None,
        })
    }

    /// The name of a schedule of this pipeline in EventBridge Scheduler. A pipeline's name has no dot, so two
    /// pipelines cannot share one.
    #[must_use]
    pub fn schedule_resource_name(&self, schedule: &ScheduleName) -> String {
        format!("{}.{schedule}", self.name)
    }

    /// The name in EventBridge Scheduler of the schedule that asks whether the expected data came. A schedule's name in
    /// `pipeline.yaml` has no dot, so none is called so.
    #[must_use]
    pub fn expected_resource_name(&self) -> String {
        format!("{}{EXPECTED_RESOURCE_SUFFIX}", self.name)
    }
}

/// What is added to a pipeline's name for the schedule that asks whether the expected data came.
const EXPECTED_RESOURCE_SUFFIX: &str = "..expected";

/// A schedule that starts runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// When it fires.
    pub expression: ScheduleExpression,
    /// In which zone `expression` is meant.
    pub time_zone: TimeZone,
    /// What it gives the run. Declared parameters only; the templates name no parameter themselves.
    pub parameters: BTreeMap<ParameterName, Template>,
}

/// A step: one job of SageMaker.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: StepName,
    /// What it runs in.
    pub image: Image,
    /// What it runs on.
    pub instance: Instance,
    /// The disk, in GiB.
    pub volume: VolumeSize,
    /// What it runs.
    pub script: ScriptPath,
    /// What it reads, by name.
    pub inputs: BTreeMap<InputName, Source>,
    /// After which it is stopped.
    pub max_runtime: Duration,
    /// What is done when SageMaker itself fails; a failure of the script is not retried.
    pub retries: Option<Retries>,
    /// For how long an earlier result of the same inputs counts. Never on an evaluation, whose report is this run's.
    pub cache: Option<Duration>,
    /// What kind of job it is.
    pub work: Work,
}

/// What kind of job a step is, with what only that kind has.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// `type: processing`
    Processing {
        /// The folders it writes.
        outputs: Vec<OutputName>,
        /// Arguments of the script.
        arguments: Vec<Template>,
    },
    /// `type: training`
    Training {
        /// The script's options, by name.
        hyperparameters: BTreeMap<HyperparameterName, Setting>,
    },
    /// `type: evaluation`: a processing job that writes a report.
    Evaluation {
        /// The report, in `/opt/ml/processing/output/evaluation/`.
        report: ReportFile,
        /// Arguments of the script.
        arguments: Vec<Template>,
    },
}

impl Work {
    /// The value of `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Processing { .. } => "processing",
            Self::Training { .. } => "training",
            Self::Evaluation { .. } => "evaluation",
        }
    }
}

/// A hyperparameter: a plain value, or text with places to fill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Setting {
    /// A plain value.
    Plain(Scalar),
    /// Text that names a parameter, the bucket, the account or the Region.
    Template(Template),
}

/// How often, and how soon, a step is tried again after a fault of SageMaker's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Retries {
    /// How many times, 1 to 20.
    pub attempts: RetryAttempts,
    /// The wait before the first retry.
    pub interval: Duration,
    /// By what each wait is longer than the one before; 1 or more.
    pub backoff: Finite,
}

/// Where a model that passed the gate goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// The endpoint's stable name.
    pub endpoint: EndpointName,
    /// What serves the model.
    pub image: Image,
    /// On what.
    pub instance: InstanceType,
    /// On how many.
    pub instances: InstanceCount,
    /// The script that loads the model and answers.
    pub script: ScriptPath,
    /// Whether a person must agree first.
    pub approval: Approval,
}

/// A whole number within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $what:literal, $low:literal ..= $high:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(u32);

        impl $name {
            /// # Errors
            /// Out of bounds.
            pub fn new(number: i64) -> Result<Self, Invalid> {
                match u32::try_from(number) {
                    Ok(small @ $low..=$high) => Ok(Self(small)),
                    _ => Err(Invalid(format!(
                        "`{number}` is not {}: accepted is a whole number from {} to {}", $what, $low, $high
                    ))),
                }
            }

            /// The number.
            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }
        }
    };
}

bounded!(
    /// A job's disk in GiB: 1 to 16384.
    VolumeSize, "a volume size in GiB", 1..=16384
);
bounded!(
    /// Retries of a step: 1 to 20.
    RetryAttempts, "a number of attempts", 1..=20
);
bounded!(
    /// Instances behind an endpoint: 1 to 100.
    InstanceCount, "a number of instances", 1..=100
);
bounded!(
    /// Executions at a time: 1 to 200.
    Parallel, "a number of executions at a time", 1..=200
);
