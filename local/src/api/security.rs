//! Networks and keys in requests, beyond what the service model holds. SageMaker looks whether they exist; here it is looked
//! whether they could, and nothing is encrypted or attached with them.

use serde_json::Value;
use statemachine::config::InstanceType;
use statemachine::definition::{KmsKey, SecurityGroupId, SubnetId};

use super::{Error, Result};

/// A `VpcConfig`.
pub(crate) fn network(config: Option<&Value>) -> Result<()> {
    let ids = |member: &str| {
        let list = config.and_then(|config| config.get(member)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    if let Some(id) = ids("Subnets").find(|id| SubnetId::new(*id).is_err()) {
        return Err(Error::validation(format!("The subnet ID '{id}' does not exist")));
    }
    match ids("SecurityGroupIds").find(|id| SecurityGroupId::new(*id).is_err()) {
        Some(id) => Err(Error::validation(format!("The security group ID '{id}' does not exist"))),
        None => Ok(()),
    }
}

/// A key, by ARN or id, or by an alias where SageMaker takes one.
pub(crate) fn key(member: &str, key: Option<&Value>, with_alias: bool) -> Result<()> {
    let Some(text) = key.and_then(Value::as_str) else { return Ok(()) };
    // arn:<partition>:kms:<region>:<account>:alias/<name>
    let alias = text.splitn(6, ':').nth(5).filter(|_| text.starts_with("arn:")).unwrap_or(text);
    let is_alias = alias.strip_prefix("alias/").is_some_and(|name| !name.is_empty() && !name.contains(':'));
    if KmsKey::new(text).is_ok() || (with_alias && is_alias) {
        return Ok(());
    }
    Err(Error::validation(format!("{member} {text} is not a KMS key")))
}

/// The key of the volumes of an instance: none where the instance has disks of its own.
pub(crate) fn volume_key(member: &str, found: Option<&Value>, instance: Option<&Value>) -> Result<()> {
    let Some(text) = found.and_then(Value::as_str) else { return Ok(()) };
    let instance = instance.and_then(Value::as_str).and_then(|text| InstanceType::new(text).ok());
    if let Some(instance) = instance.filter(InstanceType::has_local_storage) {
        return Err(Error::validation(format!(
            "{member} {text} is not supported for the instance type {instance}, which has local storage"
        )));
    }
    // An alias only where the API reference names it: for endpoint configurations.
    key(member, found, member == "KmsKeyId")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;
    use crate::engine::testing::{engine, folder};

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn e10_networks_name_subnets_and_security_groups() {
        let check =
            |subnet: &str, group: &str| network(Some(&json!({"Subnets": [subnet], "SecurityGroupIds": [group]})));
        assert!(network(None).is_ok() && network(Some(&Value::Null)).is_ok());
        assert!(check("subnet-0123456789abcdef0", "sg-0123456789abcdef0").is_ok());
        assert_eq!(
            check("vpc-1", "sg-1").unwrap_err().to_string(),
            "ValidationException: The subnet ID 'vpc-1' does not exist"
        );
        assert!(check("subnet-1", "subnet-1").unwrap_err().to_string().contains("security group ID 'subnet-1'"));
    }

    #[test]
    fn e10_keys_are_keys() {
        let arn = format!("arn:aws:kms:us-east-1:000000000000:key/{ID}");
        for (text, plain, alias) in [
            (ID, true, true),
            (&arn, true, true),
            ("alias/x", false, true),
            ("arn:aws:kms:us-east-1:000000000000:alias/x", false, true),
            ("alias/", false, false),
            ("key", false, false),
            ("", false, false),
        ] {
            assert_eq!(key("KmsKeyId", Some(&json!(text)), false).is_ok(), plain, "{text}");
            assert_eq!(key("KmsKeyId", Some(&json!(text)), true).is_ok(), alias, "{text}");
        }
    }

    #[test]
    fn e10_no_key_goes_with_disks_of_the_instance_s_own() {
        let check = |key: Value, instance: &str| volume_key("VolumeKmsKeyId", Some(&key), Some(&json!(instance)));
        assert!(check(ID.into(), "ml.m5.large").is_ok());
        assert!(check(Value::Null, "ml.g5.xlarge").is_ok());
        let error = check(ID.into(), "ml.g5.xlarge").unwrap_err().to_string();
        assert!(error.contains("is not supported for the instance type ml.g5.xlarge"), "{error}");
        assert!(check("alias/x".into(), "ml.m5.large").is_err());
        assert!(volume_key("KmsKeyId", Some(&"alias/x".into()), Some(&"ml.m5.large".into())).is_ok());
    }

    #[tokio::test]
    async fn e10_models_and_endpoint_configurations_take_them_and_tell_them() {
        let folder = folder();
        let engine = engine(&folder.0);
        let vpc = |subnet: &str| json!({"Subnets": [subnet], "SecurityGroupIds": ["sg-1"]});
        let model =
            |subnet: &str| json!({"ModelName": "m", "PrimaryContainer": {"Image": "i"}, "VpcConfig": vpc(subnet)});
        assert!(engine.call("CreateModel", model("m-1")).await.is_err());
        engine.call("CreateModel", model("subnet-1")).await.unwrap();
        let described = engine.call("DescribeModel", json!({"ModelName": "m"})).await.unwrap();
        assert_eq!(described["VpcConfig"], vpc("subnet-1"));

        let config = |key: &str, instance: &str| {
            let variant =
                json!({"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": instance});
            json!({"EndpointConfigName": "c", "ProductionVariants": [variant], "KmsKeyId": key})
        };
        assert!(engine.call("CreateEndpointConfig", config("key", "ml.m5.large")).await.is_err());
        assert!(engine.call("CreateEndpointConfig", config(ID, "ml.g5.xlarge")).await.is_err());
        engine.call("CreateEndpointConfig", config(ID, "ml.m5.large")).await.unwrap();
        let described = engine.call("DescribeEndpointConfig", json!({"EndpointConfigName": "c"})).await.unwrap();
        assert_eq!(described["KmsKeyId"], ID);
    }
}
