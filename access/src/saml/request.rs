//! The AuthnRequest that starts a sign-in here, HTTP-Redirect binding (Bindings for SAML V2.0, section 3.4).

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;

use super::ServiceProvider;

impl ServiceProvider {
    /// The URL to send the browser to: `sign_on_url` of the identity provider with an AuthnRequest of the ID `id` (a fresh
    /// random name that starts with a letter or `_`) and, where given, the relay state. The request is not signed: an
    /// identity provider must answer to the assertion consumer URL that it knows of us, whatever a request says.
    #[must_use]
    pub fn request_url(&self, sign_on_url: &str, id: &str, relay: Option<&str>, now: Timestamp) -> String {
        let request = format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{now}\" \
             Destination=\"{destination}\" AssertionConsumerServiceURL=\"{acs}\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"><saml:Issuer>{audience}</saml:Issuer>\
             </samlp:AuthnRequest>",
            id = escape(id),
            now = now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            destination = escape(sign_on_url),
            acs = escape(&self.acs),
            audience = escape(&self.audience),
        );
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("SAMLRequest", &STANDARD.encode(deflate(&request)));
        if let Some(state) = relay {
            query.append_pair("RelayState", state);
        }
        let separator = if sign_on_url.contains('?') { '&' } else { '?' };
        format!("{sign_on_url}{separator}{}", query.finish())
    }
}

fn deflate(text: &str) -> Vec<u8> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the identity provider would refuse the empty request.
    deflated.write_all(text.as_bytes()).and_then(|()| deflated.finish()).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
