//! What is being done, on standard error: a spinner on a terminal, plain lines elsewhere.

use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::render::Style;

const TICK: Duration = Duration::from_millis(100);

/// Something under way. Dropped, it leaves no trace on a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    style: Style,
    began: Instant,
}

impl Progress {
    pub(crate) fn start(live: bool, style: Style, what: &str) -> Self {
        let bar = live.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(template) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(template);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        let progress = Self { bar, style, began: Instant::now() };
        progress.say(what);
        progress
    }

    /// What is being done now.
    pub(crate) fn say(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => write(what),
        }
    }

    /// A line that stays.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| write(line)),
            None => write(line),
        }
    }

    /// It is done; how long it took is told.
    pub(crate) fn done(self, what: &str) {
        let took = self.began.elapsed();
        let line =
            format!("{} {what} {}", self.style.green("✓"), self.style.dim(&format!("({:.1} s)", took.as_secs_f64())));
        self.line(&line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn write(line: &str) {
    // There is nobody left to tell if this fails.
    let _ = writeln!(stderr().lock(), "{line}");
}
