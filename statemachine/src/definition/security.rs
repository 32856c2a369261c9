//! The network and the keys of every job, one setting for a whole deployment.
//!
//! A job does not inherit them from the domain or the account: each request to SageMaker has to name them. So there is one
//! value of [`JobSecurity`], and whatever is rendered or made takes them from it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{InstanceType, Invalid, checked_text, quote};

/// SageMaker takes 1 to 16 subnets (API reference, `VpcConfig`).
const SUBNET_LIMIT: usize = 16;

/// SageMaker takes 1 to 5 security groups (API reference, `VpcConfig`).
const SECURITY_GROUP_LIMIT: usize = 5;

/// The longest id of either, in characters (API reference, `VpcConfig`).
const ID_LIMIT: usize = 32;

checked_text!(
    /// The id of a subnet: `subnet-` and lower-case letters and digits.
    SubnetId,
    |text| resource_id(text, "subnet-", "the id of a subnet", "subnet-0123456789abcdef0")
);

checked_text!(
    /// The id of a security group: `sg-` and lower-case letters and digits.
    SecurityGroupId,
    |text| resource_id(text, "sg-", "the id of a security group", "sg-0123456789abcdef0")
);

checked_text!(
    /// A KMS key by its ARN or its id, the two forms that SageMaker takes wherever it takes a key. An alias is not among
    /// them: training jobs refuse one for their volumes (API reference, `ResourceConfig`).
    KmsKey,
    |text| {
        if is_key_id(text) || is_key_arn(text) {
            return Ok(());
        }
        let accepted = "the ARN of a key, `arn:aws:kms:<region>:<account>:key/<id>`, or its id";
        Err(Invalid::of(text, "a KMS key", accepted))
    }
);

fn resource_id(text: &str, prefix: &str, what: &str, example: &str) -> Result<(), Invalid> {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    let good = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if good && text.len() <= ID_LIMIT {
        return Ok(());
    }
    Err(Invalid::of(text, what, &format!("one such as `{example}`")))
}

/// Five groups of hexadecimal digits, or `mrk-` and 32 of them for a key of several Regions (AWS KMS Developer Guide).
fn is_key_id(text: &str) -> bool {
    let hex = |part: &str| part.chars().all(|c| c.is_ascii_hexdigit());
    if let Some(rest) = text.strip_prefix("mrk-") {
        return rest.len() == 32 && hex(rest);
    }
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.into_iter().all(hex)
}

fn is_key_arn(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "kms", region, account, key] => {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            partition.starts_with("aws")
                && partition.chars().all(plain)
                && !region.is_empty()
                && region.chars().all(plain)
                && account.len() == 12
                && account.chars().all(|c| c.is_ascii_digit())
                && key.strip_prefix("key/").is_some_and(is_key_id)
        }
        _ => false,
    }
}

/// Where jobs and models are attached. The order of subnets and groups has no meaning, and so none is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawNetwork")]
pub struct Network {
    subnets: BTreeSet<SubnetId>,
    security_groups: BTreeSet<SecurityGroupId>,
}

#[derive(Deserialize)]
struct RawNetwork {
    subnets: Vec<SubnetId>,
    security_groups: Vec<SecurityGroupId>,
}

impl TryFrom<RawNetwork> for Network {
    type Error = SecurityError;

    fn try_from(raw: RawNetwork) -> Result<Self, Self::Error> {
        Self::new(raw.subnets, raw.security_groups)
    }
}

impl Network {
    /// # Errors
    /// None or more than 16 subnets, none or more than 5 security groups, or one of them twice.
    pub fn new(
        subnets: impl IntoIterator<Item = SubnetId>,
        security_groups: impl IntoIterator<Item = SecurityGroupId>,
    ) -> Result<Self, SecurityError> {
        let refused = |part: SecurityPart| move |reason| SecurityError { part, reason };
        let subnets = set(subnets, "subnet", SUBNET_LIMIT).map_err(refused(SecurityPart::Subnets))?;
        let security_groups = set(security_groups, "security group", SECURITY_GROUP_LIMIT)
            .map_err(refused(SecurityPart::SecurityGroups))?;
        Ok(Self { subnets, security_groups })
    }

    /// In the order of their names.
    pub fn subnets(&self) -> impl Iterator<Item = &str> {
        self.subnets.iter().map(SubnetId::as_str)
    }

    /// In the order of their names.
    pub fn security_groups(&self) -> impl Iterator<Item = &str> {
        self.security_groups.iter().map(SecurityGroupId::as_str)
    }
}

