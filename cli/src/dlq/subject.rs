//! What an event is, in a few words.

use serde::Serialize;
use serde_json::Value;
use statemachine::run::execution_id;

/// What an event is: its kind, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    /// `aws.s3 Object Created`, `schedule`, …
    pub(crate) event_kind: String,
    /// An object, an execution, an endpoint, a schedule, a run.
    pub(crate) about: String,
}

impl Subject {
    /// Reads what can be read; events here are often malformed.
    pub(crate) fn of(event: &Value) -> Self {
        let member = |path: &str| event.pointer(path).and_then(Value::as_str);
        if let (Some(source), Some(kind)) = (member("/source"), member("/detail-type")) {
            return Self { event_kind: format!("{source} {kind}"), about: of_detail(&event["detail"]) };
        }
        if let Some(request) = member("/RequestType") {
            let what = ["/ResourceType", "/LogicalResourceId"].into_iter().filter_map(member).collect::<Vec<_>>();
            return Self { event_kind: format!("CloudFormation {request}"), about: what.join(" ") };
        }
        if let Some(kind) = member("/kind") {
            let about = ["/run", "/pipeline", "/scheduled_time"].into_iter().filter_map(member).collect::<Vec<_>>();
            return Self { event_kind: kind.to_owned(), about: about.join(" ") };
        }
        if let (Some(pipeline), Some(name)) = (member("/pipeline"), member("/name")) {
            let due = member("/scheduled_time").map(|due| format!(" due {due}")).unwrap_or_default();
            return Self { event_kind: "schedule".to_owned(), about: format!("{pipeline}.{name}{due}") };
        }
        match event.as_object() {
            Some(members) if members.is_empty() => Self { event_kind: "wake-up".to_owned(), about: String::new() },
            _ => Self { event_kind: "unknown".to_owned(), about: String::new() },
        }
    }
}

fn of_detail(detail: &Value) -> String {
    let member = |path: &str| detail.pointer(path).and_then(Value::as_str);
    if let Some(key) = member("/object/key") {
        let version = member("/object/version-id").map(|version| format!("?versionId={version}")).unwrap_or_default();
        return format!("s3://{}/{key}{version}", member("/bucket/name").unwrap_or("?"));
    }
    let status = ["/currentPipelineExecutionStatus", "/currentStepStatus", "/EndpointStatus", "/ModelApprovalStatus"];
    let status = status.into_iter().find_map(member).map(|status| format!(" {status}")).unwrap_or_default();
    if let Some(execution) = member("/pipelineExecutionArn") {
        let pipeline = member("/pipelineArn").map(execution_id).unwrap_or("?");
        let step = member("/stepName").map(|step| format!(" step {step}")).unwrap_or_default();
        return format!("{pipeline}/{}{step}{status}", execution_id(execution));
    }
    let named = member("/EndpointName").map(|name| format!("endpoint {name}"));
    let named = named.or_else(|| member("/ModelPackageArn").map(|arn| format!("model package {}", package(arn))));
    named.map(|named| format!("{named}{status}")).unwrap_or_default()
}

/// `group/version` of `arn:…:model-package/group/version`.
fn package(arn: &str) -> &str {
    arn.split_once('/').map_or(arn, |(_, package)| package)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(event: Value) -> (String, String) {
        let Subject { event_kind: kind, about } = Subject::of(&event);
        (kind, about)
    }

    #[test]
    fn each_event_is_named_by_what_it_is_about() {
        let s3 = json!({"source": "aws.s3", "detail-type": "Object Created",
                        "detail": {"bucket": {"name": "b"}, "object": {"key": "raw/p/x.csv", "version-id": "v"}}});
        assert_eq!(of(s3), ("aws.s3 Object Created".into(), "s3://b/raw/p/x.csv?versionId=v".into()));
        let arn = "arn:aws:sagemaker:us-east-1:0:pipeline/p";
        let status = json!({"source": "aws.sagemaker", "detail-type": "T", "detail": {
            "pipelineArn": arn, "pipelineExecutionArn": format!("{arn}/execution/abc"),
            "currentPipelineExecutionStatus": "Exploded"}});
        assert_eq!(of(status).1, "p/abc Exploded");
        let endpoint = json!({"source": "s", "detail-type": "T", "detail": {"EndpointName": "e",
                              "EndpointStatus": "IN_SERVICE"}});
        assert_eq!(of(endpoint).1, "endpoint e IN_SERVICE");
        let package = json!({"source": "s", "detail-type": "T", "detail": {
            "ModelPackageArn": "arn:aws:sagemaker:r:0:model-package/g/3", "ModelApprovalStatus": "Approved"}});
        assert_eq!(of(package).1, "model package g/3 Approved");
        let firing = json!({"pipeline": "p", "name": "nightly", "scheduled_time": "2026-01-01T03:00:00Z"});
        assert_eq!(of(firing), ("schedule".into(), "p.nightly due 2026-01-01T03:00:00Z".into()));
        let wake = json!({"kind": "wake", "run": "a-0123456789abcdef", "purpose": "batch"});
        assert_eq!(of(wake), ("wake".into(), "a-0123456789abcdef".into()));
        assert_eq!(of(json!({})).0, "wake-up");
        assert_eq!(of(json!(5)).0, "unknown");
    }
}
