use serde_json::Value;

use super::read::{known, text};

/// A parameter of the pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParameterKind,
    /// The value when a start gives none.
    pub default: Option<Value>,
    /// The only values accepted; empty when any is.
    pub accepted: Vec<Value>,
}

/// The types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// True or false.
    Boolean,
}

impl ParameterKind {
    const ALL: [(&'static str, ParameterKind); 4] = [
        ("String", ParameterKind::String),
        ("Integer", ParameterKind::Integer),
        ("Float", ParameterKind::Float),
        ("Boolean", ParameterKind::Boolean),
    ];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            ParameterKind::String => value.is_string(),
            ParameterKind::Integer => value.is_i64() || value.is_u64(),
            ParameterKind::Float => value.is_number(),
            ParameterKind::Boolean => value.is_boolean(),
        }
    }
}

impl Parameter {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let object =
            value.as_object().ok_or("Expecting start of Json Object. Each of `Parameters` must be an object")?;
        let name = text(object, "Name", "A parameter")?.ok_or("A parameter needs a `Name`")?;
        let place = format!("Parameter `{name}`");
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > 256 || !name.chars().all(allowed) {
            return Err(format!(
                "Parameter name `{name}` is not accepted; write 1 to 256 letters, digits, `-` and `_`"
            ));
        }
        known(object, &["Name", "Type", "DefaultValue", "EnumValues"], &place)?;
        let kind = text(object, "Type", &place)?.ok_or_else(|| format!("{place} needs a `Type`"))?;
        let kind =
            ParameterKind::ALL.into_iter().find(|(name, _)| *name == kind).map(|(_, kind)| kind).ok_or_else(|| {
                format!("{place} has the unknown type `{kind}`; accepted are String, Integer, Float, Boolean")
            })?;
        let accepted = match object.get("EnumValues") {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(_) => return Err(format!("Expecting start of Json Array. `EnumValues` of {place} must be a list")),
        };
        let default = object.get("DefaultValue").filter(|value| !value.is_null()).cloned();
        let parameter = Self { name, kind, default, accepted };
        let values = parameter.accepted.iter().chain(&parameter.default);
        for value in values {
            parameter.check(value)?;
        }
        Ok(parameter)
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        if !self.kind.holds(value) {
            return Err(format!("Parameter `{}` is of type {} and cannot be `{value}`", self.name, self.kind.name()));
        }
        if !self.accepted.is_empty() && !self.accepted.contains(value) {
            let accepted: Vec<String> = self.accepted.iter().map(Value::to_string).collect();
            return Err(format!("Parameter `{}` cannot be `{value}`; accepted are {}", self.name, accepted.join(", ")));
        }
        Ok(())
    }

    /// The value of a start's text: a start gives every parameter as a string.
    ///
    /// # Errors
    /// A sentence on what is accepted.
    pub fn value_of(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            ParameterKind::String => Some(Value::from(text)),
            ParameterKind::Integer => text.trim().parse::<i64>().ok().map(Value::from),
            ParameterKind::Float => {
                text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
            }
            ParameterKind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
        };
        let value = value.ok_or_else(|| {
            format!("Parameter `{}` is of type {} and cannot be `{text}`", self.name, self.kind.name())
        })?;
        self.check(&value).map(|()| value)
    }
}
