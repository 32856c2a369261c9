//! The launcher of the local cloud: MiniStack (through `local/ministack/wrapper.py`) and the engine, two daemons on
//! loopback that share one home folder.
//!
//! `home/local.json` records what runs. A process counts as ours only while its start time is the recorded one, so a
//! recycled process id is never signalled. A lock on `home/lock` keeps two launchers apart.

mod check;
mod down;
mod env;
mod error;
mod logs;
mod options;
mod process;
mod record;
mod status;
mod up;

pub use env::CloudInfo;
pub use error::Error;
pub use logs::{Log, follow, tail};
pub use options::{ENGINE_PORT, FaultOptions, MINISTACK_PORT, Options, project_root};
pub use status::{Part, State, Status};

use std::path::Path;

/// What `tidegate local` does.
#[derive(Debug)]
pub struct Cloud;

impl Cloud {
    /// Starts what does not run yet and returns once both servers answer. When it fails, or its future is dropped (after
    /// Ctrl-C for example), what it started is stopped again.
    ///
    /// # Errors
    /// A missing prerequisite, a port that is taken, too little disk space, another launcher at work on the same home
    /// folder, or a server that did not come up, with the end of its log.
    pub async fn up(options: &Options) -> Result<CloudInfo, Error> {
        up::up(options).await
    }

    /// Stops both servers and everything they started: SIGTERM, a wait, SIGKILL. State is kept unless `purge`. Returns
    /// whether anything ran.
    ///
    /// # Errors
    /// Another launcher at work on the same home folder, or a process or file that resists.
    pub async fn down(home: &Path, purge: bool) -> Result<bool, Error> {
        down::down(home, purge).await
    }

    /// What runs now.
    ///
    /// # Errors
    /// When `home/local.json` exists and cannot be read.
    pub async fn status(home: &Path) -> Result<Status, Error> {
        status::status(home).await
    }

    /// The log files there are, MiniStack's first.
    #[must_use]
    pub fn logs(home: &Path) -> Vec<Log> {
        logs::logs(home)
    }
}
