//! By what SageMaker's own resources of a domain are known. Pure.

use std::fmt;

/// The tag that SageMaker puts on the file system and the groups that it makes for a domain: the domain's ARN.
pub(super) const MANAGED_BY: &str = "ManagedByAmazonSageMakerResource";

/// The tag that says which stack takes a file system or a group with it: the stack's ARN. It is put there when the stack is
/// being deleted, by what goes before the domain; what goes after the domain may touch nothing else, by its role's policy.
pub(super) const DEPARTS_WITH: &str = "TidegateDepartsWith";

/// The tag of a file system with the id of its final backup's job.
pub(super) const FINAL_BACKUP: &str = "TidegateFinalBackup";

/// A domain's ARN, `arn:<partition>:sagemaker:<region>:<account>:domain/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DomainArn(String);

impl DomainArn {
    pub(super) fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (arn_, _partition, service, _region, _account) = (next()?, next()?, next()?, next()?, next()?);
        let id = next()?.strip_prefix("domain/")?;
        let good = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (arn_ == "arn" && service == "sagemaker" && good).then(|| Self(arn.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// SageMaker's id of the domain, `d-…`.
    pub(super) fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether this domain is in the partition, Region and account of a stack.
    pub(super) fn is_beside(&self, stack: &str) -> bool {
        let place = |arn: &str| {
            let mut parts = arn.split(':');
            let partition = parts.nth(1)?.to_owned();
            Some((partition, parts.nth(1)?.to_owned(), parts.next()?.to_owned()))
        };
        place(&self.0).is_some_and(|own| Some(own) == place(stack))
    }

    /// Whether a security group of this name is one of the two that SageMaker makes for the domain's file system.
    pub(super) fn names_group(&self, name: &str) -> bool {
        let id = self.id();
        ["inbound", "outbound"].iter().any(|way| name == format!("security-group-for-{way}-nfs-{id}"))
    }
}

impl fmt::Display for DomainArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ARN: &str = "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-abc";

    #[test]
    fn d7_a_domain_is_known_by_its_whole_arn() {
        assert_eq!(DomainArn::parse(ARN).unwrap().id(), "d-abc");
        for bad in [
            "",
            "d-abc",
            "arn:aws:sagemaker:eu-west-1:123456789012:domain/",
            "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-*",
            "arn:aws:sagemaker:eu-west-1:123456789012:user-profile/d-abc/ann",
            "arn:aws:sagemaker:eu-west-1:123456789012:domain/d-abc/ann",
            "arn:aws:sagemaker::123456789012:domain/d-abc",
            "arn:aws:ec2:eu-west-1:123456789012:domain/d-abc",
        ] {
            assert_eq!(DomainArn::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn d7_only_what_is_in_the_stacks_own_place_is_beside_it() {
        let arn = DomainArn::parse(ARN).unwrap();
        assert!(arn.is_beside("arn:aws:cloudformation:eu-west-1:123456789012:stack/S/1"));
        for other in [
            "arn:aws:cloudformation:eu-west-2:123456789012:stack/S/1",
            "arn:aws:cloudformation:eu-west-1:210987654321:stack/S/1",
            "arn:aws-cn:cloudformation:eu-west-1:123456789012:stack/S/1",
            "S",
        ] {
            assert!(!arn.is_beside(other), "{other}");
        }
    }

    #[test]
    fn d7_groups_are_known_by_their_whole_name() {
        let arn = DomainArn::parse(ARN).unwrap();
        assert!(arn.names_group("security-group-for-inbound-nfs-d-abc"));
        assert!(arn.names_group("security-group-for-outbound-nfs-d-abc"));
        for other in ["security-group-for-inbound-nfs-d-abcd", "security-group-for-inbound-nfs-", "d-abc", "default"] {
            assert!(!arn.names_group(other), "{other}");
        }
    }
}
