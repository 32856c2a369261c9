//! The URLs that let a person into Studio: made for one profile, good once and for seconds, and behind each a page.
//!
//! Of a URL's token, and of a session's cookie, only the SHA-256 is kept, and neither is ever logged.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cookie::{Cookie, SameSite};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::page::{self, Shown};
use super::{domains, profiles, spaces};
use crate::api::{Error, Result};
use crate::engine::Engine;
use crate::store::{self, Document};

/// What a URL and a session are good for unless the request says otherwise, in seconds.
const USUAL_EXPIRY: u64 = 300;
const USUAL_SESSION: u64 = 43_200;

/// How long it is known of a URL that it was used or has expired; after that it is as good as invented.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// Below this path are the pages; a session's cookie goes nowhere else.
const PATH: &str = "/_tidegate/studio";
const COOKIE: &str = "tidegate-studio";

/// Two version 4 UUIDs, 244 bits by chance, as lower-case hexadecimal digits.
const TOKEN_LENGTH: usize = 64;

/// Where a `LandingUri` may lead to.
const LANDINGS: [&str; 6] =
    ["studio::", "app:JupyterServer:", "app:JupyterLab:", "app:RStudioServerPro:", "app:CodeEditor:", "app:Canvas:"];

/// Who comes in, and where to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Visit {
    domain: String,
    profile: String,
    space: Option<String>,
    landing: Option<String>,
}

/// A URL that was made. Its key in the store is the hash of its token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SignIn {
    hash: String,
    visit: Visit,
    pub(super) expires: Timestamp,
    used: bool,
    session_seconds: u64,
}

impl Document for SignIn {
    const KIND: &'static str = "studio-sign-in";
}

/// A person who came in. Its key in the store is the hash of its cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    hash: String,
    visit: Visit,
    pub(super) ends: Timestamp,
}

impl Document for Session {
    const KIND: &'static str = "studio-session";
}

fn token() -> String {
    let [a, b] = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|half| half.simple().to_string());
    a + &b
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    now.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    domain_id: String,
    user_profile_name: String,
    session_expiration_duration_in_seconds: Option<u64>,
    expires_in_seconds: Option<u64>,
    space_name: Option<String>,
    landing_uri: Option<String>,
}

pub(super) async fn create(engine: Arc<Engine>, request: Request) -> Result {
    let now = engine.now();
    let domain = domains::find(&engine, &request.domain_id)?;
    let profile = profiles::find(&engine, &domain.id, &request.user_profile_name)?;
    if domain.is_sso() {
        return Err(Error::validation("CreatePresignedDomainUrl is not supported for a Domain with AuthMode SSO."));
    }
    // People come in while their administrator changes the domain.
    let status = domain.life.status(now).map(|status| if status == "Updating" { "InService" } else { status });
    ready("Domain", &domain.arn, status)?;
    ready("UserProfile", &profile.arn, profile.life.status(now))?;
    if let Some(name) = &request.space_name {
        let space = spaces::find(&engine, &domain.id, name)?;
        ready("Space", &space.arn, space.life.status(now))?;
        let own = space.owner().is_some_and(|owner| owner.to_lowercase() == profile.name.to_lowercase());
        if space.is_private() && !own {
            let message = format!("The Space [{}] is private to another UserProfile.", space.arn);
            return Err(Error::validation(message));
        }
    }
    if let Some(landing) = &request.landing_uri
        && !LANDINGS.iter().any(|start| landing.starts_with(start))
    {
        let message = format!("LandingUri {landing} is not supported; it begins with one of {}", LANDINGS.join(", "));
        return Err(Error::validation(message));
    }
    tidy(&engine, now)?;
    let token = token();
    let sign_in = SignIn {
        hash: hash(&token),
        visit: Visit {
            domain: domain.id,
            profile: profile.name,
            space: request.space_name,
            landing: request.landing_uri,
        },
        expires: later(now, request.expires_in_seconds.unwrap_or(USUAL_EXPIRY)),
        used: false,
        session_seconds: request.session_expiration_duration_in_seconds.unwrap_or(USUAL_SESSION),
    };
    engine.store.put(&sign_in.hash, &sign_in)?;
    Ok(json!({"AuthorizedUrl": format!("http://127.0.0.1:{}{PATH}/auth?token={token}", engine.config.port)}))
}

fn ready(kind: &str, arn: &str, status: Option<&str>) -> Result<()> {
    match status {
        Some("InService") => Ok(()),
        status => {
            let status = status.unwrap_or("Deleted");
            Err(Error::validation(format!("{kind} [{arn}] is not InService: its status is {status}.")))
        }
    }
}

