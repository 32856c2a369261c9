//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Code, Error};

/// Carries on until a signal comes; then drops what was being done, which stops what it had started.
pub(crate) async fn guard<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        result = work => result,
        code = received() => Err(Error::silent(code)),
    }
}

async fn received() -> Code {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the system's own ending stays in force.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Code::Interrupted,
        _ = terminate.recv() => Code::Terminated,
    }
}
