//! Processes that stand in for containers.
//!
//! A SageMaker container sees its files under `/opt/ml`. On Linux, with the right to it, a process here gets a mount
//! namespace of its own in which `/opt/ml` is its job's folder, and a process namespace that dies with it. Elsewhere the
//! prefix `/opt/ml` is rewritten in arguments and environment, and `SM_OPT_ML` names the folder; a path written into a
//! script is then not found.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// How long a process may take between SIGTERM and SIGKILL. SageMaker gives 120 s; a laptop's user is less patient.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// Mounts the job's folder over `/opt/ml`, then runs the rest of its arguments as a child, so that a signal reaches a
/// process whose signals have their ordinary effect (the first process of a namespace ignores what it has no handler for).
const ENTER: &str = r#"mkdir -p /opt/ml && mount --bind "$1" /opt/ml || exit 125; shift; "$@"; exit $?"#;

/// How a process is kept apart from the rest of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Own mount and process namespaces, entered as root.
    Namespaces,
    /// The same within a user namespace: for users who are not root, where `/opt/ml` exists.
    UserNamespaces,
    /// Own mount namespace only.
    MountNamespace,
    /// No namespace: `/opt/ml` is rewritten in arguments and environment.
    RewrittenPaths,
}

impl Isolation {
    const BEST_FIRST: [Isolation; 3] = [Isolation::Namespaces, Isolation::UserNamespaces, Isolation::MountNamespace];

    fn flags(self) -> &'static [&'static str] {
        match self {
            Isolation::Namespaces => &["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
            Isolation::UserNamespaces => {
                &["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
            }
            Isolation::MountNamespace => &["--mount"],
            Isolation::RewrittenPaths => &[],
        }
    }

    /// Whether the process finds its files at `/opt/ml` itself.
    pub fn has_opt_ml(self) -> bool {
        self != Isolation::RewrittenPaths
    }
}

/// One process to start.
#[derive(Debug, Clone)]
pub struct LaunchSpec {
    /// The program, an absolute path or a name looked up on the `PATH` of `env`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The container's environment. It wins over what the launcher sets (`PATH`, `HOME`, `LANG`, `TMPDIR`, endpoints).
    pub env: Vec<(String, String)>,
    /// The folder that is `/opt/ml` for the process. It must exist.
    pub opt_ml: PathBuf,
    /// The file that standard output and standard error are appended to.
    pub log: PathBuf,
}

type Request = (Command, tokio::runtime::Handle, mpsc::SyncSender<io::Result<Child>>);

/// Starts processes. Made once, by [`Launcher::probe`].
///
/// Children are started by one thread that lives as long as the launcher: Linux ties "die with your parent" to the
/// parent's *thread*, and the threads of an asynchronous runtime come and go.
#[derive(Debug)]
pub struct Launcher {
    isolation: Isolation,
    tools: Option<Tools>,
    base_env: Vec<(String, String)>,
    requests: Mutex<mpsc::Sender<Request>>,
}

#[derive(Debug, Clone)]
struct Tools {
    setpriv: Option<PathBuf>,
    unshare: PathBuf,
    sh: PathBuf,
}

impl Launcher {
    /// Tries what this machine allows, by mounting a real folder over `/opt/ml` in a namespace and looking for it there.
    ///
    /// `base_env` is given to every process: endpoint variables, region, credentials. Of the engine's own environment
    /// only `PATH`, `HOME`, `LANG` and `TMPDIR` go on.
    ///
    /// # Errors
    /// When the thread that starts processes cannot be made.
    pub async fn probe(base_env: Vec<(String, String)>) -> io::Result<Self> {
        let tools = Tools::find();
        let mut isolation = Isolation::RewrittenPaths;
        if let Some(tools) = &tools {
            for candidate in Isolation::BEST_FIRST {
                if works(tools, candidate).await {
                    isolation = candidate;
                    break;
                }
            }
        }
        tracing::info!(?isolation, "probed how steps can be isolated");
        Self::with(isolation, tools, base_env)
    }

    /// A launcher that rewrites paths, whatever the machine allows.
    ///
    /// # Errors
    /// When the thread that starts processes cannot be made.
    pub fn rewriting(base_env: Vec<(String, String)>) -> io::Result<Self> {
        Self::with(Isolation::RewrittenPaths, None, base_env)
    }

    fn with(isolation: Isolation, tools: Option<Tools>, base_env: Vec<(String, String)>) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("launcher".to_owned()).spawn(move || {
            while let Ok((mut command, runtime, reply)) = receiver.recv() {
                let _inside = runtime.enter();
                // A caller that went away drops the child with the reply, which kills it.
                let _ = reply.send(command.spawn());
            }
        })?;
        Ok(Self { isolation, tools, base_env: clean_env(base_env), requests: Mutex::new(sender) })
    }

    /// What the probe found.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Starts a process in a process group of its own. It is killed when the returned child is dropped and when the
    /// engine dies (the latter on Linux). Must be called inside a Tokio runtime; takes a few milliseconds.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn spawn(&self, spec: LaunchSpec) -> io::Result<Child> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let command = self.command(&spec)?;
        let (reply, answer) = mpsc::sync_channel(1);
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send((command, runtime, reply))
            .map_err(|_| io::Error::other("the thread that starts processes has ended"))?;
        answer.recv().map_err(|_| io::Error::other("the thread that starts processes has ended"))?
    }

    fn command(&self, spec: &LaunchSpec) -> io::Result<Command> {
        let log = File::options().create(true).append(true).open(&spec.log)?;
        let opt_ml = std::path::absolute(&spec.opt_ml)?;
        let mut env = self.base_env.clone();
        for (name, value) in &spec.env {
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value.clone()));
        }
        let mut command = match &self.tools {
            Some(tools) if self.isolation.has_opt_ml() => {
                let mut command = tools.enter(self.isolation, &opt_ml);
                command.arg(&spec.program).args(&spec.args);
                command
            }
            tools => {
                let rewrite = |text: &str| rewrite_opt_ml(text, &opt_ml);
                for (_, value) in &mut env {
                    *value = rewrite(value);
                }
                env.push(("SM_OPT_ML".to_owned(), opt_ml.to_string_lossy().into_owned()));
                let mut command = match tools.as_ref().and_then(|tools| tools.setpriv.as_ref()) {
                    Some(setpriv) => {
                        let mut command = Command::new(setpriv);
                        command.args(["--pdeathsig", "KILL", "--"]).arg(rewrite(&spec.program));
                        command
                    }
                    None => Command::new(rewrite(&spec.program)),
                };
                command.args(spec.args.iter().map(|argument| rewrite(argument)));
                command
            }
        };
        command
            .env_clear()
            .envs(env)
            .current_dir(&opt_ml)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}

