//! Both output streams: results to one, everything else to the other.

use std::io::{IsTerminal as _, Write as _, stderr, stdin, stdout};
use std::process::ExitCode;

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::args::Format;
use crate::error::Error;
use crate::progress::Progress;
use crate::render::Style;

/// The person's terminal, or what stands in its place.
#[derive(Debug)]
pub(crate) struct Terminal {
    format: Format,
    verbose: u8,
    out: Style,
    err: Style,
    width: Option<u16>,
    /// Whether progress can be drawn.
    live: bool,
}

impl Terminal {
    pub(crate) fn new(format: Format, verbose: u8) -> Self {
        let plain = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = !plain("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let (out, err) = (stdout().is_terminal(), stderr().is_terminal());
        let width = if out { comfy_table::Table::new().width() } else { None };
        Self { format, verbose, out: Style::new(colour && out), err: Style::new(colour && err), width, live: err }
    }

    /// Logs to standard error: a server's are always wanted, a command's with -v. `RUST_LOG` wins.
    pub(crate) fn start_log(&self, server: bool) {
        let level = match self.verbose {
            0 if server => "info",
            0 => "error",
            1 => "warn,tidegate=info,handlers=info,local=info",
            _ => "info,tidegate=debug,handlers=debug,local=debug",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
        // Nothing is lost without it.
        let _ = log.with_ansi(false).with_target(false).try_init();
    }

    /// Whether results are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// How results are painted.
    pub(crate) fn style(&self) -> Style {
        self.out
    }

    /// Columns of standard output; `None` when it is no terminal.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// A result for people; a line break is added at its end.
    pub(crate) fn print(&self, text: &str) -> Result<(), Error> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok(())
    }

    /// A result for programs.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Error::failed(format!("the result has no JSON form: {error}")))?;
        self.print(&text)
    }

    /// Either of them.
    pub(crate) fn show<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Error> {
        if self.is_json() { self.json(value) } else { self.print(&text()) }
    }

    /// A line to standard error.
    pub(crate) fn note(&self, line: &str) {
        // There is nobody left to tell if this fails.
        let _ = writeln!(stderr().lock(), "{line}");
    }

    /// A line to standard error that only those want who asked for more.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose > 0 {
            self.note(&self.err.dim(line));
        }
    }

    /// Something that is allowed and may surprise.
    pub(crate) fn warn(&self, line: &str) {
        self.note(&format!("{} {line}", self.err.yellow("warning:")));
    }

    /// Whether there is a person to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.live && stdin().is_terminal()
    }

    /// Asks the person; returns the line that they type, or nothing at its end.
    pub(crate) async fn ask(&self, question: &str) -> Result<String, Error> {
        let mut err = stderr().lock();
        let _ = err.write_all(question.as_bytes());
        let _ = err.flush();
        drop(err);
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A thread of its own, which nobody waits for: the runtime would wait for one of its own at Ctrl-C.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = stdin().read_line(&mut line).map(|_| line);
            let _ = answer.send(read);
        });
        match answered.await {
            Ok(Ok(line)) => Ok(line),
            _ => Err(Error::failed("the answer cannot be read")),
        }
    }

    /// Something that takes a while.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        Progress::start(self.live, self.err, what)
    }

    /// Tells why a command failed.
    pub(crate) fn fail(&self, error: &Error) -> ExitCode {
        for line in &error.lines {
            self.note(&format!("{} {line}", self.err.red("error:")));
        }
        if let Some(hint) = &error.hint {
            self.note(&format!("{} {hint}", self.err.cyan("hint:")));
        }
        ExitCode::from(error.code.number())
    }
}
