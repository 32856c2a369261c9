//! The keys of a user pool, as its `jwks.json` has them (RFC 7517).

use std::collections::BTreeMap;
use std::fmt;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// The RSA keys that sign with RS256, by their ids.
#[derive(Clone)]
pub struct Keys(BTreeMap<String, DecodingKey>);

/// The text is no set of keys that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user pool's keys cannot be used: {0}")]
pub struct KeysError(String);

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// Reads a set of keys. What is not for signing with RS256 is left out.
    ///
    /// # Errors
    /// Not such a set, no usable key in it, or two of one id.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let set: Set = serde_json::from_str(text).map_err(|error| KeysError(error.to_string()))?;
        let mut keys = BTreeMap::new();
        for key in set.keys {
            let signs = key.kty == "RSA"
                && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
                && key.usage.as_deref().is_none_or(|usage| usage == "sig");
            let (true, Some(id), Some(n), Some(e)) = (signs, key.kid, key.n, key.e) else { continue };
            let decoding = DecodingKey::from_rsa_components(&n, &e)
                .map_err(|error| KeysError(format!("key `{id}` is malformed: {error}")))?;
            if keys.insert(id.clone(), decoding).is_some() {
                return Err(KeysError(format!("key `{id}` is there twice")));
            }
        }
        if keys.is_empty() {
            return Err(KeysError("there is no RSA key for RS256 among them".to_owned()));
        }
        Ok(Self(keys))
    }

    pub(super) fn of(&self, id: &str) -> Option<&DecodingKey> {
        self.0.get(id)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}
