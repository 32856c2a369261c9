use aws_credential_types::Credentials;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::EngineConfig;

/// S3 of the local cloud: path style, because `bucket.127.0.0.1` is no name.
pub(super) fn client(config: &EngineConfig) -> aws_sdk_s3::Client {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .endpoint_url(&config.ministack)
        .credentials_provider(Credentials::new("test", "test", None, None, "local"))
        .force_path_style(true)
        .sleep_impl(TokioSleep::new())
        .http_client(http)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
