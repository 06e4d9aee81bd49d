//! `POST Messages.json`: checks a message in the same order as Twilio, then sends it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{content, error::ApiError, request::Params};
use crate::{
    Direction, Message, Method,
    account::Account,
    geo,
    options::Endpoint,
    outbox::Outbox,
    outgoing::{MAX_BODY, OutgoingMessage},
    phone,
    service::MAX_VALIDITY,
    smart_encoding::smart,
    whatsapp,
};
use rehearse_core::journal::Via;

/// Most media URLs of one message.
const MAX_MEDIA: usize = 10;

/// # Errors
/// Twilio's error of the first check that fails.
pub(super) fn create(
    account: &Account,
    outbox: &Arc<Outbox>,
    params: &Params,
) -> Result<Message, ApiError> {
    let to = params.get("To").ok_or_else(|| ApiError::new(21604))?;
    // A service's sid may stand in `From` as well.
    let (from, service) = match (params.get("From"), params.get("MessagingServiceSid")) {
        (Some(from), None) if is_service_sid(from) => (None, Some(from)),
        given => given,
    };
    if from.is_none() && service.is_none() {
        return Err(ApiError::new(21603));
    }
    let template = content::text(account, params)?;
    let body = template.as_deref().or(params.given("Body")).unwrap_or_default();
    let media: Vec<String> =
        params.all("MediaUrl").filter(|url| !url.is_empty()).map(str::to_owned).collect();
    if body.is_empty() && media.is_empty() {
        return Err(ApiError::new(if service.is_some() { 21619 } else { 21602 }));
    }
    check_recipient(to)?;
    if let Some(from) = from {
        check_sender(account, from, to)?;
    }
    if let Some(service) = service {
        check_service(account, service, from, to)?;
    }
    if body.chars().count() > MAX_BODY {
        return Err(ApiError::new(21617));
    }
    if media.len() > MAX_MEDIA {
        return Err(ApiError::new(21623));
    }
    if media.iter().any(|url| !is_http(url)) {
        return Err(ApiError::new(21620));
    }
    let callback = params.get("StatusCallback");
    if let Some(url) = callback.filter(|url| !is_http(url)) {
        let message = format!("The 'StatusCallback' URL {url} is not a valid URL.");
        return Err(ApiError::with(21609, message));
    }
    let validity_period = match params.get("ValidityPeriod") {
        None => None,
        Some(period) => {
            let seconds =
                period.parse().ok().filter(|seconds| (1..=MAX_VALIDITY).contains(seconds));
            Some(seconds.ok_or_else(|| ApiError::new(21624))?)
        }
    };
    let send_at = send_at(account.clock.now(), params, service)?;
    // A service chooses its sender later, and only then finds out that the recipient has opted out.
    let sender = from.unwrap_or_default();
    if service.is_none() && account.has_opted_out(sender, to) {
        return Err(ApiError::new(21610));
    }
    let is_smart = match params.get("SmartEncoded") {
        Some(said) => said.eq_ignore_ascii_case("true"),
        None => service.is_some_and(|sid| {
            account.state().service(sid).is_some_and(|service| service.config.smart_encoding)
        }),
    };
    Ok(outbox.send(OutgoingMessage {
        from: sender.to_owned(),
        to: to.to_owned(),
        body: if is_smart { smart(body) } else { body.to_owned() },
        media,
        direction: Direction::OutboundApi,
        via: Via::Rest,
        in_reply_to: None,
        status_callback: callback.map(|url| Endpoint { url: url.to_owned(), method: Method::Post }),
        service: service.map(str::to_owned),
        service_chooses: from.is_none(),
        is_template: template.is_some(),
        send_at,
        validity_period,
    }))
}

/// Checks `To`. Some numbers from +15005550001 on are Twilio's test numbers, which fail in a fixed way.
fn check_recipient(to: &str) -> Result<(), ApiError> {
    match to {
        "+15005550002" => Err(ApiError::with(
            21612,
            format!(
                "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' parameters"
            ),
        )),
        "+15005550003" => Err(ApiError::with(
            21408,
            format!(
                "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {}",
                phone::masked(to)
            ),
        )),
        "+15005550004" => Err(ApiError::new(21610)),
        "+15005550009" => Err(ApiError::new(21614)),
        "+15005550001" => Err(invalid_to(to)),
        _ if phone::is_e164(whatsapp::number(to).unwrap_or(to)) || phone::is_short_code(to) => {
            Ok(())
        }
        _ => Err(invalid_to(to)),
    }
}

