//! A SAML Response from a short description.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::{Error, Identity, Signed};

/// The status of a Response that says yes.
pub const STATUS_SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// The form of a name that means nothing outside of the two parties and never changes.
pub const NAME_ID_PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// The form of a name of which nothing is said.
pub const NAME_ID_UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// A Response with one Assertion. All fields are public, so that a test changes the one it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// ID of the Response.
    pub id: String,
    /// ID of the Assertion.
    pub assertion_id: String,
    /// Issuer of both: the identity provider.
    pub issuer: String,
    /// Destination of the Response: the service provider's assertion consumer service.
    pub destination: String,
    /// Recipient of the bearer confirmation; the same URL, when all is well.
    pub recipient: String,
    /// Audience of the Assertion: the service provider's entity ID.
    pub audience: String,
    /// The person's name.
    pub name_id: String,
    /// The form of the name, see [`NAME_ID_PERSISTENT`].
    pub name_id_format: String,
    /// Names and values of attributes, in the order of the document.
    pub attributes: Vec<(String, Vec<String>)>,
    /// ID of the request that is answered; none when the identity provider starts.
    pub in_response_to: Option<String>,
    /// StatusCode, see [`STATUS_SUCCESS`].
    pub status: String,
    /// IssueInstant and AuthnInstant.
    pub issued: Timestamp,
    /// NotBefore of the Conditions.
    pub not_before: Timestamp,
    /// NotOnOrAfter of the Conditions and of the bearer confirmation.
    pub not_on_or_after: Timestamp,
    /// SessionNotOnOrAfter of the AuthnStatement.
    pub session_not_on_or_after: Option<Timestamp>,
}

impl Response {
    /// A Response as identity providers send it: valid from one minute before `now` until five minutes after.
    #[must_use]
    pub fn new(issuer: &str, acs: &str, audience: &str, name_id: &str, now: Timestamp) -> Self {
        let after = |seconds| now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        Self {
            id: "_response".into(),
            assertion_id: "_assertion".into(),
            issuer: issuer.into(),
            destination: acs.into(),
            recipient: acs.into(),
            audience: audience.into(),
            name_id: name_id.into(),
            name_id_format: NAME_ID_PERSISTENT.into(),
            attributes: Vec::new(),
            in_response_to: None,
            status: STATUS_SUCCESS.into(),
            issued: now,
            not_before: after(-60),
            not_on_or_after: after(300),
            session_not_on_or_after: None,
        }
    }

    /// Adds an attribute with its values.
    #[must_use]
    pub fn attribute(mut self, name: &str, values: &[&str]) -> Self {
        self.attributes.push((name.into(), values.iter().map(|value| (*value).to_owned()).collect()));
        self
    }

    /// The Response without any signature. Prefixes are `samlp` and `saml`, declared where first used; elements are in the
    /// order of the schema; no white space between them.
    #[must_use]
    pub fn xml(&self) -> String {
        let to = self.in_response_to.as_ref().map(|id| format!(" InResponseTo=\"{}\"", escape(id))).unwrap_or_default();
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\" Destination=\"{destination}\"{to}>\
             <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{issuer}</saml:Issuer>\
             <samlp:Status><samlp:StatusCode Value=\"{status}\"/></samlp:Status>{assertion}</samlp:Response>",
            id = escape(&self.id),
            issued = time(self.issued),
            destination = escape(&self.destination),
            issuer = escape(&self.issuer),
            status = escape(&self.status),
            assertion = self.assertion(&to),
        )
    }

    fn assertion(&self, to: &str) -> String {
        let session = self
            .session_not_on_or_after
            .map(|ends| format!(" SessionNotOnOrAfter=\"{}\"", time(ends)))
            .unwrap_or_default();
        format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <saml:Subject><saml:NameID Format=\"{format}\">{name}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{recipient}\"{to}/>\
             </saml:SubjectConfirmation></saml:Subject>\
             <saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><saml:AudienceRestriction>\
             <saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
             <saml:AuthnStatement AuthnInstant=\"{issued}\" SessionIndex=\"{id}\"{session}><saml:AuthnContext>\
             <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
             </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>{attributes}</saml:Assertion>",
            id = escape(&self.assertion_id),
            issued = time(self.issued),
            issuer = escape(&self.issuer),
            format = escape(&self.name_id_format),
            name = escape(&self.name_id),
            until = time(self.not_on_or_after),
            recipient = escape(&self.recipient),
            from = time(self.not_before),
            audience = escape(&self.audience),
            attributes = self.attribute_statement(),
        )
    }

    fn attribute_statement(&self) -> String {
        if self.attributes.is_empty() {
            return String::new();
        }
        let attributes: String = self
            .attributes
            .iter()
            .map(|(name, values)| {
                let values: String = values
                    .iter()
                    .map(|value| format!("<saml:AttributeValue>{}</saml:AttributeValue>", escape(value)))
                    .collect();
                format!("<saml:Attribute Name=\"{}\">{values}</saml:Attribute>", escape(name))
            })
            .collect();
        format!("<saml:AttributeStatement>{attributes}</saml:AttributeStatement>")
    }

    /// The Response with the signatures that `signed` names.
    ///
    /// # Errors
    /// When the signer refuses; see [`Identity::sign`].
    pub fn signed(&self, identity: &Identity, signed: Signed) -> Result<String, Error> {
        let xml = self.xml();
        match signed {
            Signed::Assertion => identity.sign(&xml, &self.assertion_id),
            // The outer one covers the inner one, so it comes last.
            Signed::Both => identity.sign(&identity.sign(&xml, &self.assertion_id)?, &self.id),
            Signed::Response => identity.sign(&xml, &self.id),
        }
    }

    /// What a browser posts to the service provider: the Response with its Assertion signed, as [`form_body`].
    ///
    /// # Errors
    /// As [`Response::signed`].
    pub fn form(&self, identity: &Identity, relay_state: Option<&str>) -> Result<String, Error> {
        Ok(form_body(&self.signed(identity, Signed::Assertion)?, relay_state))
    }
}

/// The body of the HTTP-POST binding: `SAMLResponse` and, where given, `RelayState`, form-encoded.
#[must_use]
pub fn form_body(xml: &str, relay_state: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("SAMLResponse", &STANDARD.encode(xml));
    if let Some(state) = relay_state {
        form.append_pair("RelayState", state);
    }
    form.finish()
}

/// A time as SAML writes it: UTC, whole seconds.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Text for an element or for an attribute in double quotes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