/// Ends a process and its group: SIGTERM, then SIGKILL after `grace`. Returns how it ended.
///
/// # Errors
/// When the process cannot be waited for.
pub async fn stop(child: &mut Child, grace: Duration) -> io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    signal(child, Signal::SIGTERM);
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return status;
    }
    signal(child, Signal::SIGKILL);
    child.wait().await
}

/// The exit code a container engine would give: the program's own, or 128 plus the signal that ended it.
pub fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

fn signal(child: &Child, signal: Signal) {
    // The group has gone when the process has: nothing to do then.
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = killpg(Pid::from_raw(group), signal);
    }
}

impl Tools {
    fn find() -> Option<Self> {
        Some(Self { setpriv: which("setpriv"), unshare: which("unshare")?, sh: which("sh")? })
    }

    fn enter(&self, isolation: Isolation, opt_ml: &Path) -> Command {
        let mut command = match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(&self.unshare);
                command
            }
            None => Command::new(&self.unshare),
        };
        command.args(isolation.flags()).arg("--").arg(&self.sh).args(["-c", ENTER, "sh"]).arg(opt_ml);
        command
    }
}

async fn works(tools: &Tools, isolation: Isolation) -> bool {
    // The launcher's own proof folder: found below `/opt/ml` only if the mount worked.
    let proof = std::env::temp_dir().join(format!("tidegate-probe-{}", std::process::id()));
    if std::fs::create_dir_all(proof.join("mounted")).is_err() {
        return false;
    }
    let mut command = tools.enter(isolation, &proof);
    command.args([OsStr::new("test"), OsStr::new("-d"), OsStr::new("/opt/ml/mounted")]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let result = tokio::time::timeout(Duration::from_secs(5), command.status()).await;
    let _ = std::fs::remove_dir_all(&proof);
    matches!(result, Ok(Ok(status)) if status.success())
}

fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn clean_env(base_env: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = ["PATH", "HOME", "TMPDIR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok().map(|value| (name.to_owned(), value)))
        .collect();
    env.push(("LANG".to_owned(), std::env::var("LANG").unwrap_or_else(|_| "C.UTF-8".to_owned())));
    for (name, value) in base_env {
        env.retain(|(known, _)| *known != name);
        env.push((name, value));
    }
    env
}

/// Puts `folder` in the place of `/opt/ml` wherever it stands as a path of its own: not within a longer name and not as the
/// tail of another path, such as an S3 URI's.
pub fn rewrite_opt_ml(text: &str, folder: &Path) -> String {
    const PREFIX: &str = "/opt/ml";
    let path_character = |c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let folder = folder.to_string_lossy();
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(PREFIX) {
        rewritten.push_str(before);
        let starts = !rewritten.chars().next_back().is_some_and(path_character);
        let ends = after.chars().next().is_none_or(|c| c == '/' || !path_character(c));
        rewritten.push_str(if starts && ends { &folder } else { PREFIX });
        rest = after;
    }
    rewritten.push_str(rest);
    rewritten
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    struct Job(PathBuf);

    impl Job {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("tidegate-process-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(folder.join("opt-ml")).unwrap();
            Self(folder)
        }

        fn spec(&self, script: &str) -> LaunchSpec {
            LaunchSpec {
                program: "sh".to_owned(),
                args: vec!["-c".to_owned(), script.to_owned(), "/opt/ml/a b".to_owned()],
                env: vec![("GIVEN".to_owned(), "/opt/ml/given".to_owned())],
                opt_ml: self.0.join("opt-ml"),
                log: self.0.join("log"),
            }
        }

        fn log(&self) -> String {
            std::fs::read_to_string(self.0.join("log")).unwrap()
        }
    }

    impl Drop for Job {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    async fn launchers() -> Vec<Launcher> {
        let env = vec![("AWS_REGION".to_owned(), "eu-central-1".to_owned())];
        vec![Launcher::probe(env.clone()).await.unwrap(), Launcher::rewriting(env).unwrap()]
    }

    #[tokio::test]
    async fn a_process_writes_to_its_own_opt_ml_and_log() {
        for launcher in launchers().await {
            let job = Job::new("writes");
            let mut child =
                launcher.spawn(job.spec(r#"echo "$AWS_REGION" > "$0"; echo out; echo err >&2; exit 3"#)).unwrap();
            assert_eq!(exit_code(child.wait().await.unwrap()), 3);
            assert_eq!(std::fs::read_to_string(job.0.join("opt-ml/a b")).unwrap(), "eu-central-1\n");
            assert_eq!(job.log(), "out\nerr\n", "{:?}", launcher.isolation());
        }
    }

    #[tokio::test]
    async fn the_engines_environment_stays_outside() {
        for launcher in launchers().await {
            let job = Job::new("env");
            let mut child = launcher.spawn(job.spec("env")).unwrap();
            child.wait().await.unwrap();
            assert!(!job.log().contains("CARGO"), "{}", job.log());
            assert!(job.log().contains("GIVEN="));
        }
    }

    #[tokio::test]
    async fn stop_lets_a_process_end_by_itself_then_kills() {
        for launcher in launchers().await {
            let job = Job::new("stop");
            let mut gentle =
                launcher.spawn(job.spec("trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done")).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(exit_code(stop(&mut gentle, Duration::from_secs(5)).await.unwrap()), 7);
            assert!(job.log().ends_with("bye\n"), "{}", job.log());

            let mut plain = launcher.spawn(job.spec("sleep 60")).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(exit_code(stop(&mut plain, Duration::from_secs(5)).await.unwrap()), 128 + 15);

            let mut deaf = launcher.spawn(job.spec("trap '' TERM; while :; do sleep 0.05; done")).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(exit_code(stop(&mut deaf, Duration::from_millis(300)).await.unwrap()), 128 + 9);
        }
    }

    #[tokio::test]
    async fn grandchildren_die_with_the_process_where_there_are_namespaces() {
        let launcher = Launcher::probe(Vec::new()).await.unwrap();
        if !matches!(launcher.isolation(), Isolation::Namespaces | Isolation::UserNamespaces) {
            return;
        }
        let job = Job::new("orphans");
        let script = "setsid sh -c 'while :; do echo x >> /opt/ml/ticks; sleep 0.05; done' & sleep 0.3";
        launcher.spawn(job.spec(script)).unwrap().wait().await.unwrap();
        let ticks = || std::fs::metadata(job.0.join("opt-ml/ticks")).unwrap().len();
        let seen = ticks();
        assert!(seen > 0);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(ticks(), seen);
    }

    #[test]
    fn only_whole_paths_are_rewritten() {
        let rewrite = |text| rewrite_opt_ml(text, Path::new("/j"));
        assert_eq!(rewrite("/opt/ml"), "/j");
        assert_eq!(rewrite("--a=/opt/ml/x:/opt/ml/y"), "--a=/j/x:/j/y");
        assert_eq!(rewrite(r#"{"a":"/opt/ml"}"#), r#"{"a":"/j"}"#);
        assert_eq!(rewrite("s3://b/opt/ml/x /opt/mlx /opt/ml-2"), "s3://b/opt/ml/x /opt/mlx /opt/ml-2");
    }
}
