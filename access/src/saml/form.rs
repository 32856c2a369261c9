//! The form that a browser posts: HTTP-POST binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Refusal;

/// The longest body of a form that is read, in bytes.
pub const FORM_LIMIT: usize = 128 * 1024;
/// The longest Response that is read, in bytes of XML. AWS STS takes 100 000 characters of base64, which is little more.
pub const XML_LIMIT: usize = 72 * 1024;

/// What a browser posted: the Response, decoded but not read yet, and the relay state.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    xml: String,
    raw: String,
    relay_state: Option<String>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The assertion opens the door until it is used, so it must not be printed.
        formatter.debug_struct("Form").field("bytes", &self.xml.len()).finish_non_exhaustive()
    }
}

impl Form {
    /// Reads the body of a form (`application/x-www-form-urlencoded`): one `SAMLResponse`, at most one `RelayState`; other
    /// parameters are passed over. The base64 is strict (RFC 4648 section 4, with padding, nothing behind it) but for CR and
    /// LF: some identity providers break lines after 76 characters, and browsers send the breaks of a hidden field.
    ///
    /// # Errors
    /// [`Refusal`] of the form, base64, size and encoding.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if body.len() > FORM_LIMIT {
            return Err(Refusal::FormSize);
        }
        let (mut response, mut relay_state) = (None, None);
        for (name, value) in form_urlencoded::parse(body) {
            let place = match name.as_ref() {
                "SAMLResponse" => &mut response,
                "RelayState" => &mut relay_state,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Refusal::FormRepeated);
            }
        }
        let mut raw = response.ok_or(Refusal::FormMissing)?;
        raw.retain(|character| !matches!(character, '\r' | '\n'));
        let bytes = STANDARD.decode(&raw).map_err(|_| Refusal::Base64)?;
        if bytes.len() > XML_LIMIT {
            return Err(Refusal::XmlSize);
        }
        let xml = String::from_utf8(bytes).map_err(|_| Refusal::Encoding)?;
        Ok(Self { xml, raw, relay_state })
    }

    /// The Response in base64 without line breaks, as `sts:AssumeRoleWithSAML` takes it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The relay state, as it was sent: not signed, so to be looked up in a list and nothing else.
    #[must_use]
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    pub(super) fn xml(&self) -> &str {
        &self.xml
    }
}
