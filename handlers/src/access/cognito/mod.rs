//! Cognito's hosted pages: the authorization code grant with PKCE, as a public client. No client secret exists.

mod https;
mod keys;

use access::config::{Cognito, DomainName};
use access::person::Denial;
use cookie::SameSite;
use form_urlencoded::Serializer;
use serde::Deserialize;

pub(super) use https::Https;
pub(super) use keys::PoolKeys;

use super::answer::Answer;
use super::page;
use super::problem::Problem;
use super::request::Request;
use super::secret::Secret;
use super::service::Service;
use super::store::{LOGIN_TIME, Login};

/// A sign-in that has gone to Cognito's pages. It comes back by a link from another site, which `Lax` lets bring it.
pub(super) const LOGIN_COOKIE: &str = "__Host-tidegate-login";

/// `GET /login`: to Cognito's pages.
pub(super) async fn login(service: &Service, request: &Request) -> Result<Answer, Problem> {
    let cognito = service.config.cognito.as_ref().ok_or_else(Problem::no_route)?;
    let domain = request.query("domain")?.map(|name| chosen(service, name)).transpose()?;
    let landing = service.config.landing(request.query("landing")?)?;
    let secret = Secret::new()?;
    service.store().put_login(&secret, &Login { domain, landing }).await?;
    let query = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", cognito.client.as_str())
        .append_pair("redirect_uri", &service.config.url.join("/callback"))
        .append_pair("scope", cognito.scope.as_str())
        .append_pair("state", &secret.id())
        .append_pair("code_challenge", &secret.challenge())
        .append_pair("code_challenge_method", "S256")
        .finish();
    let url = format!("{}?{query}", cognito.sign_in_url.join("/oauth2/authorize"));
    Ok(Answer::see_other(&url).keeping(LOGIN_COOKIE, secret.text(), SameSite::Lax, LOGIN_TIME.as_secs()))
}

fn chosen(service: &Service, name: &str) -> Result<DomainName, Problem> {
    service.config.domains.named(name).map(|domain| domain.name.clone()).ok_or_else(Problem::no_domain)
}

/// `GET /callback`: back from Cognito's pages, with a code for a token.
pub(super) async fn callback(service: &Service, request: &Request) -> Result<Answer, Problem> {
    let cognito = service.config.cognito.as_ref().ok_or_else(Problem::no_route)?;
    let secret = request.cookie(LOGIN_COOKIE).and_then(|text| Secret::parse(&text));
    let state = request.query("state")?.ok_or_else(|| Problem::request("there is no `state`"))?;
    // A digest of what only this browser has; to guess it is to guess the cookie.
    let secret = secret.filter(|secret| secret.id() == state).ok_or_else(Problem::no_request)?;
    let login = service.store().take_login(&secret).await?.ok_or_else(Problem::no_request)?;
    if let Some(error) = request.query("error")? {
        return Err(Problem::sign_in_refused().because(format!("Cognito's pages: {}", known_error(error))));
    }
    let code = request.query("code")?.ok_or_else(|| Problem::request("there is no `code`"))?;
    let token = exchange(service, cognito, code, &secret).await?;
    let token = service.keys.verify(service, cognito, &token).await?;
    let choice = login.domain.as_ref().map(DomainName::as_str);
    let answer = match service.config.person_of_token(&token, choice, login.landing) {
        Ok(person) => service.send_to_enter(person).await?,
        Err(Denial::SeveralDomains(names)) => {
            let link = |name: DomainName| {
                let url = service.config.url.join(&format!("/login?domain={name}"));
                (name, url)
            };
            let names: Vec<_> = names.into_iter().map(link).collect();
            Answer::page(200, page::choose(&names, &request.correlation))
        }
        Err(denial) => return Err(denial.into()),
    };
    Ok(answer.forgetting(LOGIN_COOKIE, SameSite::Lax))
}

/// What Cognito's token endpoint says (Amazon Cognito Developer Guide, "The token issuer endpoint").
#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
}

async fn exchange(service: &Service, cognito: &Cognito, code: &str, secret: &Secret) -> Result<String, Problem> {
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("client_id", cognito.client.as_str())
        .append_pair("redirect_uri", &service.config.url.join("/callback"))
        .append_pair("code", code)
        .append_pair("code_verifier", &secret.verifier())
        .finish();
    let unavailable = |reason: String| Problem::unavailable(format!("Cognito's token endpoint: {reason}"));
    let (status, body) = service
        .https
        .post_form(&cognito.sign_in_url.join("/oauth2/token"), form)
        .await
        .map_err(|error| unavailable(error.to_string()))?;
    match status {
        200 => {
            let granted: Granted = serde_json::from_slice(&body)
                .map_err(|_| unavailable("an answer without an access token".to_owned()))?;
            Ok(granted.access_token)
        }
        400 => {
            let refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
            let error = known_error(&refused.error);
            let detail = format!("Cognito's token endpoint: {error}");
            // A code that is used, too old or somebody else's is the person's; the others are the client's set-up.
            Err(match error {
                "invalid_client" | "unauthorized_client" | "unsupported_grant_type" => {
                    Problem::broken("cognito", detail)
                }
                _ => Problem::sign_in_refused().because(detail),
            })
        }
        429 => Err(Problem::throttled("Cognito's token endpoint")),
        status => Err(unavailable(format!("HTTP status {status}"))),
    }
}

/// Errors of OAuth 2.0 (RFC 6749). Others may be anybody's text, and are not logged.
fn known_error(error: &str) -> &'static str {
    const KNOWN: [&str; 10] = [
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("an error without a known name")
}
