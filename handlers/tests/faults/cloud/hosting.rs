use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::engine::Move;
use super::{Cloud, Due, Function, Said, arn, epoch, refuse, say, text};
use crate::time;

/// An endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) status: &'static str,
    pub(crate) config: String,
    pending: Option<String>,
    failure: Option<String>,
    modified: Timestamp,
}

/// Models, endpoint configurations and endpoints, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosting {
    pub(crate) models: BTreeMap<String, Value>,
    pub(crate) configs: BTreeMap<String, Value>,
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    /// Each change of an endpoint that took effect, such as `CreateEndpoint tumours tumours-a-0123456789abcdef`.
    pub(crate) changes: Vec<String>,
}

const ROLLOUT: SignedDuration = SignedDuration::from_secs(200);

impl Cloud {
    pub(super) fn create_model(&mut self, body: &Value) -> Said {
        let name = text(body, "ModelName")?.to_owned();
        let arn = arn(&format!("model/{name}"));
        if self.hosting.models.contains_key(&name) {
            return refuse("ValidationException", format!("Cannot create already existing model \"{arn}\"."));
        }
        let package = body["PrimaryContainer"]["ModelPackageName"].as_str().unwrap_or_default();
        if !self.registry.packages.iter().any(|known| known.arn == package) {
            return Err(format!("model {name} is made of {package}, which does not exist"));
        }
        self.hosting.models.insert(name, body.clone());
        say(&json!({"ModelArn": arn}))
    }

    pub(super) fn describe_model(&mut self, body: &Value) -> Said {
        let name = text(body, "ModelName")?;
        match self.hosting.models.get(name) {
            Some(model) => say(model),
            None => refuse("ValidationException", format!("Could not find model \"{}\".", arn(name))),
        }
    }

    pub(super) fn create_config(&mut self, body: &Value) -> Said {
        let name = text(body, "EndpointConfigName")?.to_owned();
        let arn = arn(&format!("endpoint-config/{name}"));
        if self.hosting.configs.contains_key(&name) {
            let said = format!("Cannot create already existing endpoint configuration \"{arn}\".");
            return refuse("ValidationException", said);
        }
        let model = body["ProductionVariants"][0]["ModelName"].as_str().unwrap_or_default();
        if !self.hosting.models.contains_key(model) {
            return refuse("ValidationException", format!("Could not find model \"{model}\"."));
        }
        self.hosting.configs.insert(name, body.clone());
        say(&json!({"EndpointConfigArn": arn}))
    }

    pub(super) fn describe_config(&mut self, body: &Value) -> Said {
        let name = text(body, "EndpointConfigName")?;
        match self.hosting.configs.get(name) {
            Some(config) => say(config),
            None => refuse("ValidationException", format!("Could not find endpoint configuration \"{}\".", arn(name))),
        }
    }

    pub(super) fn create_endpoint(&mut self, body: &Value) -> Said {
        let (name, config) = (text(body, "EndpointName")?, text(body, "EndpointConfigName")?);
        let arn = arn(&format!("endpoint/{name}"));
        if self.hosting.endpoints.contains_key(name) {
            return refuse("ValidationException", format!("Cannot create already existing endpoint \"{arn}\"."));
        }
        if !self.hosting.configs.contains_key(config) {
            return refuse("ValidationException", format!("Could not find endpoint configuration \"{config}\"."));
        }
        let endpoint = Endpoint {
            status: "Creating",
            config: config.to_owned(),
            pending: Some(config.to_owned()),
            failure: None,
            modified: time::now(),
        };
        self.hosting.endpoints.insert(name.to_owned(), endpoint);
        self.rolls_out("CreateEndpoint", name, config);
        say(&json!({"EndpointArn": arn}))
    }

