//! The file system of a domain's home folders, its mount targets and the two security groups that let NFS through: what
//! SageMaker makes with a domain and leaves behind when the domain goes.
//!
//! Names, descriptions, rules and the tag are SageMaker's; the inbound group has inbound rules only, the outbound group
//! outbound ones (<https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-migrate-data.html>).

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::{Error, Result};
use crate::engine::Engine;
use crate::engine::ministack::{Refused, ec2, efs, element};

/// The tag of everything that belongs to a domain; its value is the domain's ARN.
const TAG: &str = "ManagedByAmazonSageMakerResource";

/// What is to be made.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The domain's id.
    pub(super) domain: &'a str,
    pub(super) arn: &'a str,
    pub(super) vpc: &'a str,
    pub(super) subnets: Vec<&'a str>,
    /// The customer's key, if it is not AWS's.
    pub(super) key: Option<&'a str>,
}

/// Makes it in MiniStack. `None` when MiniStack does not answer or does not have the VPC: then there is nothing to mount
/// anything in.
///
/// # Errors
/// `ValidationException` for a subnet that the VPC does not have.
pub(super) async fn make(engine: &Engine, wanted: &Wanted<'_>) -> Result<Option<String>> {
    match ec2(&engine.config, "DescribeVpcs", &[("VpcId.1", wanted.vpc)]).await {
        Ok(answer) if element(&answer, "vpcId") == Some(wanted.vpc) => {}
        Ok(_) => return Ok(None),
        Err(refused) => {
            tracing::info!(vpc = wanted.vpc, %refused, "no home folders are made for the domain");
            return Ok(None);
        }
    }
    for subnet in &wanted.subnets {
        let answer = ec2(&engine.config, "DescribeSubnets", &[("SubnetId.1", subnet)]).await;
        let there = match answer {
            Ok(answer) => element(&answer, "vpcId") == Some(wanted.vpc),
            Err(Refused::Service { .. }) => false,
            Err(unreachable) => return Err(failed(unreachable)),
        };
        if !there {
            let message = format!("The subnet {subnet} does not exist in the VPC {}.", wanted.vpc);
            return Err(Error::validation(message));
        }
    }
    build(engine, wanted).await.map(Some).map_err(failed)
}

async fn build(engine: &Engine, wanted: &Wanted<'_>) -> std::result::Result<String, Refused> {
    let config = &engine.config;
    let mut asked = json!({
        "CreationToken": wanted.domain,
        "PerformanceMode": "generalPurpose",
        "Encrypted": true,
        "Tags": [{"Key": TAG, "Value": wanted.arn}],
    });
    if let (Some(key), Some(members)) = (wanted.key, asked.as_object_mut()) {
        members.insert("KmsKeyId".to_owned(), json!(key));
    }
    let made = efs(config, Method::POST, "/file-systems", Some(&asked)).await?;
    let Some(id) = made.get("FileSystemId").and_then(Value::as_str) else {
        return Err(Refused::Unreachable("EFS made no file system".to_owned()));
    };
    let inbound = group(engine, wanted, "inbound").await?;
    let outbound = group(engine, wanted, "outbound").await?;
    for (action, group, other) in
        [("AuthorizeSecurityGroupIngress", &inbound, &outbound), ("AuthorizeSecurityGroupEgress", &outbound, &inbound)]
    {
        let rule = [
            ("GroupId", group.as_str()),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "2049"),
            ("IpPermissions.1.ToPort", "2049"),
            ("IpPermissions.1.Groups.1.GroupId", other.as_str()),
        ];
        ec2(config, action, &rule).await?;
    }
    for subnet in &wanted.subnets {
        let asked = json!({"FileSystemId": id, "SubnetId": subnet, "SecurityGroups": [inbound]});
        match efs(config, Method::POST, "/mount-targets", Some(&asked)).await {
            // One in each zone is all that EFS takes.
            Err(refused) if refused.is("MountTargetConflict") => {}
            other => {
                other?;
            }
        }
    }
    Ok(id.to_owned())
}

/// A group without the rule that every new group has, by which everything goes out.
async fn group(engine: &Engine, wanted: &Wanted<'_>, direction: &str) -> std::result::Result<String, Refused> {
    let name = format!("security-group-for-{direction}-nfs-{}", wanted.domain);
    let description = format!(
        "[DO NOT DELETE] Security Group that allows {direction} NFS traffic for SageMaker Notebooks Domain [{}]",
        wanted.domain
    );
    let asked = [
        ("GroupName", name.as_str()),
        ("GroupDescription", &description),
        ("VpcId", wanted.vpc),
        ("TagSpecification.1.ResourceType", "security-group"),
        ("TagSpecification.1.Tag.1.Key", TAG),
        ("TagSpecification.1.Tag.1.Value", wanted.arn),
    ];
    let made = ec2(&engine.config, "CreateSecurityGroup", &asked).await?;
    let id = element(&made, "groupId").unwrap_or_default().to_owned();
    let everything = [
        ("GroupId", id.as_str()),
        ("IpPermissions.1.IpProtocol", "-1"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
    ];
    ec2(&engine.config, "RevokeSecurityGroupEgress", &everything).await?;
    Ok(id)
}

/// Deletes the file system with its mount targets. What is gone already is no error.
pub(super) async fn delete(engine: &Engine, id: &str) -> Result<()> {
    let config = &engine.config;
    let targets = match efs(config, Method::GET, &format!("/mount-targets?FileSystemId={id}"), None).await {
        Ok(targets) => targets,
        Err(refused) if refused.is("FileSystemNotFound") => return Ok(()),
        Err(refused) => return Err(failed(refused)),
    };
    let targets = targets.get("MountTargets").and_then(Value::as_array);
    for target in targets.into_iter().flatten().filter_map(|target| target.get("MountTargetId")?.as_str()) {
        gone(efs(config, Method::DELETE, &format!("/mount-targets/{target}"), None).await, "MountTargetNotFound")?;
    }
    gone(efs(config, Method::DELETE, &format!("/file-systems/{id}"), None).await, "FileSystemNotFound")
}

fn gone(answer: std::result::Result<Value, Refused>, missing: &str) -> Result<()> {
    match answer {
        Err(refused) if !refused.is(missing) => Err(failed(refused)),
        _ => Ok(()),
    }
}

fn failed(refused: Refused) -> Error {
    Error::internal(format!("the home folders' file system: {refused}"))
}
