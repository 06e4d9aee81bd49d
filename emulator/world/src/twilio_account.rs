//! The account at the fake Twilio as a world has it: which URL of the backend each number and Messaging
//! Service calls, and what Lookup says of numbers.

use std::collections::BTreeMap;

use rehearse_aws::template::{LineType, MessagingService, RoutePath, Webhook};
use rehearse_twilio::{self as twilio, NumberConfig};
use url::Position;

use super::{Backend, ExternalBackend};

/// The lines' types as the fake takes them.
pub(super) fn line_types(
    settings: &BTreeMap<String, LineType>,
) -> BTreeMap<String, twilio::LineType> {
    let fakes = |of: LineType| match of {
        LineType::Mobile => twilio::LineType::Mobile,
        LineType::Landline => twilio::LineType::Landline,
        LineType::FixedVoip => twilio::LineType::FixedVoip,
        LineType::NonFixedVoip => twilio::LineType::NonFixedVoip,
        LineType::TollFree => twilio::LineType::TollFree,
    };
    settings.iter().map(|(number, of)| (number.clone(), fakes(*of))).collect()
}

/// Fills in the webhook URLs that a number's configuration leaves out. The route is the settings'
/// unless the number has one of its own.
pub(super) fn with_webhook(
    number: NumberConfig,
    backend: &Backend,
    gateway: &str,
    own: Option<&RoutePath>,
) -> NumberConfig {
    let Some(webhook) = &backend.settings().webhook else { return number };
    let url = |route: &str| url_of(webhook, route, backend, gateway);
    NumberConfig {
        webhook_url: number
            .webhook_url
            .or_else(|| Some(url(own.unwrap_or(&webhook.route).as_str()))),
        fallback_url: number
            .fallback_url
            .or_else(|| webhook.fallback.as_ref().map(|route| url(route.as_str()))),
        ..number
    }
}

/// The Messaging Services as the fake takes them.
pub(super) fn services(
    services: &[MessagingService],
    backend: &Backend,
    gateway: &str,
) -> Vec<twilio::ServiceConfig> {
    let webhook = backend.settings().webhook.as_ref();
    let url = |route: &RoutePath| {
        webhook.map(|webhook| url_of(webhook, route.as_str(), backend, gateway))
    };
    let service = |service: &MessagingService| {
        let on_number = service.use_inbound_webhook_on_number.unwrap_or(service.route.is_none());
        let fallback = service.fallback.as_ref();
        twilio::ServiceConfig {
            sid: service.sid(),
            friendly_name: service.name.clone(),
            numbers: service.numbers.iter().map(ToString::to_string).collect(),
            inbound_request_url: service.route.as_ref().and_then(url),
            fallback_url: fallback.or(webhook.and_then(|w| w.fallback.as_ref())).and_then(url),
            use_inbound_webhook_on_number: on_number,
            status_callback: service.status_callback.as_ref().and_then(url),
            sticky_sender: service.sticky_sender,
            smart_encoding: service.smart_encoding,
            area_code_geomatch: service.area_code_geomatch,
            validity_period: service.validity_period,
            ..twilio::ServiceConfig::default()
        }
    };
    services.iter().map(service).collect()
}

/// The URL at which Twilio calls a route, with the webhook's connection overrides.
fn url_of(webhook: &Webhook, route: &str, backend: &Backend, gateway: &str) -> String {
    match backend.external_backend() {
        // The given URL replaces the route; a fragment of its own replaces the overrides.
        Some(external) if route == webhook.route.as_str() => {
            let url = public(external, webhook.domain.as_deref());
            match external.url().fragment() {
                Some(_) => url,
                None => format!("{url}{}", webhook.overrides),
            }
        }
        Some(_) => {
            let base = webhook.domain.as_deref().map_or_else(|| gateway.to_owned(), https);
            format!("{base}{route}{}", webhook.overrides)
        }
        None => {
            let api = backend.template().api_of(route);
            let domain = api.and_then(|api| api.domain.as_ref());
            let base = match (domain.filter(|_| webhook.domain.is_some()), api) {
                (Some(domain), _) => domain.url(),
                (None, Some(api)) => format!("{gateway}{}", api.stage_path()),
                (None, None) => gateway.to_owned(),
            };
            format!("{base}{route}{}", webhook.overrides)
        }
    }
}

/// The webhook's URL of a backend that somebody else started: its own, or the same at the domain where
/// Twilio would reach it.
fn public(external: &ExternalBackend, domain: Option<&str>) -> String {
    match domain {
        Some(domain) => format!("{}{}", https(domain), &external.url()[Position::BeforePath..]),
        None => external.to_string(),
    }
}

fn https(domain: &str) -> String {
    format!("https://{}", domain.to_ascii_lowercase())
}

/// The public hosts that are on this machine: the template's custom domains, each served by the
/// gateway, and the webhook's domain of an external backend.
pub(super) fn hosts(backend: &Backend, gateway: &str) -> BTreeMap<String, String> {
    let domains = backend.template().apis.iter().filter_map(|api| api.domain.as_ref());
    let webhook = backend.settings().webhook.as_ref();
    let domain = webhook.filter(|_| backend.external_backend().is_some());
    let domain = domain.and_then(|webhook| webhook.domain.as_ref());
    domains
        .map(|domain| domain.name.clone())
        .chain(domain.map(|domain| domain.to_ascii_lowercase()))
        .map(|host| (host, gateway.to_owned()))
        .collect()
}
