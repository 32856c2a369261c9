//! The local cloud.

use local::cloud::{Part, State, Status};

use super::Style;

/// What runs and where.
pub(crate) fn text(status: &Status, isolation: &str, style: Style) -> String {
    let mut lines = vec![format!("{:<12} {}", "home", status.home.display())];
    for (name, part) in [("ministack", &status.ministack), ("engine", &status.engine)] {
        lines.push(format!("{name:<12} {}", part_words(part, style)));
    }
    if let Some(info) = &status.info {
        lines.push(format!("{:<12} {}, account {}", "region", info.region, info.account));
    }
    lines.push(format!("{:<12} {isolation}", "isolation"));
    lines.join("\n")
}

fn part_words(part: &Part, style: Style) -> String {
    let state = match part.state {
        State::Running => style.green("running"),
        State::Silent => style.yellow("runs and does not answer"),
        State::Ended => style.red("ended by itself"),
        State::Stopped => style.dim("stopped"),
    };
    let port = part.port.map(|port| format!("  http://127.0.0.1:{port}")).unwrap_or_default();
    let pid = part.pid.map(|pid| format!("  process {pid}")).unwrap_or_default();
    format!("{state}{port}{pid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_dead_cloud_is_shown_as_it_is() {
        let status = Status {
            home: "/home/me/.tidegate".into(),
            ministack: Part { state: State::Running, pid: Some(11), port: Some(4566) },
            engine: Part { state: State::Ended, pid: None, port: Some(4567) },
            info: None,
        };
        let expected = "\
home         /home/me/.tidegate
ministack    running  http://127.0.0.1:4566  process 11
engine       ended by itself  http://127.0.0.1:4567
isolation    namespaces";
        assert_eq!(text(&status, "namespaces", Style::new(false)), expected);
    }
}
