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
    for log in &logs {
        let all = if only.is_some() { usize::MAX } else { arguments.lines };
        let lines = tail(&log.path, all)
            .map_err(|error| Error::failed(format!("`{}` cannot be read: {error}", log.path.display())))?;
        let lines: Vec<&String> = lines.iter().filter(|line| matches(line, only.as_deref())).collect();
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
            && matches(line, only.as_deref())
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
    /// Only lines that hold this.
    only: Option<String>,
}

fn matches(line: &str, only: Option<&str>) -> bool {
    only.is_none_or(|only| line.contains(only))
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