fn invalid_to(to: &str) -> ApiError {
    ApiError::with(21211, format!("Invalid 'To' Phone Number: {}", phone::masked(to)))
}

/// Checks `From`, with Twilio's test numbers as in [`check_recipient`].
fn check_sender(account: &Account, from: &str, to: &str) -> Result<(), ApiError> {
    let account_sid = &account.options.account_sid;
    let invalid = || {
        ApiError::with(
            21212,
            format!(
                "The 'From' number {from} is not a valid phone number, shortcode, or alphanumeric sender ID."
            ),
        )
    };
    if from == to {
        let message = format!("'To' and 'From' number cannot be the same: {}", phone::masked(to));
        return Err(ApiError::with(21266, message));
    }
    match (whatsapp::number(from), whatsapp::number(to)) {
        (None, None) => {}
        (Some(number), Some(_)) if account.options.whatsapp.contains(number) => return Ok(()),
        (Some(_), Some(_)) => return Err(ApiError::new(63007)),
        _ => return Err(ApiError::new(21910)),
    }
    match from {
        _ if account.state().number(from).is_some() => Ok(()),
        "+15005550006" => Ok(()),
        "+15005550001" => Err(invalid()),
        "+15005550007" => Err(ApiError::with(
            21606,
            format!(
                "The 'From' phone number provided ({from}) is not a valid message-capable Twilio phone number for this destination/account"
            ),
        )),
        "+15005550008" => Err(ApiError::new(21611)),
        _ if phone::is_e164(from) => Err(ApiError::with(
            21660,
            format!("Mismatch between the 'From' number {from} and the account {account_sid}"),
        )),
        _ if phone::is_short_code(from) => Err(ApiError::with(
            21659,
            format!("'{from}' is not a Twilio phone number or Short Code country mismatch"),
        )),
        _ if phone::is_alphanumeric_sender(from) && geo::takes_alphanumeric_senders(to) => Ok(()),
        _ if phone::is_alphanumeric_sender(from) => Err(ApiError::with(
            21612,
            format!(
                "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' ({from}) parameters"
            ),
        )),
        _ => Err(invalid()),
    }
}

/// Checks that the account has this Messaging Service, and that it can send: with its numbers, or with the
/// one that the request names.
fn check_service(
    account: &Account,
    sid: &str,
    from: Option<&str>,
    to: &str,
) -> Result<(), ApiError> {
    if !is_service_sid(sid) {
        return Err(ApiError::new(21705));
    }
    let state = account.state();
    let pool = state.pool(sid);
    // A service may be known by its numbers alone.
    if state.service(sid).is_none() && pool.is_empty() {
        return Err(ApiError::new(21701));
    }
    match from {
        // The pool has numbers for texts alone.
        None if whatsapp::number(to).is_some() => Err(ApiError::new(63007)),
        None if pool.is_empty() => Err(ApiError::new(21704)),
        Some(from) if !pool.iter().any(|phone| phone == from) => Err(ApiError::new(21711)),
        _ => Ok(()),
    }
}

fn is_service_sid(text: &str) -> bool {
    let digits = text.strip_prefix("MG").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// When to send the message; `None` is now.
fn send_at(
    now: Timestamp,
    params: &Params,
    service: Option<&str>,
) -> Result<Option<Timestamp>, ApiError> {
    if params.get("ScheduleType") != Some("fixed") {
        return Ok(None);
    }
    if service.is_none() {
        return Err(ApiError::new(35118));
    }
    let at = params.get("SendAt").ok_or_else(|| ApiError::new(35111))?;
    let at: Timestamp = at.parse().map_err(|_| ApiError::new(35114))?;
    let wait = at.duration_since(now);
    if wait <= SignedDuration::from_secs(300) || wait > SignedDuration::from_hours(35 * 24) {
        return Err(ApiError::new(35114));
    }
    Ok(Some(at))
}

/// Whether this is an absolute HTTP URL. Unlike Twilio, this accepts loopback addresses.
fn is_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
