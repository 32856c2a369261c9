//! Domain files, as `infra/bin/studio-domain.ts` reads and checks them: one reader for what is deployed and what is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::infra;

/// The shape that this program reads (`infra/lib/studio/config/normalised.ts`).
const VERSION: u64 = 1;

#[derive(Debug, Deserialize)]
struct Document {
    domains: Vec<Domain>,
}

/// A domain as its file wants it. Values are unresolved: `ssm:/path`, `{{region}}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) auth_mode: String,
    pub(crate) vpc_id: String,
    pub(crate) subnet_ids: Vec<String>,
    /// Whether settings that cannot be changed may replace the domain.
    pub(crate) allow_replacement: bool,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) apps: Vec<App>,
    pub(crate) immutable: Vec<Setting>,
    pub(crate) warnings: Vec<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Profile {
    /// SageMaker's UserProfileName.
    pub(crate) name: String,
    /// The user, as the file has it.
    pub(crate) key: String,
    pub(crate) line: u64,
}

/// An application that users can start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct App {
    /// SageMaker's AppType.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) default_instance_type: Option<String>,
}

/// A property of `AWS::SageMaker::Domain` that CloudFormation cannot change in place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Setting {
    pub(crate) setting: String,
    /// Where it stands in the file.
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// Reads domain files.
///
/// # Errors
/// Exit code 2 with a line for each problem of the files; exit code 1 when the reader cannot be run.
pub(crate) async fn read(files: &[PathBuf]) -> Result<Vec<Domain>, Error> {
    let infra = infra::folder()?;
    // It runs in infra/, and a person's paths are relative to where they are.
    let mut named = BTreeMap::new();
    for file in files {
        let absolute = std::path::absolute(file)
            .map_err(|error| Error::usage(format!("`{}` is no file name: {error}", file.display())))?;
        named.insert(absolute.display().to_string(), file.display().to_string());
    }
    let mut arguments = vec!["--import", "tsx", "bin/studio-domain.ts"];
    arguments.extend(named.keys().map(String::as_str));
    let output = infra::run(&infra, Path::new("node"), &arguments).await?;
    if output.status.success() {
        return parse(&output.stdout, &named);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let known = told.lines().any(|line| named.keys().any(|file| line.starts_with(&format!("{file}:"))));
    if !known {
        return Err(Error::failed(format!(
            "the reader of domain files failed ({}):\n{}",
            output.status,
            told.trim_end()
        )));
    }
    let lines = told.lines().filter(|line| !line.trim().is_empty()).map(|line| as_named(line, &named)).collect();
    Err(Error { code: Code::Usage, lines, hint: None })
}

fn parse(text: &[u8], named: &BTreeMap<String, String>) -> Result<Vec<Domain>, Error> {
    let unreadable = |why: String| Error::failed(format!("the reader of domain files answered something else: {why}"));
    // The version comes first: another version may have another shape.
    let document: Value = serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
    if document.get("version").and_then(Value::as_u64) != Some(VERSION) {
        let version = document.get("version").cloned().unwrap_or_default();
        return Err(Error::failed(format!(
            "the reader of domain files speaks version {version}, this program {VERSION}"
        ))
        .hint("build this program from the checkout that infra/ is of: `make build`"));
    }
    let document: Document = serde_json::from_value(document).map_err(|error| unreadable(error.to_string()))?;
    let mut domains = document.domains;
    for domain in &mut domains {
        domain.file = as_named(&domain.file, named);
        for warning in &mut domain.warnings {
            *warning = as_named(warning, named);
        }
    }
    Ok(domains)
}

/// Files as the person named them.
fn as_named(text: &str, named: &BTreeMap<String, String>) -> String {
    named.iter().fold(text.to_owned(), |text, (absolute, given)| text.replace(absolute, given))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `normalised.ts` describes it.
    fn document(version: u64) -> Vec<u8> {
        let domain = json!({
            "name": "team", "file": "/home/a/team.yaml", "authMode": "IAM", "vpcId": "ssm:/net/vpc-id",
            "subnetIds": ["subnet-1"], "kmsKeyArn": null, "allowReplacement": false,
            "profiles": [{"name": "ana-b", "key": "ana.b", "userRole": {"name": "r"}, "line": 9}],
            "apps": [{"type": "JupyterLab", "defaultInstanceType": null}],
            "immutable": [{"setting": "AuthMode", "key": "domain.authMode", "value": "IAM"}],
            "warnings": ["/home/a/team.yaml:3: `x` is ignored"], "added": true});
        json!({"version": version, "domains": [domain]}).to_string().into_bytes()
    }

    fn named() -> BTreeMap<String, String> {
        BTreeMap::from([("/home/a/team.yaml".to_owned(), "team.yaml".to_owned())])
    }

    #[test]
    fn e5_the_reader_s_answer_is_read_and_files_keep_the_names_that_they_were_given() {
        let domains = parse(&document(1), &named()).unwrap();
        assert_eq!((domains.len(), domains[0].file.as_str()), (1, "team.yaml"));
        assert_eq!(domains[0].warnings, ["team.yaml:3: `x` is ignored"]);
        assert_eq!(domains[0].profiles[0].key, "ana.b");
    }

    #[test]
    fn e5_another_version_of_the_reader_is_not_guessed_at() {
        let error = parse(&document(2), &named()).unwrap_err();
        assert_eq!(error.lines, ["the reader of domain files speaks version 2, this program 1"]);
        assert!(parse(b"oops", &named()).unwrap_err().lines[0].contains("answered something else"));
    }
}
