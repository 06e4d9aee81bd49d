//! `delivery:`

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::StepKind;
use crate::{
    check::{BackendCheck, Check},
    external,
    places::YamlPath,
    run::{Running, StepError},
    time::Gap,
};
use rehearse_twilio::{DeliveryPlan, PlannedCallback, Status};

/// `delivery:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryStep {
    /// What becomes of texts from here on. Of several steps for a text the first one counts.
    pub delivery: DeliveryEntry,
}

/// What becomes of texts that the backend sends, and which status callbacks it gets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryEntry {
    /// Only texts to this person; all when left out.
    #[serde(default)]
    pub to: Option<String>,
    /// The last status: `delivered`, `undelivered`, `failed`, or `sent` when nobody ever says more.
    #[serde(default)]
    pub status: Option<StatusName>,
    /// Twilio's code of why it is not delivered, such as 30003.
    #[serde(default)]
    pub code: Option<u32>,
    /// Business time for which a text waits in Twilio's queue before it is sent: `30m`. One that waits for
    /// longer than its `ValidityPeriod` fails with 30036.
    #[serde(default)]
    pub queued: Option<Gap>,
    /// Business time from sending to the last status: `30m`.
    #[serde(default)]
    pub late: Option<Gap>,
    /// The status callbacks in the order in which they come: `[delivered, sent]`. What is not here
    /// never comes, what is here twice comes twice.
    #[serde(default)]
    pub callbacks: Option<Vec<CallbackEntry>>,
    /// For how many texts; all from here on when left out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub times: Option<u32>,
}

/// A status of a message, by its name at Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StatusName(pub Status);

impl JsonSchema for StatusName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MessageStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["queued", "sent", "delivered", "undelivered", "failed"] })
    }
}

/// A status callback: `sent`, or `{ status: sent, after: 10m }` for one that comes so much business time
/// after sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackEntry(pub PlannedCallback);

impl<'de> Deserialize<'de> for CallbackEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PlannedCallback::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for CallbackEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusCallback".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let status = generator.subschema_for::<StatusName>();
        let after = generator.subschema_for::<Gap>();
        json_schema!({
            "description": "A status, or a status and how long after sending its callback comes",
            "anyOf": [
                status,
                {
                    "type": "object",
                    "properties": { "status": status, "after": after },
                    "required": ["status"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

impl DeliveryEntry {
    /// The plan for texts to this number.
    pub(crate) fn plan(&self, to: Option<String>) -> DeliveryPlan {
        let callbacks = self.callbacks.as_ref();
        DeliveryPlan {
            to,
            from: None,
            status: self.status.map(|status| status.0),
            code: self.code,
            queued: self.queued.map(|queued| queued.0),
            late: self.late.map(|late| late.0),
            callbacks: callbacks.map(|all| all.iter().map(|callback| callback.0).collect()),
            times: self.times,
        }
    }

    fn puts_off(&self) -> bool {
        let callbacks = self.callbacks.iter().flatten();
        [self.queued, self.late].into_iter().flatten().any(|late| !late.0.is_zero())
            || callbacks.filter_map(|callback| callback.0.after).any(|after| !after.is_zero())
    }
}

impl StepKind for DeliveryStep {
    fn title(&self) -> String {
        let to = self.delivery.to.as_deref().unwrap_or("everybody");
        format!("delivery to {to}")
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        if let Err(error) = self.delivery.plan(None).check() {
            check.wrong(&at.to("delivery"), error.to_string());
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        if let Some(to) = &self.delivery.to {
            check.person(to, &at.to("delivery").to("to"));
        }
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        self.delivery.puts_off().then(|| (at.to("delivery"), external::MOVES))
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.steer(&self.delivery, &path.to("delivery"))
    }
}
