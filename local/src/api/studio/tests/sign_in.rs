use std::path::Path;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;
use crate::api::studio::sign_in::{Session, SignIn};
use crate::engine::http;
use crate::engine::testing::{checked, engine, folder};

/// The pages, on a port of their own.
async fn pages(engine: &Arc<Engine>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = crate::api::studio::router(Arc::clone(engine));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    page: String,
}

async fn ask(method: &str, url: &str, cookie: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let answer = http::client().request(request.body(http::body("")).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let page = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, page }
}

/// The path and query of a URL that is made with these members besides domain and profile.
async fn url(engine: &Arc<Engine>, domain: &str, more: Value) -> String {
    let mut request = json!({"DomainId": domain, "UserProfileName": "ana"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = engine.call("CreatePresignedDomainUrl", request).await.unwrap();
    let url = made["AuthorizedUrl"].as_str().unwrap();
    url.strip_prefix(&format!("http://127.0.0.1:{}", engine.config.port)).unwrap().to_owned()
}

#[tokio::test]
async fn a_url_opens_a_page_that_names_whose_it_is_and_begins_a_session() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let base = pages(&engine).await;
    let path = url(&engine, &id, json!({"SpaceName": "lab", "LandingUri": "app:JupyterLab:a<b"})).await;
    let opened = ask("GET", &format!("{base}{path}"), None).await;
    assert_eq!(opened.status, StatusCode::OK);
    for (name, value) in [
        ("domain", "team"),
        ("domain-id", id.as_str()),
        ("profile", "ana"),
        ("role", "arn:aws:iam::000000000000:role/r"),
        ("space", "lab"),
        ("landing", "app:JupyterLab:a&lt;b"),
    ] {
        assert!(opened.page.contains(&format!("<dd id=\"{name}\">{value}</dd>")), "{name}: {}", opened.page);
    }
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(opened.headers[name], value);
    }
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/_tidegate/studio", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let home = format!("{base}/_tidegate/studio/{id}");
    let again = ask("GET", &home, Some(&format!("other=1; {cookie}"))).await;
    assert_eq!((again.status, again.page), (StatusCode::OK, opened.page));
    for (url, cookie) in [
        (home.clone(), None),
        (home, Some("tidegate-studio=0")),
        (format!("{base}/_tidegate/studio/d-other"), Some(cookie)),
    ] {
        let refused = ask("GET", &url, cookie).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{url} {cookie:?}");
        assert!(refused.page.contains("There is no session in this domain"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_good_once_whoever_asks_at_the_same_time() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let base = pages(&engine).await;
    let url = format!("{base}{}", url(&engine, &id, json!({})).await);
    // Looking is not opening.
    assert_eq!(ask("HEAD", &url, None).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let tries = futures::future::join_all((0..12).map(|_| ask("GET", &url, None))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = tries.into_iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((opened.len(), refused.len()), (1, 11));
    for answer in refused {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.page.contains("was used already") && answer.headers.get(header::SET_COOKIE).is_none());
    }
}

#[tokio::test]
async fn a_url_and_a_session_end_when_they_were_to() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let base = pages(&engine).await;
    let before = engine.now();
    let path = url(&engine, &id, json!({"ExpiresInSeconds": 20, "SessionExpirationDurationInSeconds": 1800})).await;
    let mut made = engine.store.list::<SignIn>().unwrap().remove(0);
    let seconds = made.expires.duration_since(before).as_secs_f64();
    assert!((20.0..25.0).contains(&seconds), "{seconds}");
    let hash = serde_json::to_value(&made).unwrap()["hash"].as_str().unwrap().to_owned();
    let expires = made.expires;
    made.expires = engine.now();
    engine.store.put(&hash, &made).unwrap();
    let late = ask("GET", &format!("{base}{path}"), None).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.page.contains("has expired"));
    made.expires = expires;
    engine.store.put(&hash, &made).unwrap();
    let opened = ask("GET", &format!("{base}{path}"), None).await;
    assert_eq!(opened.status, StatusCode::OK);
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("Max-Age=1800"));
    let mut session = engine.store.list::<Session>().unwrap().remove(0);
    let seconds = session.ends.duration_since(engine.now()).as_secs_f64();
    assert!((1790.0..=1800.0).contains(&seconds), "{seconds}");
    session.ends = engine.now();
    let key = serde_json::to_value(&session).unwrap()["hash"].as_str().unwrap().to_owned();
    engine.store.put(&key, &session).unwrap();
    let home = ask("GET", &format!("{base}/_tidegate/studio/{id}"), cookie.split(';').next()).await;
    assert_eq!(home.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_no_token_of_ours_opens_nothing() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let base = pages(&engine).await;
    let path = url(&engine, &id, json!({})).await;
    let token = path.split_once('=').unwrap().1;
    let auth = format!("{base}/_tidegate/studio/auth");
    for query in [String::new(), "?token=".into(), "?token=abc".into(), format!("?token={token}&token={token}")] {
        assert_eq!(ask("GET", &format!("{auth}{query}"), None).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let upper = token.to_uppercase();
    assert_eq!(ask("GET", &format!("{auth}?token={upper}"), None).await.status, StatusCode::BAD_REQUEST);
    let unknown = ask("GET", &format!("{auth}?token={}", "0".repeat(64)), None).await;
    assert_eq!(unknown.status, StatusCode::FORBIDDEN);
    // The profile went in the meantime.
    done(&engine, "DeleteUserProfile", json!({"DomainId": id, "UserProfileName": "ana"})).await;
    let gone = ask("GET", &format!("{base}{path}"), None).await;
    assert_eq!(gone.status, StatusCode::FORBIDDEN);
    assert!(gone.page.contains("is not there any more"));
}

#[tokio::test]
async fn tokens_and_cookies_are_kept_as_hashes_only() {
    fn text(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| {
                let own = if path.is_dir() { text(&path) } else { std::fs::read_to_string(&path).unwrap_or_default() };
                format!("{}\n{own}\n", path.display())
            })
            .collect()
    }
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    let base = pages(&engine).await;
    let path = url(&engine, &id, json!({})).await;
    let opened = ask("GET", &format!("{base}{path}"), None).await;
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    let kept = text(&engine.config.home);
    assert!(kept.contains("studio-sign-in") && kept.contains("studio-session"));
    let secrets = [path.split_once('=').unwrap().1, cookie.split(['=', ';']).nth(1).unwrap()];
    for secret in secrets {
        assert!(secret.len() == 64 && !kept.contains(secret));
    }
}

#[tokio::test]
async fn a_url_is_made_for_who_is_ready_and_may_go_there() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let wanted_url = |profile: &str, more: Value| {
        let mut request = json!({"DomainId": id, "UserProfileName": profile});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    engine.call("CreateUserProfile", json!({"DomainId": id, "UserProfileName": "new"})).await.unwrap();
    let (code, message) = refused(&engine, "CreatePresignedDomainUrl", wanted_url("new", json!({}))).await;
    assert!(code == Code::Validation && message.ends_with("is not InService: its status is Pending."), "{message}");
    settle(&engine);
    engine.call("CreatePresignedDomainUrl", wanted_url("new", json!({}))).await.unwrap();
    engine.call("DeleteUserProfile", json!({"DomainId": id, "UserProfileName": "new"})).await.unwrap();
    assert_eq!(refused(&engine, "CreatePresignedDomainUrl", wanted_url("new", json!({}))).await.0, Code::Validation);
    settle(&engine);
    for missing in [
        wanted_url("new", json!({})),
        wanted_url("ana", json!({"SpaceName": "nowhere"})),
        json!({"DomainId": "d-nowhere", "UserProfileName": "ana"}),
    ] {
        let operation = "CreatePresignedDomainUrl";
        assert_eq!(refused(&engine, operation, missing.clone()).await.0, Code::ResourceNotFound, "{missing}");
    }
    for wrong in [
        wanted_url("ben", json!({"SpaceName": "lab"})),
        wanted_url("ana", json!({"LandingUri": "https://elsewhere.example"})),
        wanted_url("ana", json!({"LandingUri": "app:Other:"})),
    ] {
        assert_eq!(refused(&engine, "CreatePresignedDomainUrl", wrong.clone()).await.0, Code::Validation, "{wrong}");
    }
    // People come in while the domain is changed.
    engine.call("UpdateDomain", json!({"DomainId": id, "SubnetIds": ["subnet-b"]})).await.unwrap();
    engine.call("CreatePresignedDomainUrl", wanted_url("ana", json!({}))).await.unwrap();

    let mut sso = wanted("sso");
    sso["AuthMode"] = json!("SSO");
    let (sso, _) = domain(&engine, sso).await;
    let ana = json!({"DomainId": sso, "UserProfileName": "ana", "SingleSignOnUserIdentifier": "UserName",
        "SingleSignOnUserValue": "ana@example.org"});
    done(&engine, "CreateUserProfile", ana).await;
    let url = json!({"DomainId": sso, "UserProfileName": "ana"});
    assert_eq!(refused(&engine, "CreatePresignedDomainUrl", url).await.0, Code::Validation);
}

#[tokio::test]
async fn what_is_long_over_is_forgotten() {
    let folder = folder();
    let engine = engine(&folder.0);
    let id = team(&engine).await;
    for (ago, kept) in [(59, 2), (61, 1)] {
        for old in engine.store.list::<SignIn>().unwrap() {
            let key = serde_json::to_value(&old).unwrap()["hash"].as_str().unwrap().to_owned();
            engine.store.delete::<SignIn>(&key).unwrap();
        }
        url(&engine, &id, json!({})).await;
        let mut old = engine.store.list::<SignIn>().unwrap().remove(0);
        old.expires = engine.now() - Duration::from_secs(ago * 60);
        let key = serde_json::to_value(&old).unwrap()["hash"].as_str().unwrap().to_owned();
        engine.store.put(&key, &old).unwrap();
        url(&engine, &id, json!({})).await;
        assert_eq!(engine.store.list::<SignIn>().unwrap().len(), kept, "{ago} minutes after its end");
    }
}

#[tokio::test]
async fn requests_are_checked_by_sagemakers_own_model() {
    let folder = folder();
    let engine = checked(&folder.0);
    let mut request = wanted("team");
    request["KmsKeyId"] = json!("1234abcd-12ab-34cd-56ef-1234567890ab");
    let (id, _) = domain(&engine, request).await;
    done(&engine, "CreateUserProfile", json!({"DomainId": id, "UserProfileName": "ana"})).await;
    done(&engine, "CreateSpace", private(&id, "lab")).await;
    let url = |more: Value| {
        let mut request = json!({"DomainId": id, "UserProfileName": "ana"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("CreatePresignedDomainUrl", request)
    };
    for (name, least, most) in [("ExpiresInSeconds", 5, 300), ("SessionExpirationDurationInSeconds", 1800, 43200)] {
        for (seconds, good) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let (operation, request) = url(json!({name: seconds}));
            let answer = engine.call(operation, request).await;
            assert_eq!(answer.is_ok(), good, "{name} {seconds}");
            assert!(good || answer.unwrap_err().code == Code::Validation);
        }
    }
    let long = "x".repeat(64);
    for (operation, request) in [
        url(json!({"LandingUri": format!("studio::{}", "x".repeat(1016))})),
        ("CreateSpace", private(&id, "a_b")),
        ("CreateSpace", private(&id, &long)),
        ("CreateSpace", json!({"DomainId": id, "SpaceName": "s", "SpaceSharingSettings": {"SharingType": "Some"}})),
        ("CreateApp", json!({"DomainId": id, "SpaceName": "lab", "AppType": "Lab", "AppName": "default"})),
        ("CreateApp", json!({"DomainId": id, "SpaceName": "lab", "AppType": "JupyterLab"})),
        ("CreateUserProfile", json!({"DomainId": id, "UserProfileName": "-a"})),
        (
            "UpdateUserProfile",
            json!({"DomainId": id, "UserProfileName": "ana", "UserSettings": {"ExecutionRole": "r"}}),
        ),
        ("ListApps", json!({"MaxResults": 101})),
        ("ListSpaces", json!({"SortBy": "Name"})),
        (
            "CreateStudioLifecycleConfig",
            json!({"StudioLifecycleConfigName": "a", "StudioLifecycleConfigContent": "",
            "StudioLifecycleConfigAppType": "JupyterLab"}),
        ),
        (
            "CreateStudioLifecycleConfig",
            json!({"StudioLifecycleConfigName": "a",
            "StudioLifecycleConfigContent": "eA==".repeat(4097), "StudioLifecycleConfigAppType": "JupyterLab"}),
        ),
    ] {
        let error = engine.call(operation, request.clone()).await.unwrap_err();
        assert_eq!(error.code, Code::Validation, "{operation} {request}");
        assert!(error.message.contains("validation error"), "{}", error.message);
    }
}
