//! Where a pipeline runs: account, Region, bucket, role, and the code that was uploaded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{JobSecurity, images};
use crate::config::{Invalid, Part, PipelineName, Schedule, ScriptPath, Template, VALUE_LIMIT};

/// Everything a definition needs beside `pipeline.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawEnvironment")]
pub struct Environment {
    account: String,
    region: String,
    bucket: String,
    job_role_arn: String,
    code: CodeLocation,
    #[serde(skip_serializing_if = "JobSecurity::is_none")]
    security: JobSecurity,
}

#[derive(Deserialize)]
struct RawEnvironment {
    account: String,
    region: String,
    bucket: String,
    job_role_arn: String,
    code: CodeLocation,
    #[serde(default)]
    security: JobSecurity,
}

impl TryFrom<RawEnvironment> for Environment {
    type Error = Invalid;

    fn try_from(raw: RawEnvironment) -> Result<Self, Self::Error> {
        let environment = Self::new(&raw.account, &raw.region, &raw.bucket, &raw.job_role_arn, raw.code)?;
        Ok(environment.with_security(raw.security))
    }
}

impl Environment {
    /// Without network and keys: [`with_security`](Self::with_security) adds them.
    ///
    /// # Errors
    /// The account is not twelve digits, the Region not a Region's name, the bucket not a bucket's name, or the role not
    /// the ARN of a role.
    pub fn new(
        account: &str,
        region: &str,
        bucket: &str,
        job_role_arn: &str,
        code: CodeLocation,
    ) -> Result<Self, Invalid> {
        if account.len() != 12 || !account.chars().all(|c| c.is_ascii_digit()) {
            return Err(Invalid::of(account, "an account", "12 digits"));
        }
        if !is_region(region) {
            return Err(Invalid::of(region, "a Region", "a name such as `eu-central-1`"));
        }
        if !is_bucket(bucket) {
            return Err(Invalid::of(bucket, "a bucket", "3 to 63 lower-case letters, digits, `-` and `.`"));
        }
        if !is_role_arn(job_role_arn) {
            return Err(Invalid::of(job_role_arn, "the ARN of a role", "`arn:aws:iam::<account>:role/<name>`"));
        }
        Ok(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            job_role_arn: job_role_arn.to_owned(),
            code,
            security: JobSecurity::default(),
        })
    }

    /// The same, with these network and keys for every job.
    #[must_use]
    pub fn with_security(self, security: JobSecurity) -> Self {
        Self { security, ..self }
    }

    /// The network and the keys of every job.
    #[must_use]
    pub fn security(&self) -> &JobSecurity {
        &self.security
    }

    /// Twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Such as `eu-central-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The data bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The role that the jobs run under.
    #[must_use]
    pub fn job_role_arn(&self) -> &str {
        &self.job_role_arn
    }

    /// Where the code lies.
    #[must_use]
    pub fn code(&self) -> &CodeLocation {
        &self.code
    }

    /// Fills in a template that names no parameter, such as those of a schedule.
    ///
    /// # Errors
    /// It names a parameter, whose value only an execution knows.
    pub fn resolve(&self, template: &Template) -> Result<String, Invalid> {
        let mut text = String::new();
        for part in template.parts() {
            text.push_str(match part {
                Part::Text(text) => text,
                Part::Bucket => &self.bucket,
                Part::Account => &self.account,
                Part::Region => &self.region,
                Part::Parameter(_) => {
                    let what = "known before an execution";
                    return Err(Invalid::of(&template.to_string(), what, "`{{bucket}}`, `{{account}}`, `{{region}}`"));
                }
            });
        }
        Ok(text)
    }

    /// What a schedule gives the run, as `StartPipelineExecution` wants it.
    ///
    /// # Errors
    /// A value is longer than SageMaker accepts once it is filled in.
    pub fn schedule_parameters(&self, schedule: &Schedule) -> Result<BTreeMap<String, String>, Invalid> {
        let mut parameters = BTreeMap::new();
        for (name, template) in &schedule.parameters {
            let value = self.resolve(template)?;
            if value.chars().count() > VALUE_LIMIT {
                let accepted = format!("a text of at most {VALUE_LIMIT} characters");
                return Err(Invalid::of(&value, "a parameter's value", &accepted));
            }
            parameters.insert(name.to_string(), value);
        }
        Ok(parameters)
    }

    /// `s3://<bucket>/<key>`
    #[must_use]
    pub fn s3_uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, …
    #[must_use]
    pub fn partition(&self) -> &'static str {
        images::partition(&self.region)
    }
}

/// Where the packed source folder of one content hash lies in the data bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeLocation {
    sha256: String,
}

