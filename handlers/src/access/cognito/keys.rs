//! The user pool's keys: fetched once, kept while the function is warm, fetched again for a key that is new.

use access::config::Cognito;
use access::token::{Keys, Token, TokenRefusal};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::super::problem::Problem;
use super::super::service::Service;

/// How long an unknown key waits for the next look: anybody can make tokens that name one.
const BETWEEN: SignedDuration = SignedDuration::from_mins(1);

/// What was fetched last, and when.
#[derive(Debug, Default)]
pub(in crate::access) struct PoolKeys(Mutex<Option<(Keys, Timestamp)>>);

impl PoolKeys {
    /// Checks a token that Cognito gave.
    pub(super) async fn verify(&self, service: &Service, cognito: &Cognito, token: &str) -> Result<Token, Problem> {
        let now = service.clock.now();
        let mut held = self.0.lock().await;
        let (keys, since) = match &*held {
            Some(held) => held.clone(),
            None => held.insert((fetch(service, cognito).await?, now)).clone(),
        };
        match cognito.verify(token, &keys, now) {
            Err(TokenRefusal::UnknownKey) if now.duration_since(since) >= BETWEEN => {
                let keys = fetch(service, cognito).await?;
                *held = Some((keys.clone(), now));
                Ok(cognito.verify(token, &keys, now)?)
            }
            other => Ok(other?),
        }
    }
}

async fn fetch(service: &Service, cognito: &Cognito) -> Result<Keys, Problem> {
    let issuer = cognito.issuer.as_str();
    let base = match service.aws.endpoint("COGNITO_IDENTITY_PROVIDER") {
        None => issuer.to_owned(),
        Some(endpoint) => {
            let pool = issuer.rsplit('/').next().unwrap_or_default();
            format!("{}/{pool}", endpoint.trim_end_matches('/'))
        }
    };
    let problem = |reason: String| Problem::unavailable(format!("the user pool's keys: {reason}"));
    let (status, body) = service
        .https
        .get(&format!("{base}/.well-known/jwks.json"))
        .await
        .map_err(|error| problem(error.to_string()))?;
    if status != 200 {
        return Err(problem(format!("HTTP status {status}")));
    }
    let text = String::from_utf8(body).map_err(|_| problem("not UTF-8".to_owned()))?;
    Keys::parse(&text).map_err(|error| problem(error.to_string()))
}
