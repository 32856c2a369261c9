//! Request validation from the service model.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::api;

/// Why the service model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model file was found.
    #[error("no SageMaker service model under `{folder}`; run `make setup`")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
    },
}

/// The shapes of the implemented operations' requests.
#[derive(Debug)]
pub struct ServiceModel {}

impl ServiceModel {
    /// Reads the model.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(_place: &Path, _operations: impl Iterator<Item = &'static str>) -> Result<Self, ModelError> {
        Ok(Self {})
    }

    /// Whether SageMaker has this operation.
    #[must_use]
    pub fn knows(&self, _operation: &str) -> bool {
        false
    }

    /// Checks a request.
    ///
    /// # Errors
    /// `ValidationException`.
    pub fn check(&self, _operation: &str, _request: &Value) -> api::Result<()> {
        Ok(())
    }
}
