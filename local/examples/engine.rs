//! Runs the engine alone: `engine HOME PORT MINISTACK_URL [CHECKOUT]`. The checkout is the current folder if not given.

use std::process::ExitCode;

use local::engine::{EngineConfig, run};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, port, ministack, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: engine HOME PORT MINISTACK_URL [CHECKOUT]");
        return ExitCode::from(2);
    };
    let Ok(port) = port.parse() else {
        eprintln!("`{port}` is no port; give a number from 0 to 65535");
        return ExitCode::from(2);
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let root = rest.first().map_or(".", String::as_str);
    match run(EngineConfig::of_checkout(root, home, port, ministack)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