    pub(super) fn update_endpoint(&mut self, body: &Value) -> Said {
        let (name, config) = (text(body, "EndpointName")?, text(body, "EndpointConfigName")?);
        let arn = arn(&format!("endpoint/{name}"));
        let Some(endpoint) = self.hosting.endpoints.get_mut(name) else { return no_such_endpoint(&arn) };
        if !self.hosting.configs.contains_key(config) {
            return refuse("ValidationException", format!("Could not find endpoint configuration \"{config}\"."));
        }
        match endpoint.status {
            "InService" => {}
            "Failed" => return refuse("ValidationException", format!("Cannot update failed endpoint \"{arn}\".")),
            _ => return refuse("ValidationException", format!("Cannot update in-progress endpoint \"{arn}\".")),
        }
        endpoint.status = "Updating";
        endpoint.pending = Some(config.to_owned());
        endpoint.modified = time::now();
        self.rolls_out("UpdateEndpoint", name, config);
        say(&json!({"EndpointArn": arn}))
    }

    fn rolls_out(&mut self, operation: &str, name: &str, config: &str) {
        self.hosting.changes.push(format!("{operation} {name} {config}"));
        self.tell_endpoint(name);
        self.later(ROLLOUT, Due::Engine(Move::Endpoint { name: name.to_owned() }));
    }

    pub(super) fn delete_endpoint(&mut self, body: &Value) -> Said {
        let name = text(body, "EndpointName")?;
        let Some(endpoint) = self.hosting.endpoints.get(name) else { return no_such_endpoint(&arn(name)) };
        if !matches!(endpoint.status, "InService" | "Failed") {
            return refuse("ValidationException", format!("Cannot update in-progress endpoint \"{name}\"."));
        }
        self.hosting.changes.push(format!("DeleteEndpoint {name}"));
        self.hosting.endpoints.remove(name);
        say(&Value::Null)
    }

    pub(super) fn describe_endpoint(&mut self, body: &Value) -> Said {
        let name = text(body, "EndpointName")?;
        let Some(endpoint) = self.hosting.endpoints.get(name) else {
            return no_such_endpoint(&arn(&format!("endpoint/{name}")));
        };
        let mut answer = json!({
            "EndpointName": name,
            "EndpointArn": arn(&format!("endpoint/{name}")),
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
            "CreationTime": epoch(endpoint.modified),
            "LastModifiedTime": epoch(endpoint.modified),
        });
        if let Some(reason) = &endpoint.failure {
            answer["FailureReason"] = json!(reason);
        }
        if let ("Updating", Some(pending)) = (endpoint.status, &endpoint.pending) {
            answer["PendingDeploymentSummary"] = json!({"EndpointConfigName": pending});
        }
        say(&answer)
    }

    /// The rollout ends: in service with what is new, or with what was before.
    pub(super) fn endpoint_settles(&mut self, name: &str) {
        let deploys = self.hosting.changes.len() <= self.will.deploys;
        let Some(endpoint) = self.hosting.endpoints.get_mut(name) else { return };
        let Some(pending) = endpoint.pending.take() else { return };
        let creating = endpoint.status == "Creating";
        endpoint.modified = time::now();
        endpoint.status = if creating && !deploys { "Failed" } else { "InService" };
        endpoint.failure = (!deploys).then(|| "the container did not answer the ping".to_owned());
        if deploys {
            endpoint.config = pending;
        }
        self.tell_endpoint(name);
    }

    fn tell_endpoint(&mut self, name: &str) {
        let Some(endpoint) = self.hosting.endpoints.get(name) else { return };
        let status = match endpoint.status {
            "Creating" => "CREATING",
            "Updating" => "UPDATING",
            "InService" => "IN_SERVICE",
            _ => "FAILED",
        };
        let detail = json!({
            "EndpointName": name,
            "EndpointArn": arn(&format!("endpoint/{name}")),
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": status,
            "LastModifiedTime": endpoint.modified.as_millisecond(),
        });
        self.tell_of_sagemaker(Function::EndpointStatus, "SageMaker Endpoint State Change", detail);
    }
}

fn no_such_endpoint(arn: &str) -> Said {
    refuse("ValidationException", format!("Could not find endpoint \"{arn}\"."))
}
