//! The final backup of the home folders, by AWS Backup.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::trouble::Trouble;
use crate::aws::Aws;
use crate::signed::Call;

/// Where backups go, and who makes them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Vault {
    pub(super) vault_name: String,
    /// The role that AWS Backup takes.
    pub(super) role_arn: String,
}

/// A backup job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// It goes on; with what AWS Backup says of its progress, in per cent.
    Going(String),
    /// It is complete, since then if that is told.
    Complete(Option<Timestamp>),
    /// It came to nothing, for this reason.
    Broken(String),
}

/// Starts a backup, or finds the one that was started with the same token.
pub(super) async fn start(aws: &Aws, vault: &Vault, file_system: &str, token: &str) -> Result<String, Trouble> {
    let body = json!({
        "BackupVaultName": vault.vault_name,
        "ResourceArn": file_system,
        "IamRoleArn": vault.role_arn,
        "IdempotencyToken": token,
    });
    let call = Call {
        operation: "StartBackupJob",
        method: "PUT",
        path: "/backup-jobs".to_owned(),
        headers: vec![("content-type", "application/json")],
        body: body.to_string(),
    };
    let what = format!("the final backup of `{file_system}` cannot be started");
    // A vault that is missing is no reason to go on without a backup.
    let missing = || Trouble::Refused(format!("{what}: the vault `{}` does not exist", vault.vault_name));
    let answer = aws.backup().json(call).await.map_err(|failed| match Trouble::from(failed) {
        Trouble::Gone => missing(),
        trouble => trouble.at(&what),
    })?;
    let id = answer.get("BackupJobId").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| Trouble::Later(format!("{what}: AWS Backup names no job")))
}

/// The state of a job of this file system and vault. Another's is none: its id comes from a tag, which others can write.
pub(super) async fn describe(aws: &Aws, id: &str, file_system: &str, vault: &Vault) -> Result<Job, Trouble> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Trouble::Gone);
    }
    let call = Call {
        operation: "DescribeBackupJob",
        method: "GET",
        path: format!("/backup-jobs/{id}"),
        headers: Vec::new(),
        body: String::new(),
    };
    let answer = aws.backup().json(call).await;
    let answer = answer.map_err(|failed| Trouble::from(failed).at("the final backup's state cannot be read"))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("ResourceArn") != file_system || text("BackupVaultName") != vault.vault_name {
        return Err(Trouble::Gone);
    }
    Ok(match text("State") {
        "COMPLETED" => Job::Complete(answer.get("CompletionDate").and_then(time)),
        state @ ("ABORTED" | "EXPIRED" | "FAILED" | "PARTIAL") => match text("StatusMessage") {
            "" => Job::Broken(state.to_owned()),
            said => Job::Broken(format!("{state}: {said}")),
        },
        _ => Job::Going(text("PercentDone").to_owned()),
    })
}

/// Seconds since 1970, as the protocol has it, or a text.
fn time(value: &Value) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of our time fit by far")]
    let seconds = |seconds: f64| Timestamp::from_second(seconds as i64).ok();
    value.as_f64().and_then(seconds).or_else(|| value.as_str()?.parse().ok())
}

/// The same for the same stack, file system and job before: a start that is repeated makes no second backup.
pub(super) fn token(stack: &str, file_system: &str, previous: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [stack, file_system, previous.unwrap_or_default()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_a_start_is_repeated_under_one_token_and_another_backup_has_another() {
        let first = token("s", "f", None);
        assert_eq!(first, token("s", "f", None));
        let others = [token("s", "f", Some("job-1")), token("s", "g", None), token("sf", "", None)];
        assert!(others.iter().all(|other| *other != first), "{others:?}");
    }

    #[test]
    fn d7_a_time_is_read_in_both_forms() {
        let expected = Some(Timestamp::constant(1_763_740_800, 0));
        assert_eq!(time(&json!(1_763_740_800.25)), expected);
        assert_eq!(time(&json!("2025-11-21T16:00:00Z")), expected);
        assert_eq!(time(&json!(null)), None);
    }
}
