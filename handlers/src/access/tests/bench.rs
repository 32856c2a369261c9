//! A service over the cloud, browsers before it, an IdP and a user pool that sign.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use access::config::Config;
use idp::{Identity, KeyKind, Response};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::super::cognito::{Https, PoolKeys};
use super::super::serve::respond;
use super::super::service::{Function, Service};
use super::super::studio::{Found, Patience};
use super::cloud::Cloud;
use crate::settings::Clock;

pub(super) const URL: &str = "https://abc.execute-api.eu-west-1.amazonaws.com/access";
pub(super) const IDP: &str = "https://idp.example.com";
pub(super) const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a";
pub(super) const CLIENT: &str = "client1";
pub(super) const SCOPE: &str = "tidegate/studio.enter";
pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role";

fn identity() -> Identity {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    Identity::new(KeyKind::Rsa2048, "idp", time("2020-01-01T00:00:00Z"), time("2040-01-01T00:00:00Z")).unwrap()
}

/// The IdP's key, and one that is not.
pub(super) static IDENTITY: LazyLock<Identity> = LazyLock::new(identity);
pub(super) static STRANGER: LazyLock<Identity> = LazyLock::new(identity);

fn base() -> Value {
    json!({
        "version": 1, "url": URL, "urlSeconds": 20, "sessionSeconds": 28800,
        "landings": { "lab": "app:JupyterLab:" }, "saml": null, "cognito": null,
        "profile": { "form": "exact", "removeSuffix": null },
        "domains": [
            {
                "name": "team1", "group": "team1", "securityGroups": ["sg-0123"], "tags": { "CostCentre": "42" },
                "executionRoles": { "analyst": format!("{ROLE}/analyst"), "engineer": format!("{ROLE}/engineer") },
                "defaultExecutionRole": format!("{ROLE}/default"),
                "lifecycleConfigs": {
                    "JupyterLab": "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/lab",
                },
            },
            { "name": "team10", "group": "team10" },
            { "name": "known", "id": "d-1", "group": "known" },
        ],
    })
}

pub(super) fn here() -> Value {
    let mut file = base();
    file["saml"] = json!({
        "verify": "here", "issuer": IDP, "signOnUrl": format!("{IDP}/sso"), "audience": null,
        "certificates": [IDENTITY.certificate_pem()], "startedAtIdp": false, "skewSeconds": 0,
        "claims": {
            "profile": { "nameId": true }, "domain": { "attribute": "domain" }, "role": { "attribute": "role" },
        },
    });
    file
}

/// As [`here`], for sign-in that starts at the IdP.
pub(super) fn portal() -> Value {
    let mut file = here();
    file["saml"]["startedAtIdp"] = json!(true);
    file["saml"]["signOnUrl"] = Value::Null;
    file
}

pub(super) fn by_aws() -> Value {
    let mut file = base();
    file["saml"] = json!({
        "verify": "aws", "issuer": IDP, "audience": null, "recipient": null, "skewSeconds": 0,
        "provider": "arn:aws:iam::123456789012:saml-provider/idp",
        "roles": [{ "arn": format!("{ROLE}/studio"), "domain": "team1" }],
    });
    file
}

pub(super) fn cognito() -> Value {
    let mut file = base();
    file["cognito"] = json!({ "signInUrl": null, "federated": false });
    file
}

/// What the browser, or a program, gets.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) status: i64,
    pub(super) headers: BTreeMap<String, Vec<String>>,
    pub(super) body: String,
}

impl Got {
    /// Empty when there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |values| &values[0])
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The value of a cookie that is set, with its attributes.
    pub(super) fn cookie(&self, name: &str) -> (String, String) {
        let set = self.headers.get("set-cookie").into_iter().flatten();
        let mut set = set.filter_map(|cookie| cookie.strip_prefix(&format!("{name}=")));
        let (value, attributes) =
            set.next().unwrap_or_else(|| panic!("no {name} in {self:?}")).split_once("; ").unwrap();
        (value.to_owned(), attributes.to_owned())
    }

