//! What is there, beside what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use statemachine::config::Pipeline;

use crate::aws::Aws;
use crate::ledger::{Ledger, PipelineRecord};

use super::pipeline::Known;
use super::prepare::{Prepared, prepare};
use super::schedules::ScheduleStep;
use super::{Action, ApplyError, Change, Deployment, Plan, ProjectFiles, code, pipeline, schedules};

#[derive(Debug)]
pub(super) struct Survey {
    pub(super) prepared: Prepared,
    /// Keys of code that S3 does not have.
    pub(super) missing_code: BTreeSet<String>,
    /// The SageMaker pipeline.
    pub(super) known: Option<Known>,
    /// What SageMaker's pipeline differs in.
    differences: Vec<String>,
    /// What the ledger's record differs in where SageMaker has no part: trigger, limits, gate, deployment.
    pub(super) rules: Vec<String>,
    /// What is to be done with each schedule of this pipeline.
    pub(super) schedules: Vec<ScheduleStep>,
    pub(super) warnings: Vec<String>,
}

pub(super) async fn survey(
    aws: &Aws,
    ledger: &Ledger<'_>,
    deployment: &Deployment,
    files: &ProjectFiles,
) -> Result<Survey, ApplyError> {
    let prepared = prepare(files, deployment)?;
    let name = prepared.pipeline.name().as_str();
    let applied = ledger.pipelines().await?;
    let rules = match applied.iter().find(|record| record.name == name) {
        Some(record) => rule_changes(&with_defaults(&record.config), &prepared.pipeline.to_json()),
        None => Vec::new(),
    };
    let others: Vec<&PipelineRecord> = applied.iter().filter(|other| other.name != name).collect();
    refuse_conflicts(&prepared, &others)?;
    let warnings = shared_arrivals(&prepared, &others);
    let missing_code = code::missing(aws.s3(), deployment, &prepared).await?;
    let known = pipeline::known(aws.sagemaker(), name).await?;
    let differences = known.as_ref().map(|known| known.differences(&prepared, deployment)).unwrap_or_default();
    let schedules = schedules::survey(aws.scheduler(), deployment, name, &prepared.schedules).await?;
    Ok(Survey { prepared, missing_code, known, differences, rules, schedules, warnings })
}

/// Two pipelines on one endpoint would compare their models with each other and replace them in turn. SageMaker tells
/// names apart without regard to case.
fn refuse_conflicts(prepared: &Prepared, others: &[&PipelineRecord]) -> Result<(), ApplyError> {
    let name = prepared.pipeline.name().as_str();
    let endpoint = prepared.pipeline.deployment().map(|deployment| deployment.endpoint.as_str());
    for other in others {
        if other.name.eq_ignore_ascii_case(name) {
            let known = &other.name;
            let advice = "SageMaker does not tell them apart; choose another name";
            return Err(ApplyError::Taken(format!("pipeline `{name}` differs from `{known}` in case alone: {advice}")));
        }
        let theirs = other.spec.deployment.as_ref().map(|deployment| deployment.endpoint.as_str());
        if let (Some(ours), Some(theirs)) = (endpoint, theirs)
            && ours.eq_ignore_ascii_case(theirs)
        {
            let advice = "give `deployment.endpoint` another name, or remove that pipeline first";
            return Err(ApplyError::Taken(format!("endpoint `{ours}` is of pipeline `{}`: {advice}", other.name)));
        }
    }
    Ok(())
}

fn shared_arrivals(prepared: &Prepared, others: &[&PipelineRecord]) -> Vec<String> {
    let Some(ours) = prepared.pipeline.arrival().map(|arrival| arrival.prefix.as_str()) else { return Vec::new() };
    let overlaps = |theirs: &str| theirs.starts_with(ours) || ours.starts_with(theirs);
    let both = others.iter().filter(|other| other.arrival_prefix.as_deref().is_some_and(overlaps));
    both.map(|other| format!("an object under `{ours}` may start pipeline `{}` as well", other.name)).collect()
}

impl Survey {
    pub(super) fn pipeline_action(&self) -> Action {
        match &self.known {
            None => Action::Create,
            Some(_) if self.differences.is_empty() => Action::Keep,
            Some(_) => Action::Update,
        }
    }

    pub(super) fn plan(self) -> Plan {
        let code_hash = self.prepared.environment.code().sha256().to_owned();
        let name = self.prepared.pipeline.name();
        let mut changes = vec![
            Change {
                action: if self.missing_code.is_empty() { Action::Keep } else { Action::Create },
                what: format!("code {}", code_hash.get(..12).unwrap_or(&code_hash)),
                details: self.missing_code.iter().map(|key| self.prepared.environment.s3_uri(key)).collect(),
            },
            Change {
                action: self.pipeline_action(),
                what: format!("pipeline `{name}`"),
                details: self.differences.clone(),
            },
        ];
        if !self.rules.is_empty() {
            let what = "trigger, limits, gate and deployment".to_owned();
            changes.push(Change { action: Action::Update, what, details: self.rules });
        }
        changes.extend(self.schedules.iter().map(ScheduleStep::change));
        Plan {
            pipeline: name.to_string(),
            code_hash,
            changes,
            warnings: self.warnings,
            definition_before: self.known.and_then(|known| known.definition),
            definition_hash: self.prepared.definition.sha256,
            definition_after: self.prepared.definition.body,
        }
    }
}

/// As this version would have stored it: an earlier one knew fewer keys, and left no defaults for them.
fn with_defaults(config: &Value) -> Value {
    Pipeline::from_json(config).map_or_else(|_| config.clone(), |pipeline| pipeline.to_json())
}

/// What differs between two parsed `pipeline.yaml` in the parts that Tidegate itself keeps to, key by key.
fn rule_changes(before: &Value, after: &Value) -> Vec<String> {
    let values = |config: &Value| {
        let mut leaves = BTreeMap::new();
        for part in ["trigger", "concurrency", "deadline", "gate", "deployment"] {
            if let Some(value) = config.get(part) {
                walk(part, value, &mut leaves);
            }
        }
        leaves
    };
    let (before, after) = (values(before), values(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| format!("{key}: {} becomes {}", shown(before.get(key)), shown(after.get(key))))
        .collect()
}

fn walk(path: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| walk(&format!("{path}.{name}"), value, leaves));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| walk(&format!("{path}[{place}]"), value, leaves));
        }
        leaf => drop(leaves.insert(path.to_owned(), leaf.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_gate_or_deployment_is_told_key_by_key() {
        let before = json!({"gate": [{"metric": "auc", "at_least": 0.9}], "deployment": {"approval": "automatic"}});
        let after = json!({"gate": [{"metric": "auc", "at_least": 0.91}],
                           "deployment": {"approval": "manual", "instances": 2}});
        let told = [
            "deployment.approval: \"automatic\" becomes \"manual\"",
            "deployment.instances: nothing becomes 2",
            "gate[0].at_least: 0.9 becomes 0.91",
        ];
        assert_eq!(rule_changes(&before, &after), told);
        assert_eq!(rule_changes(&before, &before), Vec::<String>::new());
        let (before, after) = (json!({"deadline": "1d"}), json!({"deadline": "2h", "concurrency": {"parallel": 3}}));
        let told = ["concurrency.parallel: nothing becomes 3", "deadline: \"1d\" becomes \"2h\""];
        assert_eq!(rule_changes(&before, &after), told);
    }
}
