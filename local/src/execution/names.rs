//! Names that SageMaker would make up.

use uuid::Uuid;

/// The longest name of a job, model or endpoint.
const LONGEST: usize = 63;
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Random lower-case letters and digits.
fn random(length: usize) -> String {
    let bytes = Uuid::new_v4().into_bytes();
    let more = Uuid::new_v4().into_bytes();
    let letter =
        |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map_or('a', |letter| char::from(*letter));
    // The version and variant bits make some bytes of an id less random.
    bytes.iter().chain(&more).filter(|byte| **byte < 252).map(letter).take(length).collect()
}

/// An execution's id: twelve letters and digits.
pub(super) fn execution_id() -> String {
    random(12)
}

/// The name of what a step makes: `pipelines-<execution>-<step>-<suffix>`, or with the user's own prefix
/// `<prefix>-<execution>-<suffix>`.
pub(super) fn resource(execution: &str, step: &str, prefix: Option<&str>) -> String {
    let suffix = random(10);
    let (head, name) = match prefix {
        Some(prefix) => ("", prefix),
        None => ("pipelines-", step),
    };
    let room = LONGEST - head.len() - execution.len() - suffix.len() - 2;
    let name: String = name.replace('_', "-").chars().take(room).collect();
    let name = name.trim_matches('-');
    match (prefix, name) {
        (None, "") => format!("{head}{execution}-{suffix}"),
        (None, name) => format!("{head}{execution}-{name}-{suffix}"),
        (Some(_), name) => format!("{name}-{execution}-{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_accepted_by_sagemaker() {
        let id = execution_id();
        assert_eq!(id.len(), 12);
        for (step, prefix) in [("train", None), ("a_b_", None), (&*"x".repeat(64), None), ("s", Some("mine"))] {
            let name = resource(&id, step, prefix);
            assert!(name.len() <= LONGEST, "{name}");
            assert!(name.contains(&id));
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
            assert!(!name.contains("--"), "{name}");
        }
        assert_ne!(resource(&id, "a", None), resource(&id, "a", None));
    }
}
