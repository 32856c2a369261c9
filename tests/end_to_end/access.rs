//! The way into Studio, on a cloud of its own: a real browser, a real identity provider, the deployed functions.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tidegate_tests::{Cloud, eventually, free_port, programs, root};

/// Under `.localhost`, which browsers resolve to this machine and take for safe: their cookies need that.
const NAME: &str = "studio.localhost";

/// By SAML, verified by the function: from Studio's side and from the identity provider's, once each, and never twice.
pub(crate) fn people_come_in_by_saml(_: &Cloud) -> Result<()> {
    let scene = Scene::new()?;
    scene.deploy(&scene.saml())?;
    let studio = scene.url();

    let first = scene.walk(&json!([
        {"goto": format!("{studio}/login?landing=lab")},
        {"click": "button[value='ann@example.com']"},
        {"until": "team1"},
    ]))?;
    opened(&first, &scene, "team1", "ann")?;
    ensure!(shown(&first)?.contains("JupyterLab"), "the landing that was asked for: {first:#}");
    scene.profile_is_tagged("team1", "ann")?;

    // She comes back, this time from the identity provider's own portal, and has no second profile.
    let again = scene.walk(&json!([
        {"goto": format!("{}/start?person=ann%40example.com&app=studio", scene.idp_url())},
        {"until": "team1"},
    ]))?;
    opened(&again, &scene, "team1", "ann")?;
    let profiles =
        scene.cloud.aws(&["sagemaker", "list-user-profiles", "--query", "UserProfiles[].UserProfileName"])?;
    ensure!(profiles == json!(["ann"]), "one profile: {profiles}");

    // The page of Studio is for one visit.
    let url = again["url"].as_str().context("a url")?;
    let stale = scene.walk(&json!([{"goto": url}]))?;
    ensure!(last_status(&stale)? >= 400, "a URL opens twice: {stale:#}");

    let stranger = scene.walk(&json!([
        {"goto": format!("{studio}/login")},
        {"click": "button[value='mallory@example.com']"},
        {"until": "You cannot enter here"},
    ]))?;
    ensure!(last_status(&stranger)? == 403, "{stranger:#}");

    let told: Value = serde_json::from_str(
        &scene.cloud.python("sign_in.py", &["saml", &studio, &scene.idp_url(), "ann@example.com"])?,
    )?;
    ensure!(told["in a row"] == json!([303, 403]), "an assertion twice: {told:#}");
    ensure!(told["at once"] == json!([303, 403, 403, 403]), "an assertion four times at once: {told:#}");
    ensure!(told["of another key"] == 403 && told["without a form"] == 400 && told["by GET"] == 404, "{told:#}");
    scene.tells_no_secret(&told["secrets"])
}

/// By Cognito: through its hosted pages, and over the API with a token.
pub(crate) fn people_come_in_by_cognito(_: &Cloud) -> Result<()> {
    let scene = Scene::new()?;
    scene.deploy(&scene.cognito())?;
    let studio = scene.url();
    let pool =
        scene.cloud.aws(&["cognito-idp", "list-user-pools", "--max-results", "10", "--query", "UserPools[0].Id"])?;
    let pool = pool.as_str().context("a user pool")?.to_owned();
    for (name, group) in [("ann", Some("team1")), ("bob", Some("team2")), ("eve", None)] {
        let user = ["--user-pool-id", &pool, "--username", name];
        scene
            .cloud
            .aws(&[&["cognito-idp", "admin-create-user", "--message-action", "SUPPRESS"], &user[..]].concat())?;
        let password = ["--password", PASSWORD, "--permanent"];
        scene.cloud.aws(&[&["cognito-idp", "admin-set-user-password"], &user[..], &password].concat())?;
        if let Some(group) = group {
            scene
                .cloud
                .aws(&[&["cognito-idp", "admin-add-user-to-group"], &user[..], &["--group-name", group]].concat())?;
        }
    }

    let sign_in = |name: &str, until: &str| {
        scene.walk(&json!([
            {"goto": format!("{studio}/login")},
            {"type": ["#username", name]},
            {"type": ["#password", PASSWORD]},
            {"click": "button[type=submit]"},
            {"until": until},
        ]))
    };
    opened(&sign_in("ann", "team1")?, &scene, "team1", "ann")?;
    opened(&sign_in("bob", "team2")?, &scene, "team2", "bob")?;
    let outsider = sign_in("eve", "You cannot enter here")?;
    ensure!(last_status(&outsider)? == 403 && shown(&outsider)?.contains("group"), "{outsider:#}");

    let told: Value = serde_json::from_str(&scene.cloud.python("sign_in.py", &["cognito", &studio, "ann", PASSWORD])?)?;
    let expected = json!({"team1": 200, "team2": 403, "team10": 404, "no token": 401, "another's key": 401});
    ensure!(told["answers"] == expected, "{told:#}");
    let page = scene.walk(&json!([{"goto": told["url"]}, {"until": "team1"}]))?;
    ensure!(shown(&page)?.contains("ann"), "{page:#}");
    scene.tells_no_secret(&told["secrets"])
}

