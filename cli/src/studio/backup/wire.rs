//! SageMaker's own JSON, in and out of the SDK's client.
//!
//! The SDK's types hold what the SDK knows. Settings are to come back as they were, also those that are newer than this
//! program, and there are two hundred of them; so answers are read as they came, and requests take settings as they are.
//! Signatures, retries, time limits and errors stay the SDK's.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Map, Value};

/// Keeps an answer as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer(Arc<Mutex<Option<Map<String, Value>>>>);

impl Answer {
    /// Its members; none if nothing came.
    pub(crate) fn take(&self) -> Map<String, Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        // What is no JSON the SDK has refused in its own words.
        let members = serde_json::from_slice(body).ok();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = members;
        Ok(())
    }
}

/// Adds members to a request.
#[derive(Clone, Debug)]
pub(crate) struct Members(pub(crate) Map<String, Value>);

impl Intercept for Members {
    fn name(&self) -> &'static str {
        "Members"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.body().bytes().ok_or("the request is not in memory")?;
        let mut body: Map<String, Value> = serde_json::from_slice(body)?;
        body.extend(self.0.clone());
        let body = serde_json::to_vec(&body)?;
        request.headers_mut().try_insert("content-length", body.len().to_string())?;
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }
}
