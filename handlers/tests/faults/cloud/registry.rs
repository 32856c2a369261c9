use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::engine::Move;
use super::{Cloud, Due, Function, Said, arn, epoch, refuse, say, text};
use crate::time;

/// A version of a model.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) arn: String,
    approval: String,
    request: Value,
    modified: Timestamp,
}

/// The model registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    groups: Vec<String>,
    pub(crate) packages: Vec<Package>,
    tokens: BTreeMap<String, String>,
}

impl Cloud {
    pub(super) fn create_group(&mut self, body: &Value) -> Said {
        let name = text(body, "ModelPackageGroupName")?.to_owned();
        let arn = arn(&format!("model-package-group/{name}"));
        if self.registry.groups.contains(&name) {
            return refuse("ValidationException", format!("Model Package Group already exists: {arn}"));
        }
        self.registry.groups.push(name);
        say(&json!({"ModelPackageGroupArn": arn}))
    }

    pub(super) fn create_package(&mut self, body: &Value) -> Said {
        let group = text(body, "ModelPackageGroupName")?.to_owned();
        if !self.registry.groups.contains(&group) {
            return refuse("ValidationException", format!("ModelPackageGroup {group} does not exist."));
        }
        let token = text(body, "ClientToken")?.to_owned();
        if token.len() > 36 {
            return Err(format!("the token {token} has {} characters", token.len()));
        }
        if let Some(arn) = self.registry.tokens.get(&token)
            && !self.sabotage.no_tokens
        {
            return say(&json!({"ModelPackageArn": arn}));
        }
        let arn = arn(&format!("model-package/{group}/{}", self.registry.packages.len() + 1));
        let approval = text(body, "ModelApprovalStatus")?.to_owned();
        let waits = approval == "PendingManualApproval";
        let package = Package { arn: arn.clone(), approval, request: body.clone(), modified: time::now() };
        self.registry.packages.push(package);
        self.registry.tokens.insert(token, arn.clone());
        self.tell_package(&arn, &["ModelPackageStatus", "ModelApprovalStatus"]);
        if waits {
            let looks = Move::Approval { arn: arn.clone() };
            self.later(SignedDuration::from_hours(2), Due::Engine(looks));
        }
        say(&json!({"ModelPackageArn": arn}))
    }

    pub(super) fn describe_package(&mut self, body: &Value) -> Said {
        let arn = text(body, "ModelPackageName")?;
        let Some(package) = self.registry.packages.iter().find(|package| package.arn == arn) else {
            return refuse("ValidationException", format!("ModelPackage {arn} does not exist."));
        };
        let mut answer = package.request.clone();
        answer["ModelPackageArn"] = json!(arn);
        answer["ModelApprovalStatus"] = json!(package.approval);
        answer["ModelPackageStatus"] = json!("Completed");
        answer["CreationTime"] = epoch(package.modified);
        answer["LastModifiedTime"] = epoch(package.modified);
        say(&answer)
    }

    pub(super) fn person_decides(&mut self, arn: &str) {
        let word = if self.will.approves { "Approved" } else { "Rejected" };
        let Some(package) = self.registry.packages.iter_mut().find(|package| package.arn == arn) else { return };
        package.approval = word.to_owned();
        package.modified = time::now();
        self.tell_package(arn, &["ModelApprovalStatus"]);
    }

    fn tell_package(&mut self, arn: &str, fields: &[&str]) {
        let Some(package) = self.registry.packages.iter().find(|package| package.arn == arn) else { return };
        let detail = json!({
            "ModelPackageArn": arn,
            "ModelPackageGroupName": package.request["ModelPackageGroupName"],
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": package.approval,
            "MetadataProperties": package.request["MetadataProperties"],
            "UpdatedModelPackageFields": fields,
            "LastModifiedTime": package.modified.as_millisecond(),
        });
        self.tell_of_sagemaker(Function::ModelPackage, "SageMaker Model Package State Change", detail);
    }
}
