//! The script that copies home folders. This program cannot reach them: they lie within a VPC, and are other people's.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use statemachine::text::one_line;

use super::apply::uid;
use super::{Action, Plan, There};
use crate::error::Error;
use crate::studio::backup::Kind;
use crate::studio::manifest::{Backup, FileSystem, Uid};

/// Shell, with a few places to fill.
const TEMPLATE: &str = include_str!("homes.sh");

/// A line of the template by which a script is known as one of these.
const MARK: &str = "# tidegate studio restore: copies home folders";

/// A folder, and whose it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) old: Uid,
    pub(crate) new: Uid,
}

/// The folders that have both ids, and a line for each that has not. `there` is the new domain after everything was made.
pub(crate) fn homes(manifest: &Backup, there: &There, plan: &Plan) -> (Vec<Home>, Vec<String>) {
    let (mut homes, mut without) = (Vec::new(), Vec::new());
    for item in plan.items.iter().filter(|item| !matches!(item.action, Action::Stop { .. })) {
        let old = uid(manifest, item.kind, &item.name);
        match (old, uid(&there.taken.backup, item.kind, &item.name)) {
            // A space may have its owner's.
            (Some(old), Some(new)) if homes.iter().any(|home: &Home| (home.old, home.new) == (old, new)) => {}
            (Some(old), Some(new)) => homes.push(Home { kind: item.kind, name: item.name.clone(), old, new }),
            (Some(_), None) => without.push(format!(
                "{} `{}` has no user id in the new domain yet: the script leaves its home folder out",
                item.kind.words(),
                item.name
            )),
            (None, _) => {}
        }
    }
    (homes, without)
}

/// The script. `None` if there is a domain without a file system, or nothing to copy.
pub(crate) fn text(manifest: &Backup, there: &There, homes: &[Home]) -> Option<String> {
    let (old, new) = (&manifest.domain, &there.taken.backup.domain);
    let (from, to): (&FileSystem, &FileSystem) = (old.file_system.as_ref()?, new.file_system.as_ref()?);
    let lines: Vec<String> = homes
        .iter()
        .map(|home| {
            let words = [home.kind.words().to_owned(), home.name.clone(), home.old.to_string(), home.new.to_string()];
            format!("  home {}", words.map(|word| quoted(&word)).join(" "))
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    // Names last: what they say is filled in nowhere else.
    let domain = |name: &str, id: &str| one_line(&format!("{name} ({id})"), 200);
    Some(
        TEMPLATE
            .replace("@HOMES@", &lines.join("\n"))
            .replace("@OLD_FILE_SYSTEM@", &quoted(&from.to_string()))
            .replace("@NEW_FILE_SYSTEM@", &quoted(&to.to_string()))
            .replace("@NEW_DOMAIN@", &domain(&new.name, &new.id))
            .replace("@OLD_DOMAIN@", &domain(&old.name, &old.id)),
    )
}

/// One word of shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Writes the script, for its owner alone. An earlier one of these is replaced, and nothing else.
///
/// # Errors
/// Exit code 2 when something else is there; 1 when it cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| Error::failed(format!("`{}` cannot be written: {error}", path.display()));
    check(path)?;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&beside).map_err(failed)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        // The reason for the failure counts, and not that of the tidying.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

/// Whether a script may be written there; asked before anything is made.
///
/// # Errors
/// Exit code 2 when something else is there, or it cannot be told.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let shown = path.display();
    match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                Err(Error::usage(format!("there is no folder `{}`", folder.display())))
            }
            _ => Ok(()),
        },
        Err(error) => Err(Error::usage(format!("`{shown}` cannot be read: {error}"))),
        Ok(text) if String::from_utf8_lossy(&text).lines().take(3).any(|line| line == MARK) => Ok(()),
        Ok(_) => Err(Error::usage(format!("`{shown}` is there already and is no script of this program"))
            .hint("give another name to --script, or move it away")),
    }
}