/// Forgets what is long over.
fn tidy(engine: &Engine, now: Timestamp) -> Result<()> {
    for old in engine.store.list::<SignIn>()? {
        if old.expires.checked_add(REMEMBERED).is_ok_and(|end| end < now) {
            engine.store.delete::<SignIn>(&old.hash)?;
        }
    }
    for old in engine.store.list::<Session>()? {
        if old.ends < now {
            engine.store.delete::<Session>(&old.hash)?;
        }
    }
    Ok(())
}

/// The pages behind the URLs.
pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route(&format!("{PATH}/auth"), get(enter))
        .route(&format!("{PATH}/{{domain}}"), get(visit))
        .with_state(engine)
}

/// Why somebody does not come in, as the page says it.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("This address is incomplete: it holds no sign-in token.")]
    Malformed,
    #[error("This sign-in address is not known here.")]
    Unknown,
    #[error("This sign-in address was used already. Each is good once: sign in again.")]
    Used,
    #[error("This sign-in address has expired. Sign in again.")]
    Expired,
    #[error("The user profile that this sign-in address was made for is not there any more.")]
    Gone,
    #[error("There is no session in this domain, or it has ended. Sign in again.")]
    NoSession,
    #[error("The local cloud cannot read its state.")]
    Store(String),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Store(reason) => {
                tracing::error!(reason, "a sign-in failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::FORBIDDEN,
        };
        page::answer(status, page::refused(&self.to_string()))
    }
}

async fn enter(State(engine): State<Arc<Engine>>, method: Method, uri: Uri) -> Response {
    // A program that only looks at a link must not use it up.
    if method == Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match admit(&engine, uri.query().unwrap_or_default()) {
        Ok((shown, cookie)) => {
            let mut response = page::answer(StatusCode::OK, page::studio(&shown));
            if let Ok(cookie) = cookie.to_string().parse() {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn admit(engine: &Engine, query: &str) -> std::result::Result<(Shown, Cookie<'static>), Refusal> {
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "token");
    let (Some((_, given)), None) = (tokens.next(), tokens.next()) else { return Err(Refusal::Malformed) };
    if given.len() != TOKEN_LENGTH || !given.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Refusal::Malformed);
    }
    let now = engine.now();
    let used = engine.store.update(&hash(&given), |sign_in: &mut SignIn| match () {
        () if sign_in.used => Err(Refusal::Used),
        () if sign_in.expires <= now => Err(Refusal::Expired),
        () => {
            sign_in.used = true;
            Ok(sign_in.clone())
        }
    })?;
    let SignIn { visit, session_seconds, .. } = used.ok_or(Refusal::Unknown)?;
    let token = token();
    let session = Session { hash: hash(&token), visit, ends: later(now, session_seconds) };
    let shown = shown(engine, &session)?;
    engine.store.put(&session.hash, &session)?;
    // Loopback is not https, so the cookie cannot be marked as secure.
    let cookie = Cookie::build((COOKIE, token)).path(PATH).http_only(true).same_site(SameSite::Lax);
    let seconds = i64::try_from(session_seconds).unwrap_or_default();
    Ok((shown, cookie.max_age(cookie::time::Duration::seconds(seconds)).build()))
}

/// The same page again, for as long as the session lasts.
async fn visit(State(engine): State<Arc<Engine>>, Path(domain): Path<String>, headers: HeaderMap) -> Response {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = sent.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == COOKIE);
    match session(&engine, &domain, cookies.next().as_ref().map(Cookie::value)) {
        Ok(shown) => page::answer(StatusCode::OK, page::studio(&shown)),
        Err(refusal) => refusal.into_response(),
    }
}

fn session(engine: &Engine, domain: &str, cookie: Option<&str>) -> std::result::Result<Shown, Refusal> {
    let session = cookie.map(|cookie| engine.store.get::<Session>(&hash(cookie))).transpose()?.flatten();
    match session {
        Some(session) if session.visit.domain == domain && session.ends > engine.now() => shown(engine, &session),
        _ => Err(Refusal::NoSession),
    }
}

/// What the page tells of a session whose profile is still there.
fn shown(engine: &Engine, session: &Session) -> std::result::Result<Shown, Refusal> {
    let Visit { domain, profile, space, landing } = session.visit.clone();
    let domain = domains::get(engine, &domain)?.ok_or(Refusal::Gone)?;
    let profile = profiles::get(engine, &domain.id, &profile)?.ok_or(Refusal::Gone)?;
    let own = profile.settings.as_ref().and_then(|settings| settings.get("ExecutionRole"));
    let usual = domain.settings.get("DefaultUserSettings").and_then(|settings| settings.get("ExecutionRole"));
    Ok(Shown {
        domain: domain.text("DomainName").to_owned(),
        domain_id: domain.id.clone(),
        profile: profile.name,
        role: own.or(usual).and_then(Value::as_str).map(str::to_owned),
        space,
        landing,
        ends: session.ends,
    })
}
