//! Paths into JSON, as property references and `Std:JsonGet` write them: `A.B[0]['name'].C`.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object, or the element of a list with this name.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// Reads a path. A leading `$.` is allowed.
///
/// # Errors
/// A sentence on what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Segment>, String> {
    let wrong = || format!("`{text}` is not a path; write names separated by `.`, `[0]` or `['name']`");
    let mut segments = Vec::new();
    let mut rest = text.strip_prefix("$.").or_else(|| text.strip_prefix('$')).unwrap_or(text);
    let mut start = true;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (segment, after) = bracket(after).ok_or_else(wrong)?;
            segments.push(segment);
            rest = after;
        } else {
            let name = if start { rest } else { rest.strip_prefix('.').ok_or_else(wrong)? };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            if name.is_empty() || name.contains(']') {
                return Err(wrong());
            }
            segments.push(Segment::Key(name.to_owned()));
            rest = after;
        }
        start = false;
    }
    if segments.is_empty() { Err(wrong()) } else { Ok(segments) }
}

/// What follows a `[`, up to and beyond its `]`.
fn bracket(text: &str) -> Option<(Segment, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return Some((Segment::Key(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = text.split_once(']')?;
    Some((Segment::Index(index.parse().ok()?), after))
}

/// Follows a path. SageMaker lets a list whose elements have names (outputs, inputs, channels, metrics) be read by name:
/// `Outputs['train']`.
pub fn get<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match (segment, value) {
        (Segment::Key(key), Value::Object(object)) => object.get(key),
        (Segment::Key(key), Value::Array(list)) => list.iter().find(|element| is_named(element, key)),
        (Segment::Index(index), Value::Array(list)) => list.get(*index),
        _ => None,
    })
}

fn is_named(element: &Value, name: &str) -> bool {
    ["OutputName", "InputName", "ChannelName", "MetricName", "VariantName", "Name"]
        .iter()
        .any(|member| element.get(member).and_then(Value::as_str) == Some(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn paths_reach_members_elements_and_named_elements() {
        let document =
            json!({"A": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/x"}}], "k y": [1, [2]]}});
        let at = |path: &str| get(&document, &parse(path).unwrap()).cloned();
        assert_eq!(at("A.Outputs['train'].S3Output.S3Uri"), Some(json!("s3://b/x")));
        assert_eq!(at("A.Outputs[0].OutputName"), Some(json!("train")));
        assert_eq!(at("$.A['k y'][1][0]"), Some(json!(2)));
        assert_eq!(at("$['A'][\"k y\"][0]"), Some(json!(1)));
        assert_eq!(at("A.Outputs['test']"), None);
        assert_eq!(at("A.Outputs[1]"), None);
        assert_eq!(at("A.k"), None);
    }

    #[test]
    fn a_broken_path_is_an_error() {
        for path in ["", "$", "a..b", "a[", "a[x]", "a['x'", "a]b", "a.", "a[0]b"] {
            assert!(parse(path).is_err(), "{path}");
        }
    }
}
