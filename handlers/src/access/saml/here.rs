//! Assertions that are verified here.

use access::config::{Here, Saml};
use access::person::Signed;
use access::saml::{Form, ServiceProvider, Verified};
use cookie::SameSite;
use jiff::SignedDuration;

use super::super::answer::Answer;
use super::super::problem::Problem;
use super::super::request::Request;
use super::super::secret::Secret;
use super::super::service::Service;
use super::super::store::LOGIN_TIME;

/// A request of ours. The IdP's answer comes by a POST from another site, which brings this cookie only without `SameSite`.
pub(in crate::access) const REQUEST_COOKIE: &str = "__Host-tidegate-request";

/// `GET /login`: to the IdP, with a request of ours.
pub(in crate::access) async fn login(service: &Service, request: &Request) -> Result<Answer, Problem> {
    let Some(Saml::Here(here)) = &service.config.saml else { return Err(Problem::no_route()) };
    let url = here.sign_on_url.as_ref().ok_or_else(Problem::no_route)?;
    let landing = service.config.landing(request.query("landing")?)?;
    let secret = Secret::new()?;
    service.store().put_request(&secret).await?;
    let relay = landing.as_ref().map(|name| name.as_str());
    let url = provider(service, here).request_url(url.as_str(), &request_id(&secret), relay, service.clock.now());
    Ok(Answer::see_other(&url).keeping(REQUEST_COOKIE, secret.text(), SameSite::None, LOGIN_TIME.as_secs()))
}

/// The id of a request must begin like a name.
fn request_id(secret: &Secret) -> String {
    format!("_{}", secret.id())
}

fn provider(service: &Service, here: &Here) -> ServiceProvider {
    ServiceProvider {
        acs: service.config.acs(),
        audience: here.audience.as_str().to_owned(),
        issuer: here.issuer.as_str().to_owned(),
        skew: SignedDuration::from_secs(here.skew.get()),
        certificates: here.certificates.clone(),
    }
}

/// Everything that needs no memory comes first; then the request is used up, then the assertion, then Studio is opened.
pub(super) async fn post(service: &Service, request: &Request, here: &Here, form: &Form) -> Result<Answer, Problem> {
    let now = service.clock.now();
    let verified = provider(service, here).verify(form, now)?;
    let landing = service.config.landing(form.relay_state())?;
    let signed = Signed { issuer: &verified.issuer, name_id: &verified.name_id, attributes: &verified.attributes };
    let person = service.config.person_of_assertion(here, signed, landing)?;
    answers_a_request(service, request, here, &verified).await?;
    if !service.store().use_assertion(&verified.issuer, &verified.assertion_id, verified.expires).await? {
        return Err(Problem::replayed());
    }
    let answer = service.send_in(person, now, &request.correlation).await?;
    Ok(if verified.in_response_to.is_some() { answer.forgetting(REQUEST_COOKIE, SameSite::None) } else { answer })
}

/// The cookie's digest is the request's id: an answer to somebody else's request, or in another browser, fits none.
async fn answers_a_request(
    service: &Service,
    request: &Request,
    here: &Here,
    verified: &Verified,
) -> Result<(), Problem> {
    let Some(id) = &verified.in_response_to else {
        return if here.started_at_idp { Ok(()) } else { Err(Problem::not_started_here()) };
    };
    let secret = request.cookie(REQUEST_COOKIE).and_then(|text| Secret::parse(&text));
    let secret = secret.filter(|secret| request_id(secret) == *id).ok_or_else(Problem::no_request)?;
    if service.store().take_request(&secret).await? { Ok(()) } else { Err(Problem::no_request()) }
}
