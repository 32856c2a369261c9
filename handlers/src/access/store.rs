//! What is remembered between requests: one DynamoDB table, whose items go by themselves.
//!
//! | `pk` | what | is used up by |
//! |---|---|---|
//! | `request#<SHA-256 of the cookie>` | a SAML request of ours that is not answered yet | its answer |
//! | `login#<SHA-256 of the cookie>` | a sign-in at Cognito's pages that has not come back yet | its coming back |
//! | `ticket#<SHA-256 of the cookie>` | a person who may enter | entering |
//! | `replay#<SHA-256 of issuer and assertion id>` | an assertion that was used | nothing |
//!
//! `expires` is in seconds since 1970; DynamoDB deletes what is past it within days, so every condition asks for it, too.
//! No item holds a secret: the cookies are not there, and the code verifier follows from a cookie.

use std::collections::HashMap;

use access::config::DomainName;
use access::config::LandingName;
use access::person::Person;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::secret::{Secret, hex};
use crate::effects::CallError;

/// How long a sign-in may take at the IdP or at Cognito's pages.
pub(super) const LOGIN_TIME: SignedDuration = SignedDuration::from_mins(10);

/// How long a ticket is good for.
pub(super) const TICKET_TIME: SignedDuration = SignedDuration::from_mins(2);

/// The table, by its name.
pub(super) struct Store<'s> {
    pub(super) client: &'s aws_sdk_dynamodb::Client,
    pub(super) table: &'s str,
    pub(super) now: Timestamp,
}

/// A sign-in at Cognito's pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// The domain that was chosen.
    pub(super) domain: Option<DomainName>,
    /// Where to land.
    pub(super) landing: Option<LandingName>,
}

/// A person who may enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    /// Who.
    pub(super) person: Person,
    /// When the person signed in: waiting for a profile has an end.
    pub(super) since: Timestamp,
}

/// A SAML request of ours: nothing but that it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {}

const REQUEST: &str = "request";
const LOGIN: &str = "login";
const TICKET: &str = "ticket";
const REPLAY: &str = "replay";

impl Store<'_> {
    /// Notes a SAML request.
    pub(super) async fn put_request(&self, secret: &Secret) -> Result<(), Problem> {
        self.put(REQUEST, &secret.id(), &Pending {}, LOGIN_TIME).await
    }

    /// Uses a SAML request up; `false` when it is not there.
    pub(super) async fn take_request(&self, secret: &Secret) -> Result<bool, Problem> {
        Ok(self.take::<Pending>(REQUEST, secret).await?.is_some())
    }

    /// Notes a sign-in at Cognito's pages.
    pub(super) async fn put_login(&self, secret: &Secret, login: &Login) -> Result<(), Problem> {
        self.put(LOGIN, &secret.id(), login, LOGIN_TIME).await
    }

    /// Uses a sign-in up.
    pub(super) async fn take_login(&self, secret: &Secret) -> Result<Option<Login>, Problem> {
        self.take(LOGIN, secret).await
    }

    /// Notes a person who may enter.
    pub(super) async fn put_ticket(&self, secret: &Secret, ticket: &Ticket) -> Result<(), Problem> {
        self.put(TICKET, &secret.id(), ticket, TICKET_TIME).await
    }

    /// Uses a ticket up.
    pub(super) async fn take_ticket(&self, secret: &Secret) -> Result<Option<Ticket>, Problem> {
        self.take(TICKET, secret).await
    }

    /// Notes that an assertion was used; `false` when it was used before. A record that has expired counts still: no IdP
    /// gives an id twice.
    ///
    /// An answer that is lost makes the SDK ask again, and find its own record: then a good sign-in is refused once.
    pub(super) async fn use_assertion(&self, issuer: &str, id: &str, until: Timestamp) -> Result<bool, Problem> {
        let key = replay_key(issuer, id);
        let item = item(REPLAY, &key, until);
        self.insert(item).await
    }

    async fn put<T: Serialize>(&self, kind: &str, id: &str, value: &T, time: SignedDuration) -> Result<(), Problem> {
        let until = self.now.checked_add(time).unwrap_or(Timestamp::MAX);
        let body = serde_json::to_string(value).map_err(|error| Problem::broken("store", error.to_string()))?;
        let mut item = item(kind, id, until);
        item.insert("body".to_owned(), AttributeValue::S(body));
        // The id is of 256 random bits: to find one there is an answer that was lost and a call that was made again.
        self.insert(item).await.map(drop)
    }

    async fn insert(&self, item: HashMap<String, AttributeValue>) -> Result<bool, Problem> {
        let put = self.client.put_item().table_name(self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Problem::call("the access table cannot be written", CallError::of(error))),
        }
    }

    async fn take<T: DeserializeOwned>(&self, kind: &str, secret: &Secret) -> Result<Option<T>, Problem> {
        let delete = self
            .client
            .delete_item()
            .table_name(self.table)
            .key("pk", AttributeValue::S(pk(kind, &secret.id())))
            .condition_expression("attribute_exists(pk) AND expires > :now")
            .expression_attribute_values(":now", AttributeValue::N(self.now.as_second().to_string()))
            .return_values(ReturnValue::AllOld);
        let old = match delete.send().await {
            Ok(output) => output.attributes,
            Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
                return Ok(None);
            }
            Err(error) => return Err(Problem::call("the access table cannot be written", CallError::of(error))),
        };
        let body = old.as_ref().and_then(|item| item.get("body")).and_then(|body| body.as_s().ok());
        let malformed = || Problem::broken("store", format!("an item `{kind}` of the access table is malformed"));
        let value = serde_json::from_str(body.ok_or_else(malformed)?).map_err(|_| malformed())?;
        Ok(Some(value))
    }
}

fn pk(kind: &str, id: &str) -> String {
    format!("{kind}#{id}")
}

fn item(kind: &str, id: &str, until: Timestamp) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(pk(kind, id))),
        ("expires".to_owned(), AttributeValue::N(until.as_second().to_string())),
    ])
}

/// The issuer's length goes in: no other pair of issuer and id is the same text.
fn replay_key(issuer: &str, id: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(issuer);
    hash.update(id);
    hex(&hash.finalize())
}
