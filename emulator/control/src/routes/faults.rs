//! Faults: arming them in the words of scenarios, and how often each struck.

use axum::{Json, extract::State};
use serde_json::Value;

use super::{SharedState, template_error};
use crate::{
    ArmedFault, ArmedFaults, Disarmed, FaultRequest, Faults,
    error::{ApiError, PathNumber, YamlBody},
    server::ApiState,
};
use rehearse_core::{
    faults::{self, Fault, FaultHandle, FaultTarget},
    names,
    yaml::{Source, tree::Node},
};
use rehearse_scenario::{FaultEntry, parse_faults};

/// Most faults that are armed: every call looks at each.
const MOST: usize = 1000;

pub(crate) async fn list(State(api): SharedState) -> Json<Faults> {
    Json(Faults { faults: all(&api) })
}

pub(crate) async fn arm(
    State(api): SharedState,
    YamlBody(source): YamlBody,
) -> Result<Json<ArmedFaults>, ApiError> {
    let tree: Node = source.parse().map_err(|error| ApiError::bad_request(error.to_string()))?;
    let armed = if tree.get("failure").is_some() {
        vec![first_form(&source)?]
    } else {
        let entries = parse_faults(&source, &api.names());
        let entries = entries.map_err(|error| ApiError::bad_request(error.to_string()))?;
        entries.iter().map(|entry| fault(&api, entry)).collect::<Result<_, _>>()?
    };
    let faults = api.world.faults();
    if faults.list().len() + armed.len() > MOST {
        return Err(ApiError::conflict(format!("{MOST} faults are armed already"))
            .help("DELETE /faults/{id} disarms one, DELETE /faults all; spent ones count, too"));
    }
    let handles: Vec<FaultHandle> = armed.into_iter().map(|fault| faults.arm(fault)).collect();
    let of_these = |fault: &ArmedFault| handles.contains(&FaultHandle(fault.id));
    let faults = all(&api).into_iter().filter(of_these).collect();
    Ok(Json(ArmedFaults { armed: true, faults }))
}

pub(crate) async fn disarm_all(State(api): SharedState) -> Json<Disarmed> {
    api.world.faults().clear();
    Json(Disarmed { armed: false })
}

pub(crate) async fn fault_by_id(
    State(api): SharedState,
    PathNumber(id): PathNumber,
) -> Result<Json<ArmedFault>, ApiError> {
    let fault = all(&api).into_iter().find(|fault| fault.id == id);
    fault.map(Json).ok_or_else(|| unknown(&api, id))
}

pub(crate) async fn disarm(
    State(api): SharedState,
    PathNumber(id): PathNumber,
) -> Result<Json<ArmedFault>, ApiError> {
    let fault = api.world.faults().disarm(FaultHandle(id));
    fault.map(|fault| Json(described(fault))).ok_or_else(|| unknown(&api, id))
}

fn all(api: &ApiState) -> Vec<ArmedFault> {
    api.world.faults().list().into_iter().map(described).collect()
}

fn described(armed: faults::ArmedFault) -> ArmedFault {
    let faults::ArmedFault { handle, fault, matched, injected, spent, .. } = armed;
    let Fault { on, failure, target, skip, times, chance } = fault;
    let chance = chance.map(faults::Chance::part);
    let FaultHandle(id) = handle;
    ArmedFault { id, on, failure, target, skip, times, chance, matched, injected, spent }
}

fn unknown(api: &ApiState, id: u64) -> ApiError {
    let ids: Vec<String> = all(api).iter().map(|fault| fault.id.to_string()).collect();
    let help = if ids.is_empty() {
        "none is armed".into()
    } else {
        format!("there are {}", ids.join(", "))
    };
    ApiError::not_found(format!("no fault {id} is armed")).help(help)
}

/// A fault of an entry, with its templates filled in.
fn fault(api: &ApiState, entry: &FaultEntry) -> Result<Fault, ApiError> {
    let (skip, times) = entry.window();
    let key = api.scripts.vars().render(&Value::Object(entry.key.clone()));
    let key = match key.map_err(|error| template_error(&error))? {
        Value::Object(key) => key,
        _ => serde_json::Map::new(),
    };
    Ok(Fault {
        on: entry.on.clone(),
        failure: entry.fail.0.clone(),
        target: FaultTarget { table: entry.table.clone(), key },
        skip,
        times,
        chance: entry.chance.map(|chance| chance.0),
    })
}

/// The form of a fault that this API had first: `{ on, failure, target, skip, times }`.
fn first_form(source: &Source) -> Result<Fault, ApiError> {
    let FaultRequest { on, failure, target, skip, times } = serde_json::from_str(&source.text)
        .map_err(|e| ApiError::bad_request(format!("the body is not as expected: {e}")))?;
    if times == Some(0) {
        return Err(ApiError::bad_request(
            "times is at least 1; leave it out to make every call fail",
        ));
    }
    // A fault that applies to no call would look like a backend that survives it.
    if !faults::can_fail(&on) {
        let hint = names::hint(&on, faults::NAMES);
        return Err(ApiError::bad_request(format!("no exchange named '{on}' can fail{hint}"))
            .help("such as openai.responses, twilio.messages.create or webhook.sms"));
    }
    if failure.database_fault.is_some_and(|database_fault| !database_fault.can_happen_to(&on)) {
        return Err(ApiError::bad_request(format!("this cannot happen to {on}")));
    }
    failure.can_happen_to(&on).map_err(ApiError::bad_request)?;
    Ok(Fault { on, failure, target, skip, times, chance: None })
}
