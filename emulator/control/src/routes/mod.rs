//! The handlers of the operations, a file for each thing that they are about.

pub(super) mod events;
pub(super) mod faults;
pub(super) mod journal;
pub(super) mod model;
pub(super) mod rows;
pub(super) mod scenarios;
pub(super) mod scripts;
pub(super) mod snapshots;
pub(super) mod texts;
pub(super) mod world;

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;

use super::{error::ApiError, server::ApiState};
use rehearse_aws::template::Phone;
use rehearse_core::matcher::{RenderError, Vars};
use rehearse_scenario::Names;

type SharedState = State<Arc<ApiState>>;

/// The phone number of a person, given by name or as a number.
fn number(people: &BTreeMap<String, String>, who: &str) -> Result<String, ApiError> {
    // A person's WhatsApp address is the channel in front of the name or the number.
    if let Some(who) = who.strip_prefix("whatsapp:") {
        return Ok(format!("whatsapp:{}", number(people, who)?));
    }
    if let Some(number) = people.get(who) {
        return Ok(number.clone());
    }
    let invalid = match Phone::try_from(who.to_owned()) {
        Ok(phone) => return Ok(phone.to_string()),
        Err(error) if who.starts_with('+') => error,
        Err(_) => format!("'{who}' is neither a person nor a number such as +19045550100"),
    };
    let names: Vec<&str> = people.keys().map(String::as_str).collect();
    Err(ApiError::bad_request(invalid).help(format!("people there: {}", names.join(", "))))
}

impl ApiState {
    /// What bodies in the words of scenarios may name.
    fn names(&self) -> Names {
        Names {
            people: self.people.keys().cloned().collect(),
            values: self.scripts.vars().all().into_keys().collect(),
            tables: self.world.database().tables().iter().map(|table| table.id.clone()).collect(),
        }
    }
}

/// A text with its templates filled in.
fn filled(vars: &Vars, text: &str) -> Result<String, ApiError> {
    vars.text(text).map_err(|error| template_error(&error))
}

fn template_error(error: &RenderError) -> ApiError {
    ApiError::bad_request(error.to_string())
}