fn set<T: Ord + AsRef<str>>(
    items: impl IntoIterator<Item = T>,
    what: &str,
    limit: usize,
) -> Result<BTreeSet<T>, Invalid> {
    let mut set = BTreeSet::new();
    for item in items {
        if set.contains(&item) {
            return Err(Invalid(format!("{} is there twice: give each {what} once", quote(item.as_ref()))));
        }
        set.insert(item);
    }
    match set.len() {
        0 => Err(Invalid(format!("there is no {what}: a network has 1 to {limit}"))),
        found if found > limit => {
            Err(Invalid(format!("{found} are more than SageMaker takes: accepted are 1 to {limit}")))
        }
        _ => Ok(set),
    }
}

/// One of the settings that make a [`JobSecurity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityPart {
    /// The network's subnets.
    Subnets,
    /// The network's security groups.
    SecurityGroups,
    /// The key of volumes.
    VolumeKey,
    /// The key of results.
    OutputKey,
}

impl fmt::Display for SecurityPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subnets => "subnets of jobs",
            Self::SecurityGroups => "security groups of jobs",
            Self::VolumeKey => "key of volumes",
            Self::OutputKey => "key of results",
        })
    }
}

/// What is wrong with which setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {reason}")]
pub struct SecurityError {
    /// Which.
    pub part: SecurityPart,
    /// What was found, and what is accepted.
    pub reason: Invalid,
}

/// The settings as text: lists are separated by commas. What is empty counts as not there, because CloudFormation and
/// Lambda can hardly leave a value out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityText<'a> {
    /// Such as `subnet-a,subnet-b`.
    pub subnets: Option<&'a str>,
    /// Such as `sg-a`.
    pub security_groups: Option<&'a str>,
    /// ARN or id.
    pub volume_key: Option<&'a str>,
    /// ARN or id.
    pub output_key: Option<&'a str>,
}

/// What every job, model and endpoint configuration of a deployment is given. The default has nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSecurity {
    /// Where they are attached; `None` for SageMaker's own network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What encrypts the volumes of their instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_key: Option<KmsKey>,
    /// What encrypts the results that SageMaker writes to S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<KmsKey>,
}

impl JobSecurity {
    /// Reads the settings.
    ///
    /// # Errors
    /// One is malformed, or there are subnets without security groups, or the other way round.
    pub fn parse(text: SecurityText<'_>) -> Result<Self, SecurityError> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let key =
            |part, text| given(text).map(KmsKey::new).transpose().map_err(|reason| SecurityError { part, reason });
        let network = match (given(text.subnets), given(text.security_groups)) {
            (None, None) => None,
            // The one that is missing is told to be so.
            (subnets, groups) => Some(Network::new(
                list(subnets.as_deref(), SecurityPart::Subnets)?,
                list(groups.as_deref(), SecurityPart::SecurityGroups)?,
            )?),
        };
        Ok(Self {
            network,
            volume_key: key(SecurityPart::VolumeKey, text.volume_key)?,
            output_key: key(SecurityPart::OutputKey, text.output_key)?,
        })
    }

    /// Nothing is set.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what containers say to each other is encrypted: wherever anything is set at all. SageMaker takes it with and
    /// without a network of one's own (API reference, `NetworkConfig` and `CreateTrainingJob`), and it costs nothing with one
    /// instance ("Protect Communications Between ML Compute Instances in a Distributed Training Job", developer guide),
    /// which is what the jobs here have.
    #[must_use]
    pub fn encrypts_traffic(&self) -> bool {
        !self.is_none()
    }

    /// The key for the volumes of an instance of this type; `None` too where SageMaker would refuse one
    /// ([`InstanceType::has_local_storage`]).
    #[must_use]
    pub fn volume_key_for(&self, instance: Option<&InstanceType>) -> Option<&str> {
        if instance.is_some_and(InstanceType::has_local_storage) {
            return None;
        }
        self.volume_key.as_ref().map(KmsKey::as_str)
    }
}

