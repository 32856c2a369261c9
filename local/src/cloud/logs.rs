use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

pub(super) const MINISTACK: &str = "ministack.log";
pub(super) const ENGINE: &str = "engine.log";

const STEP: Duration = Duration::from_millis(200);
/// The end of a log that `tail` looks at, bytes.
const WINDOW: u64 = 1024 * 1024;

/// A log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Log {
    /// `ministack` or `engine`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

pub(super) fn logs(home: &Path) -> Vec<Log> {
    [("ministack", MINISTACK), ("engine", ENGINE)]
        .into_iter()
        .map(|(name, file)| Log { name: name.into(), path: home.join("logs").join(file) })
        .filter(|log| log.path.is_file())
        .collect()
}

/// The last lines of a file, at most 1 MiB of it.
///
/// # Errors
/// When the file cannot be read.
pub fn tail(path: &Path, lines: usize) -> std::io::Result<Vec<String>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    Ok(all.iter().skip(all.len().saturating_sub(lines)).map(|line| (*line).to_owned()).collect())
}

pub(super) fn end(path: &Path, lines: usize) -> String {
    tail(path, lines).map_or_else(|error| error.to_string(), |lines| lines.join("\n"))
}

/// Calls `line` with the log's name and each new line that the files get from now on. Runs until dropped.
pub async fn follow(logs: &[Log], mut line: impl FnMut(&str, &str)) {
    let mut places: Vec<(u64, Vec<u8>)> =
        logs.iter().map(|log| (std::fs::metadata(&log.path).map_or(0, |found| found.len()), Vec::new())).collect();
    loop {
        for (log, (place, rest)) in logs.iter().zip(&mut places) {
            let length = std::fs::metadata(&log.path).map_or(0, |found| found.len());
            if length < *place {
                // Put aside by a new start.
                *place = 0;
                rest.clear();
            }
            if length > *place
                && let Ok(more) = read_from(&log.path, *place)
            {
                *place += more.len() as u64;
                rest.extend(more);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let whole: Vec<u8> = rest.drain(..=end).collect();
                    line(&log.name, String::from_utf8_lossy(&whole).trim_end());
                }
            }
        }
        tokio::time::sleep(STEP).await;
    }
}

fn read_from(path: &Path, place: u64) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn a_log_is_tailed_and_followed() {
        let path = std::env::temp_dir().join(format!("tidegate-log-{}", uuid::Uuid::new_v4()));
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(file, "one\ntwo\nthree").unwrap();
        assert_eq!(tail(&path, 2).unwrap(), ["two", "three"]);
        assert_eq!(tail(&path, 9).unwrap().len(), 3);
        let log = [Log { name: "engine".into(), path: path.clone() }];
        let mut seen = Vec::new();
        let writer = async {
            tokio::time::sleep(STEP).await;
            write!(file, "fo").unwrap();
            tokio::time::sleep(STEP * 2).await;
            writeln!(file, "ur").unwrap();
            tokio::time::sleep(STEP * 3).await;
        };
        tokio::select! {
            () = follow(&log, |name, text| seen.push(format!("{name} {text}"))) => {}
            () = writer => {}
        }
        assert_eq!(seen, ["engine four"]);
        std::fs::remove_file(path).unwrap();
    }
}
