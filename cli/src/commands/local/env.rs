use std::collections::BTreeMap;

use crate::context::Context;
use crate::error::Error;
use crate::target;

pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let variables = target::running(&context.home()?).await?.env();
    let lines: Vec<String> = variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value))).collect();
    let object: BTreeMap<String, String> = variables.into_iter().collect();
    context.terminal.show(&object, || lines.join("\n"))
}

/// For a POSIX shell.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '_');
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(quoted(""), "''");
    }
}
