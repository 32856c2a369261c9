use std::collections::BTreeMap;

use super::wire::{Answer, Request};
use super::{Cloud, TOPIC};
use crate::time;

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Published {
    pub(crate) cause: String,
    pub(crate) subject: String,
    pub(crate) message: String,
}

impl Published {
    /// Of which run it tells.
    pub(crate) fn run(&self) -> Option<&str> {
        let line = self.message.lines().find_map(|line| line.strip_prefix("Run:"))?;
        line.split_whitespace().next()
    }
}

/// The topic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topic(pub(crate) Vec<Published>);

impl Cloud {
    pub(super) fn sns(&mut self, operation: &str, request: &Request) -> Result<Answer, String> {
        if operation != "Publish" {
            return Err(format!("{operation} is not known here"));
        }
        let form: BTreeMap<String, String> = request.form().into_iter().collect();
        let field = |name: &str| form.get(name).cloned().ok_or_else(|| format!("{name} is missing in {form:?}"));
        if field("TopicArn")? != TOPIC {
            return Err(format!("there is no topic {}", field("TopicArn")?));
        }
        let attribute = |wanted: &str| {
            (1..=10).find_map(|number| {
                let name = form.get(&format!("MessageAttributes.entry.{number}.Name"))?;
                let value = form.get(&format!("MessageAttributes.entry.{number}.Value.StringValue"))?;
                (name == wanted).then(|| value.clone())
            })
        };
        for needed in ["pipeline", "severity"] {
            attribute(needed).ok_or_else(|| format!("the message has no attribute {needed}"))?;
        }
        let cause = attribute("cause").ok_or("the message has no attribute cause")?;
        self.topic.0.push(Published { cause, subject: field("Subject")?, message: field("Message")? });
        let id = format!("{}-{}", time::now().as_second(), self.topic.0.len());
        Ok(Answer::xml(
            200,
            format!("<PublishResponse><PublishResult><MessageId>{id}</MessageId></PublishResult></PublishResponse>"),
        ))
    }
}
