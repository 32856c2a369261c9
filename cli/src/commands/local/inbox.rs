use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::render;

#[derive(Serialize)]
struct Alert<'a> {
    id: &'a str,
    time: Timestamp,
    topic: &'a str,
    subject: Option<&'a str>,
    message: &'a str,
    attributes: &'a BTreeMap<String, String>,
}

/// The inbox is a folder: it can be read while nothing runs.
pub(super) fn run(context: &Context) -> Result<(), Error> {
    let home = context.home()?;
    let messages = local::inbox::read(&home)
        .map_err(|error| Error::failed(format!("the inbox of `{}` cannot be read: {error}", home.display())))?;
    let alerts: Vec<Alert<'_>> = messages
        .iter()
        .map(|message| Alert {
            id: &message.message_id,
            time: message.time,
            topic: &message.topic_arn,
            subject: message.subject.as_deref(),
            message: &message.message,
            attributes: &message.attributes,
        })
        .collect();
    context.terminal.show(&alerts, || render::inbox::text(&messages, context.terminal.style()))
}
