//! The file as it is written: types and keys, nothing of what they mean.

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) type Map = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct File {
    pub(super) version: i64,
    pub(super) url: Option<String>,
    pub(super) url_seconds: i64,
    pub(super) session_seconds: i64,
    #[serde(default)]
    pub(super) landings: Map,
    /// Read by what its `verify` says.
    pub(super) saml: Option<serde_json::Map<String, serde_json::Value>>,
    pub(super) cognito: Option<Cognito>,
    pub(super) profile: Profile,
    pub(super) domains: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Here {
    pub(super) issuer: String,
    pub(super) sign_on_url: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) certificates: Vec<String>,
    pub(super) started_at_idp: bool,
    pub(super) skew_seconds: i64,
    pub(super) claims: Claims,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Aws {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) provider: String,
    pub(super) skew_seconds: i64,
    pub(super) roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) domain: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Claims {
    pub(super) profile: Claim,
    pub(super) domain: Option<Claim>,
    pub(super) role: Option<Claim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Claim {
    pub(super) name_id: Option<bool>,
    pub(super) attribute: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Cognito {
    pub(super) sign_in_url: Option<String>,
    #[serde(default)]
    pub(super) federated: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) form: Form,
    pub(super) remove_suffix: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Exact,
    Hashed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) execution_roles: Map,
    pub(super) default_execution_role: Option<String>,
    #[serde(default)]
    pub(super) security_groups: Vec<String>,
    #[serde(default)]
    pub(super) lifecycle_configs: Map,
    #[serde(default)]
    pub(super) tags: Map,
}
