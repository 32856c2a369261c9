//! The URL that opens a profile.

use access::config::DomainId;
use access::person::Person;
use url::{Host, Url};

use super::super::problem::Problem;
use super::Studio;
use crate::effects::CallError;

/// A URL that opens somebody's Studio. It has no `Debug` and no `Display`, and is given away once.
pub(in crate::access) struct Presigned(String);

impl Presigned {
    pub(in crate::access) fn into_url(self) -> String {
        self.0
    }
}

/// Makes it, through the endpoint that the function is given: where policies ask for the network, it is asked of ours.
pub(super) async fn presign(studio: &Studio<'_>, id: &DomainId, person: &Person) -> Result<Presigned, Problem> {
    let config = studio.config;
    let landing = match &person.landing {
        None => None,
        Some(name) => {
            let gone = || Problem::broken("landing", "the configuration no longer has the person's landing");
            Some(config.landings.get(name).ok_or_else(gone)?.as_str().to_owned())
        }
    };
    let seconds = |seconds: i64| i32::try_from(seconds).ok();
    let made = studio
        .aws
        .sagemaker()
        .create_presigned_domain_url()
        .domain_id(id.as_str())
        .user_profile_name(person.profile.as_str())
        .set_expires_in_seconds(seconds(config.url_seconds.get()))
        .set_session_expiration_duration_in_seconds(seconds(config.session_seconds.get()))
        .set_landing_uri(landing)
        .send()
        .await;
    let made = made.map_err(|error| {
        Problem::call(&format!("the URL of profile `{}` cannot be made", person.profile), CallError::of(error))
    })?;
    let missing = || Problem::unavailable("SageMaker gave no URL that a browser can be sent to");
    let url = made.authorized_url.filter(|url| may_be_sent(url)).ok_or_else(missing)?;
    tracing::info!(profile = %person.profile, domain = %person.domain, "a person enters");
    Ok(Presigned(url))
}

/// `https`, or `http` on this machine, where the local cloud's Studio is.
fn may_be_sent(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}
