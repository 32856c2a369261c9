#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::LazyLock;

use idp::{Identity, KeyKind};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header as JwtHeader, encode};
use serde_json::json;

use super::*;
use crate::config::{ClientId, Issuer, Scope, Url};

const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a";
const NOW: i64 = 1_700_000_000;

struct Pool {
    key: EncodingKey,
    jwk: Value,
}

impl Pool {
    fn new(kid: &str) -> Self {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (time("2020-01-01T00:00:00Z"), time("2040-01-01T00:00:00Z"));
        let identity = Identity::new(KeyKind::Rsa2048, "pool", from, to).unwrap();
        let key = EncodingKey::from_rsa_pem(identity.key_pem().as_bytes()).unwrap();
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap()).unwrap();
        let jwk = json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": jwk["n"], "e": jwk["e"] });
        Self { key, jwk }
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = JwtHeader { kid: kid.map(str::to_owned), ..JwtHeader::new(Algorithm::RS256) };
        encode(&header, claims, &self.key).unwrap()
    }

    fn keys(&self) -> Keys {
        Keys::parse(&json!({ "keys": [self.jwk] }).to_string()).unwrap()
    }
}

static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::new("one"));
static OTHER: LazyLock<Pool> = LazyLock::new(|| Pool::new("one"));

fn cognito() -> Cognito {
    Cognito {
        issuer: Issuer::parse(ISSUER).unwrap(),
        client: ClientId::parse("client1").unwrap(),
        scope: Scope::parse("tidegate/studio.enter").unwrap(),
        sign_in_url: Url::parse("https://tidegate.auth.eu-west-1.amazoncognito.com").unwrap(),
        federated: false,
    }
}

/// An access token's claims, as the Amazon Cognito Developer Guide shows them.
fn claims() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["team1", "admin"], "iss": ISSUER, "version": 2,
        "client_id": "client1", "token_use": "access", "scope": "openid tidegate/studio.enter", "auth_time": NOW - 60,
        "iat": NOW - 60, "exp": NOW + 3600, "jti": "j", "username": "jane",
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn check(claims: &Value) -> Result<Token, TokenRefusal> {
    let token = POOL.sign(Some("one"), claims);
    let here = cognito().verify(&token, &POOL.keys(), now());
    // What the authorizer has verified is held to the same.
    assert_eq!(cognito().read(&token, now()), here);
    here
}

#[test]
fn a_good_token_says_who() {
    let token = check(&claims()).unwrap();
    assert_eq!((token.username.as_str(), token.issuer.as_str()), ("jane", ISSUER));
    assert_eq!(token.groups, ["team1", "admin"]);
    let mut lonely = claims();
    lonely.as_object_mut().unwrap().remove("cognito:groups");
    assert_eq!(check(&lonely).unwrap().groups, [""; 0]);
}

#[test]
fn each_claim_removed_or_wrong_is_refused() {
    use TokenRefusal::{Claim, Client, Expired, Issuer, NotYet, Scope, Use};
    for name in ["iss", "client_id", "token_use", "scope", "exp", "username"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(check(&without), Err(Claim(name)), "{name} removed");
        let mut null = claims();
        null[name] = Value::Null;
        assert_eq!(check(&null), Err(Claim(name)), "{name} null");
        let mut list = claims();
        list[name] = json!([claims()[name]]);
        assert_eq!(check(&list), Err(Claim(name)), "{name} in a list");
    }
    for (name, value, refusal) in [
        ("iss", json!("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_b"), Issuer),
        ("iss", json!(format!("{ISSUER}/")), Issuer),
        ("client_id", json!("client2"), Client),
        ("client_id", json!("client1 "), Client),
        ("token_use", json!("id"), Use),
        ("token_use", json!("Access"), Use),
        ("scope", json!("openid"), Scope),
        ("scope", json!("tidegate/studio.enter2"), Scope),
        ("scope", json!("xtidegate/studio.enter"), Scope),
        ("scope", json!(""), Claim("scope")),
        ("exp", json!("never"), Claim("exp")),
        ("exp", json!(1.5), Claim("exp")),
        ("exp", json!(NOW - 1), Expired),
        ("exp", json!(NOW), Expired),
        ("nbf", json!(NOW + 1), NotYet),
        ("nbf", json!("now"), Claim("nbf")),
        ("username", json!(""), Claim("username")),
        ("cognito:groups", json!("team1"), Claim("cognito:groups")),
        ("cognito:groups", json!(["team1", 2]), Claim("cognito:groups")),
        ("cognito:groups", Value::Null, Claim("cognito:groups")),
    ] {
        let mut wrong = claims();
        wrong[name] = value.clone();
        assert_eq!(check(&wrong), Err(refusal), "{name} = {value}");
    }
    for (name, value) in [("exp", json!(NOW + 1)), ("nbf", json!(NOW)), ("nbf", json!(NOW - 1))] {
        let mut good = claims();
        good[name] = value.clone();
        check(&good).unwrap_or_else(|refusal| panic!("{name} = {value}: {refusal}"));
    }
}

