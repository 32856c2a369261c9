//! Which cloud a command talks to.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use handlers::aws::{Aws, Endpoints, base_config_for, http_client};
use handlers::ledger::Ledger;
use local::cloud::{Cloud, CloudInfo};

use crate::args::Globals;
use crate::error::Error;
use crate::home;
use crate::ssm::Parameters;

/// The clients, and the ledger's table.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) aws: Aws,
    pub(crate) table: String,
    pub(crate) place: Place,
    /// For clients that no function needs.
    config: SdkConfig,
    endpoints: Endpoints,
}

/// Where that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The local cloud of a home folder.
    Local(PathBuf),
    /// AWS, or what AWS_ENDPOINT_URL says.
    Aws {
        /// The Region.
        region: String,
        /// The common endpoint, if it is not AWS's own.
        endpoint: Option<String>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(home) => write!(f, "the local cloud of `{}`", home.display()),
            Self::Aws { region, endpoint: None } => write!(f, "AWS in {region}"),
            Self::Aws { endpoint: Some(url), .. } => write!(f, "the endpoint {url} of AWS_ENDPOINT_URL"),
        }
    }
}

impl Session {
    pub(crate) fn ledger(&self) -> Ledger<'_> {
        Ledger::new(self.aws.dynamodb(), &self.table)
    }

    /// The local cloud's clients.
    pub(crate) fn local(info: &CloudInfo, table: &str) -> Self {
        let variables = info.env();
        let value = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let credentials = Credentials::new(
            value("AWS_ACCESS_KEY_ID").unwrap_or_default(),
            value("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
            None,
            None,
            "local",
        );
        let endpoints = Endpoints::from_variables(variables);
        let config = base_config_for(info.region.clone(), &endpoints)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self::new(config, endpoints, table, Place::Local(info.home.clone()))
    }

    fn new(config: SdkConfig, endpoints: Endpoints, table: &str, place: Place) -> Self {
        let aws = Aws::with_endpoints(config.clone(), endpoints.clone());
        Self { aws, table: table.to_owned(), place, config, endpoints }
    }

    /// SQS.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.config);
        if let Some(url) = self.endpoints.of("SQS") {
            config = config.endpoint_url(url);
        }
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// Lambda.
    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        let mut config = aws_sdk_lambda::config::Builder::from(&self.config);
        if let Some(url) = self.endpoints.of("LAMBDA") {
            config = config.endpoint_url(url);
        }
        aws_sdk_lambda::Client::from_conf(config.build())
    }

    /// Systems Manager's parameters.
    pub(crate) fn parameters(&self) -> Parameters {
        Parameters::new(self.config.clone(), self.endpoints.of("SSM"))
    }

    /// Service Quotas.
    pub(crate) fn service_quotas(&self) -> aws_sdk_servicequotas::Client {
        let mut config = aws_sdk_servicequotas::config::Builder::from(&self.config);
        if let Some(url) = self.endpoints.of("SERVICE_QUOTAS") {
            config = config.endpoint_url(url);
        }
        aws_sdk_servicequotas::Client::from_conf(config.build())
    }

    async fn aws(table: &str) -> Result<Self, Error> {
        let endpoints = Endpoints::from_environment();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(&endpoints)).load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error::usage("no AWS Region is set")
                .hint("set AWS_REGION, or use a profile with a region; on this machine: `tidegate local up`"));
        };
        let place = Place::Aws { region, endpoint: endpoints.of("S3").map(str::to_owned) };
        Ok(Self::new(config, endpoints, table, place))
    }
}

/// Whether a URL leads to this machine.
fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

/// What the person asked for, apart from where local clouds run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Aws,
    Local,
    /// The local cloud if there is one.
    Nearest,
}

/// AWS if it is asked for or AWS_ENDPOINT_URL is set; else the local cloud, if there is one; else AWS.
pub(crate) async fn choose(globals: &Globals, home: Option<PathBuf>) -> Result<Session, Error> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if globals.aws
        && let Some(endpoint) = variable("AWS_ENDPOINT_URL").filter(|url| is_loopback(url))
    {
        return Err(Error::usage(format!(
            "`--aws` is said, and AWS_ENDPOINT_URL is `{endpoint}`, which is this machine"
        ))
        .hint(
            "open another shell, or unset what `tidegate local env` has set here: AWS_ENDPOINT_URL and those like it",
        ));
    }
    let wish = wish(globals.aws, variable("TIDEGATE_TARGET").as_deref(), variable("AWS_ENDPOINT_URL").is_some())?;
    match (wish, home) {
        (Wish::Aws, _) => Session::aws(&globals.table).await,
        (Wish::Nearest, home) if !home.as_deref().is_some_and(home::is_used) => Session::aws(&globals.table).await,
        (_, Some(home)) => Ok(Session::local(&running(&home).await?, &globals.table)),
        (_, None) => Err(Error::failed("there is no local cloud here").hint("start one with `tidegate local up`")),
    }
}

fn wish(flag: bool, target: Option<&str>, endpoint: bool) -> Result<Wish, Error> {
    match target {
        _ if flag => Ok(Wish::Aws),
        Some("aws") => Ok(Wish::Aws),
        Some("local") => Ok(Wish::Local),
        Some(other) => Err(Error::usage(format!("TIDEGATE_TARGET is `{other}`: accepted are `aws` and `local`"))),
        None if endpoint => Ok(Wish::Aws),
        None => Ok(Wish::Nearest),
    }
}

/// The running local cloud of a home folder. One that is stopped is an error: a command that was meant for it must not
/// reach AWS.
pub(crate) async fn running(home: &Path) -> Result<CloudInfo, Error> {
    let status = Cloud::status(home).await?;
    status.info.filter(|_| status.ministack.pid.is_some()).ok_or_else(|| {
        Error::failed(format!("the local cloud of `{}` is not running", home.display()))
            .hint("start it with `tidegate local up`, or say --aws to use AWS")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_comes_first() {
        assert_eq!(wish(true, Some("local"), false), Ok(Wish::Aws));
        assert_eq!(wish(false, Some("aws"), false), Ok(Wish::Aws));
        assert_eq!(wish(false, Some("local"), true), Ok(Wish::Local));
        assert_eq!(wish(false, None, true), Ok(Wish::Aws));
        assert_eq!(wish(false, None, false), Ok(Wish::Nearest));
        let error = wish(false, Some("azure"), false).unwrap_err();
        assert_eq!(error.lines, ["TIDEGATE_TARGET is `azure`: accepted are `aws` and `local`"]);
        assert_eq!(error.code.number(), 2);
    }
}
