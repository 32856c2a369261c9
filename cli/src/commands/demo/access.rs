//! The way into Studio, on this machine: an identity provider that signs real assertions, the deployed functions, and the
//! engine's own page in Studio's place.

use std::path::PathBuf;

use local::idp::{Options, PORT, Server};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Demo;
use super::visitor::{Visit, Visitor, without_query};
use crate::commands::local::deploy::deploy_access;
use crate::error::Error;

/// Under `.localhost`, which browsers resolve to this machine and take for safe: their cookies need that.
const NAME: &str = "studio.localhost";

const DOMAIN: &str = "churn-team";

const EXECUTION_ROLE: &str = "arn:aws:iam::000000000000:role/churn-analyst";

const PEOPLE: [(&str, &str); 2] = [("ann@example.com", DOMAIN), ("bob@example.com", "another-team")];

/// More redirects than any sign-in has.
const HOPS: usize = 8;

impl Demo<'_> {
    /// Shows a sign-in, one that is refused, and one that is tried twice. With `stay` people may try it themselves until
    /// they have enough.
    pub(super) async fn play_access(&self, ministack_url: &str, stay: bool) -> Result<(), Error> {
        let port = ministack_url.rsplit(':').next().unwrap_or_default();
        let studio = format!("http://{NAME}:{port}");

        self.title("1. An identity provider, and a Studio domain")?;
        let (provider, issuer) = self.provider(&studio).await?;
        let idp = provider.base().to_owned();
        let stop = CancellationToken::new();
        let _stopped = stop.clone().drop_guard();
        let served = tokio::spawn(provider.serve(stop));
        self.print(&format!("identity provider: {idp}   people: {}", PEOPLE.map(|(name, _)| name).join(", ")))?;
        self.domain().await?;

        self.title("2. The functions that let people in, by CloudFormation")?;
        let file = self.configuration(&studio, &idp, &issuer)?;
        self.print(&std::fs::read_to_string(&file)?)?;
        self.typed("cdk", &["deploy", "TidegateAccess", "-c", &format!("access={}", file.display())])?;
        deploy_access(self.context, self.root, self.home, &file).await?;
        self.name_the_api().await?;

        self.title("3. Ann signs in, and has a profile from then on")?;
        let mut ann = Visitor::default();
        let page = self.sign_in(&mut ann, &studio, PEOPLE[0].0).await?.0;
        self.expect_page(&page, 200, DOMAIN)?;
        let query = ["--query", "UserProfiles[].[UserProfileName,Status]", "--output", "text"];
        let profiles = self.aws(&[&["sagemaker", "list-user-profiles"], &query[..]].concat()).await?;
        self.print(profiles.trim())?;

        self.title("4. Bob belongs to another team")?;
        let page = self.sign_in(&mut Visitor::default(), &studio, PEOPLE[1].0).await?.0;
        self.expect_page(&page, 403, "cannot enter")?;

        self.title("5. What let Ann in once lets nobody in twice")?;
        let (_, form) = self.sign_in(&mut Visitor::default(), &studio, PEOPLE[0].0).await?;
        self.print("the same answer of the identity provider, posted again:")?;
        let page = Visitor::default().post(&format!("{studio}/saml"), &form).await?;
        self.show("POST", &format!("{studio}/saml"), &page)?;
        self.expect_page(&page, 403, "")?;

        if stay {
            self.print(&format!("\nsign in yourself: {studio}/login   (Ctrl-C ends it)"))?;
            served
                .await
                .map_err(|error| Error::failed(error.to_string()))?
                .map_err(|error| Error::failed(error.to_string()))?;
        }
        Ok(())
    }

    fn print(&self, text: &str) -> Result<(), Error> {
        self.context.terminal.print(text)
    }

    /// On its usual port, or, where that is taken, on a free one.
    async fn provider(&self, studio: &str) -> Result<(Server, String), Error> {
        let people: Vec<Value> =
            PEOPLE.iter().map(|(name, domain)| json!({"name": name, "attributes": {"domain": domain}})).collect();
        let app = json!({"name": "studio", "audience": studio, "acs": format!("{studio}/saml")});
        let file = self.folder.join("people.json");
        std::fs::write(&file, json!({"people": people, "apps": [app]}).to_string())?;
        let options = |port| Options { home: self.home.to_owned(), port, people: file.clone(), issuer: None };
        let server = match Server::bind(options(PORT)).await {
            Err(local::idp::Error::Listen { .. }) => Server::bind(options(0)).await,
            bound => bound,
        };
        let server = server.map_err(|error| Error::failed(error.to_string()))?;
        let issuer = server.issuer().to_owned();
        std::fs::write(self.folder.join("idp.pem"), server.certificate())?;
        Ok((server, issuer))
    }

    /// A domain as CloudFormation would make it; where it is already, it stays.
    async fn domain(&self) -> Result<(), Error> {
        let query = format!("Domains[?DomainName=='{DOMAIN}'].DomainId");
        let there = self.aws(&["sagemaker", "list-domains", "--query", &query, "--output", "text"]).await?;
        if !there.trim().is_empty() {
            return self.print(there.trim());
        }
        let words = ["ec2", "describe-subnets", "--query", "Subnets[0].[VpcId,SubnetId]", "--output", "text"];
        let place = self.aws(&words).await?;
        let [vpc, subnet] = place.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(Error::failed("the local cloud has no subnet"));
        };
        let settings = format!("ExecutionRole={EXECUTION_ROLE}");
        let tag = format!("Key=DomainName,Value={DOMAIN}");
        let words = ["sagemaker", "create-domain", "--domain-name", DOMAIN, "--auth-mode", "IAM"];
        let place = ["--app-network-access-type", "VpcOnly", "--vpc-id", vpc, "--subnet-ids", subnet];
        let rest = ["--default-user-settings", &settings, "--tags", &tag, "--query", "DomainArn", "--output", "text"];
        let made = self.aws(&[&words[..], &place, &rest].concat()).await?;
        self.print(made.trim())
    }

    fn configuration(&self, studio: &str, idp: &str, issuer: &str) -> Result<PathBuf, Error> {
        let file = self.folder.join("access.yaml");
        std::fs::write(
            &file,
            format!(
                "network: regional\nurl: {studio}\nsaml:\n  verify: here\n  issuer: {issuer}\n  signOnUrl: {idp}/sso\n  \
                 certificates: [idp.pem]\n  claims:\n    profile: nameId\n    domain: {{ attribute: domain }}\n\
                 profile:\n  removeSuffix: '@example.com'\ndomains:\n  - name: {DOMAIN}\n    \
                 defaultExecutionRole: {EXECUTION_ROLE}\n"
            ),
        )?;
        Ok(file)
    }

    /// What somebody with a domain of their own does once: API Gateway's custom domain name, and its mapping.
    async fn name_the_api(&self) -> Result<(), Error> {
        let query = ["--query", "items[?name=='tidegate-access'].id", "--output", "text"];
        let api = self.aws(&[&["apigateway", "get-rest-apis"], &query[..]].concat()).await?;
        let names = self.aws(&["apigateway", "get-domain-names", "--query", "items[].domainName"]).await?;
        if !names.contains(NAME) {
            self.aws(&["apigateway", "create-domain-name", "--domain-name", NAME]).await?;
        }
        let mapped = ["apigateway", "get-base-path-mappings", "--domain-name", NAME, "--query", "items[].restApiId"];
        let mapped = self.aws(&mapped).await?;
        if mapped.contains(api.trim()) {
            return Ok(());
        }
        let words = ["apigateway", "create-base-path-mapping", "--domain-name", NAME, "--rest-api-id", api.trim()];
        self.aws(&[&words[..], &["--stage", "access"]].concat()).await.map(drop)
    }

    /// From `/login` to where it ends; with the form that the identity provider made.
    async fn sign_in(
        &self,
        visitor: &mut Visitor,
        studio: &str,
        person: &str,
    ) -> Result<(Visit, Vec<(String, String)>), Error> {
        let (url, page) = self.follow_from(visitor, &format!("{studio}/login")).await?;
        let mut form = page.fields();
        form.push(("person".to_owned(), person.to_owned()));
        let page = visitor.post(&without_any_query(&url), &form).await?;
        self.show("POST", &without_any_query(&url), &page)?;
        let form = page.fields();
        let acs = format!("{studio}/saml");
        let page = visitor.post(&acs, &form).await?;
        self.show("POST", &acs, &page)?;
        match page.location.clone() {
            Some(next) => Ok((self.follow_from(visitor, &next).await?.1, form)),
            None => Ok((page, form)),
        }
    }

    /// The first page that sends nowhere else, and its address.
    async fn follow_from(&self, visitor: &mut Visitor, url: &str) -> Result<(String, Visit), Error> {
        let mut url = url.to_owned();
        for _ in 0..HOPS {
            let visit = visitor.get(&url).await?;
            self.show("GET", &url, &visit)?;
            match visit.location.clone() {
                Some(next) => url = next,
                None => return Ok((url, visit)),
            }
        }
        Err(Error::failed(format!("the sign-in does not end after {HOPS} redirects")))
    }

    fn show(&self, method: &str, url: &str, visit: &Visit) -> Result<(), Error> {
        let to = visit.location.as_ref().map(|next| format!(" to {}", without_query(next))).unwrap_or_default();
        self.print(&format!("{method:<4} {}   {}{to}", without_query(url), visit.status))
    }

    fn expect_page(&self, page: &Visit, status: u16, words: &str) -> Result<(), Error> {
        let text = page.text();
        let shown: Vec<String> = text.lines().map(|line| format!("  | {line}")).collect();
        self.print(&shown.join("\n"))?;
        if page.status == status && text.contains(words) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "the page has status {}, and the demo shows one of {status} with `{words}`",
            page.status
        )))
    }
}

fn without_any_query(url: &str) -> String {
    url.split('?').next().unwrap_or_default().to_owned()
}
