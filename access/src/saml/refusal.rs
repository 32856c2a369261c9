//! Why a Response is refused.

/// Why a Response is refused: which check, and what it expects. Never a word of what was sent, so that it may be logged and
/// shown to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is longer than [`super::FORM_LIMIT`].
    #[error("the form is larger than 128 KiB")]
    FormSize,
    /// No `SAMLResponse`.
    #[error("the form has no `SAMLResponse`: the identity provider must use the HTTP-POST binding")]
    FormMissing,
    /// `SAMLResponse` or `RelayState` more than once.
    #[error("the form gives `SAMLResponse` or `RelayState` more than once")]
    FormRepeated,
    /// Not strict base64.
    #[error("`SAMLResponse` is not base64 with padding; only line breaks are tolerated")]
    Base64,
    /// The document is longer than [`super::XML_LIMIT`].
    #[error("the decoded Response is larger than 72 KiB")]
    XmlSize,
    /// Not UTF-8, or another encoding is declared.
    #[error("the Response is not XML 1.0 in UTF-8")]
    Encoding,
    /// A document type declaration, and with it any entity.
    #[error("the Response has a document type declaration; none is accepted")]
    Doctype,
    /// Not well-formed.
    #[error("the Response is not well-formed XML with namespaces")]
    Xml,
    /// Too deep or too many nodes.
    #[error("the Response is nested deeper than 32 elements or has more than 10000 nodes")]
    XmlLimit,
    /// A comment or a processing instruction anywhere.
    #[error("the Response has a comment or a processing instruction; none is accepted, since readers disagree on them")]
    Comment,
    /// An ID twice, empty, in a namespace, or two on one element; none on the Response or the Assertion.
    #[error("Response and Assertion must have an ID, and IDs must be unique, one for an element, without a namespace")]
    Id,
    /// Another root.
    #[error("the root must be samlp:Response of SAML 2.0")]
    Root,
    /// Version of the Response or of the Assertion.
    #[error("the Version of Response and Assertion must be 2.0")]
    Version,
    /// The identity provider says no.
    #[error("the identity provider did not sign the person in: the status is not Success")]
    Status,
    /// Destination missing or another.
    #[error("the Destination of the Response must be this service's assertion consumer URL")]
    Destination,
    /// An encrypted part.
    #[error(
        "encrypted assertions, names and attributes are not accepted: switch encryption off at the identity provider"
    )]
    Encrypted,
    /// No Assertion, several, or one elsewhere.
    #[error("the Response must have exactly one Assertion, as its direct child")]
    Assertion,
    /// An element where none is expected, or missing, or twice.
    #[error("an element of the Response is missing, repeated, or one that is not accepted in its place")]
    Element,
    /// Text between elements, or elements in a value.
    #[error("a value must be text without elements, and between elements there must be no text")]
    Text,
    /// The Assertion has no signature.
    #[error("the Assertion itself must be signed: a signature of the Response alone does not do")]
    SignatureMissing,
    /// A signature elsewhere, or two.
    #[error(
        "a Signature must be a direct child of the Assertion (and, at most, one of the Response), and nowhere else"
    )]
    SignaturePlace,
    /// Parts of a signature that XML Signature for SAML does not have.
    #[error("a Signature must hold SignedInfo, SignatureValue and at most one KeyInfo, in the plain form of SAML")]
    SignatureForm,
    /// Not exactly one Reference to the ID of the parent.
    #[error("a Signature must have exactly one Reference, to the ID of the element that holds it")]
    Reference,
    /// Other transforms.
    #[error("the transforms must be enveloped-signature and then exclusive canonicalisation without comments")]
    Transforms,
    /// Another canonicalisation of SignedInfo.
    #[error("SignedInfo must be canonicalised by exclusive canonicalisation without comments")]
    Canonicalization,
    /// A weak or unknown signature algorithm.
    #[error("the signature algorithm must be RSA or ECDSA with SHA-256, SHA-384 or SHA-512")]
    SignatureAlgorithm,
    /// A weak or unknown digest.
    #[error("the digest must be SHA-256, SHA-384 or SHA-512")]
    DigestAlgorithm,
    /// The signature does not verify.
    #[error(
        "no pinned certificate verifies the signature: compare the identity provider's certificate with the configured"
    )]
    Signature,
    /// The signature is by a pinned certificate outside of its validity.
    #[error("the signature is by a pinned certificate that has expired or is not valid yet: pin the new one")]
    CertificateValidity,
    /// Another issuer.
    #[error("the Issuer must be the configured identity provider")]
    Issuer,
    /// A time that is missing or not UTC.
    #[error("a time is missing or not of the form 2026-01-31T12:00:00Z")]
    Time,
    /// IssueInstant or AuthnInstant in the future.
    #[error("the Assertion was issued in the future: compare the clocks")]
    Future,
    /// No Conditions, or without both times.
    #[error("the Assertion must have Conditions with NotBefore and NotOnOrAfter, the first before the second")]
    Conditions,
    /// Before NotBefore.
    #[error("the Assertion is not valid yet: compare the clocks")]
    NotYetValid,
    /// At or after NotOnOrAfter of the Conditions.
    #[error("the Assertion has expired")]
    Expired,
    /// No AudienceRestriction, or one without us.
    #[error("every AudienceRestriction, at least one, must name this service's entity ID")]
    Audience,
    /// A condition that is not known.
    #[error("the Assertion has a condition that is not known here")]
    UnknownCondition,
    /// No bearer confirmation, or several.
    #[error("the Subject must have exactly one SubjectConfirmation, of the method bearer, with its data")]
    Confirmation,
    /// Recipient missing or another.
    #[error("the Recipient of the bearer confirmation must be this service's assertion consumer URL")]
    Recipient,
    /// NotBefore in a bearer confirmation.
    #[error("a bearer confirmation must have no NotBefore")]
    ConfirmationNotBefore,
    /// At or after NotOnOrAfter of the confirmation, or none.
    #[error("the bearer confirmation has expired or has no NotOnOrAfter")]
    ConfirmationExpired,
    /// The unsigned one says other than the signed one.
    #[error("InResponseTo of the Response must be the same as the signed one of the bearer confirmation")]
    InResponseTo,
    /// Not exactly one NameID with text.
    #[error("the Subject must have exactly one NameID, not empty")]
    NameId,
    /// No AuthnStatement.
    #[error("the Assertion must have an AuthnStatement")]
    AuthnStatement,
    /// At or after SessionNotOnOrAfter.
    #[error("the session at the identity provider has ended")]
    SessionEnded,
    /// An attribute without a name, or twice.
    #[error("every Attribute must have a Name, and no Name may come twice")]
    Attribute,
}

