//! The pages that a person sees where AWS would show Studio.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

/// What Studio's page tells.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) domain: String,
    pub(super) domain_id: String,
    pub(super) profile: String,
    /// The execution role in force.
    pub(super) role: Option<String>,
    pub(super) space: Option<String>,
    pub(super) landing: Option<String>,
    /// When the session is over.
    pub(super) ends: Timestamp,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}\
    dt{color:#555}dd{margin:0 0 .75rem;font-weight:600;overflow-wrap:anywhere}";

fn whole(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    }
}

pub(super) fn studio(shown: &Shown) -> Markup {
    let facts = [
        ("domain", "Domain", Some(&shown.domain)),
        ("domain-id", "Domain id", Some(&shown.domain_id)),
        ("profile", "User profile", Some(&shown.profile)),
        ("role", "Execution role", shown.role.as_ref()),
        ("space", "Space", shown.space.as_ref()),
        ("landing", "Landing page", shown.landing.as_ref()),
    ];
    let content = html! {
        p { "You are signed in. On AWS, SageMaker Studio would open here." }
        dl {
            @for (id, name, value) in facts {
                @if let Some(value) = value {
                    dt { (name) }
                    dd id=(id) { (value) }
                }
            }
            dt { "Session until" }
            dd id="session-until" { (shown.ends.strftime("%Y-%m-%d %H:%M:%S UTC")) }
        }
    };
    whole("SageMaker Studio on this machine", &content)
}

pub(super) fn refused(why: &str) -> Markup {
    whole("Not signed in", &html! { p id="refusal" { (why) } })
}

/// A page that no cache keeps and whose address no other site learns.
pub(super) fn answer(status: StatusCode, page: Markup) -> Response {
    let headers: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"),
    ];
    (status, headers.map(|(name, value)| (name, HeaderValue::from_static(value))), page.into_string()).into_response()
}
