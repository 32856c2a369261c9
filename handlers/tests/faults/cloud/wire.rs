//! Requests as they come, answers as they go.

use serde_json::{Value, json};

/// A request, whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Decoded, with the slash in front.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Of the signature's scope.
    pub(crate) service: String,
    /// The SDK's name of the call, the same for each of its attempts.
    pub(crate) id: String,
}

impl Request {
    pub(crate) fn new(
        method: String,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<Self, String> {
        let mut request = Self {
            method,
            path: decoded(path),
            query: pairs(query),
            headers,
            body,
            service: String::new(),
            id: String::new(),
        };
        let scope = request.header("authorization").and_then(|header| header.split('/').nth(3));
        request.service = scope.ok_or("the request is not signed")?.to_owned();
        request.id = request.header("amz-sdk-invocation-id").ok_or("the request has no invocation id")?.to_owned();
        Ok(request)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// By the protocol of each service.
    pub(crate) fn operation(&self) -> String {
        match self.service.as_str() {
            "s3" => {
                let of_object = self.path.trim_matches('/').contains('/');
                match (self.method.as_str(), of_object) {
                    ("PUT", true) if self.header("x-amz-copy-source").is_some() => "CopyObject".to_owned(),
                    ("GET", true) => "GetObject".to_owned(),
                    ("HEAD", true) => "HeadObject".to_owned(),
                    ("GET", false) if self.parameter("versions").is_some() => "ListObjectVersions".to_owned(),
                    ("GET", false) if self.parameter("list-type") == Some("2") => "ListObjectsV2".to_owned(),
                    (method, _) => format!("{method} {}", self.path),
                }
            }
            "scheduler" => match self.method.as_str() {
                "POST" => "CreateSchedule".to_owned(),
                "GET" => "GetSchedule".to_owned(),
                "DELETE" => "DeleteSchedule".to_owned(),
                method => format!("{method} {}", self.path),
            },
            "sns" => {
                self.form().into_iter().find(|(name, _)| name == "Action").map(|(_, value)| value).unwrap_or_default()
            }
            _ => {
                self.header("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned()
            }
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/x-amz-json-1.0", body: body.to_string() }
    }

    pub(crate) fn xml(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "application/xml", body: body.into() }
    }

    /// An error in the form of the service.
    pub(crate) fn error(service: &str, status: u16, code: &str, message: &str) -> Self {
        match service {
            "s3" => Self::xml(status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")),
            "sns" => Self::xml(
                status,
                format!(
                    "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
                ),
            ),
            _ => Self::json(status, &json!({"__type": code, "message": message, "Message": message})),
        }
    }

    /// The request is at fault.
    pub(crate) fn refused(service: &str, code: &str, message: &str) -> Self {
        Self::error(service, 400, code, message)
    }

    /// The service is at fault.
    pub(crate) fn failed(service: &str) -> Self {
        let code = match service {
            "dynamodb" => "InternalServerError",
            "scheduler" => "InternalServerException",
            "s3" => "InternalError",
            _ => "InternalFailure",
        };
        Self::error(service, 500, code, "the service is at fault")
    }

    /// The service has too much to do.
    pub(crate) fn throttled(service: &str) -> Self {
        match service {
            "s3" => Self::error(service, 503, "SlowDown", "Please reduce your request rate."),
            "dynamodb" => Self::error(service, 400, "ProvisionedThroughputExceededException", "too much"),
            "scheduler" => Self::error(service, 429, "ThrottlingException", "Rate exceeded"),
            "sns" => Self::error(service, 429, "Throttled", "Rate exceeded"),
            _ => Self::error(service, 400, "ThrottlingException", "Rate exceeded"),
        }
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => (decoded(name), decoded(value)),
        None => (decoded(part), String::new()),
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// `%XX` and `+`.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let hex = [*high, *low].map(char::from).iter().collect::<String>();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                after
            }
            (b'+', after) => {
                bytes.push(b' ');
                after
            }
            (byte, after) => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).unwrap()
}
