//! One model server process.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use axum::http::{Request, StatusCode};
use tokio::process::Child;

use crate::engine::Engine;
use crate::engine::http::{self, HttpClient};
use crate::jobs::process::{self, LaunchSpec};

const BETWEEN_PINGS: Duration = Duration::from_millis(50);
const PING_WITHIN: Duration = Duration::from_secs(2);
/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(4);

/// A process that answers pings.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
}

impl Server {
    /// Starts the process and waits for its first ping. What stops waiting drops, and so kills, the process.
    pub(super) async fn start(engine: &Engine, spec: &LaunchSpec, startup: Duration) -> Result<Self, String> {
        let launcher =
            crate::jobs::launcher(engine).await.map_err(|error| format!("cannot start processes: {error}"))?;
        let port = free_port().map_err(|error| format!("no free port on 127.0.0.1: {error}"))?;
        let mut spec = spec.clone();
        spec.env.push(("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string()));
        let child =
            launcher.spawn(spec.clone()).map_err(|error| format!("cannot start `{}`: {error}", spec.program))?;
        let mut server = Self { child, port };
        let client = http::client();
        let deadline = Instant::now() + startup;
        loop {
            // First the process, then its port: another process may have taken the port meanwhile.
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("the server ended with exit code {}", process::exit_code(status)));
            }
            if ping(&client, port).await {
                return Ok(server);
            }
            if Instant::now() > deadline {
                server.stop().await;
                return Err(format!("the server did not answer /ping within {} s", startup.as_secs()));
            }
            tokio::time::sleep(BETWEEN_PINGS).await;
        }
    }

    /// Waits until the process ends by itself.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("exit code {}", process::exit_code(status)),
            Err(error) => error.to_string(),
        }
    }

    pub(super) async fn stop(&mut self) {
        if let Err(error) = process::stop(&mut self.child, GRACE).await {
            tracing::warn!(port = self.port, %error, "a model server cannot be waited for");
        }
    }
}

async fn ping(client: &HttpClient, port: u16) -> bool {
    let Ok(request) = Request::get(format!("http://127.0.0.1:{port}/ping")).body(http::body("")) else { return false };
    let answer = tokio::time::timeout(PING_WITHIN, client.request(request)).await;
    matches!(answer, Ok(Ok(answer)) if answer.status() == StatusCode::OK)
}

/// A port that nobody has now. Somebody may take it before the server does, which then ends and says so.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
