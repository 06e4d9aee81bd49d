//! Messaging Services: what a service is told, and the number that it sends a message with.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{Method, geo};

/// Most seconds that a message may wait to be sent, which is also what a service begins with.
pub(crate) const MAX_VALIDITY: u32 = 36_000;

/// A Messaging Service: a pool of numbers, and what Twilio does with messages to and from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// `MG` and 32 hexadecimal digits.
    pub sid: String,
    /// Its name.
    pub friendly_name: String,
    /// The account's numbers that belong to it at the start.
    pub numbers: Vec<String>,
    /// Called for each text to one of its numbers. `None` drops them, as on Twilio.
    pub inbound_request_url: Option<String>,
    /// The method of that URL.
    pub inbound_method: Method,
    /// Called when the last attempt at that URL failed.
    pub fallback_url: Option<String>,
    /// The method of the fallback.
    pub fallback_method: Method,
    /// Whether texts go to the webhook of the number that was texted instead.
    pub use_inbound_webhook_on_number: bool,
    /// Called at each status of a message that has no status callback of its own.
    pub status_callback: Option<String>,
    /// Whether a person always gets messages from the same number.
    pub sticky_sender: bool,
    /// Whether typographic characters are replaced by similar ones of the GSM-7 alphabet.
    pub smart_encoding: bool,
    /// Whether numbers with the recipient's area code go before others.
    pub area_code_geomatch: bool,
    /// For how many seconds a message may wait to be sent.
    pub validity_period: u32,
}

impl Default for ServiceConfig {
    /// A service as Twilio creates it, without a name, a sid, numbers and URLs.
    fn default() -> Self {
        Self {
            sid: String::new(),
            friendly_name: String::new(),
            numbers: Vec::new(),
            inbound_request_url: None,
            inbound_method: Method::Post,
            fallback_url: None,
            fallback_method: Method::Post,
            use_inbound_webhook_on_number: false,
            status_callback: None,
            sticky_sender: true,
            smart_encoding: true,
            area_code_geomatch: true,
            validity_period: MAX_VALIDITY,
        }
    }
}

/// A Messaging Service of the account.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub config: ServiceConfig,
    /// What the API was told besides. It is given back and has no other effect.
    pub kept: BTreeMap<&'static str, serde_json::Value>,
    /// When each of its numbers came to it.
    pub joined: BTreeMap<String, Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// The number that a person gets messages from.
    stuck: HashMap<String, String>,
    /// How many senders were chosen, so that numbers take turns.
    turns: usize,
}

impl Service {
    pub fn new(config: ServiceConfig, created: Timestamp) -> Self {
        let joined = config.numbers.iter().map(|phone| (phone.clone(), created)).collect();
        Self {
            config,
            kept: BTreeMap::new(),
            joined,
            created,
            updated: created,
            stuck: HashMap::new(),
            turns: 0,
        }
    }

    pub fn sid(&self) -> &str {
        &self.config.sid
    }

    /// The number of the pool that sends to a person; `None` when there is none. With a sticky sender it
    /// is the one of the last message. Otherwise those take turns that are nearest: in the country of the
    /// recipient, or else in the US, or else anywhere, and with the recipient's area code where one has it.
    /// Source: Twilio's pages about sticky sender and geomatch; where these say "random", turns are taken.
    pub fn choose(&mut self, pool: &[String], to: &str) -> Option<String> {
        if self.config.sticky_sender
            && let Some(known) = self.stuck.get(to).filter(|known| pool.contains(known))
        {
            return Some(known.clone());
        }
        let near = nearest(pool, to, self.config.area_code_geomatch);
        let sender = near.get(self.turns.checked_rem(near.len())?)?.to_string();
        self.turns = self.turns.wrapping_add(1);
        if self.config.sticky_sender {
            self.stuck.insert(to.to_owned(), sender.clone());
        }
        Some(sender)
    }

    /// Forgets a number that no longer belongs to it.
    pub fn remove(&mut self, phone: &str) {
        self.joined.remove(phone);
        self.stuck.retain(|_, sender| sender != phone);
    }

    /// Forgets who gets messages from which number.
    pub fn forget_senders(&mut self) {
        self.stuck.clear();
        self.turns = 0;
    }
}

fn nearest<'a>(pool: &'a [String], to: &str, by_area_code: bool) -> Vec<&'a String> {
    let country = geo::location(to).country;
    let in_country = |wanted: &str| -> Vec<&String> {
        pool.iter().filter(|phone| geo::location(phone).country == wanted).collect()
    };
    let all = || pool.iter().collect();
    let near = [in_country(country), in_country("US"), all()];
    let near = near.into_iter().find(|near| !near.is_empty()).unwrap_or_default();
    if !by_area_code {
        return near;
    }
    let area = |phone: &str| {
        phone.strip_prefix("+1").and_then(|digits| digits.get(..3).map(str::to_owned))
    };
    let same: Vec<&String> = match area(to) {
        Some(wanted) => {
            near.iter().copied().filter(|p| area(p).as_ref() == Some(&wanted)).collect()
        }
        None => Vec::new(),
    };
    if same.is_empty() { near } else { same }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(numbers: &[&str]) -> Vec<String> {
        numbers.iter().map(|number| (*number).to_owned()).collect()
    }

    fn service(sticky_sender: bool) -> Service {
        let config = ServiceConfig { sticky_sender, ..ServiceConfig::default() };
        Service::new(config, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn numbers_take_turns_and_a_sticky_one_stays() {
        let numbers = pool(&["+12125550100", "+12125550101"]);
        let mut service = service(false);
        let mut next = |to| service.choose(&numbers, to).unwrap();
        let ann = "+13105550123";
        assert_eq!(
            [next(ann), next(ann), next(ann)],
            ["+12125550100", "+12125550101", "+12125550100"]
        );
        service.config.sticky_sender = true;
        let mut next = |to| service.choose(&numbers, to).unwrap();
        let first = next(ann);
        assert_eq!((next("+13105550124"), next(ann)), ("+12125550100".into(), first.clone()));
        service.remove(&first);
        let left = pool(&["+12125550100"]);
        assert_eq!(service.choose(&left, ann).as_deref(), Some("+12125550100"));
        assert_eq!(service.choose(&[], "+13105550125"), None);
    }

    #[test]
    fn the_nearest_number_sends() {
        let numbers = pool(&["+12125550100", "+13105550100", "+447911123456"]);
        let mut service = service(false);
        for (to, sender) in [
            ("+13105550123", "+13105550100"),
            ("+447911123457", "+447911123456"),
            ("+4915112345678", "+12125550100"),
        ] {
            service.turns = 0;
            assert_eq!(service.choose(&numbers, to).as_deref(), Some(sender), "{to}");
        }
        service.config.area_code_geomatch = false;
        service.turns = 0;
        assert_eq!(service.choose(&numbers, "+13105550123").as_deref(), Some("+12125550100"));
    }
}
