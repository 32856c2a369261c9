//! From a claim to a profile's name, so that no two claims share one.

use sha2::{Digest, Sha256};

use super::{Claim, Denial};
use crate::config::{Owner, ProfileForm, ProfileName, Suffix};

/// Hexadecimal digits of the digest.
const DIGITS: usize = 12;

/// The longest readable part: a name has 63 characters.
const READABLE: usize = 63 - 1 - DIGITS;

impl ProfileForm {
    /// The name of a claim's profile.
    ///
    /// `exact` maps claims one to one: where an end is taken away, a claim without that end is refused, since its profile
    /// would be another's. Of `hashed` the digest is over issuer and claim; were two ever to agree in it, the profile's
    /// tag, which is the claim itself, would keep the second out.
    ///
    /// # Errors
    /// The claim makes no name.
    pub fn name(&self, issuer: &str, owner: &Owner) -> Result<ProfileName, Denial> {
        let claim = owner.as_str();
        match self {
            Self::Exact { remove_suffix: None } => exact(claim),
            Self::Exact { remove_suffix: Some(suffix) } => {
                let ended = || Denial::Malformed(Claim::Profile, format!("one that ends in `{suffix}`"));
                exact(claim.strip_suffix(suffix.as_str()).ok_or_else(ended)?)
            }
            Self::Hashed { remove_suffix } => {
                let readable = readable(without(claim, remove_suffix.as_ref()));
                let digest = digest(issuer, claim);
                let name = if readable.is_empty() { digest } else { format!("{readable}-{digest}") };
                exact(&name)
            }
        }
    }
}

fn exact(name: &str) -> Result<ProfileName, Denial> {
    ProfileName::parse(name).map_err(|wrong| Denial::Malformed(Claim::Profile, wrong.0.to_owned()))
}

fn without<'c>(claim: &'c str, suffix: Option<&Suffix>) -> &'c str {
    suffix.and_then(|suffix| claim.strip_suffix(suffix.as_str())).unwrap_or(claim)
}

/// Letters and digits, and one hyphen for whatever is between them.
fn readable(claim: &str) -> String {
    let mut name = String::new();
    for c in claim.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    name.truncate(READABLE);
    name.trim_end_matches('-').to_owned()
}

/// The issuer's length goes in, so that no other pair of issuer and claim is the same text.
fn digest(issuer: &str, claim: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(issuer);
    hash.update(claim);
    let bytes = hash.finalize();
    bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}
