//! The AWS clients, made by hand so that a function starts in milliseconds.
//!
//! `aws_config::load_defaults` asks files, profiles and the metadata service for what Lambda gives in the environment.
//! Each client is made when it is first asked for: a function that ends after one DynamoDB call makes one client.

use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// How long one attempt of one call may take. Well below the functions' 30 s, so that a hung call becomes an error that
/// is told, and not a function that is killed.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What is missing from the environment.
#[derive(Debug, thiserror::Error)]
#[error("environment variable `{0}` is not set; Lambda sets it, and so does `tidegate local`")]
pub struct MissingVariable(&'static str);

/// The clients over one configuration.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    sagemaker: OnceLock<aws_sdk_sagemaker::Client>,
    scheduler: OnceLock<aws_sdk_scheduler::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
}

impl Aws {
    /// From a Lambda function's environment.
    ///
    /// # Errors
    /// No region or no credentials there.
    pub fn from_environment() -> Result<Self, MissingVariable> {
        let get = |name: &'static str| std::env::var(name).map_err(|_| MissingVariable(name));
        let region = get("AWS_REGION").or_else(|_| get("AWS_DEFAULT_REGION")).map_err(|_| MissingVariable("AWS_REGION"))?;
        let credentials = Credentials::new(
            get("AWS_ACCESS_KEY_ID")?,
            get("AWS_SECRET_ACCESS_KEY")?,
            std::env::var("AWS_SESSION_TOKEN").ok().filter(|token| !token.is_empty()),
            None,
            "environment",
        );
        Ok(Self::new(base_config(region).credentials_provider(SharedCredentialsProvider::new(credentials)).build()))
    }

    /// Over a configuration made elsewhere, as the command line does from a person's profile.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self {
            config,
            dynamodb: OnceLock::new(),
            s3: OnceLock::new(),
            sagemaker: OnceLock::new(),
            scheduler: OnceLock::new(),
            sns: OnceLock::new(),
        }
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
            config.set_endpoint_url(endpoint("DYNAMODB"));
            aws_sdk_dynamodb::Client::from_conf(config.build())
        })
    }

    /// S3. With an endpoint of one's own, buckets are in the path: such endpoints rarely have a name for each bucket.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let endpoint = endpoint("S3");
            let mut config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(endpoint.is_some());
            config.set_endpoint_url(endpoint);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    /// SageMaker.
    pub fn sagemaker(&self) -> &aws_sdk_sagemaker::Client {
        self.sagemaker.get_or_init(|| {
            let mut config = aws_sdk_sagemaker::config::Builder::from(&self.config);
            config.set_endpoint_url(endpoint("SAGEMAKER"));
            aws_sdk_sagemaker::Client::from_conf(config.build())
        })
    }

    /// EventBridge Scheduler.
    pub fn scheduler(&self) -> &aws_sdk_scheduler::Client {
        self.scheduler.get_or_init(|| {
            let mut config = aws_sdk_scheduler::config::Builder::from(&self.config);
            config.set_endpoint_url(endpoint("SCHEDULER"));
            aws_sdk_scheduler::Client::from_conf(config.build())
        })
    }

    /// SNS.
    pub fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| {
            let mut config = aws_sdk_sns::config::Builder::from(&self.config);
            config.set_endpoint_url(endpoint("SNS"));
            aws_sdk_sns::Client::from_conf(config.build())
        })
    }
}

/// What every configuration shares, without credentials.
#[must_use]
pub fn base_config(region: String) -> aws_types::sdk_config::Builder {
    let http = if every_endpoint_is_plain() {
        Builder::new().build_http()
    } else {
        Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    };
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

/// The SDK reads these variables only in `aws_config`.
fn endpoint(service: &str) -> Option<String> {
    let own = std::env::var(format!("AWS_ENDPOINT_URL_{service}"));
    own.or_else(|_| std::env::var("AWS_ENDPOINT_URL")).ok().filter(|url| !url.is_empty())
}

/// Reading the system's certificates takes longer than all else at a start; a plain endpoint on this machine needs none.
fn every_endpoint_is_plain() -> bool {
    let plain = |url: &str| url.starts_with("http://");
    std::env::var("AWS_ENDPOINT_URL").is_ok_and(|url| plain(&url))
        && ["DYNAMODB", "S3", "SAGEMAKER", "SCHEDULER", "SNS"].iter().all(|service| {
            std::env::var(format!("AWS_ENDPOINT_URL_{service}")).map_or(true, |url| plain(&url))
        })
}
