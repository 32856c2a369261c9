//! Tokens of a Cognito user pool: access tokens, RS256 only.
//!
//! What a token must hold is in "Verifying JSON web tokens" and "Understanding the access token" of the Amazon Cognito
//! Developer Guide. `jsonwebtoken` checks the signature; every claim is checked here, against a time that is given, and
//! without leeway: Cognito's clock and Lambda's are both AWS's.

mod keys;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use keys::{Keys, KeysError};

use crate::config::Cognito;

/// The longest token that is read, in bytes: a header on the way has about as much.
const LONGEST: usize = 16 * 1024;

/// What a token says, once all of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The user pool.
    pub issuer: String,
    /// The person.
    pub username: String,
    /// The person's groups.
    pub groups: Vec<String>,
}

/// Which check a token fails. Never says what the token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// Not three parts of base64 with JSON objects in the first two, or longer than 16 KiB.
    #[error("not a JSON web token")]
    Malformed,
    /// Another algorithm than RS256.
    #[error("the token's algorithm is not accepted: accepted is RS256")]
    Algorithm,
    /// No key id.
    #[error("the token names no key")]
    NoKeyId,
    /// A key that the pool does not have, or not yet.
    #[error("the token's key is none of the user pool's")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim is missing or of another type.
    #[error("the token's claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// Another issuer.
    #[error("the token is not of this user pool")]
    Issuer,
    /// Another client.
    #[error("the token is not for this client")]
    Client,
    /// An identity token, or something else.
    #[error("the token is no access token")]
    Use,
    /// Too late.
    #[error("the token has expired")]
    Expired,
    /// Too early.
    #[error("the token is not valid yet")]
    NotYet,
    /// The scope is not there.
    #[error("the token lacks the scope that Studio needs")]
    Scope,
}

impl TokenRefusal {
    /// Stable: for logs, the threat table and the operator's page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Algorithm => "token-algorithm",
            Self::NoKeyId => "token-no-key",
            Self::UnknownKey => "token-unknown-key",
            Self::Signature => "token-signature",
            Self::Claim(_) => "token-claim",
            Self::Issuer => "token-issuer",
            Self::Client => "token-client",
            Self::Use => "token-use",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet",
            Self::Scope => "token-scope",
        }
    }
}

impl Cognito {
    /// Checks a token: its signature by the pool's keys, then every claim.
    ///
    /// # Errors
    /// The first check that it fails; [`TokenRefusal::UnknownKey`] when newer keys might have it.
    pub fn verify(&self, token: &str, keys: &Keys, now: Timestamp) -> Result<Token, TokenRefusal> {
        // Before the signature: whether a key is worth asking the pool for.
        let header = Header::of(token)?;
        let key = keys.of(header.kid.as_deref().ok_or(TokenRefusal::NoKeyId)?).ok_or(TokenRefusal::UnknownKey)?;
        let (message, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
        match crypto::verify(signature, message.as_bytes(), key, Algorithm::RS256) {
            Ok(true) => self.check(&claims(token)?, now),
            _ => Err(TokenRefusal::Signature),
        }
    }

    /// Checks the claims of a token whose signature somebody else has checked already: API Gateway's authorizer, which
    /// handed on this very token.
    ///
    /// # Errors
    /// The first check that it fails.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Token, TokenRefusal> {
        Header::of(token)?;
        self.check(&claims(token)?, now)
    }

    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Token, TokenRefusal> {
        let issuer = text(claims, "iss")?;
        if issuer != self.issuer.as_str() {
            return Err(TokenRefusal::Issuer);
        }
        if text(claims, "token_use")? != "access" {
            return Err(TokenRefusal::Use);
        }
        if text(claims, "client_id")? != self.client.as_str() {
            return Err(TokenRefusal::Client);
        }
        if claims.get("exp").and_then(Value::as_i64).ok_or(TokenRefusal::Claim("exp"))? <= now.as_second() {
            return Err(TokenRefusal::Expired);
        }
        if let Some(begin) = claims.get("nbf")
            && begin.as_i64().ok_or(TokenRefusal::Claim("nbf"))? > now.as_second()
        {
            return Err(TokenRefusal::NotYet);
        }
        if !text(claims, "scope")?.split(' ').any(|scope| scope == self.scope.as_str()) {
            return Err(TokenRefusal::Scope);
        }
        Ok(Token { issuer: issuer.to_owned(), username: text(claims, "username")?.to_owned(), groups: groups(claims)? })
    }
}

/// What is read of a token's header. The library reads it again, as it needs it.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

impl Header {
    fn of(token: &str) -> Result<Self, TokenRefusal> {
        let parts: Vec<&str> = token.split('.').collect();
        let (true, [header, _, _]) = (token.len() <= LONGEST, &*parts) else { return Err(TokenRefusal::Malformed) };
        let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenRefusal::Malformed)?;
        let header: Self = serde_json::from_slice(&json).map_err(|_| TokenRefusal::Malformed)?;
        if header.alg == "RS256" { Ok(header) } else { Err(TokenRefusal::Algorithm) }
    }
}

/// The claims of a token whose signature is right.
fn claims(token: &str) -> Result<Map<String, Value>, TokenRefusal> {
    let part = token.split('.').nth(1).ok_or(TokenRefusal::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenRefusal::Malformed)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, TokenRefusal> {
    let text = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or(TokenRefusal::Claim(name))
}

/// A person without a group has no such claim.
fn groups(claims: &Map<String, Value>) -> Result<Vec<String>, TokenRefusal> {
    const GROUPS: &str = "cognito:groups";
    let Some(groups) = claims.get(GROUPS) else { return Ok(Vec::new()) };
    let groups = groups.as_array().ok_or(TokenRefusal::Claim(GROUPS))?;
    let name = |group: &Value| group.as_str().map(str::to_owned).ok_or(TokenRefusal::Claim(GROUPS));
    groups.iter().map(name).collect()
}

#[cfg(test)]
mod tests;
