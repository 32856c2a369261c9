use std::collections::HashMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Error, Result};
use crate::engine::Engine;

/// Answers one request, which has passed the service model's checks already.
pub type Handler = fn(Arc<Engine>, Value) -> BoxFuture<'static, Result>;

/// One operation of the API.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its name, as in `X-Amz-Target: SageMaker.<name>`.
    pub name: &'static str,
    /// Its handler.
    pub handler: Handler,
}

/// A table of operations: `operations! { "DescribeModel" => describe, ... }`, where each handler is
/// `async fn(Arc<Engine>, T) -> api::Result` and `T` is a type that the request is read into (`serde_json::Value` too).
macro_rules! operations {
    ($($name:literal => $handler:path),* $(,)?) => {
        &[$($crate::api::Operation {
            name: $name,
            handler: |engine, request| {
                Box::pin(async move { $handler(engine, $crate::api::operation::read(request)?).await })
            },
        }),*]
    };
}
pub(crate) use operations;

/// Reads the request into a handler's own type.
pub(crate) fn read<T: DeserializeOwned>(request: Value) -> Result<T> {
    serde_json::from_value(request).map_err(|error| Error::validation(error.to_string()))
}

/// All operations, by name.
#[derive(Debug)]
pub struct Registry {
    operations: HashMap<&'static str, Handler>,
}

impl Registry {
    /// Everything the engine can do.
    #[must_use]
    pub fn standard() -> Self {
        let tables: &[&'static [Operation]] = &[
            super::pipelines::operations(),
            super::executions::operations(),
            super::jobs::operations(),
            super::models::operations(),
            super::endpoint_configs::operations(),
            super::endpoints::operations(),
            super::model_packages::operations(),
            super::studio::operations(),
            super::tags::operations(),
        ];
        let operations = tables.iter().flat_map(|table| table.iter()).map(|op| (op.name, op.handler)).collect();
        Self { operations }
    }

    /// The handler of an operation.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Handler> {
        self.operations.get(name).copied()
    }

    /// The names of all operations.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }
}
