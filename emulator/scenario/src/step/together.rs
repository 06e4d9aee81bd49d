//! `together:`

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{Step, StepKind};
use crate::{
    check::{BackendCheck, Check, invalid_rendezvous},
    dispatch,
    places::YamlPath,
    reply::Replies,
    run::{Running, StepError},
};

/// Steps at the same time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// Texts, requests and invocations that begin at the same time.
    #[schemars(with = "Vec<Step>")]
    pub together: Vec<Step>,
    /// The call at which they wait for each other, so that their race really happens. Then they
    /// go on one after the other, in an order that the seed decides.
    #[serde(default)]
    pub meet: Option<Meet>,
    /// How often the whole scenario runs, each time in another order.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub schedules: Option<u32>,
    /// What must arrive because of all of them, whoever receives it.
    #[serde(default, alias = "reply")]
    pub replies: Option<Replies>,
}

impl StepKind for Together {
    fn title(&self) -> String {
        let count = |step: &Step| match step {
            Step::Customer(customer) => customer.senders().len(),
            _ => 1,
        };
        format!("{} steps together", self.together.iter().map(count).sum::<usize>())
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        let repeated = |step: &Step| matches!(step, Step::Customer(c) if c.repeat.is_some());
        if self.together.len() < 2 && !self.together.iter().any(repeated) {
            check.wrong(&at.to("together"), "a group needs at least two steps");
        }
        if self.schedules == Some(0) {
            check.wrong(&at.to("schedules"), "'schedules' is at least 1");
        }
        if let Some(wrong) = self.meet.as_ref().and_then(|meet| invalid_rendezvous(&meet.on)) {
            let on = at.to("meet").to("on");
            let at = if check.tree.contains(&on) { on } else { at.to("meet") };
            check.wrong(&at, wrong);
        }
        for (index, inner) in self.together.iter().enumerate() {
            if !matches!(inner, Step::Customer(_) | Step::Request(_) | Step::Invoke(_)) {
                let at = at.to("together").to(index);
                check.wrong(&at, "only customer, request and invoke steps can be together");
            }
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        if let Some(table) = self.meet.as_ref().and_then(|meet| meet.table.as_ref()) {
            check.table(table, &at.to("meet").to("table"));
        }
        check.replies(self.replies.as_ref(), at);
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        let at = at.to("together");
        let mut steps = self.together.iter().enumerate();
        steps.find_map(|(index, step)| step.unsupported(&at.to(index)))
    }

    fn delays(&self) -> bool {
        self.together.iter().any(Step::delays)
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        label: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.together(self, label, path).await
    }
}

/// A call to the database at which steps meet: its name, or `{ on, table, key }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meet {
    /// The exchange's name: `dynamodb.TransactWriteItems`.
    pub on: String,
    /// Only calls that touch this table, by its logical id.
    pub table: Option<String>,
    /// Only calls with a row or key that has these attributes.
    pub key: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Meet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MeetVisitor;

        impl<'de> Visitor<'de> for MeetVisitor {
            type Value = Meet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a call such as dynamodb.TransactWriteItems, or { on, table, key }")
            }

            fn visit_str<E: de::Error>(self, on: &str) -> Result<Meet, E> {
                Ok(Meet { on: on.into(), table: None, key: Map::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Meet, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::missing_field("on"));
                };
                let Fields { on, table, key } = dispatch::map_from(key, map)?;
                Ok(Meet { on, table, key })
            }
        }

        deserializer.deserialize_any(MeetVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    on: String,
    #[serde(default)]
    table: Option<String>,
    #[serde(default)]
    key: Map<String, Value>,
}

impl JsonSchema for Meet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Meet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let on = json_schema!({ "type": "string", "pattern": "^dynamodb\\." });
        json_schema!({
            "anyOf": [
                on,
                {
                    "type": "object",
                    "properties": {
                        "on": on,
                        "table": { "type": "string" },
                        "key": { "type": "object" },
                    },
                    "required": ["on"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
