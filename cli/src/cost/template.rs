//! Templates as the CDK writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// One stack's template.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Template {
    #[serde(skip)]
    pub(crate) stack: String,
    #[serde(rename = "Resources", default)]
    pub(crate) resources: BTreeMap<String, Resource>,
    #[serde(rename = "Parameters", default)]
    pub(super) parameters: BTreeMap<String, Parameter>,
    #[serde(rename = "Outputs", default)]
    pub(super) outputs: BTreeMap<String, Output>,
}

/// A resource.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Resource {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    #[serde(rename = "Properties", default)]
    pub(crate) properties: Value,
    #[serde(rename = "Condition")]
    pub(crate) condition: Option<String>,
    #[serde(rename = "Metadata", default)]
    metadata: Value,
}

/// A parameter.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Parameter {
    #[serde(rename = "Type")]
    pub(super) kind: String,
    #[serde(rename = "Default")]
    pub(super) default: Option<Value>,
}

/// An output.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Output {
    #[serde(rename = "Value", default)]
    pub(super) value: Value,
    #[serde(rename = "Export", default)]
    pub(super) export: Value,
}

/// The cloud assembly's table of contents.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    artifacts: BTreeMap<String, Artifact>,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    properties: Value,
}

const ENDING: &str = ".template.json";

/// Reads a template, or every template of a folder: those that its `manifest.json` names, so that what an earlier
/// synthesis left behind does not count, else all.
pub(crate) fn read(place: &Path) -> Result<Vec<Template>, Error> {
    if !place.is_dir() {
        return Ok(vec![one(place)?]);
    }
    let manifest = place.join("manifest.json");
    let mut open = if manifest.is_file() { stacks(&manifest)? } else { all(place)? };
    if open.is_empty() {
        return Err(Error::usage(format!("`{}` holds no template", place.display()))
            .hint("give the folder that `cdk synth` wrote, by default infra/cdk.out"));
    }
    let mut templates: Vec<Template> = Vec::new();
    let mut known: Vec<PathBuf> = Vec::new();
    while let Some(file) = open.pop() {
        let path = place.join(&file);
        if known.contains(&path) {
            continue;
        }
        let template = one(&path)?;
        open.extend(template.resources.values().filter_map(nested));
        templates.push(template);
        known.push(path);
    }
    templates.sort_by(|a, b| a.stack.cmp(&b.stack));
    Ok(templates)
}

fn stacks(manifest: &Path) -> Result<Vec<String>, Error> {
    let manifest: Manifest = parse(manifest)?;
    let stacks = manifest.artifacts.into_values().filter(|artifact| artifact.kind == "aws:cloudformation:stack");
    Ok(stacks
        .filter_map(|artifact| artifact.properties.get("templateFile").and_then(Value::as_str).map(str::to_owned))
        .collect())
}

fn all(folder: &Path) -> Result<Vec<String>, Error> {
    let entries =
        folder.read_dir().map_err(|error| Error::usage(format!("cannot read `{}`: {error}", folder.display())))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.ends_with(ENDING)).collect())
}

/// The file of a nested stack's template.
fn nested(resource: &Resource) -> Option<String> {
    if resource.kind != "AWS::CloudFormation::Stack" {
        return None;
    }
    resource.metadata.get("aws:asset:path").and_then(Value::as_str).map(str::to_owned)
}

fn one(file: &Path) -> Result<Template, Error> {
    let mut template: Template = parse(file)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    template.stack = name.strip_suffix(ENDING).or(name.strip_suffix(".json")).unwrap_or(&name).to_owned();
    Ok(template)
}

fn parse<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::usage(format!("cannot read `{}`: {error}", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::usage(format!("`{}` is no CloudFormation template in JSON: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a13_a_folder_s_manifest_says_which_templates_count() {
        let folder = std::env::temp_dir().join(format!("tidegate-templates-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write(
            "A.template.json",
            r#"{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "A1.nested.template.json"}}}}"#,
        );
        write("A1.nested.template.json", r#"{"Resources": {"K": {"Type": "AWS::KMS::Key"}}}"#);
        write("Old.template.json", r#"{"Resources": {"K": {"Type": "AWS::KMS::Key"}}}"#);
        let names = |templates: Vec<Template>| -> Vec<String> {
            templates.into_iter().map(|template| template.stack).collect()
        };
        assert_eq!(names(read(&folder).unwrap()), ["A", "A1.nested", "Old"]);
        write(
            "manifest.json",
            r#"{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}}, "T": {"type": "cdk:tree"}}}"#,
        );
        assert_eq!(names(read(&folder).unwrap()), ["A", "A1.nested"]);
        assert_eq!(names(read(&folder.join("Old.template.json")).unwrap()), ["Old"]);
        write("manifest.json", "{}");
        assert!(read(&folder).unwrap_err().lines[0].ends_with("holds no template"));
        write("manifest.json", "Resources:");
        assert!(read(&folder).unwrap_err().lines[0].contains("is no CloudFormation template in JSON"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
