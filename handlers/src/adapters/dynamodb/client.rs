//! Sets up the SDK's client. Everything is explicit: nothing is read from the home folder or the
//! metadata service.

use std::{fmt, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        AsyncSleep, BehaviorVersion, Credentials, IdentityCache, Region, SharedHttpClient, Sleep,
        StalledStreamProtectionConfig,
        retry::{RetryConfig, RetryPartition, TokenBucket},
        timeout::TimeoutConfig,
    },
};
use futures::FutureExt as _;

use crate::ports::Timer;

/// Address, credentials and tables of the database. Has no `Debug`, because of the keys.
pub struct Settings<'a> {
    /// Overrides AWS's own endpoint.
    pub endpoint: Option<&'a str>,
    /// AWS region.
    pub region: &'a str,
    /// AWS access key id.
    pub access_key_id: &'a str,
    /// AWS secret access key.
    pub secret_access_key: &'a str,
    /// AWS session token.
    pub session_token: Option<&'a str>,
    /// Names of the tables.
    pub tables: Tables,
    /// Passes the time before a call is repeated, and until it counts as failed.
    pub timer: Arc<dyn Timer>,
}

/// Names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Leads: `lead_id` S, `timestamp` N.
    pub leads: String,
    /// The owner's state: `state_id` S.
    pub owner: String,
    /// Slots: `schedule_date` S, `slot_time` S.
    pub schedule: String,
    /// Turns, memory, queue, claims: `conversation_id` S, `item_id` S.
    pub conversations: String,
    /// A customer's open bookings: `phone` S, `start` S.
    pub bookings: String,
    /// Opt-outs: `phone` S.
    pub opt_outs: String,
}

/// The store on DynamoDB.
#[derive(Clone)]
pub struct DynamoDb {
    pub(super) client: Client,
    pub(super) tables: Tables,
    pub(super) timer: Arc<dyn Timer>,
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("tables", &self.tables).finish_non_exhaustive()
    }
}

/// The SDK's delays and timeouts, by the port.
struct TimerSleep(Arc<dyn Timer>);

impl AsyncSleep for TimerSleep {
    fn sleep(&self, time: Duration) -> Sleep {
        let timer = self.0.clone();
        // The SDK wants what threads can share, which futures of ports are not by themselves.
        Sleep::new(async move { timer.sleep(time).await }.boxed().shared())
    }
}

impl fmt::Debug for TimerSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimerSleep")
    }
}

/// Attempts per operation, the first one included.
const ATTEMPTS: u32 = 3;

impl DynamoDb {
    /// Builds a client over a shared HTTP client; sends nothing.
    pub fn new(http: SharedHttpClient, settings: Settings<'_>) -> Self {
        let credentials = Credentials::new(
            settings.access_key_id,
            settings.secret_access_key,
            settings.session_token.map(str::to_owned),
            None,
            "rehearse",
        );
        // The SDK would wait one second before its first retry, too long for a turn of a few
        // seconds.
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(400));
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8))
            .build();
        // The SDK's default token bucket is shared by the whole process: one client could use up
        // another's retries.
        let partition = RetryPartition::custom("store").token_bucket(TokenBucket::new(500)).build();
        let mut builder = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .sleep_impl(TimerSleep(settings.timer.clone()))
            .region(Region::new(settings.region.to_owned()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(retries)
            .retry_partition(partition)
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        builder.set_endpoint_url(settings.endpoint.map(str::to_owned));
        let client = Client::from_conf(builder.build());
        Self { client, tables: settings.tables, timer: settings.timer }
    }
}
