//! A Studio domain is deployed, written down, restored into another, and goes with all that is its own, by its stack alone.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tidegate_tests::Cloud;

const STACKS: [&str; 3] = ["TidegateStorage", "TidegateNetwork", "TidegateStudio-team1"];

/// Without assets: who places them is a function of CDK's own, which needs what Lambda brings.
const DOMAIN: &str = "domain:
  name: team1
  authMode: IAM
  vpcId: ssm:/tidegate/network/vpc-id
  subnetIds: ssm:/tidegate/network/subnet-ids
  dataAdminRoles:
    - name: studio-admin
  userProfiles:
    bob:
      userRole:
        name: studio-user
  lifecycleConfigs:
    jupyterLab:
      cmds:
        - echo ready
  departure:
    homes: delete
";

/// The neighbour, which nobody's stack owns, keeps everything.
pub(crate) fn a_domain_goes_and_comes_back(_: &Cloud) -> Result<()> {
    let cloud = Cloud::up_empty()?;
    cloud.cdk(&["bootstrap"])?;
    let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    for name in ["studio-admin", "studio-user"] {
        cloud.aws(&["iam", "create-role", "--role-name", name, "--assume-role-policy-document", &trust])?;
    }
    let neighbour = make_neighbour(&cloud)?;
    let before = ground(&cloud)?;
    let file = cloud.home().join("team1.yaml");
    std::fs::write(&file, DOMAIN)?;
    let context = ["-c", "network=new", "-c", &format!("domains={}", file.display())];
    cloud.cdk(&[&["deploy"], &STACKS[..], &["--require-approval", "never"], &context].concat())?;
    let team = parameter(&cloud, "/tidegate/studio/team1/domain-id")?;
    fill(&cloud, &team)?;

    comes_back(&cloud, &neighbour)?;

    cloud.cdk(&[&["destroy", "TidegateStudio-team1", "--force"], &context[..]].concat())?;
    let domains = cloud.aws(&["sagemaker", "list-domains", "--query", "Domains[].DomainId"])?;
    ensure!(domains == json!([neighbour]), "the neighbour alone: {domains}");
    let profiles = cloud.aws(&["sagemaker", "list-user-profiles", "--query", "UserProfiles[].DomainId"])?;
    ensure!(list(&profiles)?.iter().all(|domain| *domain == neighbour), "{profiles}");
    let after = ground(&cloud)?;
    ensure!(after == before, "file systems, mount targets and groups: {before:#} became {after:#}");
    let jobs = cloud.aws(&["backup", "list-backup-jobs", "--query", "BackupJobs[].State"])?;
    ensure!(jobs == json!(["COMPLETED"]), "one final backup: {jobs}");
    Ok(())
}

/// Gives its id.
fn make_neighbour(cloud: &Cloud) -> Result<String> {
    let place = cloud.aws(&["ec2", "describe-subnets", "--query", "Subnets[0].[VpcId, SubnetId]"])?;
    let [vpc, subnet] = [&place[0], &place[1]].map(|id| id.as_str().unwrap_or_default().to_owned());
    let settings = json!({"ExecutionRole": "arn:aws:iam::000000000000:role/studio-user"}).to_string();
    let words = ["sagemaker", "create-domain", "--domain-name", "neighbour", "--auth-mode", "IAM", "--vpc-id", &vpc];
    let rest = ["--subnet-ids", &subnet, "--default-user-settings", &settings, "--query", "DomainArn"];
    let arn = cloud.aws(&[&words[..], &rest].concat())?;
    let id = arn.as_str().and_then(|arn| arn.rsplit('/').next()).context("a domain")?.to_owned();
    in_service(cloud, &["describe-domain", "--domain-id", &id])?;
    cloud.aws(&["sagemaker", "create-user-profile", "--domain-id", &id, "--user-profile-name", "zoe"])?;
    Ok(id)
}

/// What people make of a domain: a profile at a first sign-in, a space, an application in it.
fn fill(cloud: &Cloud, domain: &str) -> Result<()> {
    let sagemaker = |words: &[&str]| cloud.aws(&[&["sagemaker"], words, &["--domain-id", domain]].concat());
    let tags = ["--tags", "Key=studiouserid,Value=ann", "Key=DomainName,Value=team1"];
    sagemaker(&[&["create-user-profile", "--user-profile-name", "ann"], &tags[..]].concat())?;
    in_service(cloud, &["describe-user-profile", "--domain-id", domain, "--user-profile-name", "ann"])?;
    let whose = ["--ownership-settings", "OwnerUserProfileName=ann", "--space-sharing-settings", "SharingType=Private"];
    let words = ["create-space", "--space-name", "lab", "--space-settings", "AppType=JupyterLab"];
    sagemaker(&[&words[..], &whose].concat())?;
    in_service(cloud, &["describe-space", "--domain-id", domain, "--space-name", "lab"])?;
    let app = ["create-app", "--space-name", "lab", "--app-type", "JupyterLab", "--app-name", "default"];
    sagemaker(&app).map(drop)
}

