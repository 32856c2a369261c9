//! Request validation from the service model.
//!
//! The model is the one that boto3 and the AWS CLI carry (botocore's `service-2.json.gz`), so that names, lengths,
//! ranges, patterns and enumerations are SageMaker's own. Rules between members, and between resources, are with the
//! operations.

mod check;
mod pattern;
mod shape;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::api;
use shape::Shape;

/// Why the service model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model file was found.
    #[error("no SageMaker service model under `{folder}`; run `make setup`")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the service model `{file}`: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("`{file}` is no service model: {source}")]
    Parse {
        /// The file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct File {
    operations: HashMap<String, OperationShape>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
struct OperationShape {
    input: Option<shape::Reference>,
}

/// The shapes of the implemented operations' requests.
#[derive(Debug)]
pub struct ServiceModel {
    /// Input shape by operation; `None` for one that takes nothing.
    inputs: HashMap<String, Option<String>>,
    shapes: HashMap<String, Shape>,
}

impl ServiceModel {
    /// Reads the model and keeps what the requests of `operations` reach.
    ///
    /// `place` is the model file, or a Python environment that holds botocore.
    ///
    /// # Errors
    /// When there is no model there, or it cannot be read.
    pub fn read(place: &Path, operations: impl Iterator<Item = &'static str>) -> Result<Self, ModelError> {
        let file = if place.is_file() {
            place.to_owned()
        } else {
            find(place).ok_or_else(|| ModelError::Missing { folder: place.to_owned() })?
        };
        let mut text = Vec::new();
        std::fs::File::open(&file)
            .and_then(|opened| GzDecoder::new(opened).read_to_end(&mut text))
            .map_err(|source| ModelError::Read { file: file.clone(), source })?;
        Self::parse(&text, operations).map_err(|source| ModelError::Parse { file, source })
    }

    fn parse(text: &[u8], operations: impl Iterator<Item = &'static str>) -> Result<Self, serde_json::Error> {
        let File { operations: all, shapes: mut from } = serde_json::from_slice(text)?;
        let inputs: HashMap<String, Option<String>> =
            all.into_iter().map(|(name, operation)| (name, operation.input.map(|input| input.shape))).collect();
        let mut shapes = HashMap::new();
        let mut open: Vec<String> = operations.filter_map(|name| inputs.get(name).cloned().flatten()).collect();
        while let Some(name) = open.pop() {
            if let Some(mut shape) = from.remove(&name) {
                shape.compile();
                open.extend(shape.references().map(str::to_owned));
                shapes.insert(name, shape);
            }
        }
        let untranslated: HashSet<&str> = shapes.values().filter_map(Shape::unchecked_pattern).collect();
        if !untranslated.is_empty() {
            tracing::info!(count = untranslated.len(), patterns = ?untranslated, "patterns of the service model not checked");
        }
        Ok(Self { inputs, shapes })
    }

    /// Whether SageMaker has this operation.
    #[must_use]
    pub fn knows(&self, operation: &str) -> bool {
        self.inputs.contains_key(operation)
    }

    /// Checks a request against its shape. Members that the shape does not know are ignored, as SageMaker does.
    ///
    /// # Errors
    /// `SerializationException` for a value of a wrong type, `ValidationException` with everything else that is wrong.
    pub fn check(&self, operation: &str, request: &Value) -> api::Result<()> {
        match self.inputs.get(operation) {
            Some(Some(input)) => check::request(&self.shapes, input, request),
            _ => Ok(()),
        }
    }
}

/// `<environment>/lib/python3.x/site-packages/botocore/data/sagemaker/<newest>/service-2.json.gz`.
fn find(environment: &Path) -> Option<PathBuf> {
    let folders = |place: &Path| -> BTreeMap<String, PathBuf> {
        let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
    };
    folders(&environment.join("lib")).into_values().find_map(|python| {
        let versions = folders(&python.join("site-packages/botocore/data/sagemaker"));
        versions.into_values().rev().map(|version| version.join("service-2.json.gz")).find(|file| file.is_file())
    })
}

#[cfg(test)]
mod tests;
