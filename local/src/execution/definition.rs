//! A pipeline definition, JSON of the schema version 2020-12-01, read into types.

mod check;
mod parameter;
mod read;

use std::time::Duration;

use serde_json::Value;

pub use parameter::{Parameter, ParameterKind};

use super::graph::Graph;

/// A checked definition: every reference has its target and no step waits for itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// Parameters, in their order.
    pub parameters: Vec<Parameter>,
    /// All steps, those within conditions included, each before the steps that it holds.
    pub steps: Vec<Step>,
    /// What waits for what.
    pub graph: Graph,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, unique in the definition.
    pub name: String,
    /// What it does.
    pub kind: StepKind,
    /// The name shown to people.
    pub display_name: Option<String>,
    /// The description shown to people.
    pub description: Option<String>,
    /// The request to make, with expressions. For a condition without its steps.
    pub arguments: Value,
    /// Steps that must have finished first, beside those that `arguments` reads from.
    pub depends_on: Vec<String>,
    /// Files among its outputs that `Std:JsonGet` may read.
    pub property_files: Vec<PropertyFile>,
    /// How long a result may be used again, when caching is on.
    pub cache: Option<Duration>,
    /// When to try again.
    pub retries: Vec<RetryPolicy>,
    /// The condition that it is a branch of, and on which outcome.
    pub branch: Option<(String, bool)>,
}

/// The kinds of step that the local engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A processing job.
    Processing,
    /// A training job.
    Training,
    /// Creates a model.
    Model,
    /// Creates an endpoint configuration.
    EndpointConfig,
    /// Creates an endpoint.
    Endpoint,
    /// Chooses between branches.
    Condition,
    /// Fails the execution.
    Fail,
    /// Creates a model package.
    RegisterModel,
}

impl StepKind {
    /// All kinds.
    pub const ALL: [StepKind; 8] = [
        StepKind::Processing,
        StepKind::Training,
        StepKind::Model,
        StepKind::EndpointConfig,
        StepKind::Endpoint,
        StepKind::Condition,
        StepKind::Fail,
        StepKind::RegisterModel,
    ];

    /// The name in definitions and events.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::Processing => "Processing",
            StepKind::Training => "Training",
            StepKind::Model => "Model",
            StepKind::EndpointConfig => "EndpointConfig",
            StepKind::Endpoint => "Endpoint",
            StepKind::Condition => "Condition",
            StepKind::Fail => "Fail",
            StepKind::RegisterModel => "RegisterModel",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A file among a processing step's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyFile {
    /// The name that `Std:JsonGet` uses.
    pub name: String,
    /// The output that holds it.
    pub output: String,
    /// Its path within the output.
    pub path: String,
}

/// When a failed step is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The failures that it is for.
    pub failures: Vec<String>,
    /// The wait before the first retry.
    pub interval: Duration,
    /// What each further wait is multiplied with.
    pub backoff: f64,
    /// Until when.
    pub limit: RetryLimit,
}

/// How often or how long a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryLimit {
    /// This many retries.
    Attempts(u32),
    /// Within this time from the step's start.
    Within(Duration),
}

impl Definition {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// The message of SageMaker's `ValidationException`, which begins with `Unable to parse pipeline definition.`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|reason| format!("Unable to parse pipeline definition. {reason}"))
    }

    fn read(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("It is not JSON: {error}"))?;
        let (parameters, steps) = read::document(&document)?;
        let graph = check::references(&parameters, &steps)?;
        Ok(Self { parameters, steps, graph })
    }

    /// The step with this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

#[cfg(test)]
mod tests;
