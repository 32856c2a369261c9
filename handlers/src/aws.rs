//! The AWS clients, made by hand so that a function starts in milliseconds.
//!
//! `aws_config::load_defaults` asks files, profiles and the metadata service for what Lambda gives in the environment.
//! Each client is made when it is first asked for: a function that ends after one DynamoDB call makes one client.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::signed::{Query, Service};

/// How long one attempt of one call may take. A call that hangs once or twice is made again within the functions' 30 s; one
/// that hangs in every attempt ends with the function, and its event is delivered again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What is missing from the environment.
#[derive(Debug, thiserror::Error)]
#[error("environment variable `{0}` is not set; Lambda sets it, and so does `tidegate local`")]
pub struct MissingVariable(&'static str);

/// Where the services are, when they are not at AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<String, String>);

impl Endpoints {
    /// What `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` say in this process.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// What these variables say. Others than the two kinds, and empty ones, are left out.
    #[must_use]
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = |(name, value): &(String, String)| {
            !value.is_empty()
                && (name == ENDPOINT || name.strip_prefix(ENDPOINT).is_some_and(|rest| rest.starts_with('_')))
        };
        Self(variables.into_iter().filter(ours).collect())
    }

    /// The endpoint of a service by the name that its variable ends in, such as `S3`; `None` for AWS itself.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<&str> {
        let own = self.0.get(&format!("{ENDPOINT}_{service}"));
        own.or_else(|| self.0.get(ENDPOINT)).map(String::as_str)
    }

    /// Reading the system's certificates takes longer than all else at a start; a plain endpoint on this machine needs
    /// none.
    fn are_plain(&self) -> bool {
        self.0.contains_key(ENDPOINT) && self.0.values().all(|url| url.starts_with("http://"))
    }
}

const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// The clients over one configuration.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    endpoints: Endpoints,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    efs: OnceLock<aws_sdk_efs::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    sagemaker: OnceLock<aws_sdk_sagemaker::Client>,
    scheduler: OnceLock<aws_sdk_scheduler::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

impl Aws {
    /// From a Lambda function's environment.
    ///
    /// # Errors
    /// No region or no credentials there.
    pub fn from_environment() -> Result<Self, MissingVariable> {
        let get = |name: &'static str| std::env::var(name).map_err(|_| MissingVariable(name));
        let region =
            get("AWS_REGION").or_else(|_| get("AWS_DEFAULT_REGION")).map_err(|_| MissingVariable("AWS_REGION"))?;
        let credentials = Credentials::new(
            get("AWS_ACCESS_KEY_ID")?,
            get("AWS_SECRET_ACCESS_KEY")?,
            std::env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty()),
            None,
            "environment",
        );
        Ok(Self::new(base_config(region).credentials_provider(SharedCredentialsProvider::new(credentials)).build()))
    }

    /// Over a configuration made elsewhere, with the environment's endpoints.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self::with_endpoints(config, Endpoints::from_environment())
    }

    /// Over a configuration made elsewhere, as the command line does from a person's profile.
    #[must_use]
    pub fn with_endpoints(config: SdkConfig, endpoints: Endpoints) -> Self {
        Self {
            config,
            endpoints,
            dynamodb: OnceLock::new(),
            efs: OnceLock::new(),
            s3: OnceLock::new(),
            sagemaker: OnceLock::new(),
            scheduler: OnceLock::new(),
            sns: OnceLock::new(),
            sts: OnceLock::new(),
        }
    }

    /// The same clients with the credentials of a session.
    #[must_use]
    pub fn with_session(&self, access_key_id: &str, secret_access_key: &str, session_token: &str) -> Self {
        let session =
            Credentials::new(access_key_id, secret_access_key, Some(session_token.to_owned()), None, "session");
        let config = self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(session)).build();
        Self::with_endpoints(config, self.endpoints.clone())
    }

    /// The endpoint of a service by the name that its variable ends in, such as `STS`; `None` for AWS itself.
    #[must_use]
    pub fn endpoint(&self, service: &str) -> Option<&str> {
        self.endpoints.of(service)
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("DYNAMODB") {
                config = config.endpoint_url(url);
            }
            aws_sdk_dynamodb::Client::from_conf(config.build())
        })
    }

    /// Elastic File System.
    pub fn efs(&self) -> &aws_sdk_efs::Client {
        self.efs.get_or_init(|| {
            let mut config = aws_sdk_efs::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("EFS") {
                config = config.endpoint_url(url);
            }
            aws_sdk_efs::Client::from_conf(config.build())
        })
    }

    /// EC2, without its SDK.
    #[must_use]
    pub fn ec2(&self) -> Query {
        Query::new(self.signed("ec2", "EC2"), "2016-11-15")
    }

    /// CloudFormation, without its SDK.
    #[must_use]
    pub fn cloudformation(&self) -> Query {
        Query::new(self.signed("cloudformation", "CLOUDFORMATION"), "2010-05-15")
    }

    /// AWS Backup, without its SDK.
    #[must_use]
    pub fn backup(&self) -> Service {
        self.signed("backup", "BACKUP")
    }

    fn signed(&self, name: &'static str, variable: &str) -> Service {
        Service::new(self.config.clone(), name, self.endpoints.of(variable))
    }

    /// S3. With an endpoint of one's own, buckets are in the path: such endpoints rarely have a name for each bucket.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let mut config = aws_sdk_s3::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("S3") {
                config = config.endpoint_url(url).force_path_style(true);
            }
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    /// SageMaker.
    pub fn sagemaker(&self) -> &aws_sdk_sagemaker::Client {
        self.sagemaker.get_or_init(|| {
            let mut config = aws_sdk_sagemaker::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("SAGEMAKER") {
                config = config.endpoint_url(url);
            }
            aws_sdk_sagemaker::Client::from_conf(config.build())
        })
    }

    /// EventBridge Scheduler.
    pub fn scheduler(&self) -> &aws_sdk_scheduler::Client {
        self.scheduler.get_or_init(|| {
            let mut config = aws_sdk_scheduler::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("SCHEDULER") {
                config = config.endpoint_url(url);
            }
            aws_sdk_scheduler::Client::from_conf(config.build())
        })
    }

    /// SNS.
    pub fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| {
            let mut config = aws_sdk_sns::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("SNS") {
                config = config.endpoint_url(url);
            }
            aws_sdk_sns::Client::from_conf(config.build())
        })
    }

    /// STS.
    pub fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let mut config = aws_sdk_sts::config::Builder::from(&self.config);
            if let Some(url) = self.endpoints.of("STS") {
                config = config.endpoint_url(url);
            }
            aws_sdk_sts::Client::from_conf(config.build())
        })
    }
}

