//! What the proxy did not do, for whoever ran the client.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    DIRECT, HOSTS,
    hosts::{Destination, Refused},
};

/// Most destinations that are told apart; what comes later is counted as one.
const MOST: usize = 1000;
/// How the destinations beyond are called.
const OTHERS: &str = "other hosts";

/// A destination that was refused, or whose clients made no request of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Host and port: `example.com:443`.
    pub destination: String,
    /// How many times.
    pub count: u64,
    /// Why, and what to do about it, in one sentence.
    pub advice: String,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Refused(Refused),
    Untrusted,
    Unfinished,
}

/// Counts by destination and reason.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(String, Why), u64>>);

impl Refusals {
    /// Notes that a destination was refused, and returns the words for its client.
    pub(crate) fn refused(&self, destination: &Destination, refused: Refused) -> String {
        let (text, why) = (destination.text(), Why::Refused(refused));
        let message = format!("rehearse's proxy refuses {text}: {}", advice(why));
        tracing::warn!(destination = text, message, "a request was refused");
        self.count(text, why);
        message
    }

    /// Notes that a client said in the handshake that it does not trust the authority.
    pub(crate) fn untrusted(&self, destination: &Destination) {
        let text = destination.text();
        tracing::warn!(destination = text, "a client did not trust the proxy's authority");
        self.count(text, Why::Untrusted);
    }

    /// Notes that a handshake ended early for a reason that the client did not give.
    pub(crate) fn unfinished(&self, destination: &Destination) {
        let text = destination.text();
        tracing::warn!(destination = text, "a connection ended before a request");
        self.count(text, Why::Unfinished);
    }

    pub(crate) fn all(&self) -> Vec<Refusal> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refusals = counts.iter().map(|((destination, why), count)| Refusal {
            destination: destination.clone(),
            count: *count,
            advice: advice(*why),
        });
        refusals.collect()
    }

    fn count(&self, destination: String, why: Why) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (destination, why);
        if counts.len() >= MOST && !counts.contains_key(&key) {
            key.0 = OTHERS.to_owned();
        }
        *counts.entry(key).or_default() += 1;
    }
}

fn advice(why: Why) -> String {
    match why {
        Why::Refused(Refused::Host) => format!(
            "it answers for {} alone and passes nothing on; give the client a stand-in on this \
             machine, which it reaches without the proxy",
            HOSTS.join(", ")
        ),
        Why::Refused(Refused::Loopback) => format!(
            "this machine is reached without a proxy; let the client heed NO_PROXY={DIRECT}"
        ),
        Why::Refused(Refused::Port) => "the host is answered on the ports 443 and 80 alone".into(),
        Why::Refused(Refused::Unsigned) => {
            "the request has no signature of AWS, so it is for no service that is emulated".into()
        }
        Why::Untrusted => "the client does not trust the proxy; let it trust the certificate that \
                           SSL_CERT_FILE names"
            .into(),
        Why::Unfinished => {
            let words = "the connection ended before a request; some clients end it so when they do \
                         not trust the certificate that SSL_CERT_FILE names";
            words.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_hosts_takes_bounded_memory() {
        let refusals = Refusals::default();
        for host in 0..MOST + 500 {
            refusals.refused(&Destination::new(&format!("h{host}.example"), 443), Refused::Host);
        }
        let all = refusals.all();
        assert_eq!(all.len(), MOST + 1);
        let others = all.iter().find(|refusal| refusal.destination == OTHERS);
        assert_eq!(others.map(|refusal| refusal.count), Some(500));
    }
}
