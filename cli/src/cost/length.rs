//! How long a list in a template will be, as far as the templates tell.

use serde_json::Value;

use super::template::Template;

/// The number of a list's items, or why it cannot be told.
pub(super) fn of(value: &Value, template: &Template, templates: &[Template]) -> Result<u64, String> {
    Search { template, templates }.list(value)
}

struct Search<'a> {
    template: &'a Template,
    templates: &'a [Template],
}

impl Search<'_> {
    fn list(&self, value: &Value) -> Result<u64, String> {
        match (value, intrinsic(value)) {
            (Value::Array(items), _) => items.iter().map(|item| self.item(item)).sum(),
            (_, Some(("Fn::Split", Value::Array(arguments)))) => match arguments.as_slice() {
                [Value::String(separator), text] => self.text(text, separator),
                _ => Err("its subnets are split by an expression".to_owned()),
            },
            (_, Some(("Fn::If", Value::Array(arguments)))) => match arguments.as_slice() {
                [_, one, other] => same(self.list(one)?, self.list(other)?),
                _ => Err(unread("Fn::If")),
            },
            (_, Some(("Ref", Value::String(name)))) => self.parameter(name, ","),
            (_, Some((name, _))) => Err(unread(name)),
            _ => Err("its subnets are no list".to_owned()),
        }
    }

    /// An item is one, whatever it says, unless it may be left out.
    fn item(&self, value: &Value) -> Result<u64, String> {
        match intrinsic(value) {
            Some(("Ref", Value::String(name))) if name == "AWS::NoValue" => Ok(0),
            Some(("Fn::If", Value::Array(arguments))) => match arguments.as_slice() {
                [_, one, other] => same(self.item(one)?, self.item(other)?),
                _ => Err(unread("Fn::If")),
            },
            _ => Ok(1),
        }
    }

    /// The parts of a text.
    fn text(&self, value: &Value, separator: &str) -> Result<u64, String> {
        match (value, intrinsic(value)) {
            (Value::String(text), _) => Ok(parts(text, separator)),
            (_, Some(("Fn::Join", Value::Array(arguments)))) => match arguments.as_slice() {
                [Value::String(between), Value::Array(items)] if between == separator => {
                    items.iter().map(|item| self.item(item)).sum()
                }
                _ => Err(unread("Fn::Join")),
            },
            (_, Some(("Fn::ImportValue", name))) => {
                let exporter =
                    |template: &&Template| template.outputs.values().any(|output| is_named(&output.export, name));
                let template = self.templates.iter().find(exporter);
                let found = template.and_then(|template| {
                    let output = template.outputs.values().find(|output| is_named(&output.export, name))?;
                    Some(Search { template, templates: self.templates }.text(&output.value, separator))
                });
                found.unwrap_or_else(|| Err("its subnets are imported from a stack that is not here".to_owned()))
            }
            (_, Some(("Ref", Value::String(name)))) => self.parameter(name, separator),
            (_, Some((name, _))) => Err(unread(name)),
            _ => Err("its subnets are no text".to_owned()),
        }
    }

    /// A parameter has the length of its default, unless that is the name of an SSM parameter.
    fn parameter(&self, name: &str, separator: &str) -> Result<u64, String> {
        let parameter = self.template.parameters.get(name);
        let default = parameter.filter(|parameter| !parameter.kind.starts_with("AWS::SSM::"));
        match default.and_then(|parameter| parameter.default.as_ref()) {
            Some(Value::String(text)) if !text.is_empty() => Ok(parts(text, separator)),
            _ => Err(format!("its subnets come from `{name}` at deployment")),
        }
    }
}

fn is_named(export: &Value, name: &Value) -> bool {
    export.get("Name") == Some(name)
}

fn parts(text: &str, separator: &str) -> u64 {
    text.split(separator).filter(|part| !part.trim().is_empty()).count() as u64
}

fn same(one: u64, other: u64) -> Result<u64, String> {
    if one == other { Ok(one) } else { Err("its subnets depend on a condition".to_owned()) }
}

fn unread(name: &str) -> String {
    format!("its subnets come from `{name}`")
}

/// The only member of an object.
fn intrinsic(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object()?;
    let (name, argument) = members.iter().next().filter(|_| members.len() == 1)?;
    Some((name, argument))
}
