//! The SageMaker API: AWS JSON 1.1 over HTTP.

mod error;
mod executions;
mod jobs;
mod operation;
mod page;

pub use error::{Code, Error};
pub(crate) use operation::operations;
pub use operation::{Handler, Operation, Registry};
pub use page::{Page, page};

/// What an operation answers.
pub type Result<T = serde_json::Value> = std::result::Result<T, Error>;

/// A time as AWS JSON 1.1 writes it: seconds since 1970 with a fraction, to the millisecond.
#[must_use]
pub fn epoch(time: jiff::Timestamp) -> serde_json::Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double until the year 280000")]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    serde_json::Value::from(seconds)
}