const PASSWORD: &str = "Tide-gate-2026!";

/// A cloud with two Studio domains and an identity provider.
struct Scene {
    cloud: Cloud,
    _idp: Idp,
    idp_port: u16,
}

/// The identity provider's process.
struct Idp(Child);

impl Drop for Idp {
    fn drop(&mut self) {
        // It is ours, and holds nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Scene {
    fn new() -> Result<Self> {
        let cloud = Cloud::up_empty()?;
        cloud.cdk(&["bootstrap"])?;
        let subnets = cloud.aws(&["ec2", "describe-subnets", "--query", "Subnets[0].[VpcId, SubnetId]"])?;
        let [vpc, subnet] = [&subnets[0], &subnets[1]].map(|id| id.as_str().unwrap_or_default().to_owned());
        let settings = json!({"ExecutionRole": role("studio-user")}).to_string();
        for domain in ["team1", "team2"] {
            cloud.aws(&[
                "sagemaker",
                "create-domain",
                "--domain-name",
                domain,
                "--auth-mode",
                "IAM",
                "--vpc-id",
                &vpc,
                "--subnet-ids",
                &subnet,
                "--default-user-settings",
                &settings,
                "--app-network-access-type",
                "VpcOnly",
                "--tags",
                &format!("Key=DomainName,Value={domain}"),
            ])?;
        }
        let port = free_port()?;
        let people = cloud.home().join("people.json");
        let studio = format!("http://{NAME}:{}", cloud.ports()[0]);
        let (acs, audience) = (format!("{studio}/saml"), studio);
        let directory = json!({
            "people": [
                {"name": "ann@example.com", "attributes": {"domain": ["team1"], "role": ["analyst"]}},
                {"name": "mallory@example.com", "attributes": {"domain": ["team9"], "role": ["analyst"]}},
            ],
            "apps": [{"name": "studio", "audience": audience, "acs": acs}],
        });
        std::fs::write(&people, directory.to_string())?;
        let mut idp = Command::new(programs()?.join("tidegate"));
        idp.args(["local", "idp", "--port", &port.to_string(), "--people"]).arg(&people).current_dir(root());
        idp.env("TIDEGATE_HOME", cloud.home()).stdin(Stdio::null()).stdout(Stdio::null());
        let idp = Idp(idp.stderr(std::fs::File::create(cloud.home().join("logs/idp.log"))?).spawn()?);
        eventually("the identity provider", Duration::from_secs(20), || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        })?;
        Ok(Self { cloud, _idp: idp, idp_port: port })
    }

    fn url(&self) -> String {
        format!("http://{NAME}:{}", self.cloud.ports()[0])
    }

