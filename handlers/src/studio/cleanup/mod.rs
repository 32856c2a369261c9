//! What goes with a Studio domain beside what CloudFormation has made, when the domain's file asks for it.
//!
//! | resource | is deleted | and takes with it |
//! |---|---|---|
//! | `Custom::TidegateStudioContents` | before the domain | applications, spaces, and the profiles that CloudFormation does not own; after a final backup of the home folders, if they are to go |
//! | `Custom::TidegateStudioHomes` | after the domain | the home folders' mount targets, the rules of SageMaker's two groups on each other, the groups, the file system |
//!
//! Each is a loop: what is there is seen, the next step is decided from it alone (`plan`, pure), the step is done, and it is
//! looked again, until nothing is left. So whatever failed, and wherever a request ended, the next one goes on from what it
//! sees. A request that would not end in the function's time is answered before, with what it still waits for.
//!
//! CloudFormation asks for the same deletions when nothing of the domain is to go: when the resources are taken out of the
//! template, and when the update that brought them is rolled back. So they ask what becomes of the stack, and do nothing
//! unless it goes.

mod backup;
mod contents;
mod groups;
mod homes;
mod names;
mod rounds;
mod stack;
mod trouble;

use serde_json::json;

use crate::aws::Aws;
use crate::cloudformation::{Answer, Envelope, PhysicalId, RequestType};
use contents::Contents;
use homes::Homes;
pub(super) use rounds::Pace;

pub(super) const CONTENTS: &str = "Custom::TidegateStudioContents";
pub(super) const HOMES: &str = "Custom::TidegateStudioHomes";

/// Answers a request for either resource.
pub(super) async fn answer(aws: &Aws, envelope: &Envelope, pace: Pace) -> Answer {
    // The same for ever: under another id CloudFormation would ask to delete the old one, in the middle of an update.
    let id = PhysicalId::new(match &*envelope.resource_type {
        CONTENTS => "tidegate-studio-contents",
        _ => "tidegate-studio-homes",
    });
    if envelope.request_type == RequestType::Delete && envelope.physical_id.as_deref() != Some(id.as_str()) {
        // A creation that failed.
        return Answer::done(PhysicalId::when_failed(envelope), json!({}));
    }
    let done = match &*envelope.resource_type {
        CONTENTS => match Contents::new(aws, envelope) {
            Err(error) => Err(error.to_string()),
            Ok(_) if envelope.request_type != RequestType::Delete => Ok(()),
            Ok(mut contents) => rounds::go(&mut contents, pace).await,
        },
        _ if envelope.request_type != RequestType::Delete => Ok(()),
        _ => rounds::go(&mut Homes::new(aws, envelope), pace).await,
    };
    match done {
        Ok(()) => Answer::done(id, json!({})),
        Err(reason) => Answer::failed(PhysicalId::when_failed(envelope), &reason),
    }
}

#[cfg(test)]
mod tests;
