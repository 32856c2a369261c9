//! Why a request is not granted: for the person or program that asked, and for the log.

use access::person::Denial;
use access::saml::Refusal;
use access::token::TokenRefusal;

use super::secret::NoRandomness;
use crate::effects::{CallError, EffectError, Meaning};

/// Why not. What it says is safe to show; what went wrong at AWS goes to the log alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    /// Stable, for programs, logs and the operator's page.
    pub(super) code: &'static str,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) advice: &'static str,
    /// For the log.
    pub(super) detail: Option<String>,
    /// After how many seconds the same may succeed.
    pub(super) retry_after: Option<u32>,
    /// The methods that are accepted, of a 405.
    pub(super) allow: Option<&'static str>,
}

const AGAIN: &str = "Sign in again from the beginning.";
const ASK: &str = "Ask whoever runs this Studio domain, and tell them the code and the number below.";
const WAIT: &str = "Nothing is wrong with your sign-in. Try again in a moment.";

impl Problem {
    fn new(status: u16, code: &'static str, message: impl Into<String>, advice: &'static str) -> Self {
        Self { status, code, message: message.into(), advice, detail: None, retry_after: None, allow: None }
    }

    pub(super) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// 400: the request itself.
    pub(super) fn request(message: &str) -> Self {
        Self::new(400, "bad-request", message, AGAIN)
    }

    /// 401: it is not known who asks.
    pub(super) fn nobody(message: &str) -> Self {
        Self::new(401, "unauthenticated", message, AGAIN)
    }

    /// 404.
    pub(super) fn no_route() -> Self {
        Self::new(404, "not-found", "there is nothing at this address", "Begin at your sign-in page.")
    }

    /// 404: the domain of an API call.
    pub(super) fn no_domain() -> Self {
        Self::new(404, "domain-unknown", "there is no Studio domain of this name", ASK)
    }

    /// 405.
    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("this address takes {allow} only");
        Self { allow: Some(allow), ..Self::new(405, "method-not-allowed", message, "Begin at your sign-in page.") }
    }

    /// 403: what was posted answers no request of this browser.
    pub(super) fn no_request() -> Self {
        let message = "this sign-in was not started in this browser, was finished already, or took too long";
        Self::new(403, "request-unknown", message, AGAIN)
    }

    /// 403: the IdP started it, and may not.
    pub(super) fn not_started_here() -> Self {
        let message = "sign-in at this domain does not start at the identity provider";
        Self::new(403, "not-started-here", message, "Begin at this service's own sign-in page.")
    }

    /// 403: used before.
    pub(super) fn replayed() -> Self {
        Self::new(403, "assertion-replayed", "this sign-in was used already: each opens Studio once", AGAIN)
    }

    /// 403: no ticket, or one that is used or too old.
    pub(super) fn no_ticket() -> Self {
        Self::new(403, "ticket-unknown", "this sign-in was used already, or is too old", AGAIN)
    }

    /// 403: the sign-in page said no.
    pub(super) fn sign_in_refused() -> Self {
        Self::new(403, "sign-in-refused", "the sign-in page did not sign you in", AGAIN)
    }

    /// 403: the profile is somebody else's.
    pub(super) fn not_yours(message: &str) -> Self {
        Self::new(403, "profile-not-yours", message, ASK)
    }

    /// 403: AWS would not take the assertion.
    pub(super) fn not_taken(detail: String) -> Self {
        Self::new(403, "aws-refused-assertion", "AWS did not accept your sign-in", ASK).because(detail)
    }

    /// 500: what a person cannot mend.
    pub(super) fn broken(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(500, code, "Studio cannot be opened: something is set up wrongly", ASK).because(detail)
    }

    /// 503: not now.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let new = Self::new(503, "unavailable", "Studio cannot be opened just now", WAIT).because(detail);
        Self { retry_after: Some(5), ..new }
    }

    /// 503: the profile is being made or changed.
    pub(super) fn not_ready() -> Self {
        let new = Self::new(503, "profile-not-ready", "your Studio profile is being made ready", WAIT);
        Self { retry_after: Some(5), ..new }
    }

    /// 429.
    pub(super) fn throttled(detail: impl Into<String>) -> Self {
        let new = Self::new(429, "throttled", "too many people are signing in just now", WAIT).because(detail);
        Self { retry_after: Some(5), ..new }
    }

    /// A call that failed: `what` went wrong.
    pub(super) fn call(what: &str, error: CallError) -> Self {
        let denied = error.meaning == Meaning::Denied;
        match error.effect(what) {
            EffectError::Retry(detail) => Self::unavailable(detail),
            EffectError::NoRoom(detail) => Self::throttled(detail),
            EffectError::Permanent(detail) if denied => Self::broken("permission", detail),
            EffectError::Permanent(detail) => Self::broken("aws", detail),
        }
    }

    /// A form that is no SAML response, against one that is refused.
    pub(super) fn form(refusal: Refusal) -> Self {
        Self::new(400, refusal.code(), refusal.to_string(), AGAIN)
    }

    /// Whether the same may succeed later, for the same person.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 503)
    }
}

impl From<Refusal> for Problem {
    /// The detail is which check; it names nothing of what was sent.
    fn from(refusal: Refusal) -> Self {
        Self::new(403, refusal.code(), "what your identity provider sent is not accepted", ASK)
            .because(refusal.to_string())
    }
}

impl From<TokenRefusal> for Problem {
    fn from(refusal: TokenRefusal) -> Self {
        Self::new(401, refusal.code(), refusal.to_string(), AGAIN)
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let (status, message) = match &denial {
            Denial::NotInGroup => (403, "you are not in this Studio domain's group".to_owned()),
            Denial::SeveralDomains(_) => (400, "you may enter several Studio domains: say which".to_owned()),
            Denial::NoSuchLanding => (400, "there is no such place in Studio to begin at".to_owned()),
            other => (403, other.to_string()),
        };
        Self::new(status, denial.code(), message, ASK).because(denial.to_string())
    }
}

impl From<NoRandomness> for Problem {
    fn from(error: NoRandomness) -> Self {
        Self::unavailable(error.to_string())
    }
}
