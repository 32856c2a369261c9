//! Processes: start as a daemon, know again, end.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// The variable that marks everything a start of the cloud has brought into being.
pub(super) const RUN: &str = "TIDEGATE_CLOUD_RUN";

const STEP: Duration = Duration::from_millis(50);

/// Starts a command in a session of its own (in a process group of its own where there is no `setsid` program), with its
/// output appended to `log`.
pub(super) fn spawn(
    command: &[OsString],
    folder: &Path,
    env: &[(String, String)],
    log: &Path,
) -> std::io::Result<Child> {
    let output = File::options().create(true).append(true).open(log)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(std::io::Error::other("the command is empty"));
    };
    // `setsid` replaces itself by the program, under the same process id, because it does not lead a group.
    let mut starter = if on_path("setsid") {
        let mut starter = Command::new("setsid");
        starter.arg(program);
        starter
    } else {
        let mut starter = Command::new(program);
        starter.process_group(0);
        starter
    };
    starter
        .args(arguments)
        .current_dir(folder)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The start time of a process in the system's own terms; `None` when there is no such process or it has ended and only
/// waits to be collected.
pub(super) fn started(pid: i32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name may hold anything, in parentheses; proc(5) counts from the state, which is field 3.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        return if matches!(state, "Z" | "X") { None } else { fields.nth(18).map(str::to_owned) };
    }
    let output =
        std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, time) = text.trim().split_once(char::is_whitespace)?;
    if state.starts_with('Z') { None } else { Some(time.trim().to_owned()) }
}

/// Whether the recorded process still runs, and is not another one under its id.
pub(super) fn runs(pid: i32, start: &str) -> bool {
    pid > 1 && started(pid).as_deref() == Some(start)
}

/// Sends a signal to the recorded process, to no other.
pub(super) fn signal(pid: i32, start: &str, signal: Signal) {
    if runs(pid, start)
        && let Err(errno) = kill(Pid::from_raw(pid), signal)
        && errno != Errno::ESRCH
    {
        tracing::warn!(pid, %signal, %errno, "cannot signal");
    }
}

/// Waits until the process is gone; `false` when it is still there after `within`.
pub(super) async fn gone(pid: i32, start: &str, within: Duration) -> bool {
    let end = Instant::now() + within;
    while runs(pid, start) {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(STEP).await;
    }
    true
}

/// The same for where nothing can be awaited.
pub(super) fn gone_blocking(pid: i32, start: &str, within: Duration) -> bool {
    let end = Instant::now() + within;
    while runs(pid, start) {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(STEP);
    }
    true
}

/// Kills what carries the run's token: steps and functions whose server ended without ending them. Linux shows the
/// environment of one's own processes; elsewhere the servers' own order of ending has to do.
pub(super) fn sweep(run: &str) -> usize {
    let wanted = format!("{RUN}={run}");
    let mut ended = 0;
    for pid in pids() {
        if pid == i32::try_from(std::process::id()).unwrap_or_default() {
            continue;
        }
        let Some(start) = started(pid) else { continue };
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()) {
            signal(pid, &start, Signal::SIGKILL);
            ended += 1;
        }
    }
    ended
}

fn pids() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The process that listens on a TCP port of loopback or of all addresses, if it is one whose files may be seen.
pub(super) fn listener(port: u16) -> Option<i32> {
    let mut inodes = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(state), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9)) else {
                continue;
            };
            // 0A is LISTEN; the address is `hex:hex port`.
            if *state == "0A" && local.rsplit_once(':').is_some_and(|(_, hex)| hex == format!("{port:04X}")) {
                inodes.push(format!("socket:[{inode}]"));
            }
        }
    }
    pids().into_iter().find(|pid| {
        let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        files.flatten().any(|file| {
            std::fs::read_link(file.path())
                .is_ok_and(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let me = i32::try_from(std::process::id()).unwrap();
        let start = started(me).unwrap();
        assert!(runs(me, &start));
        assert!(!runs(me, "another start"));
        assert!(!runs(1, &started(1).unwrap_or_default()), "process 1 is never ours");
    }

    #[test]
    fn the_listener_of_a_port_is_found() {
        let listener_here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener_here.local_addr().unwrap().port();
        assert_eq!(listener(port), i32::try_from(std::process::id()).ok());
        drop(listener_here);
        assert_eq!(listener(port), None);
    }

    #[test]
    fn the_sweep_ends_what_carries_the_token() {
        let run = uuid::Uuid::new_v4().to_string();
        let mut mine = std::process::Command::new("sleep").arg("60").env(RUN, &run).spawn().unwrap();
        let mut other = std::process::Command::new("sleep").arg("60").env(RUN, "other").spawn().unwrap();
        // The environment is there once the program has replaced the fork.
        let end = Instant::now() + Duration::from_secs(5);
        while sweep(&run) == 0 && Instant::now() < end {
            std::thread::sleep(STEP);
        }
        assert!(!mine.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
