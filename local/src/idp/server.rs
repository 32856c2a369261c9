use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use ::idp::{Identity, Request as Asked, Response as Told, Signed};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, PreEscaped, html};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::people::{App, Directory, Person};
use super::{Error, Options, identity, page};
use crate::engine::is_loopback;

/// An AuthnRequest has a few hundred bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// What every request needs.
#[derive(Debug)]
struct Provider {
    identity: Identity,
    issuer: String,
    base: String,
    people: PathBuf,
}

/// An identity provider that has its port and is not served yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    provider: Arc<Provider>,
}

impl Server {
    /// Takes the port, and makes the key unless there is one.
    ///
    /// # Errors
    /// When the port cannot be had, or key or people cannot be read.
    pub async fn bind(options: Options) -> Result<Self, Error> {
        let identity = identity::keep(&options.home)?;
        Directory::read(&options.people)?;
        let failed = |source| Error::Listen { port: options.port, source };
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await.map_err(failed)?;
        let base = format!("http://{}", listener.local_addr().map_err(failed)?);
        let issuer = options.issuer.unwrap_or_else(|| format!("{base}/metadata"));
        Ok(Self { listener, provider: Arc::new(Provider { identity, issuer, base, people: options.people }) })
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.provider.base
    }

    /// Its entity ID, which is the Issuer of its assertions.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    /// The certificate in PEM: what a service provider pins.
    #[must_use]
    pub fn certificate(&self) -> &str {
        self.provider.identity.certificate_pem()
    }

    /// Answers requests until `stop`.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), Error> {
        tracing::info!(base = self.base(), issuer = self.issuer(), "identity provider is up");
        let served = axum::serve(self.listener, router(self.provider));
        served.with_graceful_shutdown(stop.cancelled_owned()).await.map_err(Error::Server)
    }
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// As [`Server::bind`] and [`Server::serve`].
pub async fn run(options: Options) -> Result<(), Error> {
    let server = Server::bind(options).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Server)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Server)?;
    tokio::select! {
        served = server.serve(CancellationToken::new()) => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/", get(portal))
        .route("/metadata", get(metadata))
        .route("/sso", get(ask).post(sign_in))
        .route("/start", get(start))
        .with_state(provider)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(axum::middleware::from_fn(only_this_machine))
}

/// A page elsewhere must not sign somebody in, nor read an assertion under a name that it has pointed here.
async fn only_this_machine(request: Request, next: Next) -> Response {
    if is_ours(request.headers()) {
        next.run(request).await
    } else {
        refuse(StatusCode::FORBIDDEN, "requests must come from this machine, addressed to 127.0.0.1 or localhost")
    }
}

fn is_ours(headers: &HeaderMap) -> bool {
    let named = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = named(header::HOST).unwrap_or_default();
    // Browsers say `null` of a page that tells nobody where it is, as these pages do.
    let own = named(header::ORIGIN).is_none_or(|origin| origin == "null" || origin == format!("http://{host}"));
    is_loopback(host) && own
}

fn refuse(status: StatusCode, why: &str) -> Response {
    page::answer(status, page::refused(why))
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Saml(::idp::Error::Request(_)) => StatusCode::BAD_REQUEST,
            Self::Stranger(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        refuse(status, &self.to_string())
    }
}

async fn portal(State(provider): State<Arc<Provider>>) -> Result<Response, Error> {
    Ok(page::answer(StatusCode::OK, page::portal(&Directory::read(&provider.people)?)))
}

async fn metadata(State(provider): State<Arc<Provider>>) -> Response {
    let kind = "application/samlmetadata+xml";
    ([(header::CONTENT_TYPE, kind)], provider.metadata().into_string()).into_response()
}

