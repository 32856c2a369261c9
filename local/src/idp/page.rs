//! The identity provider's pages. All of them work without script.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::people::{App, Directory};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}\
    button{font:inherit;padding:.4rem 1rem}li{margin:.75rem 0}small{color:#555;overflow-wrap:anywhere}";

/// Sends the only form of the page.
const SUBMIT: &str = "document.forms[0].submit()";

fn whole(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    }
}

/// Everybody, for an app that has asked. `query` is the request as it came.
pub(super) fn login(directory: &Directory, app: &App, query: &str) -> Markup {
    let content = html! {
        p { "Sign in to " strong { (app.name) } " as:" }
        ul {
            @for person in &directory.people {
                li {
                    form method="post" action="/sso" {
                        input type="hidden" name="request" value=(query);
                        button type="submit" name="person" value=(person.name) { (person.name) }
                    }
                    @for (name, values) in &person.attributes {
                        small { (name) ": " (values.all().join(", ")) } " "
                    }
                }
            }
        }
    };
    whole("Local identity provider", &content)
}

/// Everybody and every app, for sign-in that starts here.
pub(super) fn portal(directory: &Directory) -> Markup {
    let link = |person: &str, app: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("person", person).append_pair("app", app);
        format!("/start?{}", query.finish())
    };
    let content = html! {
        ul {
            @for person in &directory.people {
                li {
                    (person.name) ": "
                    @for app in &directory.apps { a href=(link(&person.name, &app.name)) { (app.name) } " " }
                }
            }
        }
        p { a href="/metadata" { "Metadata" } }
    };
    whole("Local identity provider", &content)
}

/// What carries the answer to the service provider: the HTTP-POST binding.
pub(super) fn post(acs: &str, message: &str, relay_state: Option<&str>) -> Markup {
    let content = html! {
        form method="post" action=(acs) {
            input type="hidden" name="SAMLResponse" value=(STANDARD.encode(message));
            @if let Some(state) = relay_state { input type="hidden" name="RelayState" value=(state); }
            button type="submit" { "Continue" }
        }
        script { (PreEscaped(SUBMIT)) }
    };
    whole("Signing in", &content)
}

pub(super) fn refused(why: &str) -> Markup {
    whole("Not signed in", &html! { p id="refusal" { (why) } })
}

/// A page that no cache keeps. Where forms may go is not limited: browsers hold that against the redirects that follow,
/// too, and those lead from the service provider to anywhere.
pub(super) fn answer(status: StatusCode, page: Markup) -> Response {
    let script = STANDARD.encode(Sha256::digest(SUBMIT.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script}'; base-uri 'none'");
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    let mut response = (status, page.into_string()).into_response();
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
