//! Methods, addresses, headers.

use serde_json::json;

use super::super::serve::respond;
use super::super::service::Function;
use super::bench::{Ask, Bench, cognito, got, here, portal};

#[tokio::test]
async fn each_address_takes_one_method() {
    let both = {
        let mut file = here();
        file["cognito"] = cognito()["cognito"].clone();
        file
    };
    let bench = Bench::new(&both);
    for (function, path, method) in [
        (Function::Access, "/saml", "POST"),
        (Function::Access, "/login", "GET"),
        (Function::Access, "/enter", "GET"),
        (Function::Access, "/domainName/team1/getPresignedUrl", "GET"),
        (Function::SignIn, "/login", "GET"),
        (Function::SignIn, "/callback", "GET"),
    ] {
        for other in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let got = bench.send(function, Ask::new(other, path)).await;
            if other == method {
                assert_ne!(got.status, 405, "{method} {path}");
            } else {
                assert_eq!((got.status, got.header("allow")), (405, method), "{other} {path}");
            }
        }
    }
    for path in ["/", "/saml/", "/SAML", "/callback", "/enter/x", "/domainName//x", ""] {
        assert_eq!(bench.access(Ask::get(path)).await.status, 404, "{path}");
    }
    for path in ["/saml", "/enter", "/domainName/team1/getPresignedUrl"] {
        assert_eq!(bench.sign_in(Ask::get(path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_all() {
    let bench = Bench::new(&portal());
    let good = bench.access(bench.post(&bench.says("jane"), None)).await;
    let page = bench.access(Ask::get("/enter")).await;
    let program = bench.access(Ask::get("/domainName/team1/getPresignedUrl")).await;
    assert_eq!((good.status, page.status, program.status), (303, 403, 404));
    for got in [good, page, program] {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(got.header(name), value, "{got:?}");
            assert_eq!(got.headers[name].len(), 1);
        }
        let policy = got.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn pages_have_no_script_and_the_one_style_that_the_policy_knows() {
    use base64::Engine;
    use sha2::Digest;
    let bench = Bench::new(&here());
    let got = bench.access(Ask::get("/enter")).await;
    assert_eq!(got.header("content-type"), "text/html; charset=utf-8");
    assert!(!got.body.contains("<script") && !got.body.contains("style=") && !got.body.contains("src="));
    let (_, style) = got.body.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(got.header("content-security-policy").contains(&format!("style-src 'sha256-{digest}'")));
    assert!(got.body.contains("<p>This sign-in was used already, or is too old.</p>"), "{}", got.body);
}

#[tokio::test]
async fn what_a_caller_names_is_never_shown_as_markup() {
    let bench = Bench::new(&here());
    let mut ask = Ask::get("/enter");
    ask.0["requestContext"]["requestId"] = json!("<script>alert(1)</script>");
    let got = bench.access(ask).await;
    assert!(!got.body.contains("<script"), "{}", got.body);
}

#[tokio::test]
async fn either_form_of_headers_and_query_is_read() {
    let bench = Bench::new(&here());
    let login = bench.access(Ask::get("/login")).await;
    let mut ask = bench.answer_to(&login, "jane");
    let single = ask.0["multiValueHeaders"].as_object().unwrap().iter();
    let single: serde_json::Map<_, _> = single.map(|(name, values)| (name.clone(), values[0].clone())).collect();
    ask.0["headers"] = single.into();
    ask.0["multiValueHeaders"] = json!(null);
    assert_eq!(bench.access(ask).await.status, 303);
    let mut ask = Ask::get("/login");
    ask.0["queryStringParameters"] = json!({ "landing": "elsewhere" });
    assert_eq!(bench.access(ask).await.status, 400);
    // A proxy resource names no address: the path does.
    let mut ask = Ask::get("/login");
    (ask.0["resource"], ask.0["path"]) = (json!("/{proxy+}"), json!("/login"));
    assert_eq!(bench.access(ask).await.status, 303);
}

#[tokio::test]
async fn what_is_no_request_and_what_cannot_be_configured_are_answered_too() {
    let response = respond(None, Function::Access, json!({ "Records": [] }), "lambda-1").await;
    assert_eq!(got(&serde_json::to_value(response).unwrap()).status, 400);
    for (path, program) in [("/enter", false), ("/domainName/team1/getPresignedUrl", true)] {
        let response = respond(None, Function::Access, Ask::get(path).0, "lambda-1").await;
        let got = got(&serde_json::to_value(response).unwrap());
        assert_eq!(got.status, 500);
        assert_eq!(got.body.starts_with('{'), program, "{}", got.body);
        assert!(got.body.contains("configuration"), "the code: {}", got.body);
    }
}
