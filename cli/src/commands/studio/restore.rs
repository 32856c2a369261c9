//! `tidegate studio restore`

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::render;
use crate::studio::backup;
use crate::studio::manifest::store::{self, Place};
use crate::studio::manifest::{Backup, Name};
use crate::studio::restore::apply::Failure;
use crate::studio::restore::{Action, Plan, Wishes, apply, plan, script};

/// From which manifest, into which domain.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
          tidegate studio restore --manifest s3://backups/studio/team1-d-old-20261121T170000Z.json --domain team1 --dry-run\n  \
          tidegate studio restore --manifest team1.json --domain d-new --script copy-homes.sh \\\n    \
          --map sg-0old=sg-0new --map arn:aws:iam::111122223333:role/old=arn:aws:iam::111122223333:role/new\n\n\
          What is there and equal is taken as it is; run it again after a failure. Exit code 0 when everything of the manifest \
          is there, 1 when something is missing, 2 when the manifest or the command line is wrong. docs/RECOVERY.md has the whole \
          way, step by step.")]
pub(crate) struct Arguments {
    /// A manifest of `tidegate studio backup`
    #[arg(long, short, value_name = "FILE|s3://BUCKET/KEY", value_parser = Place::read)]
    manifest: Place,
    /// The new domain, by its name or its id; it exists already
    #[arg(long, short, value_name = "NAME|ID")]
    domain: String,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Make what is there and differs as the manifest has it; without it, it is left as it is
    #[arg(long)]
    update: bool,
    /// Another value for one of the manifest's settings or tags: a security group, ARN, key, file system, S3 path; with
    /// nothing after `=` it is left out
    #[arg(long, value_name = "OLD=NEW", value_parser = replacement)]
    map: Vec<(String, Option<String>)>,
    /// The user in Identity Center whose profile this is, in a domain with SSO
    #[arg(long, value_name = "PROFILE=USER", value_parser = sso_user)]
    sso_user: Vec<(String, String)>,
    /// Write the script that copies the home folders
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

fn replacement(text: &str) -> Result<(String, Option<String>), String> {
    // Values may hold a `=`, and AWS's ids and ARNs before it do not.
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() => Ok((old.to_owned(), (!new.is_empty()).then(|| new.to_owned()))),
        _ => Err("give OLD=NEW, or OLD= to leave it out".to_owned()),
    }
}

fn sso_user(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((profile, user)) if !user.is_empty() => {
            let name = Name::new(profile).ok_or_else(|| format!("a profile's name is {}", Name::ACCEPTED))?;
            Ok((name.folded(), user.to_owned()))
        }
        _ => Err("give PROFILE=USER".to_owned()),
    }
}

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Restored<'a> {
    domain: &'a str,
    dry_run: bool,
    #[serde(flatten)]
    plan: &'a Plan,
    /// What failed, or is not as the manifest has it after all.
    failures: &'a [Failure],
    script: Option<String>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    if let Some(path) = &arguments.script {
        script::check(path)?;
    }
    let wishes = Wishes {
        update: arguments.update,
        replacements: arguments.map.iter().cloned().collect(),
        sso_users: arguments.sso_user.iter().cloned().collect(),
    };
    let session = context.session().await?;
    let (terminal, client) = (&context.terminal, session.aws.sagemaker());
    let progress = terminal.progress(&format!("reading {}", arguments.manifest));
    let say = |what: &str| progress.say(what);
    let manifest = store::read(session.aws.s3(), &arguments.manifest).await?;
    unused(&manifest, &wishes)?;
    let id = backup::find(client, &arguments.domain).await?;
    let mut there = apply::look(client, &id, Timestamp::now(), say).await?;
    let todo = plan(&manifest, &there, &wishes);
    let (mut failures, mut notes) = (Vec::new(), todo.warnings.clone());
    if !arguments.dry_run {
        failures = apply::apply(client, &todo, (&manifest, &there), apply::Pace::default(), say).await?;
        there = apply::look(client, &id, Timestamp::now(), say).await?;
        let more = remaining(&todo, &plan(&manifest, &there, &wishes), &failures);
        failures.extend(more);
    }
    let (homes, without) = script::homes(&manifest, &there, &todo);
    let mut written = None;
    if arguments.dry_run && arguments.script.is_some() {
        notes.push("no script is written: with --dry-run nothing is".to_owned());
    } else if let Some(path) = &arguments.script {
        notes.extend(without);
        match script::text(&manifest, &there, &homes) {
            Some(text) => {
                script::write(path, &text)?;
                written = Some(path.display().to_string());
            }
            None => notes.push("no script is written: there are no home folders to copy".to_owned()),
        }
    }
    let verb = if arguments.dry_run { "compared with" } else { "restored into" };
    let is_done = failures.is_empty() && (arguments.dry_run || todo.stops().count() == 0);
    let line = format!("{} {verb} {} ({id})", arguments.manifest, there.taken.backup.domain.name);
    if is_done {
        progress.done(&line)
    } else {
        drop(progress)
    }
    for note in &notes {
        terminal.warn(note);
    }
    let restored =
        Restored { domain: &id, dry_run: arguments.dry_run, plan: &todo, failures: &failures, script: written };
    terminal.show(&restored, || {
        let text = render::restore::text(&todo, &failures, arguments.dry_run, terminal.style(), terminal.width());
        let next = match &restored.script {
            Some(script) => format!("\n\ncopy the home folders of {} with: {script}", homes.len()),
            None if !arguments.dry_run && !homes.is_empty() => {
                format!("\n\n{} home folders are not copied: --script FILE writes a script for them", homes.len())
            }
            None => String::new(),
        };
        format!("{text}{next}")
    })?;
    end(&todo, &failures, arguments.dry_run)
}

