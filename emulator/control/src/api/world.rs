//! What the world is, and its time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Response of `GET /ready`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// Always true: a world that is not ready does not respond.
    pub ready: bool,
    /// Version of the emulator.
    pub version: String,
    /// Another one for every world: a client that comes again after a pause sees whether it is still
    /// the same.
    #[serde(default)]
    pub instance: String,
}

/// Response of `GET /endpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoints {
    /// The parts of the world.
    pub parts: Vec<Part>,
    /// Environment variables that point a backend's SDKs at the world.
    pub environment: BTreeMap<String, String>,
    /// Names of people by phone number.
    pub people: BTreeMap<String, String>,
    /// Logical ids of tables by their names.
    pub tables: BTreeMap<String, String>,
    /// IANA name of the shop's time zone.
    pub time_zone: String,
}

/// A part of the world and where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What it is: `DynamoDB`.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// What it does, in short.
    pub about: String,
}

/// Body of `POST /clock`: exactly one of the three.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockRequest {
    /// Business time to move to, `2026-02-10T15:10:00-05:00`. It may be earlier than now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub now: Option<Timestamp>,
    /// How far to move forward, `2h 30m` or `PT2H30M`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advance: Option<String>,
    /// False freezes it where it stands, true lets it run on from there as the machine's clock does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
}

/// Response of `GET /clock` and `POST /clock`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ClockResponse {
    /// Business time.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub now: Timestamp,
    /// Whether it goes on by itself, as the machine's clock does.
    #[serde(default)]
    pub running: bool,
    /// IANA name of the backend's time zone.
    #[serde(default)]
    pub time_zone: String,
}

/// Response of `GET /people`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct People {
    /// The people of the project, by name.
    pub people: Vec<Person>,
    /// The shop's own number.
    pub shop: String,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Phone number.
    pub number: String,
}

/// Response of `POST /reset`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// Always true.
    pub reset: bool,
}
