//! The names of things: each a text that AWS will accept.
//!
//! Lengths and patterns are those of the SageMaker and EventBridge Scheduler API models.

use super::text::{Invalid, checked_text, is_hyphenated, is_identifier, quote, within};

/// Length of a run id: `a-` (or another letter) and 16 hexadecimal digits.
pub const RUN_ID_LENGTH: usize = 18;

/// The longest endpoint name: a model and an endpoint configuration are called `<endpoint>-<run id>`, and SageMaker
/// allows 63 characters.
pub const ENDPOINT_NAME_LIMIT: usize = 63 - 1 - RUN_ID_LENGTH;

/// The longest name of a model package group, which bears the name of a pipeline that deploys.
pub const MODEL_PACKAGE_GROUP_LIMIT: usize = 63;

/// The longest name of a schedule in EventBridge Scheduler.
pub const SCHEDULE_RESOURCE_LIMIT: usize = 64;

fn hyphenated(text: &str, what: &str, limit: usize) -> Result<(), Invalid> {
    within(text, what, limit)?;
    if is_hyphenated(text) {
        return Ok(());
    }
    let what = what.split(',').next().unwrap_or(what);
    Err(Invalid(format!(
        "{} is not {what}: accepted are letters, digits and hyphens, beginning and ending with a letter or digit",
        quote(text)
    )))
}

fn identifier(text: &str, what: &str, limit: usize) -> Result<(), Invalid> {
    within(text, what, limit)?;
    if is_identifier(text) {
        return Ok(());
    }
    Err(Invalid(format!(
        "{} is not {what}: accepted are letters, digits, `-` and `_`, beginning with a letter or digit",
        quote(text)
    )))
}

checked_text!(
    /// The name of the pipeline, here and in SageMaker: 1 to 256 letters, digits and inner hyphens.
    PipelineName,
    |text| hyphenated(text, "a pipeline name", 256)
);

checked_text!(
    /// The stable name of an endpoint: 1 to 44 letters, digits and inner hyphens.
    EndpointName,
    |text| hyphenated(text, "an endpoint name, to which a run id is added,", ENDPOINT_NAME_LIMIT)
);

checked_text!(
    /// The name of a step: 1 to 64 letters, digits, `-`, `_`.
    StepName,
    |text| identifier(text, "a step name", 64)
);

checked_text!(
    /// The name of a pipeline parameter: 1 to 256 letters, digits, `-`, `_`.
    ParameterName,
    |text| identifier(text, "a parameter name", 256)
);

checked_text!(
    /// The name of a step's input: a folder, and for training the channel; 1 to 64 letters, digits, `-`, `_`.
    InputName,
    |text| identifier(text, "an input name", 64)
);

checked_text!(
    /// The name of a step's output, a folder: 1 to 64 letters, digits, `-`, `_`.
    OutputName,
    |text| identifier(text, "an output name", 64)
);

checked_text!(
    /// The name of a schedule within its pipeline: 1 to 62 letters, digits, `-`, `_`.
    ScheduleName,
    |text| identifier(text, "a schedule name", SCHEDULE_RESOURCE_LIMIT - 2)
);

checked_text!(
    /// The name of a hyperparameter: a command-line option of the script, so letters, digits, `-`, `_`, `.`; not
    /// beginning with `sagemaker_`, which is the container's own.
    HyperparameterName,
    |text| {
        within(text, "a hyperparameter name", 256)?;
        if text.starts_with("sagemaker_") {
            return Err(Invalid(format!("{} is not free: names in `sagemaker_` are the container's own", quote(text))));
        }
        if text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        {
            return Ok(());
        }
        Err(Invalid(format!(
            "{} is not a hyperparameter name: accepted are letters, digits, `-`, `_` and `.`",
            quote(text)
        )))
    }
);
