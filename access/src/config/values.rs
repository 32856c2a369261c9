//! Values that are known only where the function runs: `{{partition}}`, `{{region}}`, `{{account}}`, and `ssm:/path`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{ConfigError, Found};

const PARAMETERS: &str = "TIDEGATE_ACCESS_PARAMETERS";

const PLACEHOLDERS: [(&str, &str); 3] =
    [("partition", "TIDEGATE_PARTITION"), ("region", "AWS_REGION"), ("account", "TIDEGATE_ACCOUNT")];

/// What stands for what.
pub(super) struct Values<'v> {
    variable: &'v dyn Fn(&'static str) -> Option<String>,
    parameters: BTreeMap<String, String>,
}

impl<'v> Values<'v> {
    pub(super) fn new(variable: &'v dyn Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let parameters = match variable(PARAMETERS) {
            None => BTreeMap::new(),
            Some(text) => serde_json::from_str(&text).map_err(|_| ConfigError::Variable {
                name: PARAMETERS,
                found: Found::Text(text),
                accepted: "a JSON object of parameters' values by their paths".to_owned(),
            })?,
        };
        Ok(Self { variable, parameters })
    }

    /// Puts the values in, in every text of the file.
    pub(super) fn fill(&self, value: &mut Value, key: &str) -> Result<(), ConfigError> {
        match value {
            Value::String(text) => *text = self.text(text, key)?,
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.fill(item, &format!("{key}[{index}]"))?;
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                    self.fill(member, &key)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&self, text: &str, key: &str) -> Result<String, ConfigError> {
        let wrong = |accepted: String| ConfigError::Value {
            key: key.to_owned(),
            found: Found::Text(text.to_owned()),
            accepted,
        };
        if let Some(path) = text.strip_prefix("ssm:") {
            let accepted = || wrong(format!("a parameter whose value is in the environment variable `{PARAMETERS}`"));
            return self.parameters.get(path).cloned().ok_or_else(accepted);
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let known = || wrong("`{{partition}}`, `{{region}}` and `{{account}}` within double braces".to_owned());
            let (name, after) = after.split_once("}}").ok_or_else(known)?;
            let (_, variable) = PLACEHOLDERS.iter().find(|(known, _)| *known == name).ok_or_else(known)?;
            filled.push_str(&(self.variable)(variable).ok_or_else(|| ConfigError::Variable {
                name: variable,
                found: Found::Nothing,
                accepted: format!("the {name}: access.json says `{{{{{name}}}}}`, and the stack sets the variable"),
            })?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}