impl CodeLocation {
    /// Takes the hash that [`code_hash`](super::code_hash) made.
    ///
    /// # Errors
    /// Not 64 lower-case hexadecimal digits.
    pub fn new(sha256: impl Into<String>) -> Result<Self, Invalid> {
        let sha256 = sha256.into();
        if sha256.len() == 64 && sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
            return Ok(Self { sha256 });
        }
        Err(Invalid::of(&sha256, "a code hash", "64 lower-case hexadecimal digits"))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The folder of the loose files, ending with `/`: `code/<pipeline>/<sha256>/src/`.
    #[must_use]
    pub fn source_prefix(&self, pipeline: &PipelineName) -> String {
        format!("code/{pipeline}/{}/src/", self.sha256)
    }

    /// One loose file; `path` is relative to `src/`.
    #[must_use]
    pub fn source_key(&self, pipeline: &PipelineName, path: &str) -> String {
        format!("{}{path}", self.source_prefix(pipeline))
    }

    /// The loose file of a script.
    #[must_use]
    pub fn script_key(&self, pipeline: &PipelineName, script: &ScriptPath) -> String {
        self.source_key(pipeline, script.within_source())
    }

    /// The archive of the same files, with `src/` as its root: `code/<pipeline>/<sha256>/sourcedir.tar.gz`.
    #[must_use]
    pub fn archive_key(&self, pipeline: &PipelineName) -> String {
        format!("code/{pipeline}/{}/sourcedir.tar.gz", self.sha256)
    }
}

impl TryFrom<String> for CodeLocation {
    type Error = Invalid;

    fn try_from(sha256: String) -> Result<Self, Self::Error> {
        Self::new(sha256)
    }
}

impl From<CodeLocation> for String {
    fn from(code: CodeLocation) -> Self {
        code.sha256
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some(number), true) = (parts.last(), parts.len() >= 3) else { return false };
    !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn is_bucket(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            partition.starts_with("aws")
                && account.len() == 12
                && account.chars().all(|c| c.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && text.len() <= 2048
                && role.chars().all(|c| c.is_ascii_graphic())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/path/tidegate-job";

    fn code() -> CodeLocation {
        CodeLocation::new("ab".repeat(32)).unwrap()
    }

    #[test]
    fn what_no_account_has_is_refused() {
        let with = |account: &str, region: &str, bucket: &str, role: &str| {
            Environment::new(account, region, bucket, role, code()).map_err(|error| error.to_string())
        };
        let good = ("123456789012", "us-gov-west-1", "tidegate-data", ROLE);
        assert_eq!(with(good.0, good.1, good.2, good.3).unwrap().partition(), "aws-us-gov");
        assert_eq!(
            with("12345", good.1, good.2, good.3).unwrap_err(),
            "`12345` is not an account: accepted is 12 digits"
        );
        for region in ["", "eu", "eu-central", "EU-central-1", "eu-central-1a", "eu--1"] {
            assert!(with(good.0, region, good.2, good.3).is_err(), "{region}");
        }
        for bucket in ["", "ab", "A-bucket", "a/b", "a_b"] {
            assert!(with(good.0, good.1, bucket, good.3).is_err(), "{bucket}");
        }
        for role in [
            "",
            "role",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::123:role/x",
            "arn:aws:iam::123456789012:role/",
        ] {
            assert!(with(good.0, good.1, good.2, role).is_err(), "{role}");
        }
        for hash in ["", "ab", &"AB".repeat(32), &"zz".repeat(32)] {
            assert!(CodeLocation::new(hash).is_err(), "{hash}");
        }
    }

    #[test]
    fn a_stored_environment_is_checked_again() {
        let environment = Environment::new("123456789012", "eu-central-1", "tidegate-data", ROLE, code()).unwrap();
        let stored = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&stored).unwrap(), environment);
        assert!(serde_json::from_str::<Environment>(&stored.replace("eu-central-1", "eu central")).is_err());
    }

    #[test]
    fn templates_are_filled_in_unless_only_an_execution_could() {
        let environment = Environment::new("123456789012", "eu-central-1", "tidegate-data", ROLE, code()).unwrap();
        let resolve = |text: &str| environment.resolve(&text.parse().unwrap());
        assert_eq!(
            resolve("s3://{{bucket}}/{{account}}/{{region}}/x").unwrap(),
            "s3://tidegate-data/123456789012/eu-central-1/x"
        );
        assert!(resolve("{{parameters.X}}").is_err());
    }

    #[test]
    fn code_lies_under_its_pipeline_and_hash() {
        let pipeline = PipelineName::new("p").unwrap();
        let hash = "ab".repeat(32);
        assert_eq!(code().source_key(&pipeline, "a/b.py"), format!("code/p/{hash}/src/a/b.py"));
        assert_eq!(code().archive_key(&pipeline), format!("code/p/{hash}/sourcedir.tar.gz"));
        let script = ScriptPath::new("src/train.py").unwrap();
        assert_eq!(code().script_key(&pipeline, &script), format!("code/p/{hash}/src/train.py"));
    }
}
