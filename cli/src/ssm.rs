//! GetParameter of Systems Manager, without its SDK, which takes three minutes to build.

use aws_config::SdkConfig;
use handlers::signed::{Call, Service, SignedError};
use serde_json::{Value, json};

/// Systems Manager's parameters.
#[derive(Debug)]
pub(crate) struct Parameters(Service);

impl Parameters {
    /// `endpoint` is AWS's own unless given.
    pub(crate) fn new(config: SdkConfig, endpoint: Option<&str>) -> Self {
        Self(Service::new(config, "ssm", endpoint))
    }

    /// The values of a parameter: one, or those of a list.
    ///
    /// # Errors
    /// Why it cannot be read, in one line.
    pub(crate) async fn values(&self, name: &str) -> Result<Vec<String>, String> {
        let call = Call {
            operation: "GetParameter",
            method: "POST",
            path: "/".to_owned(),
            headers: vec![("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetParameter")],
            body: json!({"Name": name}).to_string(),
        };
        let reply = self.0.send(call).await.map_err(|error| match error {
            SignedError::Unready(reason) => reason,
            SignedError::Unanswered(error) => crate::error::transport(&error),
        })?;
        let answer: Value =
            serde_json::from_slice(&reply.body).map_err(|error| format!("no JSON is answered: {error}"))?;
        let text = |path: &str| answer.pointer(path).and_then(Value::as_str);
        if reply.status != 200 {
            // `com.amazonaws.ssm#ParameterNotFound`, in some services' answers.
            let code = text("/__type").map_or("no code", |code| code.rsplit('#').next().unwrap_or(code));
            let message = text("/message").or_else(|| text("/Message"));
            return Err(message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}")));
        }
        let value = text("/Parameter/Value").ok_or("it has no value")?;
        // A StringList is a text with commas, and what is asked for here, ids and ARNs, has none.
        Ok(value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }
}
