//! What every command is given.

use std::path::PathBuf;

use crate::args::Globals;
use crate::error::Error;
use crate::home;
use crate::target::{self, Session};
use crate::terminal::Terminal;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) terminal: Terminal,
    pub(crate) globals: Globals,
}

impl Context {
    pub(crate) fn new(globals: &Globals) -> Self {
        Self { terminal: Terminal::new(globals.output, globals.verbose), globals: globals.clone() }
    }

    /// The cloud that this command is about.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        let session = target::choose(&self.globals, self.existing_home()?).await?;
        self.terminal.detail(&format!("using {}", session.place));
        Ok(session)
    }

    /// The home folder as given, or the nearest one that exists.
    pub(crate) fn existing_home(&self) -> Result<Option<PathBuf>, Error> {
        match &self.globals.home {
            Some(home) if !home.as_os_str().is_empty() => Ok(Some(home.clone())),
            _ => Ok(home::above(&current_folder()?)),
        }
    }

    /// The same, and an error if there is none.
    pub(crate) fn home(&self) -> Result<PathBuf, Error> {
        self.existing_home()?.ok_or_else(|| {
            Error::failed("there is no local cloud here: no `.tidegate` at or above the current folder")
                .hint("start one with `tidegate local up`, or name its folder with --home")
        })
    }
}

/// The current folder.
pub(crate) fn current_folder() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(|error| Error::failed(format!("the current folder cannot be found out: {error}")))
}
