//! An answer, with the headers that all answers have.

use std::sync::LazyLock;

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use aws_lambda_events::encodings::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::{Cookie, SameSite};
use hyper::header::{HeaderName, HeaderValue};
use maud::Markup;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::page;

/// Nothing is loaded and nothing runs; the one style is known by its digest.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(page::STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// What is sent. It has no `Debug`: a redirection's address opens Studio.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    fn new(status: u16, kind: &str, body: String) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body }
    }

    pub(super) fn page(status: u16, page: Markup) -> Self {
        Self::new(status, "text/html; charset=utf-8", page.into_string())
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// 303: whatever the method was, the next is a GET.
    pub(super) fn see_other(url: &str) -> Self {
        Self { status: 303, headers: vec![("location", url.to_owned())], body: String::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A cookie that no script, no other host and no other scheme gets.
    pub(super) fn keeping(self, name: &'static str, value: String, same_site: SameSite, seconds: i64) -> Self {
        let mut cookie = Cookie::new(name, value);
        cookie.set_secure(true);
        cookie.set_http_only(true);
        cookie.set_same_site(same_site);
        cookie.set_path("/");
        let cookie = format!("{cookie}; Max-Age={seconds}");
        self.with("set-cookie", cookie)
    }

    pub(super) fn forgetting(self, name: &'static str, same_site: SameSite) -> Self {
        self.keeping(name, String::new(), same_site, 0)
    }

    pub(super) fn into_response(self) -> ApiGatewayProxyResponse {
        let mut response = ApiGatewayProxyResponse::default();
        response.status_code = self.status.into();
        let always = [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", &**POLICY),
        ];
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in always.into_iter().chain(own) {
            // Every name is a constant; a value that no header can hold is left out rather than cut.
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                response.multi_value_headers.append(name, value);
            }
        }
        response.body = Some(Body::Text(self.body));
        response
    }
}
