//! Assertions that AWS verifies: for each, `AssumeRoleWithSAML`, then everything with the session that it gives.

use access::config::ByAws;
use access::saml::{Expected, Form};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role_with_saml::AssumeRoleWithSamlOutput;
use jiff::SignedDuration;

use super::super::answer::Answer;
use super::super::problem::Problem;
use super::super::service::Service;
use super::super::studio::Opened;
use crate::aws::Aws;

/// The shortest session there is, in seconds: it is for this request alone.
const SESSION: i32 = 900;

/// AWS comes before the record of use: who can sign nothing is to write nothing.
pub(super) async fn post(service: &Service, by_aws: &ByAws, form: &Form) -> Result<Answer, Problem> {
    let expected = Expected {
        issuer: by_aws.issuer.as_str().to_owned(),
        audience: by_aws.audience.as_str().to_owned(),
        recipient: by_aws.recipient.as_str().to_owned(),
        skew: SignedDuration::from_secs(by_aws.skew.get()),
    };
    let seen = expected.look(form, service.clock.now())?;
    if seen.in_response_to.is_some() {
        // No sign-in of this kind starts here, so there is no request of ours.
        return Err(Problem::no_request());
    }
    let landing = service.config.landing(form.relay_state())?;
    let (role, domain) = by_aws.role(&seen.attributes)?;
    let said = assume(service, by_aws, role.as_str(), form).await?;
    let session = session_name(&said, role.as_str())?;
    if said.issuer() != Some(by_aws.issuer.as_str()) {
        return Err(Problem::not_taken("AWS names another issuer than `saml.issuer`".to_owned()));
    }
    let person = service.config.person_of_session(by_aws.issuer.as_str(), &session, domain, landing)?;
    let aws = session_clients(service, &said)?;
    if !service.store().use_assertion(&seen.issuer, &seen.assertion_id, seen.expires).await? {
        return Err(Problem::replayed());
    }
    // No ticket: it would have to hold the session.
    match service.studio(&aws).open(&person).await? {
        Opened::Url(url) => Ok(Answer::see_other(&url.into_url())),
        Opened::NotYet => Err(Problem::not_ready()),
    }
}

async fn assume(
    service: &Service,
    by_aws: &ByAws,
    role: &str,
    form: &Form,
) -> Result<AssumeRoleWithSamlOutput, Problem> {
    let ask = service
        .aws
        .sts()
        .assume_role_with_saml()
        .role_arn(role)
        .principal_arn(by_aws.provider.as_str())
        .saml_assertion(form.raw())
        .duration_seconds(SESSION);
    ask.send().await.map_err(|error| {
        // Codes alone: an answer about an assertion may quote it.
        let code = match &error {
            SdkError::ServiceError(context) => context.err().code().unwrap_or("no code").to_owned(),
            _ => return Problem::unavailable("STS did not answer"),
        };
        let detail = format!("sts:AssumeRoleWithSAML: {code}");
        match &*code {
            "AccessDenied"
            | "ExpiredTokenException"
            | "IDPRejectedClaim"
            | "InvalidIdentityToken"
            | "ValidationError" => Problem::not_taken(detail),
            "Throttling" | "ThrottlingException" => Problem::throttled(detail),
            "MalformedPolicyDocument" | "PackedPolicyTooLarge" | "RegionDisabledException" => {
                Problem::broken("aws", detail)
            }
            _ => Problem::unavailable(detail),
        }
    })
}

/// The session's name, from what AWS says it verified: `arn:aws:sts::<account>:assumed-role/<role>/<name>`.
fn session_name(said: &AssumeRoleWithSamlOutput, role: &str) -> Result<String, Problem> {
    let arn = said.assumed_role_user().map(|user| user.arn()).unwrap_or_default();
    let named = || {
        let (taken, name) = arn.split_once(":assumed-role/")?.1.split_once('/')?;
        (Some(taken) == role.rsplit('/').next()).then(|| name.to_owned())
    };
    named().ok_or_else(|| Problem::unavailable("STS did not name the session"))
}

fn session_clients(service: &Service, said: &AssumeRoleWithSamlOutput) -> Result<Aws, Problem> {
    let missing = || Problem::unavailable("STS gave no credentials");
    let given = said.credentials().ok_or_else(missing)?;
    Ok(service.aws.with_session(given.access_key_id(), given.secret_access_key(), given.session_token()))
}