/// Into the neighbour, as into a domain that takes the old one's place.
fn comes_back(cloud: &Cloud, neighbour: &str) -> Result<()> {
    cloud.aws(&["s3api", "create-bucket", "--bucket", "manifests"])?;
    cloud.tidegate(&["studio", "backup", "--domain", "team1", "--to", "s3://manifests/studio/"])?;
    let kept = cloud.aws(&["s3api", "list-objects-v2", "--bucket", "manifests", "--query", "Contents[].Key"])?;
    let [key] = &list(&kept)?[..] else { anyhow::bail!("one manifest: {kept}") };
    let manifest = format!("s3://manifests/{}", key.as_str().unwrap_or_default());
    let script = cloud.home().join("copy.sh").display().to_string();
    let restore = ["studio", "restore", "--manifest", &manifest, "--domain", "neighbour"];
    cloud.tidegate(&[&restore[..], &["--dry-run"]].concat())?;
    let names = || {
        cloud.aws(&[
            "sagemaker",
            "list-user-profiles",
            "--domain-id",
            neighbour,
            "--query",
            "UserProfiles[].UserProfileName",
        ])
    };
    ensure!(names()? == json!(["zoe"]), "a dry run made something");

    cloud.tidegate(&[&restore[..], &["--script", &script]].concat())?;
    let mut there: Vec<String> = serde_json::from_value(names()?)?;
    there.sort_unstable();
    ensure!(there == ["ann", "bob", "zoe"], "{there:?}");
    let ann = ["sagemaker", "describe-user-profile", "--domain-id", neighbour, "--user-profile-name", "ann"];
    let arn = cloud.aws(&[&ann[..], &["--query", "UserProfileArn"]].concat())?;
    let tags = cloud.aws(&[
        "sagemaker",
        "list-tags",
        "--resource-arn",
        arn.as_str().unwrap_or_default(),
        "--query",
        "Tags",
    ])?;
    ensure!(list(&tags)?.contains(&json!({"Key": "DomainName", "Value": "neighbour"})), "{tags}");
    let space = ["sagemaker", "describe-space", "--domain-id", neighbour, "--space-name", "lab", "--query"];
    let owner = cloud.aws(&[&space[..], &["OwnershipSettings.OwnerUserProfileName"]].concat())?;
    ensure!(owner == "ann", "{owner}");
    ensure!(std::fs::read_to_string(&script)?.contains("ann"), "the script copies nothing of hers");

    let again = cloud.tidegate_json(&restore)?;
    ensure!(!again.to_string().contains("\"made\""), "a second restore made something: {again:#}");
    Ok(())
}

fn in_service(cloud: &Cloud, words: &[&str]) -> Result<()> {
    tidegate_tests::eventually("it is in service", std::time::Duration::from_secs(60), || {
        let status = cloud.aws(&[&["sagemaker"], words, &["--query", "Status"]].concat())?;
        Ok((status == "InService").then_some(()))
    })
}

fn parameter(cloud: &Cloud, name: &str) -> Result<String> {
    let value = cloud.aws(&["ssm", "get-parameter", "--name", name, "--query", "Parameter.Value"])?;
    Ok(value.as_str().context("a parameter")?.to_owned())
}

/// What SageMaker makes of its own accord, and leaves.
fn ground(cloud: &Cloud) -> Result<Value> {
    let systems = cloud.aws(&[
        "efs",
        "describe-file-systems",
        "--query",
        "FileSystems[].[FileSystemId, NumberOfMountTargets]",
    ])?;
    let groups = "SecurityGroups[?contains(GroupName, '-nfs-')].[GroupName, IpPermissions, IpPermissionsEgress]";
    let groups = cloud.aws(&["ec2", "describe-security-groups", "--query", groups])?;
    Ok(json!({"file systems": systems, "groups": groups}))
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().with_context(|| format!("a list: {value}"))
}
