//! The AuthnRequest that a service provider sends with the browser, HTTP-Redirect binding.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use uppsala::Parser;

use crate::Error;

/// The most that a request may inflate to, in bytes.
const LIMIT: u64 = 64 * 1024;
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// An AuthnRequest. Its signature, if any, is not looked at: whom to answer is the identity provider's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// ID; goes into InResponseTo of the answer.
    pub id: String,
    /// Issuer: the entity ID of the service provider, the Audience of the answer.
    pub issuer: String,
    /// Where the answer is wanted; must be compared with what the identity provider knows of the issuer.
    pub acs: Option<String>,
    /// The URL that the request was meant for.
    pub destination: Option<String>,
    /// Comes back with the answer as it is.
    pub relay_state: Option<String>,
}

impl Request {
    /// Reads the query (without `?`) of a request of the HTTP-Redirect binding.
    ///
    /// # Errors
    /// When `SAMLRequest` is missing, given twice, or not an AuthnRequest with an ID and an Issuer.
    pub fn from_query(query: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Request(why.to_owned());
        let (mut message, mut relay_state) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "SAMLRequest" => &mut message,
                "RelayState" => &mut relay_state,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(bad("a parameter is given twice"));
            }
        }
        let message = message.ok_or_else(|| bad("`SAMLRequest` is missing"))?;
        let deflated = STANDARD.decode(message).map_err(|_| bad("`SAMLRequest` is not base64"))?;
        let mut xml = String::new();
        let read = DeflateDecoder::new(deflated.as_slice()).take(LIMIT + 1).read_to_string(&mut xml);
        if read.map_err(|_| bad("`SAMLRequest` is not deflated UTF-8"))? as u64 > LIMIT {
            return Err(bad("`SAMLRequest` is too large"));
        }
        Self::from_xml(&xml, relay_state)
    }

    fn from_xml(xml: &str, relay_state: Option<String>) -> Result<Self, Error> {
        let bad = |why: &str| Error::Request(why.to_owned());
        let document = Parser::new().with_forbid_dtd(true).parse(xml).map_err(|_| bad("it is not XML"))?;
        let root = document.document_element().ok_or_else(|| bad("it is empty"))?;
        let element = document.element(root).ok_or_else(|| bad("it is empty"))?;
        if !element.matches_name_ns(PROTOCOL, "AuthnRequest") {
            return Err(bad("its root is not samlp:AuthnRequest"));
        }
        let issuer = document.first_child_element_by_name_ns(root, ASSERTION, "Issuer");
        let own = |name: &str| element.get_attribute(name).map(str::to_owned);
        Ok(Self {
            id: own("ID").ok_or_else(|| bad("it has no ID"))?,
            issuer: document.text_content_deep(issuer.ok_or_else(|| bad("it has no Issuer"))?),
            acs: own("AssertionConsumerServiceURL"),
            destination: own("Destination"),
            relay_state,
        })
    }
}
