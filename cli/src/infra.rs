//! Programs of `infra/`, which run under Node.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use local::cloud::project_root;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::context::current_folder;
use crate::error::Error;

/// The folder `infra/` of the checkout around the current folder.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    Ok(project_root(&current_folder()?)?.join("infra"))
}

/// Runs a program in `infra` to its end and returns what it wrote.
///
/// # Errors
/// When the packages of `infra/` are missing, or it cannot be started.
pub(crate) async fn run(infra: &Path, program: &Path, arguments: &[&str]) -> Result<Output, Error> {
    if !infra.join("node_modules").exists() {
        return Err(Error::failed(format!("`{}` is missing", infra.join("node_modules").display()))
            .hint("run `make setup`, or `npm ci` in infra/"));
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(infra).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("CDK_DISABLE_VERSION_CHECK", "1").env("NO_COLOR", "1");
    let child = command.process_group(0).kill_on_drop(true).spawn().map_err(|error| {
        let hint = "is Node 20 or newer installed, and on the PATH?";
        Error::failed(format!("cannot start `{}`: {error}", program.display())).hint(hint)
    })?;
    let group = Group::of(child.id());
    let output = child.wait_with_output().await;
    drop(group);
    output.map_err(|error| Error::failed(format!("cannot wait for `{}`: {error}", program.display())))
}

/// The programs that a program starts must not outlive it.
#[derive(Debug)]
pub(crate) struct Group(Option<i32>);

impl Group {
    /// Of the process that leads it.
    pub(crate) fn of(leader: Option<u32>) -> Self {
        Self(leader.and_then(|pid| i32::try_from(pid).ok()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // After an ordinary end there is nobody left to signal.
            let _ = killpg(Pid::from_raw(leader), Signal::SIGTERM);
        }
    }
}
