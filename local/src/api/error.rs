use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// SageMaker's own error codes, as clients see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A parameter is wrong, or, for some operations, the resource is missing or in the wrong state.
    Validation,
    /// The resource does not exist.
    ResourceNotFound,
    /// The resource exists already or is used.
    ResourceInUse,
    /// A quota is reached.
    ResourceLimitExceeded,
    /// The same token or name with other content.
    Conflict,
    /// There is no such operation.
    UnknownOperation,
    /// The body is no JSON.
    Serialization,
    /// The engine itself failed.
    Internal,
}

impl Code {
    /// The error's name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Validation => "ValidationException",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::ResourceInUse => "ResourceInUse",
            Self::ResourceLimitExceeded => "ResourceLimitExceeded",
            Self::Conflict => "ConflictException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Serialization => "SerializationException",
            Self::Internal => "InternalFailure",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Conflict => StatusCode::CONFLICT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error as SageMaker answers it: a code and a message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct Error {
    /// The code.
    pub code: Code,
    /// The message, for people.
    pub message: String,
}

impl Error {
    /// An error with this code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `ValidationException`.
    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(Code::Validation, message)
    }

    /// `ResourceNotFound`.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceNotFound, message)
    }

    /// `ResourceInUse`.
    #[must_use]
    pub fn in_use(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceInUse, message)
    }

    /// `ResourceLimitExceeded`.
    #[must_use]
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceLimitExceeded, message)
    }

    /// `ConflictException`.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// `InternalFailure`. The SDKs try again after it.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<crate::events::EmitError> for Error {
    fn from(error: crate::events::EmitError) -> Self {
        Self::internal(error.to_string())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if self.code == Code::Internal {
            tracing::error!(message = %self.message, "internal failure");
        }
        // botocore reads `message` and then `Message`, the model's exceptions have the member `Message`.
        let body = serde_json::json!({"__type": self.code.name(), "message": self.message, "Message": self.message});
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
            (header::HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.code.name())),
        ];
        (self.code.status(), headers, body.to_string()).into_response()
    }
}