/// What every configuration shares, without credentials, for the environment's endpoints.
#[must_use]
pub fn base_config(region: String) -> aws_types::sdk_config::Builder {
    base_config_for(region, &Endpoints::from_environment())
}

/// The HTTP client for these endpoints: TLS by rustls over ring, or none where every endpoint is plain HTTP.
#[must_use]
pub fn http_client(endpoints: &Endpoints) -> SharedHttpClient {
    if endpoints.are_plain() {
        Builder::new().build_http()
    } else {
        Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    }
}

/// The same for given endpoints.
#[must_use]
pub fn base_config_for(region: String, endpoints: &Endpoints) -> aws_types::sdk_config::Builder {
    let http = http_client(endpoints);
    SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .region(Region::new(region))
        .http_client(http)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(aws_smithy_async::time::SharedTimeSource::new(SystemTimeSource::new()))
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_s_own_endpoint_comes_before_the_common_one() {
        let variables = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:2"),
            ("AWS_ENDPOINT_URL_SNS", ""),
            ("AWS_ENDPOINT_URLS", "http://127.0.0.1:3"),
            ("AWS_REGION", "us-east-1"),
        ];
        let endpoints = Endpoints::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(endpoints.of("S3"), Some("http://127.0.0.1:1"));
        assert_eq!(endpoints.of("SAGEMAKER"), Some("http://127.0.0.1:2"));
        assert_eq!(endpoints.of("SNS"), Some("http://127.0.0.1:1"));
        assert_eq!(endpoints.0.len(), 2);
        assert_eq!(Endpoints::default().of("S3"), None);
    }

    #[test]
    fn no_certificates_are_read_only_when_every_endpoint_is_plain() {
        let of = |variables: &[(&str, &str)]| {
            Endpoints::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        };
        let common = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        assert!(of(&[common]).are_plain());
        assert!(!of(&[]).are_plain());
        assert!(!of(&[("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")]).are_plain(), "the others are at AWS");
        assert!(!of(&[common, ("AWS_ENDPOINT_URL_S3", "https://s3.example.org")]).are_plain());
    }
}
