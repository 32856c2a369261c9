//! The orchestrator's stack, deployed into the local cloud by the CDK, as it is to AWS.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use handlers::apply::{Deployment, DeploymentError};
use handlers::ledger::LedgerError;
use local::cloud::{CloudInfo, tail};
use tokio::process::Command;

use super::fingerprint;
use crate::context::Context;
use crate::error::Error;
use crate::infra::Group;
use crate::target::Session;

const TAIL_LINES: usize = 25;

/// Deploys unless what is there was made of the same sources.
pub(super) async fn deploy(context: &Context, root: &Path, info: &CloudInfo) -> Result<(), Error> {
    let infra = root.join("infra");
    let cdk = infra.join("node_modules/.bin/cdk");
    if !cdk.is_file() {
        return Err(Error::failed(format!("`{}` is missing", cdk.display())).hint("run `make setup`"));
    }
    let inbox = format!("alertEndpoint={}/inbox", info.engine_url);
    let wanted = fingerprint::of(root, &[&inbox, &info.ministack_url, &info.region])?;
    let stamp = folder(&info.home).join("fingerprint");
    let there = is_there(info).await?;
    if there && std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        context.terminal.detail("the orchestrator is deployed, and nothing has changed");
        return Ok(());
    }
    let log = info.home.join("logs/deploy.log");
    let folders = [folder(&info.home), info.home.join("logs")];
    for folder in folders {
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::failed(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    }
    let progress = context.terminal.progress("deploying the orchestrator");
    let job = Job { cdk: &cdk, infra: &infra, info, log: &log };
    if !there {
        progress.say("preparing the account for the CDK");
        let account = format!("aws://{}/{}", info.account, info.region);
        job.run(&["bootstrap", &account]).await?;
    }
    progress.say("making keys, buckets, functions, table and rules");
    let output = folder(&info.home).join("cdk.out");
    let output = output.to_string_lossy();
    job.run(&[
        "deploy",
        "--all",
        "--require-approval",
        "never",
        "--progress",
        "events",
        "--output",
        &output,
        "--context",
        &inbox,
    ])
    .await?;
    std::fs::write(&stamp, &wanted)
        .map_err(|error| Error::failed(format!("cannot write `{}`: {error}", stamp.display())))?;
    progress.done("the orchestrator is deployed");
    Ok(())
}

/// Deploys the stack that lets people into Studio, as the file says, and what it stands on.
///
/// # Errors
/// With the end of what the CDK said.
pub(crate) async fn deploy_access(context: &Context, root: &Path, home: &Path, file: &Path) -> Result<(), Error> {
    let info = crate::target::running(home).await?;
    let infra = root.join("infra");
    let cdk = infra.join("node_modules/.bin/cdk");
    let log = home.join("logs/deploy.log");
    let job = Job { cdk: &cdk, infra: &infra, info: &info, log: &log };
    let progress = context.terminal.progress("deploying the way into Studio");
    let (access, output) = (format!("access={}", file.display()), home.join("deploy/access.out"));
    let output = output.to_string_lossy();
    let words = ["deploy", "TidegateStorage", "TidegateAccess", "--require-approval", "never", "--output", &output];
    job.run(&[&words[..], &["--context", &access]].concat()).await?;
    progress.done("the way into Studio is deployed");
    Ok(())
}

/// Forgets what was deployed.
pub(super) fn forget(home: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder(home)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::failed(format!("cannot remove `{}`: {error}", folder(home).display())))
        }
        _ => Ok(()),
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("deploy")
}

/// Whether the stack has written its settings into the ledger, which it does last.
async fn is_there(info: &CloudInfo) -> Result<bool, Error> {
    // The table's name is the stack's, not the caller's.
    let session = Session::local(info, "tidegate");
    match Deployment::load(&session.ledger()).await {
        Ok(_) => Ok(true),
        Err(DeploymentError::Missing | DeploymentError::Malformed(_)) => Ok(false),
        Err(DeploymentError::Ledger(LedgerError::Call { reason, .. })) if reason.contains("ResourceNotFound") => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

struct Job<'a> {
    cdk: &'a Path,
    infra: &'a Path,
    info: &'a CloudInfo,
    log: &'a Path,
}

impl Job<'_> {
    /// Runs the CDK to its end, its output in the log.
    async fn run(&self, arguments: &[&str]) -> Result<(), Error> {
        let shown = self.log.display();
        let unwritable = |error: std::io::Error| Error::failed(format!("cannot write `{shown}`: {error}"));
        let out = File::options().create(true).append(true).open(self.log).map_err(unwritable)?;
        let err = out.try_clone().map_err(unwritable)?;
        let mut command = Command::new(self.cdk);
        command.args(arguments).current_dir(self.infra).stdin(Stdio::null()).stdout(out).stderr(err);
        // A person's own profile must not get in between.
        for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        command.envs(self.info.env()).env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
        command.env("CDK_DISABLE_VERSION_CHECK", "1").env("NO_COLOR", "1");
        let started = command.process_group(0).kill_on_drop(true).spawn();
        let mut child =
            started.map_err(|error| Error::failed(format!("cannot start `{}`: {error}", self.cdk.display())))?;
        let group = Group::of(child.id());
        let status = child.wait().await.map_err(|error| Error::failed(format!("cannot wait for the CDK: {error}")))?;
        drop(group);
        if status.success() {
            return Ok(());
        }
        let verb = arguments.first().copied().unwrap_or_default();
        let end = tail(self.log, TAIL_LINES).unwrap_or_default().join("\n");
        Err(Error::failed(format!("`cdk {verb}` failed ({status}); the end of `{shown}`:\n{end}")))
    }
}