    pub(super) fn sets(&self, name: &str) -> bool {
        let set = self.headers.get("set-cookie").into_iter().flatten();
        set.into_iter().any(|cookie| cookie.starts_with(name) && !cookie.starts_with(&format!("{name}=;")))
    }

    /// A parameter of the redirection.
    pub(super) fn parameter(&self, name: &str) -> String {
        let url = url::Url::parse(self.header("location")).unwrap();
        let mut found = url.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        found.next().unwrap_or_else(|| panic!("no {name} in {url}"))
    }

    pub(super) fn code(&self) -> String {
        let (_, rest) = self.body.split_once("Code: <code>").unwrap_or_else(|| panic!("{self:?}"));
        rest.split_once('<').unwrap().0.to_owned()
    }
}

/// A request, as API Gateway hands it on.
#[derive(Clone, Debug)]
pub(super) struct Ask(pub(super) Value);

impl Ask {
    pub(super) fn new(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut several: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            several.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let several = if several.is_empty() { Value::Null } else { json!(several) };
        let mut ask = json!({
            "resource": path, "path": format!("/mapped{path}"), "httpMethod": method, "headers": null,
            "multiValueHeaders": { "Host": ["abc"] }, "queryStringParameters": null,
            "multiValueQueryStringParameters": several, "pathParameters": null, "stageVariables": null,
            "requestContext": { "requestId": "request-1", "httpMethod": method, "stage": "access" },
            "body": null, "isBase64Encoded": false,
        });
        if let Some(name) = path.strip_prefix("/domainName/").and_then(|rest| rest.strip_suffix("/getPresignedUrl")) {
            ask["resource"] = json!("/domainName/{name}/getPresignedUrl");
            ask["pathParameters"] = json!({ "name": name });
        }
        Self(ask)
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn form(path: &str, body: &str) -> Self {
        let mut ask =
            Self::new("POST", path).header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
        ask.0["body"] = json!(body);
        ask
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.0["multiValueHeaders"][name] = json!([value]);
        self
    }

    pub(super) fn cookie(self, name: &str, value: &str) -> Self {
        self.header("Cookie", &format!("other=1; {name}={value}"))
    }
}

#[derive(Clone)]
pub(super) struct Bench {
    pub(super) cloud: Cloud,
    /// What went in and out.
    pub(super) seen: Arc<Mutex<Vec<(Value, Got)>>>,
    service: Arc<Service>,
    now: Arc<AtomicI64>,
}

impl Bench {
    pub(super) fn new(file: &Value) -> Self {
        let cloud = Cloud::default();
        {
            let mut state = cloud.state();
            let names = [("a", "d-a"), ("team10", "d-10"), ("b", "d-b"), ("team1", "d-1"), ("team", "d-t")];
            state.domains = names.map(|(name, id)| (name.to_owned(), id.to_owned())).into();
            state.session = Some(("jane".to_owned(), IDP.to_owned()));
            state.jwks = json!({ "keys": [KEYS.jwk("one")] }).to_string();
        }
        let now = Arc::new(AtomicI64::new(1_750_000_000));
        Self { service: Self::service(&cloud, file, &now), seen: Arc::default(), cloud, now }
    }

