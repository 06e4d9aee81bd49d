//! The SDK's client: everything explicit, nothing from the home folder or the metadata service.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, IdentityCache, Region, SharedHttpClient,
        StalledStreamProtectionConfig,
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
};

use crate::config::{DynamoDbConfig, Tables};

/// The store on DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    pub(super) client: Client,
    pub(super) tables: Tables,
}

/// Calls of one operation, the first included.
const ATTEMPTS: u32 = 3;

impl DynamoDb {
    /// Composes a client over a shared HTTP client; sends nothing.
    pub fn new(http: SharedHttpClient, config: &DynamoDbConfig) -> Self {
        let credentials = Credentials::new(
            config.access_key_id.clone(),
            config.secret_access_key.expose(),
            config.session_token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "rehearse",
        );
        // A turn has seconds, so the SDK's own first pause of one second is too long.
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(400));
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8))
            .build();
        // The SDK's default bucket is one for the process: clients would drain each other's.
        let partition = RetryPartition::custom("store").token_bucket(TokenBucket::new(500)).build();
        let mut builder = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(retries)
            .retry_partition(partition)
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        builder.set_endpoint_url(config.endpoint.clone());
        Self { client: Client::from_conf(builder.build()), tables: config.tables.clone() }
    }
}
