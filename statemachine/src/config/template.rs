//! Text with places to fill: `{{parameters.X}}`, `{{bucket}}`, `{{account}}`, `{{region}}`.

use std::fmt;
use std::str::FromStr;

use super::instance::InstanceType;
use super::names::{OutputName, ParameterName, StepName};
use super::text::{Invalid, quote, serde_as_text};
use super::values::VALUE_LIMIT;

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Text that stands for itself; never empty.
    Text(String),
    /// `{{parameters.X}}`: the value of a pipeline parameter in this execution.
    Parameter(ParameterName),
    /// `{{bucket}}`: the data bucket.
    Bucket,
    /// `{{account}}`: the account number.
    Account,
    /// `{{region}}`: the Region.
    Region,
}

/// Text with places to fill; 1024 characters at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Template(Vec<Part>);

impl Template {
    /// The pieces, in order; two texts never follow one another.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The parameters it names.
    pub fn parameters(&self) -> impl Iterator<Item = &ParameterName> {
        self.0.iter().filter_map(|part| match part {
            Part::Parameter(name) => Some(name),
            _ => None,
        })
    }

    /// The parameter, when the template is one and nothing else.
    #[must_use]
    pub fn sole_parameter(&self) -> Option<&ParameterName> {
        match self.0.as_slice() {
            [Part::Parameter(name)] => Some(name),
            _ => None,
        }
    }

    /// The text, when there is nothing to fill.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl FromStr for Template {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if length > VALUE_LIMIT {
            return Err(Invalid(format!(
                "{} has {length} characters: {VALUE_LIMIT} are accepted, shorten it",
                quote(text)
            )));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, behind)) = after.split_once("}}") else {
                return Err(Invalid(format!("{} has `{{{{` without `}}}}`: close the placeholder", quote(text))));
            };
            push_text(&mut parts, before);
            parts.push(placeholder(inside.trim())?);
            rest = behind;
        }
        push_text(&mut parts, rest);
        Ok(Self(parts))
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn placeholder(inside: &str) -> Result<Part, Invalid> {
    match inside {
        "bucket" => Ok(Part::Bucket),
        "account" => Ok(Part::Account),
        "region" => Ok(Part::Region),
        _ => match inside.strip_prefix("parameters.") {
            Some(name) => ParameterName::new(name).map(Part::Parameter),
            None => Err(Invalid(format!(
                "{} is not a placeholder: accepted are `{{{{parameters.NAME}}}}`, `{{{{bucket}}}}`, \
                 `{{{{account}}}}` and `{{{{region}}}}`",
                quote(&format!("{{{{{inside}}}}}"))
            ))),
        },
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Parameter(name) => write!(f, "{{{{parameters.{name}}}}}"),
            Part::Bucket => f.write_str("{{bucket}}"),
            Part::Account => f.write_str("{{account}}"),
            Part::Region => f.write_str("{{region}}"),
        })
    }
}

serde_as_text!(Template);

/// The instance of a step: a type, or a parameter that holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instance {
    /// A fixed type.
    Type(InstanceType),
    /// `{{parameters.X}}`
    Parameter(ParameterName),
}

impl FromStr for Instance {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("{{") {
            return match text.parse::<Template>()?.sole_parameter() {
                Some(name) => Ok(Self::Parameter(name.clone())),
                None => Err(Invalid(format!(
                    "{} is not an instance: accepted is a type such as `ml.m5.large`, or a parameter alone, such as \
                     `{{{{parameters.InstanceType}}}}`",
                    quote(text)
                ))),
            };
        }
        InstanceType::new(text).map(Self::Type)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(instance) => instance.fmt(f),
            Self::Parameter(name) => write!(f, "{{{{parameters.{name}}}}}"),
        }
    }
}

serde_as_text!(Instance);

/// Where a step's input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `<step>.<output>`: what another step wrote; a training step's one output is `model`.
    Step {
        /// The step that writes it.
        step: StepName,
        /// Which of its outputs.
        output: OutputName,
    },
    /// An S3 address.
    Uri(Template),
}

impl FromStr for Source {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            Invalid(format!(
                "{} is not a source: accepted is `<step>.<output>`, an address that begins with `s3://`, or a \
                 parameter, such as `{{{{parameters.InputDataUri}}}}`",
                quote(text)
            ))
        };
        if text.contains("{{") || text.contains("://") {
            let template: Template = text.parse()?;
            return match template.parts() {
                [Part::Text(first), ..] if is_s3_start(first, template.parts().len() > 1) => Ok(Self::Uri(template)),
                [Part::Parameter(_), ..] => Ok(Self::Uri(template)),
                _ => Err(invalid()),
            };
        }
        let (step, output) = text.split_once('.').ok_or_else(invalid)?;
        match (StepName::new(step), OutputName::new(output)) {
            (Ok(step), Ok(output)) => Ok(Self::Step { step, output }),
            _ => Err(invalid()),
        }
    }
}

/// `s3://` and a bucket, unless the bucket is filled in.
fn is_s3_start(text: &str, more: bool) -> bool {
    text.strip_prefix("s3://").is_some_and(|rest| {
        let bucket = rest.split('/').next().unwrap_or_default();
        !bucket.is_empty() || (more && rest.is_empty())
    }) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step, output } => write!(f, "{step}.{output}"),
            Self::Uri(template) => template.fmt(f),
        }
    }
}

serde_as_text!(Source);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_come_apart_and_together() {
        let template: Template = "s3://{{ bucket }}/{{parameters.A-1}}x".parse().unwrap();
        assert_eq!(template.to_string(), "s3://{{bucket}}/{{parameters.A-1}}x");
        assert_eq!(template.parts().len(), 5);
        assert_eq!("".parse::<Template>().unwrap().literal(), Some(""));
        assert_eq!("}} {".parse::<Template>().unwrap().literal(), Some("}} {"));
        for text in ["{{", "{{}}", "{{Bucket}}", "{{parameters.}}", "{{parameters.a b}}", "{{ {{bucket}} }}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }

    #[test]
    fn sources_are_outputs_or_addresses() {
        for text in
            ["a.b", "s3://bucket", "s3://bucket/x", "s3://{{bucket}}/x", "{{parameters.X}}", "{{parameters.X}}/part"]
        {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "a",
            "a.b.c",
            "a.",
            ".b",
            "s3://",
            "s3:///x",
            "http://x/y",
            "{{bucket}}/x",
            "s3://b/a b",
            "x{{bucket}}",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}