    fn service(cloud: &Cloud, file: &Value, now: &Arc<AtomicI64>) -> Arc<Service> {
        let variable = |name: &'static str| {
            let value = match name {
                "TIDEGATE_ACCESS_ISSUER" => POOL,
                "TIDEGATE_ACCESS_CLIENT" => CLIENT,
                "TIDEGATE_ACCESS_SIGN_IN_URL" => "https://tidegate.auth.eu-west-1.amazoncognito.com",
                "TIDEGATE_ACCESS_SCOPE" => SCOPE,
                _ => return None,
            };
            Some(value.to_owned())
        };
        let time = Arc::clone(now);
        Arc::new(Service {
            config: Config::parse(&file.to_string(), &variable).unwrap(),
            table: "tidegate-access".to_owned(),
            aws: cloud.aws(),
            https: Https::over(&cloud.connector()),
            clock: Clock::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).unwrap()),
            patience: Patience { whole: Duration::from_millis(40), pause: Duration::from_millis(2) },
            found: Found::default(),
            keys: PoolKeys::default(),
        })
    }

    /// Another, cold function with other settings over the same cloud.
    pub(super) fn again(&self, file: &Value) -> Self {
        Self { service: Self::service(&self.cloud, file, &self.now), ..self.clone() }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.load(Ordering::SeqCst)).unwrap()
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) async fn access(&self, ask: Ask) -> Got {
        self.send(Function::Access, ask).await
    }

    pub(super) async fn sign_in(&self, ask: Ask) -> Got {
        self.send(Function::SignIn, ask).await
    }

    pub(super) async fn send(&self, function: Function, ask: Ask) -> Got {
        let response = respond(Some(Arc::clone(&self.service)), function, ask.0.clone(), "lambda-1").await;
        let got = got(&serde_json::to_value(response).unwrap());
        self.seen.lock().unwrap().push((ask.0, got.clone()));
        got
    }

    /// What the IdP says of somebody who starts there.
    pub(super) fn says(&self, name: &str) -> Response {
        let mut says = Response::new(IDP, &format!("{URL}/saml"), URL, name, self.now());
        says.assertion_id = format!("_assertion-of-{name}-{}", self.now().as_second());
        says.attribute("domain", &["team1"]).attribute("role", &["analyst"])
    }

    /// The same, signed and posted.
    pub(super) fn post(&self, says: &Response, relay: Option<&str>) -> Ask {
        Ask::form("/saml", &says.form(&IDENTITY, relay).unwrap())
    }

    /// A SAML sign-in from its beginning; the profile's name is the person's.
    pub(super) async fn enter_by_saml(&self, name: &str) -> Got {
        let login = self.access(Ask::get("/login")).await;
        self.access(self.answer_to(&login, name)).await
    }

    /// The IdP's answer to a request of ours, with the browser's cookie.
    pub(super) fn answer_to(&self, login: &Got, name: &str) -> Ask {
        assert_eq!(login.status, 303, "{login:?}");
        let query = login.header("location").split_once('?').unwrap().1;
        let request = idp::Request::from_query(query).unwrap();
        let mut says = self.says(name);
        says.in_response_to = Some(request.id);
        let (cookie, _) = login.cookie("__Host-tidegate-request");
        self.post(&says, request.relay_state.as_deref()).cookie("__Host-tidegate-request", &cookie)
    }

    /// The claims of an access token.
    pub(super) fn claims(&self, groups: &[&str]) -> Value {
        let now = self.now().as_second();
        json!({
            "iss": POOL, "client_id": CLIENT, "token_use": "access", "scope": SCOPE, "exp": now + 3600, "iat": now,
            "username": "jane", "cognito:groups": groups,
        })
    }
}

pub(super) fn got(response: &Value) -> Got {
    Got {
        status: response["statusCode"].as_i64().unwrap(),
        headers: serde_json::from_value(response["multiValueHeaders"].clone()).unwrap(),
        body: response["body"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The user pool's key.
pub(super) struct PoolKey(EncodingKey);

pub(super) static KEYS: LazyLock<PoolKey> =
    LazyLock::new(|| PoolKey(EncodingKey::from_rsa_pem(identity().key_pem().as_bytes()).unwrap()));

impl PoolKey {
    pub(super) fn jwk(&self, kid: &str) -> Value {
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&self.0, Algorithm::RS256).unwrap()).unwrap();
        json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": jwk["n"], "e": jwk["e"] })
    }

    pub(super) fn sign(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &self.0).unwrap()
    }
}
