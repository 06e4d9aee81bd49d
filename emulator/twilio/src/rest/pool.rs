//! `/v1/Services/{sid}/PhoneNumbers`: the numbers of a Messaging Service.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    error::ApiError,
    page::{PageMeta, PageRequest},
    request::Params,
    services::{iso8601, not_found, service_mut},
};
use crate::{
    account::{Account, AccountState},
    geo,
    number::Number,
};

#[derive(Debug, Serialize)]
pub(super) struct PoolPage {
    meta: PageMeta,
    phone_numbers: Vec<Value>,
}

/// Adds one of the account's numbers to a service.
///
/// # Errors
/// 20001, the request names no number; 20404, there is no such service; 21421, the account has no such
/// number; 21710, it belongs to this service already; 21712, it belongs to another one.
pub(super) fn add(
    account: &Account,
    base: &str,
    service: &str,
    path: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    let now = account.clock.now();
    let mut state = account.state();
    service_mut(&mut state, service, path)?;
    let Some(sid) = params.get("PhoneNumberSid") else {
        let message = "Missing required parameter PhoneNumberSid in the post body";
        return Err(ApiError::with(20001, message));
    };
    let number = state.numbers_mut().find(|number| number.sid == sid);
    let number = number.ok_or_else(|| ApiError::new(21421))?;
    match number.config.messaging_service_sid.as_deref() {
        Some(own) if own == service => return Err(ApiError::new(21710)),
        Some(_) => return Err(ApiError::new(21712)),
        None => number.config.messaging_service_sid = Some(service.to_owned()),
    }
    let number = number.clone();
    service_mut(&mut state, service, path)?.joined.insert(number.phone.clone(), now);
    Ok(resource(account, &state, base, service, &number))
}

/// # Errors
/// 20404, there is no such service, or the number does not belong to it.
pub(super) fn fetch(
    account: &Account,
    base: &str,
    (service, sid): (&str, &str),
    path: &str,
) -> Result<Value, ApiError> {
    let state = account.state();
    let pool = members(&state, service, path)?;
    let number =
        pool.into_iter().find(|number| number.sid == sid).ok_or_else(|| not_found(path))?;
    Ok(resource(account, &state, base, service, number))
}

/// The service's numbers in pages.
///
/// # Errors
/// 20007, the page size is too large; 20404, there is no such service; 21481, the page token is not valid.
pub(super) fn list(
    account: &Account,
    base: &str,
    service: &str,
    path: &str,
    query: &Params,
) -> Result<PoolPage, ApiError> {
    let asked = PageRequest::read(query)?;
    let state = account.state();
    let pool = members(&state, service, path)?;
    let sids: Vec<&str> = pool.iter().map(|number| number.sid.as_str()).collect();
    let part = asked.part(&sids)?;
    let page = pool.get(part.records).unwrap_or_default();
    let links = asked.links(path, query, |_| false, page.len(), (part.next, part.previous));
    Ok(PoolPage {
        meta: links.into_meta(base, "phone_numbers"),
        phone_numbers: page
            .iter()
            .map(|number| resource(account, &state, base, service, number))
            .collect(),
    })
}

/// Removes a number from a service; it stays the account's.
///
/// # Errors
/// 20404, there is no such service, or the number does not belong to it.
pub(super) fn remove(
    account: &Account,
    (service, sid): (&str, &str),
    path: &str,
) -> Result<(), ApiError> {
    let mut state = account.state();
    let pool = members(&state, service, path)?;
    let number =
        pool.into_iter().find(|number| number.sid == sid).ok_or_else(|| not_found(path))?;
    let phone = number.phone.clone();
    for number in state.numbers_mut().filter(|number| number.phone == phone) {
        number.config.messaging_service_sid = None;
    }
    service_mut(&mut state, service, path)?.remove(&phone);
    Ok(())
}

fn members<'a>(
    state: &'a AccountState,
    service: &str,
    path: &str,
) -> Result<Vec<&'a Number>, ApiError> {
    state.service(service).ok_or_else(|| not_found(path))?;
    let belongs =
        |number: &&Number| number.config.messaging_service_sid.as_deref() == Some(service);
    Ok(state.numbers().filter(belongs).collect())
}

/// A service's number as the API shows it.
fn resource(
    account: &Account,
    state: &AccountState,
    base: &str,
    service: &str,
    number: &Number,
) -> Value {
    let known = state.service(service);
    let joined = known.and_then(|service| service.joined.get(&number.phone)).copied();
    let joined = iso8601(joined.unwrap_or(number.created));
    json!({
        "sid": number.sid,
        "account_sid": account.options.account_sid,
        "service_sid": service,
        "date_created": joined,
        "date_updated": joined,
        "phone_number": number.phone,
        "country_code": geo::location(&number.phone).country,
        "capabilities": ["Voice", "SMS", "MMS"],
        "url": format!("{base}/v1/Services/{service}/PhoneNumbers/{}", number.sid),
    })
}