fn list<T: std::str::FromStr<Err = Invalid>>(text: Option<&str>, part: SecurityPart) -> Result<Vec<T>, SecurityError> {
    let items = text.into_iter().flat_map(|text| text.split(','));
    items.map(|item| item.trim().parse().map_err(|reason| SecurityError { part, reason })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(subnets: &str, groups: &str, volume: &str, output: &str) -> Result<JobSecurity, String> {
        let text = SecurityText {
            subnets: Some(subnets),
            security_groups: Some(groups),
            volume_key: Some(volume),
            output_key: Some(output),
        };
        JobSecurity::parse(text).map_err(|error| error.to_string())
    }

    fn numbered(prefix: &str, count: usize) -> String {
        (0..count).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn e10_settings_are_read_from_text() {
        let read = parse(" subnet-b, subnet-a ", "sg-1", KEY, "mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
        let network = read.network.as_ref().unwrap();
        assert_eq!(network.subnets().collect::<Vec<_>>(), ["subnet-a", "subnet-b"]);
        assert_eq!(network.security_groups().collect::<Vec<_>>(), ["sg-1"]);
        assert_eq!(read.volume_key_for(None), Some(KEY));
        assert_eq!(read, parse("subnet-a,subnet-b", "sg-1", KEY, "mrk-1234abcd12ab34cd56ef1234567890ab").unwrap());
        assert!(!read.is_none() && read.encrypts_traffic());
    }

    #[test]
    fn e10_what_is_empty_is_not_there() {
        let none = parse("", " ", "", "").unwrap();
        assert_eq!(none, JobSecurity::default());
        assert_eq!(JobSecurity::parse(SecurityText::default()).unwrap(), none);
        assert!(none.is_none() && !none.encrypts_traffic());
    }

    #[test]
    fn e10_each_part_alone_turns_encryption_of_traffic_on() {
        for (subnets, groups, volume, output) in [("subnet-a", "sg-1", "", ""), ("", "", KEY, ""), ("", "", "", KEY)] {
            assert!(parse(subnets, groups, volume, output).unwrap().encrypts_traffic());
        }
    }

    #[test]
    fn e10_what_sagemaker_would_refuse_is_refused_with_the_setting_s_name() {
        for (subnets, groups, volume, output, message) in [
            ("subnet-a", "", "", "", "security groups of jobs: there is no security group: a network has 1 to 5"),
            ("", "sg-1", "", "", "subnets of jobs: there is no subnet: a network has 1 to 16"),
            ("subnet-a,subnet-a", "sg-1", "", "", "subnets of jobs: `subnet-a` is there twice: give each subnet once"),
            ("subnet-a,,subnet-b", "sg-1", "", "", "subnets of jobs: `` is not the id of a subnet"),
            ("vpc-a", "sg-1", "", "", "subnets of jobs: `vpc-a` is not the id of a subnet: accepted is one such as"),
            ("subnet-", "sg-1", "", "", "subnets of jobs: `subnet-` is not the id of a subnet"),
            ("subnet-a", "subnet-b", "", "", "security groups of jobs: `subnet-b` is not the id of a security group"),
            ("", "", "alias/x", "", "key of volumes: `alias/x` is not a KMS key: accepted is the ARN of a key"),
            ("", "", "", "1234", "key of results: `1234` is not a KMS key"),
        ] {
            let error = parse(subnets, groups, volume, output).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(parse(&format!("subnet-{}", "a".repeat(26)), "sg-1", "", "").is_err());
        assert!(parse(&numbered("subnet-", 16), &numbered("sg-", 5), "", "").is_ok());
        assert!(
            parse(&numbered("subnet-", 17), "sg-1", "", "").unwrap_err().contains("17 are more than SageMaker takes")
        );
        assert!(parse("subnet-a", &numbered("sg-", 6), "", "").unwrap_err().contains("accepted are 1 to 5"));
    }

    #[test]
    fn e10_keys_are_arns_or_ids() {
        for good in [
            KEY,
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ] {
            assert!(KmsKey::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "arn:aws:kms:eu-west-1:123456789012:alias/x",
            "arn:aws:kms:eu-west-1:123:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:s3:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:123456789012:key/",
            "1234abcd-12ab-34cd-56ef-1234567890ag",
            "mrk-1234",
        ] {
            assert!(KmsKey::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn e10_stored_settings_are_checked_again() {
        let security = parse("subnet-a", "sg-1", KEY, KEY).unwrap();
        let stored = serde_json::to_string(&security).unwrap();
        assert_eq!(serde_json::from_str::<JobSecurity>(&stored).unwrap(), security);
        for (from, to) in [("subnet-a", "vpc-a"), (r#"["sg-1"]"#, "[]"), ("kms", "s3"), ("volume_key", "volume")] {
            let broken = stored.replace(from, to);
            assert_ne!(broken, stored);
            assert!(serde_json::from_str::<JobSecurity>(&broken).is_err(), "{broken}");
        }
        assert_eq!(serde_json::to_string(&JobSecurity::default()).unwrap(), "{}");
    }
}