impl Provider {
    fn metadata(&self) -> Markup {
        let certificate = STANDARD.encode(self.identity.certificate_der());
        html! {
            (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"))
            (PreEscaped(format!(
                "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\">\
                 <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
                 WantAuthnRequestsSigned=\"false\"><KeyDescriptor use=\"signing\">\
                 <KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{certificate}\
                 </X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
                 <NameIDFormat>{}</NameIDFormat><SingleSignOnService \
                 Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{}/sso\"/>\
                 </IDPSSODescriptor></EntityDescriptor>",
                text(&self.issuer), ::idp::NAME_ID_PERSISTENT, text(&self.base),
            )))
        }
    }

    /// The app whose request it is, provided that it wants the answer where the app is known to be.
    fn asking<'a>(&self, directory: &'a Directory, asked: &Asked) -> Result<&'a App, Error> {
        let forbidden = |why: String| Err(Error::Stranger(why));
        let Some(app) = directory.apps.iter().find(|app| app.audience == asked.issuer) else {
            return forbidden(format!("no app has the audience {}, which the request comes from", asked.issuer));
        };
        if let Some(acs) = asked.acs.as_ref().filter(|acs| **acs != app.acs) {
            return forbidden(format!("the request wants its answer at {acs}, and {} is at {}", app.name, app.acs));
        }
        let here = format!("{}/sso", self.base);
        match asked.destination.as_ref().filter(|destination| **destination != here) {
            Some(other) => forbidden(format!("the request is meant for {other}, and this is {here}")),
            None => Ok(app),
        }
    }

    /// The page that carries a signed answer about the person to the app.
    fn tell(&self, person: &Person, app: &App, asked: Option<&Asked>, relay: Option<&str>) -> Result<Response, Error> {
        let now = Timestamp::now();
        let id = || format!("_{}", uuid::Uuid::new_v4().simple());
        let mut told = Told::new(&self.issuer, &app.acs, &app.audience, person.name_id(), now);
        told.id = id();
        told.assertion_id = id();
        told.in_response_to = asked.map(|asked| asked.id.clone());
        if let Some(format) = &person.name_id_format {
            told.name_id_format.clone_from(format);
        }
        for (name, values) in &person.attributes {
            told = told.attribute(name, &values.all());
        }
        let session = app.session_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
        told.session_not_on_or_after = session.and_then(|length| now.checked_add(length).ok());
        let xml = told.signed(&self.identity, Signed::Assertion)?;
        Ok(page::answer(StatusCode::OK, page::post(&app.acs, &xml, relay)))
    }
}

fn text(value: &str) -> String {
    html! { (value) }.into_string()
}

fn fields(text: &[u8]) -> HashMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

async fn ask(State(provider): State<Arc<Provider>>, uri: Uri) -> Result<Response, Error> {
    let query = uri.query().unwrap_or_default();
    let asked = Asked::from_query(query)?;
    let directory = Directory::read(&provider.people)?;
    let app = provider.asking(&directory, &asked)?;
    Ok(page::answer(StatusCode::OK, page::login(&directory, app, query)))
}

async fn sign_in(State(provider): State<Arc<Provider>>, body: Bytes) -> Result<Response, Error> {
    let form = fields(&body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let asked = Asked::from_query(field("request"))?;
    let directory = Directory::read(&provider.people)?;
    let app = provider.asking(&directory, &asked)?;
    match directory.person(field("person")) {
        Some(person) => provider.tell(person, app, Some(&asked), asked.relay_state.as_deref()),
        None => Ok(refuse(StatusCode::FORBIDDEN, "there is nobody of that name")),
    }
}

/// Sign-in that starts here. A `relayState` in the query goes before the app's own.
async fn start(State(provider): State<Arc<Provider>>, uri: Uri) -> Result<Response, Error> {
    let query = fields(uri.query().unwrap_or_default().as_bytes());
    let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let directory = Directory::read(&provider.people)?;
    let (person, app) = (directory.person(field("person")), directory.app(field("app")));
    let (Some(person), Some(app)) = (person, app) else {
        let why = "there is nobody, or no app, of that name: `/start?person=…&app=…` wants both as the file has them";
        return Ok(refuse(StatusCode::NOT_FOUND, why));
    };
    let relay = query.get("relayState").or(app.relay_state.as_ref());
    provider.tell(person, app, None, relay.map(String::as_str))
}
