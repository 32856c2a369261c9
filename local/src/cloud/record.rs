use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::Error;

/// What runs, as `home/local.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// A token in the environment of everything that belongs to this start.
    pub(super) run: String,
    pub(super) region: String,
    pub(super) ministack: Server,
    pub(super) engine: Server,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) pid: i32,
    /// The process's start time in the system's own terms.
    pub(super) started: String,
}

fn path(home: &Path) -> PathBuf {
    home.join("local.json")
}

pub(super) fn read(home: &Path) -> Result<Option<Record>, Error> {
    let file = path(home);
    match std::fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| Error::Record { file, source }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { what: format!("read `{}`", file.display()), source }),
    }
}

pub(super) fn write(home: &Path, record: &Record) -> Result<(), Error> {
    let file = path(home);
    let refused = || Error::io(format!("write `{}`", file.display()));
    let temporary = file.with_extension("json.tmp");
    let text = serde_json::to_vec_pretty(record).map_err(|error| refused()(error.into()))?;
    std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &file)).map_err(refused())
}

pub(super) fn remove(home: &Path) -> Result<(), Error> {
    let file = path(home);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::Io { what: format!("remove `{}`", file.display()), source: error })
        }
        _ => Ok(()),
    }
}

/// Held by the one launcher that may change what runs. It goes with the process.
pub(super) fn lock(home: &Path) -> Result<Flock<File>, Error> {
    let file = home.join("lock");
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&file)
        .map_err(Error::io(format!("open `{}`", file.display())))?;
    Flock::lock(opened, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => Error::Locked { home: home.to_owned() },
        errno => Error::Io { what: format!("lock `{}`", file.display()), source: errno.into() },
    })
}
