//! Texts of one form each. What does not have the form cannot be made.

use std::fmt;

/// A text that is not of the form. Says the form, not the text: some texts come from what an IdP signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("accepted is {0}")]
pub struct NotAccepted(pub &'static str);

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $accepted:expr, $good:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What is accepted, in words.
            pub const ACCEPTED: &'static str = $accepted;

            /// # Errors
            /// It is not of the form.
            pub fn parse(text: &str) -> Result<Self, NotAccepted> {
                let good: fn(&str) -> bool = $good;
                if good(text) { Ok(Self(text.to_owned())) } else { Err(NotAccepted(Self::ACCEPTED)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAccepted;

            fn try_from(text: String) -> Result<Self, NotAccepted> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

text!(
    /// A user profile of Studio (`CreateUserProfile`, SageMaker API reference).
    ProfileName,
    "a profile's name: 1 to 63 letters, digits and hyphens, the first and the last no hyphen",
    studio_name
);
text!(
    /// A Studio domain, by its name (`CreateDomain`, SageMaker API reference).
    DomainName,
    "a domain's name: 1 to 63 letters, digits and hyphens, the first and the last no hyphen",
    studio_name
);
text!(
    /// A Studio domain, by its id.
    DomainId,
    "a domain's id, such as `d-0123456789ab`",
    |text| text.len() <= 63 && text.strip_prefix("d-").is_some_and(|rest| !rest.is_empty() && all(rest, lower))
);
text!(
    /// Whom a profile belongs to: the claim itself, as the value of the profile's tag `studiouserid`.
    Owner,
    "1 to 256 letters, digits, spaces within and characters of `_.:/=+-@`",
    |text| (1..=256).contains(&text.chars().count())
        && text.trim() == text
        && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
);
text!(
    /// A role as a claim calls it: a key of `executionRoles`.
    RoleName,
    "1 to 256 characters without control characters",
    |text| (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
);
text!(
    /// An IAM role's ARN.
    RoleArn,
    "the ARN of a role, such as `arn:aws:iam::123456789012:role/name`",
    |text| iam(text, "role/")
);
text!(
    /// An IAM SAML provider's ARN.
    ProviderArn,
    "the ARN of a SAML provider, such as `arn:aws:iam::123456789012:saml-provider/name`",
    |text| iam(text, "saml-provider/")
);
text!(
    /// A security group.
    SecurityGroupId,
    "a security group's id, such as `sg-0123456789abcdef0`",
    |text| text.len() <= 32 && text.strip_prefix("sg-").is_some_and(|rest| !rest.is_empty() && all(rest, lower))
);
text!(
    /// A Studio lifecycle configuration's ARN.
    LifecycleConfigArn,
    "the ARN of a Studio lifecycle configuration, such as \
     `arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/name`",
    lifecycle
);
text!(
    /// A group of the user pool (`CreateGroup`, Cognito API reference).
    Group,
    "a group's name: 1 to 128 characters without spaces",
    |text| (1..=128).contains(&text.chars().count()) && !text.chars().any(|c| c.is_whitespace() || c.is_control())
);
text!(
    /// What a link, or an IdP's RelayState, calls a place in Studio.
    LandingName,
    "1 to 80 letters, digits and characters of `_.-`",
    |text| (1..=80).contains(&text.len()) && all(text, |c| c.is_ascii_alphanumeric() || "_.-".contains(c))
);
text!(
    /// A place in Studio (`LandingUri` of `CreatePresignedDomainUrl`, SageMaker API reference).
    LandingUri,
    "`studio::<path>` or `app:<application>:<path>`, such as `app:JupyterLab:`",
    landing
);
text!(
    /// Who signs: an IdP's entity id, or a user pool's issuer.
    Issuer,
    "an entity id: 1 to 1024 printable characters without spaces",
    entity
);
text!(
    /// For whom an assertion is.
    Audience,
    "an entity id: 1 to 1024 printable characters without spaces",
    entity
);
text!(
    /// The end of a claim that is no part of the profile's name.
    Suffix,
    "1 to 200 printable characters, such as `@example.com`",
    |text| (1..=200).contains(&text.len()) && text.chars().all(|c| !c.is_control())
);
text!(
    /// An attribute of an assertion, by its name.
    AttributeName,
    "an attribute's name: 1 to 512 characters without control characters",
    |text| (1..=512).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
);
text!(
    /// A tag's key, none of AWS's own and none that Tidegate sets.
    TagKey,
    "1 to 128 letters, digits, spaces and characters of `_.:/=+-@`, not beginning with `aws:`, and neither \
     `studiouserid` nor `DomainName`, which are set already",
    |text| (1..=128).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
        && !text.to_ascii_lowercase().starts_with("aws:")
        && !["studiouserid", "domainname"].contains(&&*text.to_ascii_lowercase())
);
text!(
    /// A tag's value.
    TagValue,
    "at most 256 letters, digits, spaces and characters of `_.:/=+-@`",
    |text| text.chars().count() <= 256 && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
);
text!(
    /// A client of the user pool, by its id.
    ClientId,
    "a client's id: 1 to 128 letters, digits and characters of `_+`",
    |text| (1..=128).contains(&text.len()) && all(text, |c| c.is_ascii_alphanumeric() || "_+".contains(c))
);
text!(
    /// A scope of a resource server.
    Scope,
    "a scope, such as `tidegate/studio.enter`",
    |text| (1..=256).contains(&text.len()) && all(text, |c| c.is_ascii_graphic() && !"\"\\".contains(c))
);
text!(
    /// Where something is: `https`, or `http` on this machine.
    Url,
    "a URL that begins with https://, or with http:// on this machine, without user, fragment and spaces",
    |text| url(text).is_some()
);
text!(
    /// The base of this service's own URLs, without a slash at its end.
    BaseUrl,
    "a URL that begins with https://, or with http:// on this machine, without user, query, fragment and a slash at its \
     end",
    |text| url(text).is_some_and(|rest| !rest.contains('?')) && !text.ends_with('/')
);

fn all(text: &str, good: impl Fn(char) -> bool) -> bool {
    text.chars().all(good)
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn studio_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && all(text, |c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn partition(text: &str) -> bool {
    text.starts_with("aws") && all(text, |c| c.is_ascii_lowercase() || c == '-')
}

fn account(text: &str) -> bool {
    text.len() == 12 && all(text, |c| c.is_ascii_digit())
}

fn iam(text: &str, kind: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", of, "iam", "", id, resource] = *parts else { return false };
    let name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let named = |rest: &str| !rest.is_empty() && !rest.ends_with('/') && all(rest, name);
    text.len() <= 2048 && partition(of) && account(id) && resource.strip_prefix(kind).is_some_and(named)
}

fn lifecycle(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", of, "sagemaker", region, id, resource] = *parts else { return false };
    let name = resource.strip_prefix("studio-lifecycle-config/").is_some_and(studio_name);
    partition(of) && !region.is_empty() && all(region, lower) && account(id) && name
}

fn landing(text: &str) -> bool {
    let place = |rest: &str| match rest.split_once(':') {
        Some((application, _)) => !application.is_empty() && all(application, |c| c.is_ascii_alphanumeric()),
        None => false,
    };
    text.len() <= 1023
        && all(text, |c| c.is_ascii_graphic())
        && (text.starts_with("studio::") || text.strip_prefix("app:").is_some_and(place))
}

fn entity(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// What follows the scheme, when the whole is acceptable.
fn url(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some("") => ("[::1]", None),
        Some(port) => ("[::1]", Some(port.strip_prefix(':')?)),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    // Names under `.localhost` are this machine too (RFC 6761, section 6.3).
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    let named =
        matches!(host, "[::1]") || (!host.is_empty() && all(host, |c| c.is_ascii_alphanumeric() || ".-".contains(c)));
    let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+'));
    let reachable = scheme == "https" || (scheme == "http" && local);
    let plain = all(rest, |c| c.is_ascii_graphic() && !"#@\\\"<>^`{|}".contains(c));
    (text.len() <= 2048 && named && numbered && reachable && plain).then_some(rest)
}

impl Url {
    /// The same path under it.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }
}

impl BaseUrl {
    /// A path under it; `path` begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// A whole number within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Bounded<MIN, MAX> {
    /// `None` outside of the bounds.
    #[must_use]
    pub fn new(value: i64) -> Option<Self> {
        (MIN..=MAX).contains(&value).then_some(Self(value))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_https_or_on_this_machine() {
        for good in [
            "https://example.com",
            "https://abc.execute-api.eu-west-1.amazonaws.com/access",
            "http://127.0.0.1:4566/access",
            "http://localhost:1",
            "http://studio.localhost:4566",
            "http://[::1]:4566/x",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        assert!(Url::parse("https://accounts.google.com/o/saml2/idp?idpid=C01").is_ok());
        for bad in [
            "",
            "example.com",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://127.0.0.1@example.com",
            "https://user@example.com",
            "https://",
            "https://example.com/#x",
            "https://example.com/a b",
            "https://example.com:0/",
            "https://example.com:+1/",
            "https://example.com:x/",
            "ftp://localhost/",
            "https://example.com/\r\nx",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        for bad in ["https://example.com/", "https://example.com/a?b"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_those_of_studio() {
        for good in ["a", "team1", "A-b--c", &"x".repeat(63)] {
            assert!(ProfileName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a.b", "a_b", "a b", "ä", &"x".repeat(64)] {
            assert!(ProfileName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arns_are_of_their_kind() {
        assert!(RoleArn::parse("arn:aws-cn:iam::123456789012:role/path/name").is_ok());
        for bad in [
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::12345678901:role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam:eu-west-1:123456789012:role/x",
            "role/x",
        ] {
            assert!(RoleArn::parse(bad).is_err(), "{bad}");
        }
        assert!(ProviderArn::parse("arn:aws:iam::123456789012:saml-provider/x").is_ok());
        assert!(
            LifecycleConfigArn::parse("arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/x").is_ok()
        );
        assert!(LifecycleConfigArn::parse("arn:aws:sagemaker:eu-west-1:123456789012:domain/x").is_err());
    }

    #[test]
    fn an_owner_can_be_a_tag_s_value() {
        for good in ["jane", "Jane Doe@example.com", "a/b:c=d+e_f", "zoë"] {
            assert!(Owner::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " jane", "jane ", "a*b", "a?b", "a\nb", "zoe\u{308}", &"x".repeat(257)] {
            assert!(Owner::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn landings_are_places_in_studio() {
        for good in ["studio::", "studio::relative/path", "app:JupyterLab:", "app:CodeEditor:relative/path"] {
            assert!(LandingUri::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "https://example.com", "app:", "app::x", "app:JupyterLab", "studio:", "app:JupyterLab:a b"] {
            assert!(LandingUri::parse(bad).is_err(), "{bad}");
        }
    }
}
