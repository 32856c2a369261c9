//! One request against its shape, with the messages in the words that SageMaker uses.

use std::collections::HashMap;

use serde_json::Value;

use super::shape::{Kind, Shape};
use crate::api::{Code, Error, Result};

type Shapes = HashMap<String, Shape>;

pub(super) fn request(shapes: &Shapes, input: &str, request: &Value) -> Result<()> {
    let mut check = Check { shapes, errors: Vec::new() };
    if let Some(shape) = shapes.get(input) {
        types(shapes, shape, request)?;
        check.value(shape, request, "");
    }
    match check.errors.as_slice() {
        [] => Ok(()),
        errors => {
            let plural = if errors.len() == 1 { "" } else { "s" };
            Err(Error::validation(format!("{} validation error{plural} detected: {}", errors.len(), errors.join("; "))))
        }
    }
}

/// Types come first and end at the first fault: a request that cannot be read has no members to check.
fn types(shapes: &Shapes, shape: &Shape, value: &Value) -> Result<()> {
    let fits = match shape.kind {
        Kind::Structure | Kind::Map => value.is_object(),
        Kind::List => value.is_array(),
        Kind::String | Kind::Blob => value.is_string(),
        Kind::Integer | Kind::Long => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Kind::Float | Kind::Double => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Timestamp => value.is_number() || value.is_string(),
    };
    if !fits {
        return Err(Error::new(
            Code::Serialization,
            format!("{} can not be converted to {}", sent(value), wanted(shape)),
        ));
    }
    let part = |reference: &super::shape::Reference, value: &Value| match shapes.get(&reference.shape) {
        Some(shape) if !value.is_null() => types(shapes, shape, value),
        _ => Ok(()),
    };
    match (value, shape.kind) {
        (Value::Object(members), Kind::Structure) => {
            for (name, reference) in &shape.members {
                members.get(name).map_or(Ok(()), |value| part(reference, value))?;
            }
        }
        (Value::Object(entries), Kind::Map) => {
            for value in entries.values() {
                shape.value.as_ref().map_or(Ok(()), |reference| part(reference, value))?;
            }
        }
        (Value::Array(items), Kind::List) => {
            for value in items {
                shape.member.as_ref().map_or(Ok(()), |reference| part(reference, value))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn sent(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn wanted(shape: &Shape) -> &'static str {
    match shape.kind {
        Kind::Structure => "a structure",
        Kind::Map => "a map",
        Kind::List => "a list",
        Kind::String => "String",
        Kind::Blob => "a blob",
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Float => "Float",
        Kind::Double => "Double",
        Kind::Boolean => "Boolean",
        Kind::Timestamp => "a timestamp",
    }
}

struct Check<'a> {
    shapes: &'a Shapes,
    errors: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, shape: &Shape, value: &Value, path: &str) {
        for constraint in constraints(shape, value) {
            self.fault(shape, value, path, &constraint);
        }
        match value {
            Value::Object(members) if shape.kind == Kind::Structure => {
                for name in &shape.required {
                    if members.get(name).is_none_or(Value::is_null) {
                        let path = join(path, &camel(name));
                        self.errors.push(format!(
                            "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                        ));
                    }
                }
                if shape.union && members.values().filter(|value| !value.is_null()).count() != 1 {
                    self.fault(shape, value, path, "Member must have exactly one of its fields set");
                }
                // In the order that the client wrote, so that messages are the same every time.
                for (name, value) in members {
                    if let Some(shape) = shape.members.get(name).and_then(|member| self.shapes.get(&member.shape))
                        && !value.is_null()
                    {
                        self.value(shape, value, &join(path, &camel(name)));
                    }
                }
            }
            Value::Object(entries) if shape.kind == Kind::Map => {
                let of = |part: &Option<super::shape::Reference>| {
                    part.as_ref().and_then(|reference| self.shapes.get(&reference.shape))
                };
                let (key_shape, value_shape) = (of(&shape.key), of(&shape.value));
                for (key, entry) in entries {
                    if let Some(found) = key_shape.map(|shape| constraints(shape, &Value::from(key.as_str())))
                        && !found.is_empty()
                    {
                        self.fault(
                            shape,
                            value,
                            path,
                            &format!("Map keys must satisfy constraint: [{}]", found.join(", ")),
                        );
                    }
                    match value_shape {
                        Some(inner) if inner.kind == Kind::Structure => {
                            self.value(inner, entry, &join(path, &format!("{key}.member")));
                        }
                        Some(inner) => {
                            let found = constraints(inner, entry);
                            if !found.is_empty() {
                                let text = format!("Map value must satisfy constraint: [{}]", found.join(", "));
                                self.fault(shape, value, path, &text);
                            }
                        }
                        None => {}
                    }
                }
            }
            Value::Array(items) => {
                let inner = shape.member.as_ref().and_then(|reference| self.shapes.get(&reference.shape));
                for (place, item) in items.iter().enumerate() {
                    match inner {
                        Some(inner) if matches!(inner.kind, Kind::Structure | Kind::List | Kind::Map) => {
                            self.value(inner, item, &join(path, &format!("{}.member", place + 1)));
                        }
                        Some(inner) => {
                            let found = constraints(inner, item);
                            if !found.is_empty() {
                                let text = format!("Member must satisfy constraint: [{}]", found.join(", "));
                                self.fault(shape, value, path, &text);
                            }
                        }
                        None => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn fault(&mut self, shape: &Shape, value: &Value, path: &str, constraint: &str) {
        let shown = if shape.shown() { show(value) } else { "***".to_owned() };
        self.errors.push(format!("Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"));
    }
}

/// What a single value breaks, without its parts.
fn constraints(shape: &Shape, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (size, unit) = match value {
        Value::String(text) if shape.kind == Kind::String => (Some(text.encode_utf16().count() as f64), "length"),
        Value::Array(items) => (Some(items.len() as f64), "length"),
        Value::Object(entries) if shape.kind == Kind::Map => (Some(entries.len() as f64), "length"),
        Value::Number(number) if shape.kind != Kind::Timestamp => (number.as_f64(), "value"),
        _ => (None, ""),
    };
    if let Some(size) = size {
        if let Some(max) = shape.max.filter(|max| size > *max) {
            found.push(format!("Member must have {unit} less than or equal to {max}"));
        }
        if let Some(min) = shape.min.filter(|min| size < *min) {
            found.push(format!("Member must have {unit} greater than or equal to {min}"));
        }
    }
    if let Value::String(text) = value {
        if let (Some(regex), Some(pattern)) = (&shape.regex, &shape.pattern)
            && !regex.is_match(text)
        {
            found.push(format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        if !shape.values.is_empty() && !shape.values.contains(text) {
            found.push(format!("Member must satisfy enum value set: [{}]", shape.values.join(", ")));
        }
    }
    found
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `PipelineName` → `pipelineName`.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A value as a message shows it: lists and maps without quotation marks, a long one cut.
fn show(value: &Value) -> String {
    const LONGEST: usize = 512;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={}", show(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}...", text.get(..cut).unwrap_or_default()),
        None => text,
    }
}
