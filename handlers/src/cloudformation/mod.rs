//! What every CloudFormation custom resource shares: the request, the answer, and the way it goes.
//!
//! CloudFormation waits for an answer at a URL that it gives, for as long as an hour. So it is answered in every case:
//! after an error, a panic, and when the function's time is nearly up. Only an answer that cannot be delivered is an
//! error of the function, which Lambda tries again; what it did, it then finds done.

mod answer;
mod request;
mod send;
#[cfg(test)]
pub(crate) mod testing;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use tracing::{error, info, warn};

pub use answer::{Answer, PhysicalId};
pub(crate) use request::read;
pub use request::{Envelope, RequestError, RequestType};
pub use send::{SendError, check_url};

/// What is kept of the function's time for the answer.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(12);

/// The work that a request asks for. Boxed: nested as it is, its type would be too deep for the compiler to lay out.
pub type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Why CloudFormation could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// It is not known whom to answer.
    #[error("the event is not a request of CloudFormation: {0}")]
    Unanswerable(RequestError),
    /// The answer did not arrive.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Does a request's work, and answers CloudFormation whatever becomes of it.
///
/// # Errors
/// Only when CloudFormation could not be answered; Lambda tries again.
pub async fn respond(event: LambdaEvent<Value>, work: impl FnOnce(Envelope) -> Work) -> Result<(), HandleError> {
    let envelope = Envelope::parse(&event.payload).map_err(HandleError::Unanswerable)?;
    let url = check_url(&envelope.response_url)?;
    // The URL is a credential, and is not logged.
    info!(
        request = ?envelope.request_type,
        resource = envelope.resource_type,
        logical_id = envelope.logical_id,
        physical_id = envelope.physical_id,
        "a request of CloudFormation"
    );
    let left = time_left(event.context.deadline);
    let work = work(envelope.clone());
    let answer = match supervised(work, left.saturating_sub(ANSWER_TIME)).await {
        Ok(answer) => answer,
        Err(reason) => Answer::failed(PhysicalId::when_failed(&envelope), &reason),
    };
    if let Some(reason) = answer.reason() {
        warn!(reason, "the request failed");
    }
    send::put(&url, &answer.body(&envelope), left.min(ANSWER_TIME)).await?;
    Ok(())
}

/// Serves requests of CloudFormation until Lambda ends the process.
///
/// # Errors
/// The runtime API cannot be reached.
pub async fn serve<F>(handle: impl Fn(LambdaEvent<Value>) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), HandleError>>,
{
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<(), Error> {
        let answered = Box::pin(handle(event)).await;
        answered.inspect_err(|error| tracing::error!(%error, "CloudFormation was not answered")).map_err(Error::from)
    }))
    .await
}

/// Runs `work` as a task of its own: a panic in it ends it alone. The error is what to tell CloudFormation.
async fn supervised<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
    time: Duration,
) -> Result<T, String> {
    let mut task = tokio::spawn(work);
    match tokio::time::timeout(time, &mut task).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            error!(%error, "the work ended by a panic");
            Err("an error in Tidegate itself; its function's log has more".to_owned())
        }
        Err(_) => {
            task.abort();
            Err(format!(
                "not done within {} s; what was done stays, and another attempt goes on from there",
                time.as_secs()
            ))
        }
    }
}

/// How long a function may still run.
pub(crate) fn time_left(deadline_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::testing::bucket;
    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_not_taken_is_sent_again() {
        let (url, taken) = bucket(&[500, 503, 200]).await;
        send::put(&check_url(&url).unwrap(), "{}", Duration::from_secs(10)).await.unwrap();
        assert_eq!(taken.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_may_send_is_an_error() {
        let (url, taken) = bucket(&[403]).await;
        let error = send::put(&check_url(&url).unwrap(), "{}", Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(error, SendError::Unsent("HTTP status 403".to_owned()));
        assert_eq!(taken.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_panic_and_work_without_end_become_reasons() {
        let panicking = async { panic!("boom") };
        let reason = supervised::<()>(panicking, Duration::from_secs(5)).await.unwrap_err();
        assert!(reason.starts_with("an error in Tidegate itself"), "{reason}");
        let reason = supervised(std::future::pending::<()>(), Duration::from_millis(20)).await.unwrap_err();
        assert!(reason.starts_with("not done within"), "{reason}");
        assert_eq!(supervised(async { 7 }, Duration::from_secs(5)).await, Ok(7));
    }
}
