//! A request, as API Gateway hands it on.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::Cookie;
use serde_json::Value;

use super::problem::Problem;

/// A request. It has no `Debug`: nearly all of it is a secret.
pub(super) struct Request {
    pub(super) method: String,
    /// The path below the stage.
    pub(super) path: String,
    /// API Gateway's id of the request: for people to tell, and in every line of the log.
    pub(super) correlation: String,
    pub(super) body: Vec<u8>,
    /// Whose token API Gateway's authorizer has verified; `None` where no authorizer was asked.
    pub(super) verified: Option<String>,
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// # Errors
    /// Not an event of API Gateway, or the body is said to be base64, and is not.
    pub(super) fn of(event: Value, lambda_id: &str) -> Result<Self, Problem> {
        // The event's type leaves out what an authorizer of a user pool says.
        let verified = event.pointer("/requestContext/authorizer/claims/username").and_then(Value::as_str);
        let verified = verified.map(str::to_owned);
        let event: ApiGatewayProxyRequest =
            serde_json::from_value(event).map_err(|_| Problem::request("this is no request of API Gateway"))?;
        // Which form of headers and query there is depends on who sends the event.
        let headers = if event.multi_value_headers.is_empty() { &event.headers } else { &event.multi_value_headers };
        let headers = headers.iter().fold(BTreeMap::<String, String>::new(), |mut all, (name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let separator = if name.as_str() == "cookie" { "; " } else { ", " };
            all.entry(name.as_str().to_owned())
                .and_modify(|known| known.extend([separator, &*value]))
                .or_insert_with(|| value.clone().into_owned());
            all
        });
        let query = match event.multi_value_query_string_parameters {
            ref empty if empty.is_empty() => event.query_string_parameters,
            several => several,
        };
        let query = query.iter().fold(BTreeMap::<String, Vec<String>>::new(), |mut all, (name, value)| {
            all.entry(name.to_owned()).or_default().push(value.to_owned());
            all
        });
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            STANDARD.decode(body).map_err(|_| Problem::request("the body is not base64, as API Gateway says it is"))?
        } else {
            body.into_bytes()
        };
        Ok(Self {
            method: event.http_method.as_str().to_owned(),
            path: path(event.resource, event.path, &event.path_parameters),
            correlation: event.request_context.request_id.unwrap_or_else(|| lambda_id.to_owned()),
            body,
            verified,
            headers,
            query,
        })
    }

    /// By its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// One that may be there once.
    ///
    /// # Errors
    /// It is there several times.
    pub(super) fn query(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.query.get(name).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([value]) => Ok(Some(value)),
            Some(_) => Err(Problem::request("a parameter is there several times")),
        }
    }

    /// `None` also where there are two: their prefix lets a browser send one only.
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        let header = self.header("cookie")?;
        let mut found = Cookie::split_parse(header).filter_map(Result::ok).filter(|cookie| cookie.name() == name);
        match (found.next(), found.next()) {
            (Some(cookie), None) => Some(cookie.value().to_owned()),
            _ => None,
        }
    }

    /// A form, and no other type of content, which a page of another site could send without being asked.
    pub(super) fn is_form(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }
}

/// API Gateway names the resource as it was declared; the path may have a custom domain's mapping before it.
fn path(
    resource: Option<String>,
    path: Option<String>,
    parameters: &std::collections::HashMap<String, String>,
) -> String {
    let declared = resource.filter(|resource| !resource.is_empty() && !resource.contains('+'));
    match declared {
        None => path.unwrap_or_default(),
        Some(resource) => {
            parameters.iter().fold(resource, |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
        }
    }
}
