//! The next step before the domain goes. Pure.
//!
//! Applications go first: what they hold in memory is written, and nothing writes while the backup is made. The backup is
//! complete before anything is marked to go with the stack, so that nothing goes without it, whoever skips this resource.

use crate::studio::cleanup::rounds::{Step, some};

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It can be deleted.
    Ready,
    /// It changes by itself: it is being made, updated or deleted.
    Changing,
}

/// Whose an application is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::studio::cleanup) enum Owner {
    Profile(String),
    Space(String),
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::studio::cleanup) struct App {
    pub(in crate::studio::cleanup) owner: Owner,
    pub(in crate::studio::cleanup) kind: String,
    pub(in crate::studio::cleanup) name: String,
}

/// The final backup of the home folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// Nobody wants one, or there is nothing to copy.
    Unwanted,
    /// There is none that counts; with the job that was started last, if any was.
    Missing(Option<String>),
    /// A job makes it; with its progress in per cent, if that is told.
    Going(String, String),
    Complete,
    /// The job that this request started came to nothing.
    Broken(String, String),
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) apps: Vec<(App, Life)>,
    pub(super) saved: Saved,
    /// The file system and the groups that are to go, and do not say so yet.
    pub(super) unmarked: Vec<Markable>,
    pub(super) spaces: Vec<(String, Life)>,
    /// Without those of CloudFormation.
    pub(super) profiles: Vec<(String, Life)>,
}

/// What can be marked to go with the stack, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::studio::cleanup) enum Markable {
    FileSystem(String),
    Group(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::studio::cleanup) enum Action {
    DeleteApp(App),
    /// With the job that was started before, if any was.
    Backup(Option<String>),
    Mark(Markable),
    DeleteSpace(String),
    DeleteProfile(String),
}

/// Decides.
pub(super) fn next(seen: &Seen) -> Step<Action> {
    if let Some(step) = clear("applications are", &seen.apps, App::to_string, Action::DeleteApp) {
        return step;
    }
    match &seen.saved {
        Saved::Unwanted | Saved::Complete => {}
        Saved::Missing(previous) => {
            let what = "the final backup of the home folders is being started".to_owned();
            return Step::Act(what, vec![Action::Backup(previous.clone())]);
        }
        Saved::Going(job, done) => {
            let done = if done.is_empty() { String::new() } else { format!(", {done} % done") };
            return Step::Wait(format!("the final backup of the home folders is being made (job `{job}`{done})"));
        }
        Saved::Broken(job, why) => {
            return Step::Stuck(format!(
                "the final backup of the home folders came to nothing, so they stay (job `{job}`: {why}): mend what it says"
            ));
        }
    }
    if !seen.unmarked.is_empty() {
        let what = "the home folders are being marked to go with the stack".to_owned();
        return Step::Act(what, seen.unmarked.iter().cloned().map(Action::Mark).collect());
    }
    clear("spaces are", &seen.spaces, String::clone, Action::DeleteSpace)
        .or_else(|| clear("user profiles are", &seen.profiles, String::clone, Action::DeleteProfile))
        .unwrap_or(Step::Done)
}

/// Deletes what can be deleted, and waits for the rest. `None`: nothing is left.
fn clear<T: Clone>(
    whats: &str,
    things: &[(T, Life)],
    name: impl Fn(&T) -> String,
    delete: impl Fn(T) -> Action,
) -> Option<Step<Action>> {
    if things.is_empty() {
        return None;
    }
    let what = format!("{whats} still there: {}", some(things.iter().map(|(thing, _)| name(thing))));
    let ready: Vec<Action> =
        things.iter().filter(|(_, life)| *life == Life::Ready).map(|(thing, _)| delete(thing.clone())).collect();
    Some(if ready.is_empty() { Step::Wait(what) } else { Step::Act(what, ready) })
}

impl std::fmt::Display for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Owner::Profile(owner) | Owner::Space(owner)) = &self.owner;
        write!(f, "{owner}/{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> App {
        App { owner: Owner::Profile("ann".into()), kind: "JupyterLab".into(), name: name.into() }
    }

    fn everything() -> Seen {
        Seen {
            apps: vec![(app("a"), Life::Ready), (app("b"), Life::Changing)],
            saved: Saved::Missing(None),
            unmarked: vec![Markable::FileSystem("fs-1".into()), Markable::Group("sg-1".into())],
            spaces: vec![("s".into(), Life::Ready)],
            profiles: vec![("p".into(), Life::Changing)],
        }
    }

    fn acts(step: Step<Action>) -> Vec<Action> {
        match step {
            Step::Act(_, actions) => actions,
            _ => Vec::new(),
        }
    }

    #[test]
    fn d7_applications_go_before_the_backup_and_everything_else_after_it() {
        let mut seen = everything();
        assert_eq!(acts(next(&seen)), [Action::DeleteApp(app("a"))]);
        seen.apps.remove(0);
        let said = "applications are still there: `ann/JupyterLab/b`";
        assert_eq!(next(&seen), Step::Wait(said.to_owned()));
        seen.apps.clear();
        assert_eq!(acts(next(&seen)), [Action::Backup(None)]);
        seen.saved = Saved::Missing(Some("job-1".into()));
        assert_eq!(acts(next(&seen)), [Action::Backup(Some("job-1".into()))]);
        seen.saved = Saved::Going("job-2".into(), "12.5".into());
        let said = "the final backup of the home folders is being made (job `job-2`, 12.5 % done)";
        assert_eq!(next(&seen), Step::Wait(said.to_owned()));
        seen.saved = Saved::Complete;
        assert_eq!(acts(next(&seen)).len(), 2);
        seen.unmarked.clear();
        assert_eq!(acts(next(&seen)), [Action::DeleteSpace("s".into())]);
        seen.spaces.clear();
        assert_eq!(next(&seen), Step::Wait("user profiles are still there: `p`".to_owned()));
        seen.profiles.clear();
        assert_eq!(next(&seen), Step::Done);
    }

    #[test]
    fn d7_a_backup_that_came_to_nothing_stops_everything_after_it() {
        let mut seen = everything();
        seen.apps.clear();
        seen.saved = Saved::Broken("job-1".into(), "FAILED: the role may not".into());
        let Step::Stuck(why) = next(&seen) else { panic!("it goes on") };
        assert!(why.contains("job `job-1`: FAILED: the role may not"), "{why}");
    }

    #[test]
    fn d7_many_are_counted_and_some_named() {
        let mut seen = everything();
        seen.apps = (0..10).map(|number| (app(&number.to_string()), Life::Changing)).collect();
        let Step::Wait(what) = next(&seen) else { panic!("it does not wait") };
        assert!(what.ends_with("`ann/JupyterLab/2` and 7 more"), "{what}");
    }
}
