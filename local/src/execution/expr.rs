//! Expressions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::{self, Segment};

/// The execution variables that a definition may read, from the SageMaker developer guide.
pub const EXECUTION_VARIABLES: &[&str] =
    &["CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId", "PipelineName", "StartDateTime"];

/// Something that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `Parameters.<name>`.
    Parameter(String),
    /// `Execution.<name>`.
    Execution(String),
    /// `Steps.<step>.<path>`: a property of a finished step.
    Property {
        /// The step.
        step: String,
        /// The path into its properties.
        path: Vec<Segment>,
    },
    /// `Steps.<step>.PropertyFiles.<name>`: a file that a finished step wrote.
    PropertyFile {
        /// The step.
        step: String,
        /// The name that the step's `PropertyFiles` give it.
        file: String,
    },
}

impl Reference {
    /// Reads the text of a `Get`.
    ///
    /// # Errors
    /// A sentence on what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` cannot be read; `Get` takes `Parameters.NAME`, `Steps.STEP.PROPERTY` or `Execution.VARIABLE`"
            )
        };
        let segments = path::parse(text).map_err(|_| wrong())?;
        match segments.as_slice() {
            [Segment::Key(root), Segment::Key(name)] if root == "Parameters" => Ok(Self::Parameter(name.clone())),
            [Segment::Key(root), Segment::Key(name)] if root == "Execution" => Ok(Self::Execution(name.clone())),
            [Segment::Key(root), Segment::Key(step), Segment::Key(files), Segment::Key(file)]
                if root == "Steps" && files == "PropertyFiles" =>
            {
                Ok(Self::PropertyFile { step: step.clone(), file: file.clone() })
            }
            [Segment::Key(root), Segment::Key(step), path @ ..] if root == "Steps" && !path.is_empty() => {
                Ok(Self::Property { step: step.clone(), path: path.to_vec() })
            }
            _ => Err(wrong()),
        }
    }

    /// The step that must have finished first.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Property { step, .. } | Self::PropertyFile { step, .. } => Some(step),
            Self::Parameter(_) | Self::Execution(_) => None,
        }
    }
}

enum Form<'a> {
    Get(&'a Value),
    Join(&'a Value),
    JsonGet(&'a Value),
    Plain,
}

fn form(object: &Map<String, Value>) -> Form<'_> {
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((name, inner)), None) => match name.as_str() {
            "Get" => Form::Get(inner),
            "Std:Join" => Form::Join(inner),
            "Std:JsonGet" => Form::JsonGet(inner),
            _ => Form::Plain,
        },
        _ => Form::Plain,
    }
}

fn get_text(inner: &Value) -> Result<Reference, String> {
    Reference::parse(inner.as_str().ok_or("`Get` takes a string")?)
}

fn join_parts(inner: &Value) -> Result<(&str, &Vec<Value>), String> {
    let on = match inner.get("On") {
        None => "",
        Some(on) => on.as_str().ok_or("`Std:Join` takes a string as `On`")?,
    };
    let values = inner.get("Values").and_then(Value::as_array).ok_or("`Std:Join` takes a list as `Values`")?;
    Ok((on, values))
}

fn json_get_parts(inner: &Value) -> Result<(String, String, &Value), String> {
    let file = inner.get("PropertyFile").and_then(|file| file.get("Get"));
    let file = file.ok_or("`Std:JsonGet` takes `{\"Get\": \"Steps.STEP.PropertyFiles.NAME\"}` as `PropertyFile`")?;
    let Reference::PropertyFile { step, file } = get_text(file)? else {
        return Err("`Std:JsonGet` reads `Steps.STEP.PropertyFiles.NAME` only".to_owned());
    };
    Ok((step, file, inner.get("Path").ok_or("`Std:JsonGet` needs a `Path`")?))
}

/// Everything that the expressions within `value` read.
///
/// # Errors
/// A sentence on the expression that cannot be read.
pub fn references(value: &Value) -> Result<Vec<Reference>, String> {
    let mut found = Vec::new();
    collect(value, &mut found)?;
    Ok(found)
}

fn collect(value: &Value, found: &mut Vec<Reference>) -> Result<(), String> {
    match value {
        Value::Array(list) => list.iter().try_for_each(|element| collect(element, found)),
        Value::Object(object) => match form(object) {
            Form::Get(inner) => {
                found.push(get_text(inner)?);
                Ok(())
            }
            Form::Join(inner) => join_parts(inner)?.1.iter().try_for_each(|part| collect(part, found)),
            Form::JsonGet(inner) => {
                let (step, file, path) = json_get_parts(inner)?;
                if let Some(path) = path.as_str() {
                    path::parse(path)?;
                }
                found.push(Reference::PropertyFile { step, file });
                collect(path, found)
            }
            Form::Plain => object.values().try_for_each(|member| collect(member, found)),
        },
        _ => Ok(()),
    }
}

/// What expressions are resolved against.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// Parameter values, defaults included.
    pub parameters: BTreeMap<String, Value>,
    /// Execution variables.
    pub execution: BTreeMap<String, Value>,
    /// The properties of finished steps: what the `Describe` operation of their resource answers.
    pub steps: BTreeMap<String, Value>,
    /// Property files, by step and name: their content, or why it cannot be had.
    pub files: BTreeMap<(String, String), Result<Value, String>>,
}

/// The property files that must be in the scope before `value` can be resolved.
///
/// # Errors
/// As [`references`].
pub fn property_files(value: &Value) -> Result<BTreeSet<(String, String)>, String> {
    let files = references(value)?.into_iter().filter_map(|reference| match reference {
        Reference::PropertyFile { step, file } => Some((step, file)),
        _ => None,
    });
    Ok(files.collect())
}