#[test]
fn a_key_that_is_not_the_pool_s_signs_nothing() {
    let verify = |token: &str| cognito().verify(token, &POOL.keys(), now());
    assert_eq!(verify(&POOL.sign(Some("two"), &claims())), Err(TokenRefusal::UnknownKey));
    assert_eq!(verify(&POOL.sign(None, &claims())), Err(TokenRefusal::NoKeyId));
    // The right id, and another key.
    assert_eq!(verify(&OTHER.sign(Some("one"), &claims())), Err(TokenRefusal::Signature));
    let good = POOL.sign(Some("one"), &claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let mut forged = claims();
    forged["username"] = json!("mallory");
    let changed = URL_SAFE_NO_PAD.encode(forged.to_string());
    let (header, _) = head.split_once('.').unwrap();
    assert_eq!(verify(&format!("{header}.{changed}.{signature}")), Err(TokenRefusal::Signature));
    assert_eq!(verify(&format!("{head}.")), Err(TokenRefusal::Signature));
    assert_eq!(verify(&format!("{head}.{}", &signature[1..])), Err(TokenRefusal::Signature));
}

#[test]
fn no_algorithm_but_rs256() {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = part(&claims());
    for algorithm in ["none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", ""] {
        let header = part(&json!({ "alg": algorithm, "kid": "one", "typ": "JWT" }));
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{body}.{signature}");
            assert_eq!(cognito().verify(&token, &POOL.keys(), now()), Err(TokenRefusal::Algorithm), "{algorithm}");
            assert_eq!(cognito().read(&token, now()), Err(TokenRefusal::Algorithm), "{algorithm}");
        }
    }
    // HMAC with the public key as the secret, in each form that an attacker has it in.
    for secret in [POOL.jwk["n"].as_str().unwrap().to_owned(), POOL.jwk.to_string()] {
        let header = JwtHeader { kid: Some("one".to_owned()), ..JwtHeader::new(Algorithm::HS256) };
        let token = encode(&header, &claims(), &EncodingKey::from_secret(secret.as_bytes())).unwrap();
        assert_eq!(cognito().verify(&token, &POOL.keys(), now()), Err(TokenRefusal::Algorithm));
        // The same signature under a header that says RS256.
        let signature = token.rsplit_once('.').unwrap().1;
        let header = part(&json!({ "alg": "RS256", "kid": "one" }));
        let token = format!("{header}.{body}.{signature}");
        assert_eq!(cognito().verify(&token, &POOL.keys(), now()), Err(TokenRefusal::Signature));
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let good = POOL.sign(Some("one"), &claims());
    let long = format!("{good}{}", "A".repeat(LONGEST));
    for text in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &format!("{good}.x"), &format!(" {good}"), &long] {
        assert_eq!(cognito().verify(text, &POOL.keys(), now()), Err(TokenRefusal::Malformed), "{text}");
        assert_eq!(cognito().read(text, now()), Err(TokenRefusal::Malformed), "{text}");
    }
    let (header, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let list = URL_SAFE_NO_PAD.encode("[]");
    assert_eq!(cognito().read(&format!("{header}.{list}.{signature}"), now()), Err(TokenRefusal::Malformed));
}

#[test]
fn keys_are_rsa_keys_for_signing_each_once() {
    let set = |keys: Value| Keys::parse(&json!({ "keys": keys }).to_string());
    let change = |name: &str, value: &str| {
        let mut key = POOL.jwk.clone();
        key[name] = json!(value);
        key
    };
    for unusable in [
        change("kty", "EC"),
        change("alg", "RS512"),
        change("alg", "HS256"),
        change("use", "enc"),
        change("kty", "oct"),
    ] {
        assert!(set(json!([unusable])).is_err(), "{unusable}");
        // Beside a good one it is left out.
        assert!(set(json!([unusable, POOL.jwk])).is_ok(), "{unusable}");
    }
    let twice = set(json!([POOL.jwk, OTHER.jwk])).unwrap_err().to_string();
    assert_eq!(twice, "the user pool's keys cannot be used: key `one` is there twice");
    for text in ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
        assert!(Keys::parse(text).is_err(), "{text}");
    }
    assert!(set(json!([change("n", "***")])).is_err());
    // A key that is too short verifies nothing.
    let short = Keys::parse(&json!({ "keys": [change("n", "AQAB")] }).to_string()).unwrap();
    let token = POOL.sign(Some("one"), &claims());
    assert_eq!(cognito().verify(&token, &short, now()), Err(TokenRefusal::Signature));
}

#[test]
fn both_keys_of_a_rotation_are_good() {
    let next = Pool::new("two");
    let keys = Keys::parse(&json!({ "keys": [POOL.jwk, next.jwk] }).to_string()).unwrap();
    for (pool, kid) in [(&*POOL, "one"), (&next, "two")] {
        cognito().verify(&pool.sign(Some(kid), &claims()), &keys, now()).unwrap();
    }
    assert_eq!(cognito().verify(&next.sign(Some("one"), &claims()), &keys, now()), Err(TokenRefusal::Signature));
}
