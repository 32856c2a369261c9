//! The questions on the wire, against a server that answers in pages and refuses some.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, Uri};
use handlers::aws::Endpoints;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::ask::{Clients, ask};
use super::deployed::Deployed;
use super::{Severity, compare};
use crate::error::Error;
use crate::ssm::Parameters;
use crate::studio::file::{App, Domain, Profile, Setting};

/// How long each listing is, and how much of it a page holds: the server's choice, whatever is asked for.
const ITEMS: usize = 23;
const PAGE: usize = 10;

struct Server {
    refused: &'static [&'static str],
    asked: Mutex<Vec<String>>,
}

/// The signature that AWS would expect of what came.
fn signature(uri: &Uri, headers: &HeaderMap, body: &str) -> String {
    let header = |name: &str| headers[name].to_str().unwrap();
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", header("x-amz-date")).unwrap();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let identity = Credentials::new("test", "test", None, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("ssm")
        .time(time.into())
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let url = format!("http://{}{}", header("host"), uri.path());
    let signed = ["content-type", "x-amz-target"].map(|name| (name, header(name)));
    let request = SignableRequest::new("POST", url, signed.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let (instructions, _) = sign(request.unwrap(), &parameters.into()).unwrap().into_parts();
    instructions.headers().find(|(name, _)| *name == "authorization").unwrap().1.to_owned()
}

/// A page of a listing, with the token of the next.
fn page(request: &Value, member: &str, item: impl Fn(usize) -> Value) -> Value {
    let start: usize = request["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let items: Vec<Value> = (start..ITEMS.min(start + PAGE)).map(item).collect();
    let next = start + PAGE;
    match next < ITEMS {
        true => json!({member: items, "NextToken": next.to_string()}),
        false => json!({member: items}),
    }
}

async fn answer(
    Extract(server): Extract<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.split_once('.').unwrap().1.to_owned();
    let request: Value = serde_json::from_str(&body).unwrap();
    server.asked.lock().unwrap().push(operation.clone());
    if server.refused.contains(&operation.as_str()) {
        let error = json!({"__type": "AccessDeniedException", "Message": "not authorized to perform it"});
        return (StatusCode::BAD_REQUEST, error.to_string());
    }
    let arn = |kind: &str, id: &str| format!("arn:aws:sagemaker:eu-west-1:111122223333:{kind}/{id}");
    let answer = match operation.as_str() {
        // The one that the file means is the last of the last page.
        "ListDomains" => page(
            &request,
            "Domains",
            |number| json!({"DomainId": format!("d-{number}"), "DomainName": if number + 1 == ITEMS { "team".into() } else { format!("other-{number}") }}),
        ),
        "DescribeDomain" => json!({
            "DomainId": request["DomainId"], "DomainArn": arn("domain", "d-22"), "DomainName": "team",
            "Status": "InService", "AuthMode": "SSO", "VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "KmsKeyId": "k-1",
            "AppNetworkAccessType": "VpcOnly"}),
        "ListTags" if request["ResourceArn"].as_str().unwrap().contains("user-profile") => {
            json!({"Tags": [{"Key": "studiouserid", "Value": "somebody"}]})
        }
        "ListTags" => json!({"Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "TidegateStudio-team"}]}),
        "ListUserProfiles" => page(
            &request,
            "UserProfiles",
            |number| json!({"DomainId": "d-22", "UserProfileName": format!("user-{number}")}),
        ),
        "DescribeUserProfile" => json!({"UserProfileArn": arn("user-profile", "d-22/user-22")}),
        "ListApps" => page(&request, "Apps", |number| {
            // Deleted apps stay in the listing for a day.
            json!({"DomainId": "d-0", "AppType": "JupyterLab", "Status": if number % 2 == 0 { "InService" } else { "Deleted" }})
        }),
        "ListServiceQuotas" => page(&request, "Quotas", |number| {
            let name = if number + 1 == ITEMS { "Total domains".to_owned() } else { format!("quota {number}") };
            json!({"QuotaName": name, "Value": 40.0, "ServiceCode": request["ServiceCode"]})
        }),
        "GetParameter" => {
            assert_eq!(headers["authorization"].to_str().unwrap(), signature(&uri, &headers, &body));
            assert_eq!((target, request["Name"].as_str()), ("AmazonSSM.GetParameter", Some("/net/subnets")));
            json!({"Parameter": {"Name": "/net/subnets", "Type": "StringList", "Value": "subnet-a, subnet-b"}})
        }
        other => panic!("nobody asks for {other}"),
    };
    (StatusCode::OK, answer.to_string())
}

fn file() -> Domain {
    let auth = Setting { setting: "AuthMode".into(), key: "domain.authMode".into(), value: json!("IAM") };
    Domain {
        name: "team".into(),
        file: "team.yaml".into(),
        auth_mode: "IAM".into(),
        vpc_id: "vpc-1".into(),
        subnet_ids: vec!["ssm:/net/subnets".into()],
        allow_replacement: false,
        // The last of the last page.
        profiles: vec![Profile { name: "user-22".into(), key: "user.22".into(), line: 5 }],
        apps: vec![App { kind: "JupyterLab".into(), default_instance_type: None }],
        immutable: vec![auth],
        warnings: vec![],
    }
}

/// What is learned from such a server, and what it was asked.
async fn learn(refused: &'static [&'static str]) -> (Deployed, Vec<String>) {
    let server = Arc::new(Server { refused, asked: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(server.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let deployed = ask_at(&url).await.unwrap();
    serving.abort();
    let asked = server.asked.lock().unwrap().clone();
    (deployed, asked)
}

async fn ask_at(url: &str) -> Result<Deployed, Error> {
    let endpoints = Endpoints::from_variables([("AWS_ENDPOINT_URL".to_owned(), url.to_owned())]);
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(handlers::aws::http_client(&endpoints))
        .build();
    let (sagemaker, quotas) = (aws_sdk_sagemaker::Client::new(&config), aws_sdk_servicequotas::Client::new(&config));
    let (parameters, given) = (Parameters::new(config, Some(url)), BTreeMap::new());
    let clients =
        Clients { sagemaker: &sagemaker, quotas: &quotas, parameters: &parameters, given: &given, region: "eu-west-1" };
    ask(&clients, &[file()]).await
}

#[tokio::test]
async fn e5_every_listing_is_read_to_its_last_page() {
    let (deployed, asked) = learn(&[]).await;
    assert_eq!(deployed.domains.as_ref().unwrap().len(), ITEMS);
    assert_eq!(deployed.profiles, Ok(ITEMS as u64));
    assert_eq!(deployed.apps.as_ref().unwrap().len(), ITEMS.div_ceil(2));
    assert_eq!(deployed.quotas.as_ref().unwrap()["Total domains"], 40.0);
    let pages = |operation: &str| asked.iter().filter(|asked| *asked == operation).count();
    assert_eq!((pages("ListDomains"), pages("ListServiceQuotas"), pages("ListApps")), (3, 3, 3));
    // Once for the account, once for the domain.
    assert_eq!(pages("ListUserProfiles"), 6);

    assert_eq!(deployed.parameters["/net/subnets"], Ok(vec!["subnet-a".to_owned(), "subnet-b".to_owned()]));

    let findings = compare(&[file()], Some(&deployed));
    let stops: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Stops)
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(stops, ["domain.authMode", "domain.userProfiles.user.22"]);
}

#[tokio::test]
async fn e5_what_may_not_be_asked_is_not_checked_and_never_fine() {
    let (deployed, _) = learn(&["ListDomains", "ListUserProfiles", "ListApps", "ListServiceQuotas"]).await;
    let findings = compare(&[file()], Some(&deployed));
    let fine: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Fine)
        .map(|finding| finding.what.as_str())
        .collect();
    assert_eq!(fine, ["file"]);
    let not_checked = findings.iter().filter(|finding| finding.severity == Severity::NotChecked);
    let reasons: Vec<&str> = not_checked.map(|finding| finding.meaning.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the domains cannot be listed: AccessDeniedException: not authorized to perform it",
            "the quotas cannot be listed: AccessDeniedException: not authorized to perform it"
        ]
    );
}

#[tokio::test]
async fn e5_one_refusal_leaves_the_rest_checked() {
    let (deployed, _) = learn(&["DescribeUserProfile", "ListApps", "GetParameter"]).await;
    let findings = compare(&[file()], Some(&deployed));
    let of = |what: &str| findings.iter().find(|finding| finding.what.contains(what)).unwrap().severity;
    assert_eq!(of("domain.authMode"), Severity::Stops);
    assert_eq!(of("domain.userProfiles.user.22"), Severity::NotChecked);
    assert_eq!(of("quota `Total domains`"), Severity::Fine);
    let subnets = findings.iter().find(|finding| finding.what == "domain.subnetIds").unwrap();
    assert_eq!(
        (subnets.severity, subnets.meaning.as_str()),
        (
            Severity::NotChecked,
            "the parameter `/net/subnets` cannot be read (AccessDeniedException: not authorized to perform it): give its \
             value with --parameter /net/subnets=VALUE"
        )
    );
}

#[tokio::test]
async fn e5_an_aws_that_does_not_answer_ends_the_check() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ask_at(&url).await.unwrap_err();
    assert_eq!(error.code.number(), 1);
    assert!(error.hint.is_some_and(|hint| hint.contains("--offline checks the files only")));
}
