//! Errors in the form that each service's clients read.

use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// `__type` in a JSON body: DynamoDB, SageMaker, SQS.
    AwsJson,
    /// The type in a header: Scheduler, Lambda.
    RestJson,
    /// S3.
    RestXml,
    /// SNS.
    Query,
}

/// What a request is, as far as faults need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    protocol: Protocol,
    service: String,
    /// Service and operation, or HTTP method where the path holds the operation: `dynamodb GetItem`, `s3 PUT`.
    pub(super) operation: String,
    /// The same for all attempts of one call of an AWS SDK.
    pub(super) id: Option<String>,
}

impl Call {
    pub(super) fn of(method: &Method, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let service = text("authorization").and_then(signed_for).unwrap_or("unknown").to_owned();
        let target = text("x-amz-target").map(|target| target.rsplit('.').next().unwrap_or(target));
        let form = text("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let (protocol, name) = match (target, service.as_str()) {
            (Some(target), _) => (Protocol::AwsJson, target),
            (None, _) if form => (Protocol::Query, action(body).unwrap_or("?")),
            (None, "s3") => (Protocol::RestXml, method.as_str()),
            (None, _) => (Protocol::RestJson, method.as_str()),
        };
        let operation = format!("{service} {name}");
        Self { protocol, operation, id: text("amz-sdk-invocation-id").map(str::to_owned), service }
    }

    /// Too many requests, as the service says it.
    pub(super) fn throttled(&self) -> Response<Full<Bytes>> {
        let message = "Rate exceeded";
        match (self.protocol, self.service.as_str()) {
            (Protocol::RestXml, _) => {
                self.error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.")
            }
            (_, "dynamodb") => self.error(
                StatusCode::BAD_REQUEST,
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                message,
            ),
            (Protocol::AwsJson, "sqs") => {
                self.error(StatusCode::FORBIDDEN, "com.amazonaws.sqs#RequestThrottled", message)
            }
            (Protocol::AwsJson, _) => self.error(StatusCode::BAD_REQUEST, "ThrottlingException", message),
            (Protocol::RestJson, "lambda") => {
                self.error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message)
            }
            (Protocol::RestJson, _) => self.error(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", message),
            (Protocol::Query, _) => self.error(StatusCode::BAD_REQUEST, "Throttling", message),
        }
    }

    /// A fault of the service, as the service says it.
    pub(super) fn broken(&self) -> Response<Full<Bytes>> {
        let message = "We encountered an internal error. Please try again.";
        let code = match (self.protocol, self.service.as_str()) {
            (_, "dynamodb") => "com.amazonaws.dynamodb.v20120810#InternalServerError",
            (Protocol::RestXml, _) => "InternalError",
            (Protocol::AwsJson | Protocol::Query, _) => "InternalFailure",
            (Protocol::RestJson, _) => "InternalServerException",
        };
        self.error(StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    fn error(&self, status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
        let (kind, body) = match self.protocol {
            Protocol::AwsJson => {
                ("application/x-amz-json-1.1", serde_json::json!({"__type": code, "message": message}).to_string())
            }
            Protocol::RestJson => ("application/json", serde_json::json!({"Message": message}).to_string()),
            Protocol::RestXml => {
                ("application/xml", format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
            }
            Protocol::Query => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>injected</RequestId></ErrorResponse>"
                ),
            ),
        };
        let answer = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
        let answer = if self.protocol == Protocol::RestJson { answer.header("x-amzn-errortype", code) } else { answer };
        answer.body(Full::from(body)).unwrap_or_default()
    }
}

/// The service in `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
fn signed_for(authorization: &str) -> Option<&str> {
    let (_, scope) = authorization.split_once("Credential=")?;
    scope.split(',').next()?.split('/').nth(3)
}

fn action(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.strip_prefix("Action="))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http_body_util::BodyExt as _;

    use super::*;

    fn call(headers: &[(&'static str, &str)], body: &str) -> Call {
        let headers =
            headers.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
        Call::of(&Method::PUT, &headers.collect(), body.as_bytes())
    }

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    async fn body(answer: Response<Full<Bytes>>) -> String {
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn each_protocol_has_its_own_errors() {
        let dynamodb =
            call(&[("authorization", &signed("dynamodb")), ("x-amz-target", "DynamoDB_20120810.GetItem")], "{}");
        assert_eq!(dynamodb.operation, "dynamodb GetItem");
        assert_eq!(dynamodb.throttled().status(), 400);
        assert!(body(dynamodb.throttled()).await.contains("#ProvisionedThroughputExceededException"));
        assert!(body(dynamodb.broken()).await.contains("#InternalServerError"));

        let sagemaker =
            call(&[("authorization", &signed("sagemaker")), ("x-amz-target", "SageMaker.DescribeEndpoint")], "{}");
        assert_eq!(sagemaker.operation, "sagemaker DescribeEndpoint");
        assert!(body(sagemaker.throttled()).await.contains(r#""__type":"ThrottlingException""#));

        let s3 = call(&[("authorization", &signed("s3")), ("amz-sdk-invocation-id", "i-1")], "");
        assert_eq!((s3.operation.as_str(), s3.id.as_deref()), ("s3 PUT", Some("i-1")));
        assert_eq!(s3.throttled().status(), 503);
        assert!(body(s3.throttled()).await.contains("<Code>SlowDown</Code>"));

        let form = ("content-type", "application/x-www-form-urlencoded");
        let sns = call(&[("authorization", &signed("sns")), form], "Version=2010-03-31&Action=Publish&Message=m");
        assert_eq!(sns.operation, "sns Publish");
        assert!(body(sns.throttled()).await.contains("<Code>Throttling</Code>"));

        let scheduler = call(&[("authorization", &signed("scheduler"))], "{}");
        assert_eq!(scheduler.operation, "scheduler PUT");
        let throttled = scheduler.throttled();
        assert_eq!(
            (throttled.status().as_u16(), &throttled.headers()["x-amzn-errortype"]),
            (429, &"ThrottlingException".parse().unwrap())
        );
        assert_eq!(scheduler.broken().status(), 500);
    }
}
