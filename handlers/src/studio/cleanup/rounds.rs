//! The loop: look, decide, act, and look again, until nothing is left or the time is up.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use super::trouble::Trouble;

/// How many rounds in a row may hold a refusal. What has just gone is refused too, and a policy takes some seconds to hold.
const REFUSALS: u32 = 6;

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step<A> {
    /// These, in order; then it is looked again. What it is for completes "not done yet: …".
    Act(String, Vec<A>),
    /// Nothing, until something is over that goes on by itself.
    Wait(String),
    /// Nothing is left.
    Done,
    /// It does not come to an end by itself, for this reason.
    Stuck(String),
}

/// Something to be cleared away.
pub(super) trait Work {
    type Action;

    /// What to do, decided from what is there now.
    async fn look(&mut self) -> Result<Step<Self::Action>, Trouble>;

    /// Does a part of it.
    async fn act(&mut self, action: Self::Action) -> Result<(), Trouble>;
}

/// How fast, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Between two rounds.
    pub(crate) pause: Duration,
    /// When CloudFormation is to be answered.
    pub(crate) end: Instant,
}

/// What is told when the time is up.
#[derive(Debug, Default)]
struct Progress {
    what: String,
    problem: Option<String>,
    refusals: u32,
}

/// Goes round until it is done. The error is what CloudFormation is told: what still goes on, and what to do.
pub(super) async fn go(work: &mut impl Work, pace: Pace) -> Result<(), String> {
    let mut progress = Progress { what: "it has only begun".to_owned(), ..Progress::default() };
    match timeout_at(pace.end, rounds(work, pace.pause, &mut progress)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(progress.unfinished()),
    }
}

async fn rounds(work: &mut impl Work, pause: Duration, progress: &mut Progress) -> Result<(), String> {
    loop {
        let (mut hindered, mut refused) = (None, None);
        let mut met = |trouble: Trouble| match trouble {
            // What was looked at, or was to be deleted, went away meanwhile.
            Trouble::Gone => {}
            Trouble::Later(why) => hindered = Some(why),
            Trouble::Refused(why) => refused = Some(why),
        };
        match work.look().await {
            Ok(Step::Done) => return Ok(()),
            Ok(Step::Stuck(why)) => return Err(format!("{why}; then {AGAIN}")),
            Ok(Step::Wait(what)) => progress.goes_on(what),
            Ok(Step::Act(what, actions)) => {
                progress.goes_on(what);
                for action in actions {
                    work.act(action).await.unwrap_or_else(&mut met);
                }
            }
            Err(trouble) => met(trouble),
        }
        progress.refusals = if refused.is_some() { progress.refusals + 1 } else { 0 };
        if let Some(why) = refused.as_ref().filter(|_| progress.refusals >= REFUSALS) {
            return Err(format!("{why}; when that is mended, {AGAIN}"));
        }
        // Until the next round is over, this is the last that is known.
        progress.problem = refused.or(hindered);
        if let Some(why) = &progress.problem {
            warn!(why, "the clean-up is hindered");
        }
        sleep(pause).await;
    }
}

const AGAIN: &str = "delete the stack again: the clean-up goes on from what is left";

impl Progress {
    fn goes_on(&mut self, what: String) {
        if what != self.what {
            info!(what, "the clean-up goes on");
        }
        self.what = what;
    }

    fn unfinished(&self) -> String {
        let problem = self.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
        format!("not done yet, and the function's time is up: {}{problem}; {AGAIN}", self.what)
    }
}

/// A few names for a sentence; the rest are counted.
pub(super) fn some(names: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 3;
    let all: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
}