impl Refusal {
    /// A stable code, for logs and for the operator's page.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::FormSize => "form-size",
            Self::FormMissing => "form-missing",
            Self::FormRepeated => "form-repeated",
            Self::Base64 => "base64",
            Self::XmlSize => "xml-size",
            Self::Encoding => "encoding",
            Self::Doctype => "doctype",
            Self::Xml => "xml",
            Self::XmlLimit => "xml-limit",
            Self::Comment => "comment",
            Self::Id => "id",
            Self::Root => "root",
            Self::Version => "version",
            Self::Status => "status",
            Self::Destination => "destination",
            Self::Encrypted => "encrypted",
            Self::Assertion => "assertion",
            Self::Element => "element",
            Self::Text => "text",
            Self::SignatureMissing => "signature-missing",
            Self::SignaturePlace => "signature-place",
            Self::SignatureForm => "signature-form",
            Self::Reference => "reference",
            Self::Transforms => "transforms",
            Self::Canonicalization => "canonicalization",
            Self::SignatureAlgorithm => "signature-algorithm",
            Self::DigestAlgorithm => "digest-algorithm",
            Self::Signature => "signature",
            Self::CertificateValidity => "certificate-validity",
            Self::Issuer => "issuer",
            Self::Time => "time",
            Self::Future => "future",
            Self::Conditions => "conditions",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::Audience => "audience",
            Self::UnknownCondition => "unknown-condition",
            Self::Confirmation => "confirmation",
            Self::Recipient => "recipient",
            Self::ConfirmationNotBefore => "confirmation-not-before",
            Self::ConfirmationExpired => "confirmation-expired",
            Self::InResponseTo => "in-response-to",
            Self::NameId => "name-id",
            Self::AuthnStatement => "authn-statement",
            Self::SessionEnded => "session-ended",
            Self::Attribute => "attribute",
        }
    }
}