/// Puts values in the place of all expressions within `value`.
///
/// # Errors
/// A sentence on the expression that has no value.
pub fn resolve(value: &Value, scope: &Scope) -> Result<Value, String> {
    match value {
        Value::Array(list) => list.iter().map(|element| resolve(element, scope)).collect(),
        Value::Object(object) => match form(object) {
            Form::Get(inner) => lookup(&get_text(inner)?, scope),
            Form::Join(inner) => {
                let (on, values) = join_parts(inner)?;
                let parts: Result<Vec<String>, String> =
                    values.iter().map(|part| text(&resolve(part, scope)?)).collect();
                Ok(Value::String(parts?.join(on)))
            }
            Form::JsonGet(inner) => {
                let (step, file, path) = json_get_parts(inner)?;
                let path = text(&resolve(path, scope)?)?;
                let content = match scope.files.get(&(step.clone(), file.clone())) {
                    Some(Ok(content)) => content,
                    Some(Err(reason)) => return Err(reason.clone()),
                    None => return Err(format!("the property file `{file}` of the step `{step}` has not been read")),
                };
                path::get(content, &path::parse(&path)?)
                    .cloned()
                    .ok_or_else(|| format!("the property file `{file}` of the step `{step}` has nothing at `{path}`"))
            }
            Form::Plain => {
                let members: Result<Map<String, Value>, String> =
                    object.iter().map(|(name, member)| Ok((name.clone(), resolve(member, scope)?))).collect();
                Ok(Value::Object(members?))
            }
        },
        plain => Ok(plain.clone()),
    }
}

fn lookup(reference: &Reference, scope: &Scope) -> Result<Value, String> {
    match reference {
        Reference::Parameter(name) => {
            scope.parameters.get(name).cloned().ok_or_else(|| format!("the parameter `{name}` has no value"))
        }
        Reference::Execution(name) => {
            scope.execution.get(name).cloned().ok_or_else(|| format!("there is no execution variable `{name}`"))
        }
        Reference::Property { step, path } => {
            let properties = scope.steps.get(step).ok_or_else(|| format!("the step `{step}` has no properties yet"))?;
            path::get(properties, path)
                .cloned()
                .ok_or_else(|| format!("the step `{step}` has no property `{}`", shown(path)))
        }
        Reference::PropertyFile { file, .. } => {
            Err(format!("the property file `{file}` can only be read with `Std:JsonGet`"))
        }
    }
}

fn shown(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// How a value reads within a joined string.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(format!("`{other}` cannot be part of a string; only a string, a number or a boolean can")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope {
            parameters: [("N".to_owned(), json!(3)), ("S".to_owned(), json!("x"))].into(),
            execution: [("PipelineExecutionId".to_owned(), json!("abc"))].into(),
            steps: [("t".to_owned(), json!({"ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"}}))].into(),
            files: [
                (("e".to_owned(), "r".to_owned()), Ok(json!({"m": {"a": [{"value": 0.5}]}}))),
                (("e".to_owned(), "gone".to_owned()), Err("no such object".to_owned())),
            ]
            .into(),
        }
    }

    #[test]
    fn expressions_resolve_wherever_they_stand() {
        let value = json!({
            "Plain": [1, "Get", null],
            "Two": {"Get": "Parameters.N", "Other": 1},
            "Count": {"Get": "Parameters.N"},
            "Uri": {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Execution.PipelineExecutionId"}, {"Get": "Parameters.N"}]}},
            "Model": [{"Get": "Steps.t.ModelArtifacts.S3ModelArtifacts"}],
            "Metric": {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.e.PropertyFiles.r"}, "Path": "m.a[0].value"}},
        });
        assert_eq!(
            resolve(&value, &scope()).unwrap(),
            json!({
                "Plain": [1, "Get", null],
                "Two": {"Get": "Parameters.N", "Other": 1},
                "Count": 3,
                "Uri": "s3://abc/3",
                "Model": ["s3://b/m"],
                "Metric": 0.5,
            })
        );
    }

    #[test]
    fn what_has_no_value_says_so() {
        let fails = |value: Value| resolve(&value, &scope()).unwrap_err();
        assert!(fails(json!({"Get": "Parameters.X"})).contains("`X`"));
        assert!(fails(json!({"Get": "Steps.t.Nope[0]"})).contains("`Nope[0]`"));
        assert!(fails(json!({"Get": "Steps.u.A"})).contains("`u`"));
        assert!(fails(json!({"Get": "Steps"})).contains("Parameters.NAME"));
        let file = |name: &str, path: &str| {
            let get = format!("Steps.e.PropertyFiles.{name}");
            fails(json!({"Std:JsonGet": {"PropertyFile": {"Get": get}, "Path": path}}))
        };
        assert_eq!(file("gone", "a"), "no such object");
        assert!(file("r", "m.b").contains("`m.b`"));
        assert!(fails(json!({"Std:Join": {"On": "", "Values": [[1]]}})).contains("cannot be part"));
    }

    #[test]
    fn references_are_found_within_functions() {
        let value = json!([{"Std:Join": {"Values": [{"Get": "Steps.a.B"}]}}, {"Std:JsonGet": {"PropertyFile":
            {"Get": "Steps.e.PropertyFiles.r"}, "Path": {"Get": "Parameters.P"}}}]);
        let steps: Vec<_> = references(&value).unwrap().iter().filter_map(|r| r.step().map(str::to_owned)).collect();
        assert_eq!(steps, ["a", "e"]);
        assert_eq!(property_files(&value).unwrap().len(), 1);
    }
}
