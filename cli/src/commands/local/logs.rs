use std::path::Path;

use local::cloud::{Cloud, Log, follow, tail};

use crate::context::Context;
use crate::error::Error;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate local logs --follow\n  tidegate local logs on-pipeline-status\n  \
                        tidegate local logs pipelines-abcdefghijkl-train-0a1b2c3d4e")]
pub(crate) struct Arguments {
    /// ministack, engine, a function such as on-data-arrival, or a job; both servers if not given
    name: Option<String>,
    /// Go on with what comes
    #[arg(long, short)]
    follow: bool,
    /// How many lines of each log to begin with
    #[arg(long, short = 'n', value_name = "N", default_value = "100")]
    lines: usize,
}

/// The functions write into MiniStack's log, which names them.
const FUNCTIONS: &str = "tidegate-";

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let home = context.home()?;
    let Source { logs, only } = source(&home, arguments.name.as_deref())?;
    let several = logs.len() > 1;
    let terminal = &context.terminal;
    let style = terminal.style();
    let shown = |name: &str, line: &str| {
        if several { format!("{} {line}", style.cyan(&format!("{name:<9}"))) } else { line.to_owned() }
    };
    let mut filter = Filter { only, inside: false };
    for log in &logs {
        let all = if filter.only.is_some() { usize::MAX } else { arguments.lines };
        let lines = tail(&log.path, all)
            .map_err(|error| Error::failed(format!("`{}` cannot be read: {error}", log.path.display())))?;
        let lines: Vec<&String> = lines.iter().filter(|line| filter.lets_pass(line)).collect();
        for line in lines.iter().skip(lines.len().saturating_sub(arguments.lines)) {
            terminal.print(&shown(&log.name, line))?;
        }
    }
    if !arguments.follow {
        return Ok(());
    }
    let mut ended = None;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let lines = follow(&logs, |name, line| {
        if ended.is_none()
            && filter.lets_pass(line)
            && let Err(error) = terminal.print(&shown(name, line))
        {
            ended = Some(error);
            // The receiver lives as long as this function.
            let _ = stop.send(true);
        }
    });
    tokio::select! {
        () = lines => {}
        _ = stopped.changed() => {}
    }
    ended.map_or(Ok(()), Err)
}

struct Source {
    logs: Vec<Log>,
    /// Only what concerns this function.
    only: Option<String>,
}

/// Picks one function's lines out of MiniStack's log: there, a line of MiniStack's own names the function, and the
/// function's follow it up to MiniStack's next.
struct Filter {
    only: Option<String>,
    inside: bool,
}

impl Filter {
    fn lets_pass(&mut self, line: &str) -> bool {
        let Some(function) = &self.only else { return true };
        if is_ministacks(line) {
            self.inside = line.contains(function.as_str());
        }
        self.inside
    }
}

/// Whether a line begins as MiniStack's do: `2026-11-21 08:47:39 INFO `.
fn is_ministacks(line: &str) -> bool {
    let pattern = "0000-00-00 00:00:00 ";
    line.len() > pattern.len()
        && line.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
}

fn source(home: &Path, name: Option<&str>) -> Result<Source, Error> {
    let logs = Cloud::logs(home);
    let Some(name) = name else {
        if logs.is_empty() {
            return Err(Error::failed(format!("there are no logs in `{}` yet", home.display()))
                .hint("`tidegate local up` starts the local cloud"));
        }
        return Ok(Source { logs, only: None });
    };
    if let Some(log) = logs.iter().find(|log| log.name == name) {
        return Ok(Source { logs: vec![log.clone()], only: None });
    }
    let job = home.join("engine/jobs").join(name).join("log");
    // A name is one component: nothing outside the jobs' folder is a job.
    if !name.contains(['/', '\\']) && name != ".." && job.is_file() {
        return Ok(Source { logs: vec![Log { name: name.to_owned(), path: job }], only: None });
    }
    let function = if name.starts_with(FUNCTIONS) { name.to_owned() } else { format!("{FUNCTIONS}{name}") };
    let known = [
        "on-data-arrival",
        "on-schedule",
        "on-pipeline-status",
        "on-endpoint-status",
        "on-model-package",
        "pipeline-resource",
    ];
    match logs.into_iter().find(|log| log.name == "ministack") {
        Some(log) if known.iter().any(|known| function == format!("{FUNCTIONS}{known}")) => {
            Ok(Source { logs: vec![log], only: Some(function) })
        }
        _ => Err(Error::usage(format!("there is no log of `{name}`")).hint(format!(
            "accepted are `ministack`, `engine`, {}, and the name of a job",
            known.map(|name| format!("`{name}`")).join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_s_lines_are_those_below_its_name() {
        let log = "\
2026-11-21 08:47:39 INFO [tidegate] function tidegate-on-schedule, attempt 1:
{\"message\":\"one\"}
2026-11-21 08:47:40 INFO [tidegate] function tidegate-on-data-arrival, attempt 1:
{\"message\":\"two\"}
  caused by
2026-11-21 08:47:41 INFO [kms] created";
        let shown = |only: Option<&str>| {
            let mut filter = Filter { only: only.map(str::to_owned), inside: false };
            log.lines().filter(|line| filter.lets_pass(line)).map(str::to_owned).collect::<Vec<_>>()
        };
        let mine = shown(Some("tidegate-on-data-arrival"));
        assert_eq!(mine.len(), 3);
        assert_eq!(mine[1..], ["{\"message\":\"two\"}", "  caused by"]);
        assert_eq!(shown(None).len(), 6);
    }

    #[test]
    fn only_known_logs_are_opened() {
        let home = std::env::temp_dir().join(format!("tidegate-logs-{}", std::process::id()));
        std::fs::create_dir_all(home.join("engine/jobs/train-1")).unwrap();
        std::fs::create_dir_all(home.join("logs")).unwrap();
        std::fs::write(home.join("engine/jobs/train-1/log"), "x").unwrap();
        std::fs::write(home.join("engine/log"), "x").unwrap();
        std::fs::write(home.join("logs/ministack.log"), "x").unwrap();
        assert_eq!(source(&home, Some("train-1")).map(|source| source.logs.len()).ok(), Some(1));
        let function = source(&home, Some("on-schedule")).map(|source| source.only).ok().flatten();
        assert_eq!(function.as_deref(), Some("tidegate-on-schedule"));
        for wrong in ["..", "../jobs/train-1", "train-2", "tidegate-other"] {
            let error = source(&home, Some(wrong)).map(|_| ()).unwrap_err();
            assert_eq!(error.lines, [format!("there is no log of `{wrong}`")]);
        }
        std::fs::remove_dir_all(home).unwrap();
    }
}
