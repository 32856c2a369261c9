use std::path::PathBuf;

/// Why the local cloud could not be started, stopped or looked at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No checkout was found.
    #[error(
        "no Tidegate checkout found at or above `{}`; go there, or set TIDEGATE_ROOT to it", start.display()
    )]
    NoRoot {
        /// Where the search began.
        start: PathBuf,
    },
    /// The Python environment is missing.
    #[error("`{}` is missing; run `make setup`", python.display())]
    NotSetUp {
        /// The interpreter that was looked for.
        python: PathBuf,
    },
    /// The disk is nearly full.
    #[error("`{}` has {free_mib} MiB of free disk space; the local cloud needs {needed_mib}", home.display())]
    DiskSpace {
        /// The home folder.
        home: PathBuf,
        /// What is free, MiB.
        free_mib: u64,
        /// What is needed, MiB.
        needed_mib: u64,
    },
    /// Another program listens on a port.
    #[error("port {port} of {part} is in use{}; stop that program or choose another port", owner(.pid))]
    PortInUse {
        /// The port.
        port: u16,
        /// Whose port it should be.
        part: &'static str,
        /// The process that has it, if it can be seen.
        pid: Option<i32>,
    },
    /// Another launcher holds the lock.
    #[error("another `tidegate local up` or `down` is at work on `{}`; wait for it", home.display())]
    Locked {
        /// The home folder.
        home: PathBuf,
    },
    /// The cloud runs already, elsewhere than asked.
    #[error(
        "the local cloud of `{}` already runs on ports {ministack} and {engine}; run `tidegate local down` first", home.display()
    )]
    OtherPorts {
        /// The home folder.
        home: PathBuf,
        /// The running MiniStack's port.
        ministack: u16,
        /// The running engine's port.
        engine: u16,
    },
    /// A server ended while it was starting.
    #[error("{part} ended at its start ({status}); the end of `{}`:\n{tail}", log.display())]
    Ended {
        /// Which server.
        part: &'static str,
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server did not answer in time.
    #[error("{part} did not answer within {seconds} s; the end of `{}`:\n{tail}", log.display())]
    NotUp {
        /// Which server.
        part: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A process does not end.
    #[error("process {pid} of {part} does not end, even after SIGKILL")]
    Unkillable {
        /// Which server.
        part: &'static str,
        /// Its process.
        pid: i32,
    },
    /// `local.json` is not what the launcher writes.
    #[error("`{}` cannot be understood ({source}); stop what still runs by hand and remove the file", file.display())]
    Record {
        /// The file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file system or the system refused.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

fn owner(pid: &Option<i32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" by process {pid}"))
}