/// Options that name nothing of the manifest are mistakes.
fn unused(manifest: &Backup, wishes: &Wishes) -> Result<(), Error> {
    for name in wishes.sso_users.keys() {
        if !manifest.profiles.iter().any(|profile| profile.name.folded() == *name) {
            return Err(Error::usage(format!("--sso-user names the profile `{name}`, which the manifest has not")));
        }
    }
    let text = serde_json::to_value((&manifest.profiles, &manifest.spaces)).unwrap_or_default();
    let mut texts = std::collections::BTreeSet::new();
    collect(&text, &mut texts);
    for old in wishes.replacements.keys() {
        if !texts.contains(old.as_str()) {
            return Err(Error::usage(format!(
                "--map names `{old}`, which is no value of the manifest's profiles or spaces"
            )));
        }
    }
    Ok(())
}

fn collect<'a>(value: &'a serde_json::Value, texts: &mut std::collections::BTreeSet<&'a str>) {
    match value {
        serde_json::Value::String(text) => drop(texts.insert(text)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        serde_json::Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// What SageMaker shows otherwise than it was told, after everything was made.
fn remaining(todo: &Plan, after: &Plan, failures: &[Failure]) -> Vec<Failure> {
    let mut more = Vec::new();
    for item in todo.steps() {
        if failures.iter().any(|failure| (failure.kind, &failure.name) == (item.kind, &item.name)) {
            continue;
        }
        let now = after.items.iter().find(|other| (other.kind, &other.name) == (item.kind, &item.name));
        let what = format!("{} `{}`", item.kind.words(), item.name);
        let why = match now.map(|now| &now.action) {
            Some(Action::Adopt) => continue,
            Some(Action::Make { .. }) | None => format!("{what} is not there"),
            Some(Action::Stop { why }) => format!("{what}: {why}"),
            Some(Action::Update { .. } | Action::Leave) => {
                // SageMaker may add what it takes for granted.
                let differences = now.into_iter().flat_map(|now| &now.differences);
                let lacking = differences.filter(|difference| difference.wanted.is_some());
                let keys: Vec<&str> = lacking.map(|difference| difference.at.as_str()).collect();
                if keys.is_empty() {
                    continue;
                }
                format!("{what} still differs in {}", keys.join(", "))
            }
        };
        more.push(Failure { kind: item.kind, name: item.name.clone(), why });
    }
    more
}

fn end(todo: &Plan, failures: &[Failure], dry_run: bool) -> Result<(), Error> {
    let mut lines: Vec<String> = failures.iter().map(|failure| failure.why.clone()).collect();
    match todo.stops().count() {
        stops if stops == 0 || dry_run => {}
        1 => lines.push("one of the manifest is not restored: the table says why".to_owned()),
        stops => lines.push(format!("{stops} of the manifest are not restored: the table says why")),
    }
    match lines.is_empty() {
        true => Ok(()),
        false => {
            Err(Error { lines, ..Error::failed("") }.hint("mend the cause and run it again: what is done stays done"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e4_a_replacement_is_old_and_new_or_old_and_nothing() {
        assert_eq!(replacement("sg-1=sg-2"), Ok(("sg-1".into(), Some("sg-2".into()))));
        assert_eq!(replacement("sg-1="), Ok(("sg-1".into(), None)));
        assert!(replacement("=sg-2").is_err() && replacement("sg-1").is_err());
        assert_eq!(sso_user("Ann-B=ann@example.com"), Ok(("ann-b".into(), "ann@example.com".into())));
        assert!(sso_user("a b=c").is_err() && sso_user("a=").is_err());
    }
}
