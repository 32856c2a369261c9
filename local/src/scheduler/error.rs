use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What the Scheduler API answers when it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request is wrong.
    #[error("{0}")]
    Validation(String),
    /// The schedule or group does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It exists already, or the token was used for something else.
    #[error("{0}")]
    Conflict(String),
    /// The engine itself failed.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    fn wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Validation(_) => (StatusCode::BAD_REQUEST, "ValidationException"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "ConflictException"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException"),
        }
    }
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, name) = self.wire();
        if status.is_server_error() {
            tracing::error!(%self, "internal failure");
        }
        let kind = (HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(name));
        (status, [kind], Json(json!({ "Message": self.to_string() }))).into_response()
    }
}
