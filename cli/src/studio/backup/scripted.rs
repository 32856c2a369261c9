//! A SageMaker that holds one domain, answers in short pages, takes a while, and fails where a test wants it to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode};
use handlers::aws::Endpoints;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// How many items a page holds, whatever is asked for.
const PAGE: usize = 2;

/// What is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) domains: BTreeMap<String, Value>,
    /// By `<domain>/<name>`.
    pub(crate) profiles: BTreeMap<String, Value>,
    pub(crate) spaces: BTreeMap<String, Value>,
    /// By ARN.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) scripts: BTreeSet<String>,
    /// All operations that were called.
    pub(crate) called: Vec<String>,
    /// The call, counted from 0, that is refused.
    pub(crate) refuses: Option<usize>,
    /// Operations that are always refused.
    pub(crate) forbids: BTreeSet<&'static str>,
    pub(crate) next_uid: u32,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) client: aws_sdk_sagemaker::Client,
}

pub(crate) fn arn(kind: &str, id: &str) -> String {
    format!("arn:aws:sagemaker:eu-west-1:111122223333:{kind}/{id}")
}

impl World {
    /// An empty domain.
    pub(crate) fn domain(&mut self, id: &str, name: &str, file_system: &str) {
        let domain = json!({"DomainId": id, "DomainArn": arn("domain", id), "DomainName": name, "Status": "InService",
            "AuthMode": "IAM", "VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "HomeEfsFileSystemId": file_system,
            "CreationTime": 1.0, "AppNetworkAccessType": "VpcOnly",
            "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::111122223333:role/default"}});
        self.domains.insert(id.to_owned(), domain);
    }

    fn page(&self, request: &Value, member: &str, all: Vec<Value>) -> Value {
        let start: usize = request["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let items: Vec<Value> = all.iter().skip(start).take(PAGE).cloned().collect();
        let mut answer = json!({ member: items });
        if start + PAGE < all.len() {
            answer["NextToken"] = (start + PAGE).to_string().into();
        }
        answer
    }

    fn kept(&mut self, is_space: bool) -> &mut BTreeMap<String, Value> {
        if is_space { &mut self.spaces } else { &mut self.profiles }
    }

    fn of(&self, request: &Value, is_space: bool) -> Vec<Value> {
        let all = if is_space { &self.spaces } else { &self.profiles };
        let domain = format!("{}/", request["DomainIdEquals"].as_str().unwrap());
        all.iter().filter(|(key, _)| key.starts_with(&domain)).map(|(_, value)| value.clone()).collect()
    }

    fn answer(&mut self, operation: &str, request: &Value) -> Result<Value, &'static str> {
        self.called.push(operation.to_owned());
        if self.refuses == Some(self.called.len() - 1) || self.forbids.contains(operation) {
            return Err("AccessDeniedException");
        }
        let is_space = operation.contains("Space");
        let (kind, member) = if is_space { ("space", "Space") } else { ("user-profile", "UserProfile") };
        let name = request[format!("{member}Name")].as_str().unwrap_or_default();
        let key = format!("{}/{name}", request["DomainId"].as_str().unwrap_or_default());
        Ok(match operation {
            "ListDomains" => self.page(request, "Domains", self.domains.values().cloned().collect()),
            "DescribeDomain" => {
                self.domains.get(request["DomainId"].as_str().unwrap()).cloned().ok_or("ResourceNotFound")?
            }
            "ListTags" => {
                let tags = self.tags.get(request["ResourceArn"].as_str().unwrap()).cloned().unwrap_or_default();
                let tags = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
                self.page(request, "Tags", tags)
            }
            "AddTags" => {
                self.tag(request["ResourceArn"].as_str().unwrap(), &request["Tags"]);
                json!({"Tags": []})
            }
            "ListUserProfiles" => self.page(request, "UserProfiles", self.of(request, false)),
            "ListSpaces" => self.page(request, "Spaces", self.of(request, true)),
            "ListStudioLifecycleConfigs" => {
                let all = self.scripts.iter().map(|arn| json!({"StudioLifecycleConfigArn": arn})).collect();
                self.page(request, "StudioLifecycleConfigs", all)
            }
            "DescribeUserProfile" | "DescribeSpace" => {
                let found = self.kept(is_space).get_mut(&key).ok_or("ResourceNotFound")?;
                let answer = found.clone();
                // Once it was looked at, it is in service; once more, and it has its id.
                if found["Status"] != "InService" {
                    found["Status"] = "InService".into();
                } else if let Some(uid) = found.as_object_mut().unwrap().remove("uid") {
                    found["HomeEfsFileSystemUid"] = uid;
                }
                answer
            }
            "CreateUserProfile" | "CreateSpace" => {
                if self.kept(is_space).contains_key(&key) {
                    return Err("ResourceInUse");
                }
                self.next_uid += 1;
                let arn = arn(kind, &key);
                self.tag(&arn, &request["Tags"]);
                let mut made: Map<String, Value> = request.as_object().unwrap().clone();
                made.remove("Tags");
                made.insert(format!("{member}Arn"), arn.clone().into());
                made.insert("Status".into(), "Pending".into());
                made.insert("uid".into(), (300_000 + self.next_uid).to_string().into());
                self.kept(is_space).insert(key, made.into());
                json!({ format!("{member}Arn"): arn })
            }
            "UpdateUserProfile" | "UpdateSpace" => {
                let found = self.kept(is_space).get_mut(&key).ok_or("ResourceNotFound")?;
                if found["Status"] != "InService" {
                    return Err("ResourceInUse");
                }
                for settings in ["UserSettings", "SpaceSettings"] {
                    for (key, value) in request[settings].as_object().into_iter().flatten() {
                        found[settings][key] = value.clone();
                    }
                }
                found["Status"] = "Updating".into();
                json!({})
            }
            other => panic!("nobody asks for {other}"),
        })
    }

    fn tag(&mut self, arn: &str, tags: &Value) {
        for tag in tags.as_array().into_iter().flatten() {
            let text = |key: &str| tag[key].as_str().unwrap().to_owned();
            assert!(!text("Key").starts_with("aws:"), "AWS refuses such tags");
            self.tags.entry(arn.to_owned()).or_default().insert(text("Key"), text("Value"));
        }
    }
}

async fn answer(Extract(world): Extract<Arc<Mutex<World>>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let operation = headers["x-amz-target"].to_str().unwrap().split_once('.').unwrap().1.to_owned();
    assert_eq!(headers["content-length"].to_str().unwrap(), body.len().to_string());
    let request: Value = serde_json::from_str(&body).unwrap();
    match world.lock().unwrap().answer(&operation, &request) {
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(code) => (StatusCode::BAD_REQUEST, json!({"__type": code, "Message": "refused"}).to_string()),
    }
}

/// Serves a world until the test ends.
pub(crate) async fn serve(world: World) -> Server {
    let world = Arc::new(Mutex::new(world));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(world.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let endpoints = Endpoints::from_variables([("AWS_ENDPOINT_URL".to_owned(), url.clone())]);
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(handlers::aws::http_client(&endpoints))
        .build();
    Server { world, client: aws_sdk_sagemaker::Client::new(&config) }
}
