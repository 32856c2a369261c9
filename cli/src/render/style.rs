use owo_colors::OwoColorize as _;
use statemachine::run::Phase;

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    pub(crate) fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    pub(crate) fn is_coloured(self) -> bool {
        self.coloured
    }

    pub(crate) fn bold(self, text: &str) -> String {
        if self.coloured { text.bold().to_string() } else { text.to_owned() }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        if self.coloured { text.dimmed().to_string() } else { text.to_owned() }
    }

    pub(crate) fn red(self, text: &str) -> String {
        if self.coloured { text.red().to_string() } else { text.to_owned() }
    }

    pub(crate) fn green(self, text: &str) -> String {
        if self.coloured { text.green().to_string() } else { text.to_owned() }
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        if self.coloured { text.yellow().to_string() } else { text.to_owned() }
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        if self.coloured { text.cyan().to_string() } else { text.to_owned() }
    }

    /// A phase in the colour of how good it is.
    pub(crate) fn phase(self, phase: Phase) -> String {
        match tone(phase) {
            Tone::Good => self.green(phase.words()),
            Tone::Bad => self.red(phase.words()),
            Tone::Look => self.yellow(phase.words()),
            Tone::Busy => self.cyan(phase.words()),
            Tone::Past => self.dim(phase.words()),
        }
    }
}

/// How good a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    /// Someone should look.
    Look,
    Busy,
    Past,
}

pub(crate) fn tone(phase: Phase) -> Tone {
    match phase {
        Phase::Live | Phase::Succeeded => Tone::Good,
        Phase::Failed => Tone::Bad,
        Phase::Rejected | Phase::RolledBack | Phase::AwaitingApproval | Phase::Missed => Tone::Look,
        Phase::Batching
        | Phase::Queued
        | Phase::Starting
        | Phase::Running
        | Phase::Evaluating
        | Phase::AwaitingTurn
        | Phase::Deploying => Tone::Busy,
        Phase::Stopped | Phase::Superseded | Phase::Skipped => Tone::Past,
    }
}
