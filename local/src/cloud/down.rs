use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::record::{self, Record, Server};
use super::up::{ENGINE, MINISTACK};
use super::{Error, process};

/// The engine stops its steps first, MiniStack writes its state.
const TERM: Duration = Duration::from_secs(25);
const KILL: Duration = Duration::from_secs(5);
/// What `purge` removes. The user may have put the home folder where other things are.
const OURS: &[&str] = &["ministack", "engine", "inbox", "logs", "local.json", "lock"];

pub(super) async fn down(home: &Path, purge: bool) -> Result<bool, Error> {
    let Ok(home) = home.canonicalize() else { return Ok(false) };
    let _lock = record::lock(&home)?;
    let found = record::read(&home)?;
    let ran = match &found {
        Some(found) => stop(&home, found).await?,
        None => false,
    };
    if purge {
        remove(&home)?;
    }
    Ok(ran)
}

/// Ends what the record names, the engine first: its last events still reach MiniStack, which then saves.
pub(super) async fn stop(home: &Path, record: &Record) -> Result<bool, Error> {
    let engine = end(&record.engine, ENGINE).await?;
    let ministack = end(&record.ministack, MINISTACK).await?;
    let left = process::sweep(&record.run);
    if left > 0 {
        tracing::info!(left, "ended processes that had outlived their server");
    }
    record::remove(home)?;
    Ok(engine || ministack || left > 0)
}

async fn end(server: &Server, part: &'static str) -> Result<bool, Error> {
    if !process::runs(server.pid, &server.started) {
        return Ok(false);
    }
    process::signal(server.pid, &server.started, Signal::SIGTERM);
    if !process::gone(server.pid, &server.started, TERM).await {
        tracing::warn!(pid = server.pid, part, "did not end in time, killed");
        process::signal(server.pid, &server.started, Signal::SIGKILL);
        if !process::gone(server.pid, &server.started, KILL).await {
            return Err(Error::Unkillable { part, pid: server.pid });
        }
    }
    Ok(true)
}

fn remove(home: &Path) -> Result<(), Error> {
    for name in OURS {
        let path = home.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::Io { what: format!("remove `{}`", path.display()), source: error });
            }
            _ => {}
        }
    }
    // Stays when something else is in it.
    match std::fs::remove_dir(home) {
        Err(error) if !matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
            Err(Error::Io { what: format!("remove `{}`", home.display()), source: error })
        }
        _ => Ok(()),
    }
}
