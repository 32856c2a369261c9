//! The local cloud as a whole: the launcher, MiniStack with its mends, the engine's scheduler and inbox.
//!
//! Needs `.venv/cloud` (`make setup`); without it these tests fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::cloud::{Cloud, CloudInfo, Error, Options, State};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A home folder that goes with the test, whatever comes of it.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tidegate-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let home = self.0.clone();
        // A failed test leaves no server behind. Its own thread, because a runtime cannot be entered twice.
        let stop = move || tokio::runtime::Runtime::new().unwrap().block_on(async { Cloud::down(&home, true).await });
        let _ = std::thread::spawn(stop).join();
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free_ports() -> [u16; 2] {
    let held = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn options(home: &Home) -> Options {
    let python = root().join(".venv/cloud/bin/python");
    assert!(python.is_file(), "`{}` is missing; run `make setup`", python.display());
    // `cargo test` builds the examples beside the tests.
    let tests = std::env::current_exe().unwrap();
    let engine = tests.parent().unwrap().parent().unwrap().join("examples/engine");
    assert!(engine.is_file(), "`{}` is missing; run `cargo build -p local --example engine`", engine.display());
    let mut options = Options::new(root()).unwrap();
    let [ministack, own] = free_ports();
    options.home = home.0.clone();
    options.ministack_port = ministack;
    options.engine_port = own;
    options.region = "eu-central-1".into();
    // The example takes its arguments by place; the shell puts `--home H --port P --ministack U` in order.
    options.engine = shell(&format!(r#"exec "{}" "$2" "$4" "$6""#, engine.display()));
    let shortened =
        [("TIDEGATE_SAVE_SECONDS", "1"), ("TIDEGATE_ASYNC_RETRY_SECONDS", "0.5,4"), ("TIDEGATE_ALARM_SECONDS", "0.5")];
    options.env = shortened.map(|(name, value)| (name.into(), value.into())).to_vec();
    options
}

fn shell(script: &str) -> Vec<OsString> {
    ["sh", "-c", script, "engine"].map(OsString::from).to_vec()
}

fn python(info: &CloudInfo, script: &str, part: &str) {
    let run = std::process::Command::new(root().join(".venv/cloud/bin/python"))
        .arg(root().join("local/tests").join(script))
        .arg(part)
        .envs(info.env())
        .env("CHECK_INBOX", format!("{}/inbox", info.engine_url))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let log: String = Cloud::logs(&info.home)
        .iter()
        .map(|log| format!("{}:\n{}\n", log.name, local::cloud::tail(&log.path, 30).unwrap().join("\n")))
        .collect();
    assert!(run.status.success(), "{script} {part}: {out}{err}\n{log}");
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Everything that mentions the home folder on its command line, or runs a program in it.
fn processes(home: &Path) -> Vec<String> {
    let listed = std::process::Command::new("ps").args(["-eo", "pid,stat,args"]).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().filter(|line| line.contains(home.to_str().unwrap())).map(str::to_owned).collect()
}

/// The mends of MiniStack by themselves, without a server.
#[test]
fn the_mends_of_ministack_pass_their_own_tests() {
    let run = std::process::Command::new(root().join(".venv/cloud/bin/python"))
        .args(["-m", "unittest", "discover", "--start-directory"])
        .arg(root().join("local/ministack/tests"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    assert!(!told.contains("Ran 0 tests"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_works_and_survives_stops_and_crashes() {
    let home = Home::new("whole");
    let options = options(&home);
    let info = Cloud::up(&options).await.unwrap();
    assert!(info.started);
    assert_eq!(info.region, "eu-central-1");
    let again = Cloud::up(&options).await.unwrap();
    assert_eq!(again, CloudInfo { started: false, ..info.clone() });
    assert!(Cloud::status(&home.0).await.unwrap().is_up());

    let mut moved = options.clone();
    moved.engine_port = free_ports()[0];
    let message = Cloud::up(&moved).await.unwrap_err().to_string();
    assert!(message.contains("already runs on ports"), "{message}");
    let other = Home::new("other");
    let elsewhere = Options { home: other.0.clone(), ..options.clone() };
    match Cloud::up(&elsewhere).await.unwrap_err() {
        Error::PortInUse { port, pid, .. } => {
            assert_eq!((port, pid), (options.ministack_port, Some(info.ministack_pid)));
        }
        error => panic!("{error}"),
    }

    python(&info, "cloud_check.py", "make");
    python(&info, "scheduler_check.py", "make");
    python(&info, "stack_check.py", "make");
    python(&info, "studio_check.py", "make");
    assert_eq!(local::inbox::read(&home.0).unwrap().len(), 1);

    // An orderly stop while something is due.
    python(&info, "scheduler_check.py", "before");
    assert!(Cloud::down(&home.0, false).await.unwrap());
    assert!(!Cloud::down(&home.0, false).await.unwrap());
    assert!(is_free(options.ministack_port) && is_free(options.engine_port));
    assert_eq!(processes(&home.0), [""; 0]);
    assert_eq!(Cloud::status(&home.0).await.unwrap().engine.state, State::Stopped);
    tokio::time::sleep(Duration::from_secs(8)).await;
    let info = Cloud::up(&options).await.unwrap();
    python(&info, "cloud_check.py", "again");
    python(&info, "scheduler_check.py", "after");

    // A crash: what was saved a moment ago is there again, an accepted event is not forgotten, and functions have ended
    // with their server.
    tokio::time::sleep(Duration::from_secs(3)).await;
    python(&info, "cloud_check.py", "pending");
    let pid = nix::unistd::Pid::from_raw(info.ministack_pid);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = Cloud::status(&home.0).await.unwrap();
    assert_eq!((status.ministack.state, status.engine.state), (State::Ended, State::Running));
    let left: Vec<String> =
        processes(&home.0).into_iter().filter(|line| line.contains("bootstrap") && !line.contains("defunct")).collect();
    assert_eq!(left, [""; 0]);
    let info = Cloud::up(&options).await.unwrap();
    assert!(info.started);
    python(&info, "cloud_check.py", "resumed");
    python(&info, "cloud_check.py", "again");

    assert!(Cloud::down(&home.0, true).await.unwrap());
    assert!(!home.0.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_or_is_given_up_leaves_nothing() {
    let home = Home::new("failing");
    let mut options = options(&home);
    options.engine = shell("echo the engine is broken >&2; exit 3");
    let error = Cloud::up(&options).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Ended { .. }), "{message}");
    assert!(message.contains("exit status: 3") && message.ends_with("the engine is broken"), "{message}");
    let nothing_runs = || {
        assert!(is_free(options.ministack_port) && is_free(options.engine_port));
        assert_eq!(processes(&home.0), [""; 0]);
        assert!(!home.0.join("local.json").exists());
    };
    nothing_runs();

    let mut silent = options.clone();
    silent.engine = shell("exec sleep 60");
    silent.within = Duration::from_secs(3);
    let message = Cloud::up(&silent).await.unwrap_err().to_string();
    assert!(message.starts_with("the engine did not answer within 3 s"), "{message}");
    nothing_runs();

    // Ctrl-C: the caller drops the future.
    silent.within = Duration::from_secs(60);
    assert!(tokio::time::timeout(Duration::from_secs(2), Cloud::up(&silent)).await.is_err());
    nothing_runs();
}

#[tokio::test]
async fn missing_prerequisites_are_named() {
    let home = Home::new("missing");
    let mut options = options(&home);
    let bare = Home::new("bare");
    options.root = bare.0.clone();
    std::fs::create_dir_all(bare.0.join("local/ministack")).unwrap();
    assert!(matches!(Cloud::up(&options).await, Err(Error::NoRoot { .. })));
    std::fs::write(bare.0.join("local/ministack/wrapper.py"), "").unwrap();
    let message = Cloud::up(&options).await.unwrap_err().to_string();
    assert!(message.ends_with(".venv/cloud/bin/python` is missing; run `make setup`"), "{message}");
}
