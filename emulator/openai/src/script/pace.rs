//! How a round's stream is sent.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::delay::Delay;

/// How a stream is sent, in real time. An event with a delta counts as one token. Without a stream it
/// means nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamPace {
    /// How long the first token takes: `300ms`, `2s`, or milliseconds.
    #[serde(default, deserialize_with = "duration")]
    #[schemars(with = "Option<Delay>")]
    pub first: Duration,
    /// How many tokens a second follow. All at once if it is not given.
    #[serde(default, deserialize_with = "rate")]
    pub tokens_per_second: Option<f64>,
    /// The most bytes that are sent at once, so that events and characters come in pieces.
    #[serde(default, deserialize_with = "bytes")]
    pub packet: Option<usize>,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Delay::deserialize(deserializer).map(|delay| delay.0)
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    if rate.is_finite() && rate > 0.0 {
        return Ok(Some(rate));
    }
    Err(D::Error::custom("'tokens_per_second' is more than 0"))
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(D::Error::custom("'packet' is at least 1 byte")),
        bytes => Ok(Some(bytes)),
    }
}
