//! Exchanges that are old enough to be kept as text.

use bytes::Bytes;

use super::{Exchange, store::StoredExchange};

/// Exchanges of one page: few enough that writing a page delays nobody.
pub(super) const PAGE: usize = 64;

/// [`PAGE`] exchanges that began one after the other.
#[derive(Debug)]
pub(super) enum Page {
    /// The JSON of each exchange and then its response, each after its length.
    Text(Box<[u8]>),
    /// A page with an exchange that had not ended when the page was made, which is rare.
    Exchanges(Vec<StoredExchange>),
}

impl Page {
    pub(super) fn new(exchanges: Vec<StoredExchange>) -> Self {
        if exchanges.iter().any(|stored| stored.exchange.outcome.is_none()) {
            return Self::Exchanges(exchanges);
        }
        let mut text = Vec::new();
        for stored in &exchanges {
            let Ok(exchange) = serde_json::to_vec(&stored.exchange) else {
                return Self::Exchanges(exchanges);
            };
            write(&mut text, &exchange);
            write(&mut text, stored.response.as_deref().unwrap_or_default());
        }
        Self::Text(text.into())
    }

    /// Its exchanges, whose responses are not parsed yet.
    pub(super) fn read(&self) -> Vec<StoredExchange> {
        let mut text: &[u8] = match self {
            Self::Text(text) => text,
            Self::Exchanges(exchanges) => return exchanges.clone(),
        };
        let mut exchanges = Vec::with_capacity(PAGE);
        while let (Some(exchange), Some(response)) = (read(&mut text), read(&mut text)) {
            // It was written by `new`, from this type.
            let Ok(exchange) = serde_json::from_slice::<Exchange>(exchange) else { continue };
            let response = (!response.is_empty()).then(|| Bytes::copy_from_slice(response));
            exchanges.push(StoredExchange { exchange, response, bytes: 0 });
        }
        exchanges
    }

    /// An exchange by its index in the page, as long as it may be under way.
    pub(super) fn pending(&mut self, index: usize) -> Option<&mut StoredExchange> {
        match self {
            Self::Exchanges(exchanges) => exchanges.get_mut(index),
            Self::Text(_) => None,
        }
    }

    /// How many bytes it takes, if the bytes of its exchanges were counted.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Exchanges(exchanges) => exchanges.iter().map(|stored| stored.bytes).sum(),
        }
    }
}

fn write(text: &mut Vec<u8>, part: &[u8]) {
    text.extend_from_slice(&part.len().to_le_bytes());
    text.extend_from_slice(part);
}

fn read<'t>(text: &mut &'t [u8]) -> Option<&'t [u8]> {
    let (length, rest) = text.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(usize::from_le_bytes(*length))?;
    *text = rest;
    Some(part)
}
