//! What the engine asks of MiniStack on a caller's behalf, over the services' public protocols. There is no SDK behind
//! it: EC2's takes longer to build than all of this crate, and MiniStack checks no signature. The header still names the
//! account's placeholder key, the region and the service, which is what MiniStack routes by.

use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{EngineConfig, http};

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Why MiniStack did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It cannot be reached.
    #[error("MiniStack does not answer: {0}")]
    Unreachable(String),
    /// The service says no.
    #[error("{code}: {message}")]
    Service {
        /// The service's code, such as `InvalidVpcID.NotFound`.
        code: String,
        /// The service's words.
        message: String,
    },
}

impl Refused {
    /// Whether the service answered with this code.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Service { code, .. } if code == wanted)
    }
}

/// A call of EC2's query protocol. Answers the XML.
pub(crate) async fn ec2(config: &EngineConfig, action: &str, parameters: &[(&str, &str)]) -> Result<String, Refused> {
    let fixed = [("Action", action), ("Version", "2016-11-15")];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fixed).extend_pairs(parameters).finish();
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let (status, answer) = send(config, "ec2", Method::POST, "/", kind, form).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if status.is_success() {
        return Ok(answer);
    }
    let part = |name: &str| element(&answer, name).unwrap_or_default().to_owned();
    Err(Refused::Service { code: part("Code"), message: part("Message") })
}

/// A call of EFS's REST protocol. Answers the JSON; null when there is none.
pub(crate) async fn efs(
    config: &EngineConfig,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Refused> {
    let text = body.map(ToString::to_string).unwrap_or_default();
    let path = format!("/2015-02-01{path}");
    let (status, answer) = send(config, "elasticfilesystem", method, &path, "application/json", text).await?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if status.is_success() {
        return Ok(answer);
    }
    let part = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(Refused::Service { code: part("ErrorCode"), message: part("Message") })
}

/// The text of the first element of this name that holds nothing but text.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = xml.split_once(&open)?.1;
    Some(rest.split_once(&close)?.0).filter(|text| !text.contains('<'))
}

async fn send(
    config: &EngineConfig,
    service: &str,
    method: Method,
    path: &str,
    kind: &str,
    body: String,
) -> Result<(StatusCode, Bytes), Refused> {
    let scope = format!("Credential=test/20260101/{}/{service}/aws4_request", config.region);
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", config.ministack))
        .header(header::CONTENT_TYPE, kind)
        .header(header::AUTHORIZATION, format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
        .body(http::body(body))
        .map_err(|error| Refused::Unreachable(error.to_string()))?;
    let exchange = async {
        let answer = http::client().request(request).await.map_err(|error| http::reason(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| http::reason(&error))?;
        Ok::<_, String>((status, body.to_bytes()))
    };
    let answer = tokio::time::timeout(ANSWER_WITHIN, exchange).await;
    answer.map_err(|_| Refused::Unreachable("no answer in time".to_owned()))?.map_err(Refused::Unreachable)
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn the_first_element_of_a_name_is_found() {
        let xml = "<a><vpcSet/><groupId>sg-1</groupId><groupId>sg-2</groupId><b><c>1</c></b></a>";
        assert_eq!(element(xml, "groupId"), Some("sg-1"));
        assert_eq!((element(xml, "b"), element(xml, "vpcId"), element("<a>", "a")), (None, None, None));
    }
}
