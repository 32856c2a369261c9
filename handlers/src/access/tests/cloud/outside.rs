//! STS and Cognito.

use super::{Reply, SESSION_KEY, State};

pub(super) fn assume(state: &State, body: &str) -> Reply {
    let role = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "RoleArn").unwrap().1;
    let role = role.rsplit('/').next().unwrap();
    let (status, body) = match &state.session {
        None => (
            400,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>InvalidIdentityToken</Code><Message>Response signature invalid</Message></Error></ErrorResponse>"
                .to_owned(),
        ),
        Some((name, issuer)) => (
            200,
            format!(
                "<AssumeRoleWithSAMLResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <AssumeRoleWithSAMLResult><Issuer>{issuer}</Issuer><AssumedRoleUser>\
                 <AssumedRoleId>AROA:{name}</AssumedRoleId>\
                 <Arn>arn:aws:sts::123456789012:assumed-role/{role}/{name}</Arn></AssumedRoleUser><Credentials>\
                 <AccessKeyId>{SESSION_KEY}</AccessKeyId><SecretAccessKey>session-secret-key</SecretAccessKey>\
                 <SessionToken>session-token</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>\
                 </AssumeRoleWithSAMLResult></AssumeRoleWithSAMLResponse>"
            ),
        ),
    };
    Reply { status, kind: "text/xml", body }
}

pub(super) fn cognito(state: &State, operation: &str) -> Reply {
    let (status, body) = match operation {
        "jwks" => (200, state.jwks.clone()),
        _ => state.token.clone().expect("a token is asked for"),
    };
    Reply { status, kind: "application/json", body }
}
