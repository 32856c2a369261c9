//! What a deployment was made of, in one hash.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The CDK app, by content.
const SOURCES: [&str; 6] = ["bin", "lib", "cdk.json", "package.json", "package-lock.json", "tsconfig.json"];

/// A hash of the CDK app's sources, the functions' binaries, and the given settings.
///
/// The binaries count by size and time: reading them would take longer than everything else.
pub(super) fn of(root: &Path, settings: &[&str]) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    for setting in settings {
        add(setting.as_bytes());
    }
    for name in SOURCES {
        for file in files(&root.join("infra").join(name)).map_err(unreadable(root))? {
            add(file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes());
            add(&std::fs::read(&file).map_err(unreadable(&file))?);
        }
    }
    let lambda = root.join("target/lambda");
    let binaries: Vec<PathBuf> = files(&lambda).unwrap_or_default();
    if !binaries.iter().any(|file| file.file_name().is_some_and(|name| name == "bootstrap")) {
        return Err(Error::failed(format!("the functions are not built: `{}` holds none", lambda.display()))
            .hint("run `make build`"));
    }
    for file in binaries {
        let found = std::fs::metadata(&file).map_err(unreadable(&file))?;
        let time = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        add(file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes());
        add(format!("{} {}", found.len(), time.as_nanos()).as_bytes());
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::failed(format!("`{path}` cannot be read: {error}"))
}

/// The file itself, or all files below a folder, in the order of their paths. What does not exist has none.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            found.extend(files(&entry?.path())?);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_counts() {
        let root = std::env::temp_dir().join(format!("tidegate-fingerprint-{}", std::process::id()));
        for folder in ["infra/lib", "infra/node_modules", "target/lambda/on-schedule"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        assert!(of(&root, &[]).unwrap_err().lines[0].starts_with("the functions are not built"));
        std::fs::write(root.join("target/lambda/on-schedule/bootstrap"), "one").unwrap();
        let mut seen = vec![of(&root, &["a"]).unwrap()];
        assert_eq!(of(&root, &["a"]).unwrap(), seen[0]);
        seen.push(of(&root, &["b"]).unwrap());
        for (file, text) in [
            ("infra/lib/stack.ts", "one"),
            ("infra/lib/stack.ts", "two"),
            ("infra/package-lock.json", "{}"),
            ("target/lambda/on-schedule/bootstrap", "other"),
        ] {
            std::fs::write(root.join(file), text).unwrap();
            seen.push(of(&root, &["a"]).unwrap());
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
        std::fs::write(root.join("infra/node_modules/x"), "not ours").unwrap();
        assert_eq!(of(&root, &["a"]).unwrap(), *seen.last().unwrap());
        std::fs::remove_dir_all(root).unwrap();
    }
}
