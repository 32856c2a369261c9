use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Kinds;

/// A file name holds at most 255 bytes on every file system that matters, `.json.tmp` included.
const LONGEST_NAME: usize = 200;

#[derive(Serialize)]
struct Written<'a> {
    key: &'a str,
    document: &'a Value,
}

#[derive(Deserialize)]
struct Read {
    key: String,
    document: Value,
}

/// The file of a document. The key is kept readable where it can be; a long one is cut and told apart by its hash.
pub(super) fn path(root: &Path, kind: &str, key: &str) -> PathBuf {
    let mut name = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    if name.len() > LONGEST_NAME {
        let hash = Sha256::digest(key.as_bytes());
        name.truncate(100);
        name.push('~');
        for byte in hash {
            let _ = write!(name, "{byte:02x}");
        }
    }
    root.join(kind).join(format!("{name}.json"))
}

pub(super) fn write(path: &Path, key: &str, document: &Value) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_vec(&Written { key, document })?;
    let temporary = path.with_extension("json.tmp");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}

pub(super) fn read_all(root: &Path) -> io::Result<Kinds> {
    std::fs::create_dir_all(root)?;
    let mut kinds = HashMap::new();
    for kind in std::fs::read_dir(root)? {
        let kind = kind?;
        if !kind.file_type()?.is_dir() {
            continue;
        }
        let documents = kinds.entry(kind.file_name().to_string_lossy().into_owned()).or_default();
        read_kind(&kind.path(), documents)?;
    }
    Ok(kinds)
}

fn read_kind(folder: &Path, documents: &mut std::collections::BTreeMap<String, Value>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match serde_json::from_slice::<Read>(&std::fs::read(&path)?) {
            Ok(read) => {
                documents.insert(read.key, read.document);
            }
            Err(error) => {
                let aside = path.with_extension("json.corrupt");
                tracing::error!(file = %path.display(), %error, "state file is no document, put aside");
                std::fs::rename(&path, aside)?;
            }
        }
    }
    Ok(())
}
