//! `GET /domainName/{name}/getPresignedUrl`: for programs, behind the user pool's authorizer.

use access::config::DomainName;
use serde_json::json;

use super::answer::Answer;
use super::problem::Problem;
use super::request::Request;
use super::service::Service;
use super::studio::Opened;

pub(super) async fn presign(service: &Service, request: &Request, name: &str) -> Result<Answer, Problem> {
    let cognito = service.config.cognito.as_ref().ok_or_else(Problem::no_route)?;
    let header = request.header("authorization").ok_or_else(|| Problem::nobody("there is no access token"))?;
    // The authorizer takes a token with and without the word before it.
    let token = header.strip_prefix("Bearer ").unwrap_or(header).trim();
    let token = cognito.read(token, service.clock.now())?;
    // The signature is the authorizer's to check: without one, or with another token than this, nobody is let in.
    if request.verified.as_deref() != Some(token.username.as_str()) {
        return Err(Problem::broken("authorizer", "API Gateway's authorizer has not verified this token"));
    }
    let name = DomainName::parse(name)
        .map_err(|wrong| Problem::request(&format!("the domain's name is malformed: {wrong}")))?;
    if service.config.domains.named(name.as_str()).is_none() {
        return Err(Problem::no_domain());
    }
    let landing = service.config.landing(request.query("landing")?)?;
    let person = service.config.person_of_token(&token, Some(name.as_str()), landing)?;
    match service.studio(&service.aws).open(&person).await? {
        Opened::Url(url) => Ok(Answer::json(200, &json!({ "url": url.into_url() }))),
        Opened::NotYet => Err(Problem::not_ready()),
    }
}
