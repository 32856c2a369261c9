//! What both functions are made of, and which request goes where.

use access::config::Config;
use access::person::Person;
use cookie::SameSite;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::Answer;
use super::cognito::{Https, PoolKeys};
use super::page;
use super::problem::Problem;
use super::request::Request;
use super::secret::Secret;
use super::store::{Store, TICKET_TIME, Ticket};
use super::studio::{Found, Opened, Patience, Studio};
use super::{api, cognito, enter, saml};
use crate::aws::Aws;
use crate::settings::Clock;

/// A ticket of a person who may enter.
pub(super) const TICKET_COOKIE: &str = "__Host-tidegate-ticket";

/// How long a person waits for a profile in all, over many pages.
const WAITING: SignedDuration = SignedDuration::from_mins(5);

/// After how many seconds a waiting page asks again.
const REFRESH: u32 = 3;

/// Which of the two functions this is (docs/adr/0015-two-functions-one-that-mints.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Takes assertions, tickets and tokens, and makes URLs.
    Access,
    /// Goes to Cognito's pages and back.
    SignIn,
}

/// Configuration, clients, and what is remembered while the function is warm.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) config: Config,
    pub(super) table: String,
    pub(super) aws: Aws,
    pub(super) https: Https,
    pub(super) clock: Clock,
    pub(super) patience: Patience,
    pub(super) found: Found,
    pub(super) keys: PoolKeys,
}

/// A place of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'r> {
    Saml,
    SamlLogin,
    Enter,
    Presign(&'r str),
    CognitoLogin,
    Callback,
}

impl<'r> Route<'r> {
    fn of(function: Function, path: &'r str) -> Option<Self> {
        let named = || path.strip_prefix("/domainName/")?.strip_suffix("/getPresignedUrl");
        match (function, path) {
            (Function::Access, "/saml") => Some(Self::Saml),
            (Function::Access, "/login") => Some(Self::SamlLogin),
            (Function::Access, "/enter") => Some(Self::Enter),
            (Function::Access, _) => named().filter(|name| !name.contains('/')).map(Self::Presign),
            (Function::SignIn, "/login") => Some(Self::CognitoLogin),
            (Function::SignIn, "/callback") => Some(Self::Callback),
            (Function::SignIn, _) => None,
        }
    }

    fn method(self) -> &'static str {
        if self == Self::Saml { "POST" } else { "GET" }
    }

    /// For the log: without what a caller wrote.
    fn name(self) -> &'static str {
        match self {
            Self::Saml => "saml",
            Self::SamlLogin | Self::CognitoLogin => "login",
            Self::Enter => "enter",
            Self::Presign(_) => "getPresignedUrl",
            Self::Callback => "callback",
        }
    }
}

impl Service {
    /// Answers a request, whatever becomes of it.
    pub(super) async fn handle(&self, function: Function, request: &Request) -> Answer {
        let route = Route::of(function, &request.path);
        let answer = match route {
            None => Err(Problem::no_route()),
            Some(route) if request.method != route.method() => Err(Problem::method(route.method())),
            Some(Route::Saml) => saml::post(self, request).await,
            Some(Route::SamlLogin) => saml::login(self, request).await,
            Some(Route::Enter) => enter::enter(self, request).await,
            Some(Route::Presign(name)) => api::presign(self, request, name).await,
            Some(Route::CognitoLogin) => cognito::login(self, request).await,
            Some(Route::Callback) => cognito::callback(self, request).await,
        };
        let (name, correlation) = (route.map_or("none", Route::name), &*request.correlation);
        match answer {
            Ok(answer) => {
                tracing::info!(correlation, route = name, status = answer.status, "answered");
                answer
            }
            Err(problem) => {
                told(&problem, name, correlation);
                let program = request.path.starts_with("/domainName/");
                if program { in_json(&problem, correlation) } else { on_a_page(&problem, correlation, None) }
            }
        }
    }

    pub(super) fn store(&self) -> Store<'_> {
        Store { client: self.aws.dynamodb(), table: &self.table, now: self.clock.now() }
    }

    /// SageMaker by the function's own role, or by a session's.
    pub(super) fn studio<'s>(&'s self, aws: &'s Aws) -> Studio<'s> {
        Studio { aws, config: &self.config, found: &self.found, patience: self.patience, now: self.clock.now() }
    }

    /// Sends a person into Studio, or has the browser ask again later.
    pub(super) async fn send_in(&self, person: Person, since: Timestamp, correlation: &str) -> Result<Answer, Problem> {
        let waited = self.clock.now().duration_since(since);
        match self.studio(&self.aws).open(&person).await {
            Ok(Opened::Url(url)) => Ok(Answer::see_other(&url.into_url()).forgetting(TICKET_COOKIE, SameSite::Lax)),
            Ok(Opened::NotYet) if waited >= WAITING => {
                let detail = format!("profile `{}` was not in service within five minutes", person.profile);
                Err(Problem::broken("profile-slow", detail))
            }
            Ok(Opened::NotYet) => {
                let page = page::not_ready(correlation, REFRESH, &self.config.url.join("/enter"));
                let answer = Answer::page(200, page).with("retry-after", REFRESH.to_string());
                self.with_ticket(answer, Ticket { person, since }).await
            }
            // The sign-in itself is used up: a ticket lets the person try again without another one.
            Err(problem) if problem.is_passing() && waited < WAITING => {
                let url = self.config.url.join("/enter");
                let seconds = problem.retry_after.unwrap_or(REFRESH);
                let answer = on_a_page(&problem, correlation, Some((seconds, &url)));
                let answer = self.with_ticket(answer, Ticket { person, since }).await;
                if answer.is_ok() {
                    told(&problem, "send in", correlation);
                }
                answer
            }
            Err(problem) => Err(problem),
        }
    }

    /// Adds a ticket to an answer.
    pub(super) async fn with_ticket(&self, answer: Answer, ticket: Ticket) -> Result<Answer, Problem> {
        let secret = Secret::new()?;
        self.store().put_ticket(&secret, &ticket).await?;
        Ok(answer.keeping(TICKET_COOKIE, secret.text(), SameSite::Lax, TICKET_TIME.as_secs()))
    }
}

fn told(problem: &Problem, route: &str, correlation: &str) {
    let (status, code, message) = (problem.status, problem.code, &*problem.message);
    let detail = problem.detail.as_deref().unwrap_or_default();
    if status >= 500 {
        tracing::error!(correlation, route, status, code, message, detail, "not granted");
    } else {
        tracing::warn!(correlation, route, status, code, message, detail, "not granted");
    }
}

fn with_headers(mut answer: Answer, problem: &Problem) -> Answer {
    if let Some(seconds) = problem.retry_after {
        answer = answer.with("retry-after", seconds.to_string());
    }
    if let Some(method) = problem.allow {
        answer = answer.with("allow", method);
    }
    answer
}

pub(super) fn on_a_page(problem: &Problem, correlation: &str, again: Option<(u32, &str)>) -> Answer {
    with_headers(Answer::page(problem.status, page::problem(problem, correlation, again)), problem)
}

pub(super) fn in_json(problem: &Problem, correlation: &str) -> Answer {
    let body = json!({ "error": problem.code, "message": problem.message, "correlation": correlation });
    with_headers(Answer::json(problem.status, &body), problem)
}