    fn idp_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.idp_port)
    }

    fn saml(&self) -> String {
        let idp = self.idp_url();
        format!(
            "saml:\n  verify: here\n  issuer: {idp}/metadata\n  signOnUrl: {idp}/sso\n  certificates: [idp.pem]\n  \
             startedAtIdp: true\n  claims:\n    profile: nameId\n    domain: {{ attribute: domain }}\n    \
             role: {{ attribute: role }}\nprofile:\n  removeSuffix: '@example.com'\nlandings:\n  lab: 'app:JupyterLab:'\n"
        )
    }

    fn cognito(&self) -> String {
        format!("cognito:\n  signInUrl: {}\n", self.cloud.aws_url())
    }

    /// Deploys the access stack with this way in, and gives it its name.
    fn deploy(&self, way: &str) -> Result<()> {
        let folder = self.cloud.home().join("access");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("idp.pem"), self.certificate()?)?;
        let file = folder.join("access.yaml");
        let domains = ["team1", "team2"].map(|name| {
            let analyst = role("studio-user");
            // By SAML there is a claim that chooses.
            let roles = format!("    executionRoles:\n      analyst: {analyst}\n");
            let roles = if way.starts_with("saml") { roles } else { String::new() };
            format!("  - name: {name}\n    defaultExecutionRole: {analyst}\n{roles}")
        });
        let url = self.url();
        std::fs::write(&file, format!("network: regional\nurl: {url}\n{way}domains:\n{}", domains.concat()))?;
        let context = format!("access={}", file.display());
        self.cloud.cdk(&[
            "deploy",
            "TidegateStorage",
            "TidegateAccess",
            "--require-approval",
            "never",
            "-c",
            &context,
        ])?;

        let apis = self.cloud.aws(&["apigateway", "get-rest-apis", "--query", "items[0].id"])?;
        let api = apis.as_str().context("an API")?;
        self.cloud.aws(&["apigateway", "create-domain-name", "--domain-name", NAME])?;
        let mapping = ["--domain-name", NAME, "--rest-api-id", api, "--stage", "access"];
        self.cloud.aws(&[&["apigateway", "create-base-path-mapping"], &mapping[..]].concat()).map(drop)
    }

    fn certificate(&self) -> Result<String> {
        let told = self.cloud.tidegate_json(&["local", "idp", "--certificate"])?;
        Ok(told["certificate"].as_str().context("a certificate")?.to_owned())
    }

    /// In a browser without a history.
    fn walk(&self, steps: &Value) -> Result<Value> {
        let mut command = Command::new("node");
        command.arg(root().join("tests/browser/walk.mjs")).current_dir(root());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("a pipe")?.write_all(steps.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "the browser, told {steps}:\n{err}");
        serde_json::from_str(&out).with_context(|| out.into_owned())
    }

    fn profile_is_tagged(&self, domain: &str, profile: &str) -> Result<()> {
        let query = format!("Domains[?DomainName=='{domain}'].DomainId | [0]");
        let id = self.cloud.aws(&["sagemaker", "list-domains", "--query", &query])?;
        let id = id.as_str().context("a domain")?;
        let names = ["--domain-id", id, "--user-profile-name", profile];
        let found = self.cloud.aws(&[&["sagemaker", "describe-user-profile"], &names[..]].concat())?;
        ensure!(found["UserSettings"]["ExecutionRole"] == role("studio-user"), "{found:#}");
        let arn = found["UserProfileArn"].as_str().context("an ARN")?;
        let tags = self.cloud.aws(&["sagemaker", "list-tags", "--resource-arn", arn, "--query", "Tags"])?;
        let tagged = |key: &str, value: &str| {
            tags.as_array().is_some_and(|all| all.contains(&json!({"Key": key, "Value": value})))
        };
        ensure!(tagged("DomainName", domain) && tagged("studiouserid", "ann@example.com"), "{tags}");
        Ok(())
    }

    /// Nothing that would let anybody in is in any log of the functions, of the engine or of the API.
    fn tells_no_secret(&self, secrets: &Value) -> Result<()> {
        let secrets: Vec<&str> = secrets.as_array().context("secrets")?.iter().filter_map(Value::as_str).collect();
        ensure!(
            secrets.len() > 3 && secrets.iter().all(|secret| secret.len() >= 16),
            "nothing to look for: {secrets:?}"
        );
        let mut logs = String::new();
        let groups = self.cloud.aws(&["logs", "describe-log-groups", "--query", "logGroups[].logGroupName"])?;
        for group in groups.as_array().context("log groups")? {
            let name = group.as_str().unwrap_or_default();
            let events =
                self.cloud.aws(&["logs", "filter-log-events", "--log-group-name", name, "--query", "events"])?;
            let lines = events.as_array().map_or(0, Vec::len);
            ensure!(lines > 0 || !name.ends_with("studio-access"), "the function's log is empty");
            logs.push_str(&events.to_string());
        }
        for file in files(&self.cloud.home().join("logs"))? {
            logs.push_str(&String::from_utf8_lossy(&std::fs::read(file)?));
        }
        match secrets.iter().find(|secret| logs.contains(**secret)) {
            Some(secret) => bail!("a log holds a secret of {} letters: {}", secret.len(), context_of(&logs, secret)),
            None => Ok(()),
        }
    }
}

fn context_of(text: &str, part: &str) -> String {
    let at = text.find(part).unwrap_or_default();
    text.chars().skip(text.get(..at).map_or(0, |before| before.chars().count()).saturating_sub(200)).take(300).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::000000000000:role/{name}")
}

fn shown(walk: &Value) -> Result<&str> {
    walk["text"].as_str().context("a text")
}

fn last_status(walk: &Value) -> Result<u64> {
    walk["hops"].as_array().and_then(|hops| hops.last()).and_then(|hop| hop["status"].as_u64()).context("a status")
}

/// The walk ended on the Studio page of this profile, and the way there left nothing behind.
fn opened(walk: &Value, scene: &Scene, domain: &str, profile: &str) -> Result<()> {
    let (url, text) = (walk["url"].as_str().context("a url")?, shown(walk)?);
    ensure!(url.starts_with(&scene.cloud.engine_url()), "it ended at {url}: {text}");
    ensure!(text.contains(domain) && text.contains(profile), "the page names neither: {text}");
    let hops = walk["hops"].as_array().context("hops")?;
    let ours: Vec<&Value> =
        hops.iter().filter(|hop| hop["url"].as_str().is_some_and(|at| at.starts_with(&scene.url()))).collect();
    ensure!(!ours.is_empty(), "{hops:#?}");
    for hop in ours {
        let headers = &hop["headers"];
        ensure!(headers["cache-control"] == "no-store" && headers["referrer-policy"] == "no-referrer", "{hop:#}");
    }
    Ok(())
}
