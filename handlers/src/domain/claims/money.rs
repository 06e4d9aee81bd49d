//! Prices, percentages and what they are for, as a sentence names them.

use super::words::{Token, number_at};
use crate::domain::catalogue::{RepairKind, Upsell};

/// A price that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PriceMention {
    /// First token.
    pub(super) at: usize,
    /// Token after the last.
    pub(super) end: usize,
    /// Cents.
    pub(super) cents: u32,
}

/// A percentage that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PercentMention {
    /// First token.
    pub(super) at: usize,
    /// Percent.
    pub(super) value: u32,
}

const CURRENCY: &[&str] = &[
    "dollars", "dollar", "bucks", "buck", "usd", "dolares", "dolar", "pesos", "quid", "euros",
    "euro", "smackers",
];
/// Words before a bare number that make it a price.
const COSTS: &[&str] = &[
    "costs", "cost", "cuesta", "cuestan", "price", "precio", "runs", "charge", "charges",
    "cobramos", "pay", "only", "just", "vale",
];

/// Every price in the tokens.
pub(super) fn prices(tokens: &[Token]) -> Vec<PriceMention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match price_at(tokens, at) {
            Some(price) => {
                at = price.end;
                found.push(price);
            }
            None => at += 1,
        }
    }
    found
}

fn price_at(tokens: &[Token], at: usize) -> Option<PriceMention> {
    let first = tokens.get(at)?;
    if first.any(&["$", "\u{20ac}", "\u{a3}"]) {
        if let Some(cents) = decimal(tokens, at + 1) {
            return Some(PriceMention { at, end: at + 2, cents });
        }
        let (value, used) = number_at(tokens, at + 1)?;
        return Some(PriceMention { at, end: at + 1 + used, cents: value.saturating_mul(100) });
    }
    if let Some(cents) = decimal(tokens, at) {
        let unit = tokens.get(at + 1).is_some_and(|t| t.any(CURRENCY) || t.is("$"));
        let costs = before(tokens, at, COSTS);
        let is = before(tokens, at, &["is", "are", "son"]) && !repairs(tokens).is_empty();
        return (unit || costs || is).then_some(PriceMention { at, end: at + 1, cents });
    }
    // "por ciento" is no number.
    let (value, used) = number_at(tokens, at).filter(|_| !first.is("ciento"))?;
    let end = at + used;
    let next = tokens.get(end);
    let price = PriceMention { at, end, cents: value.saturating_mul(100) };
    if next.is_some_and(|t| t.any(CURRENCY) || (t.is("$") && t.joined)) {
        return Some(PriceMention { end: end + 1, ..price });
    }
    let apart = next.is_none_or(|t| {
        (t.is_sign() && !t.any(&["%", ":", "-"]))
            || t.any(&["for", "por", "total", "today", "and", "plus", "y"])
    });
    // "it is just 19", "costs 19", "for 19": a bare number with two digits or more.
    let costs = before(tokens, at, CURRENCY)
        || before(tokens, at, COSTS)
        || (before(tokens, at, &["for", "por"]) && value > 12);
    let is = before(tokens, at, &["is", "are", "son"]) && value > 12 && !repairs(tokens).is_empty();
    let year_or_model = value > 1000;
    (apart && (costs || is) && value > 12 && !year_or_model).then_some(price)
}

fn decimal(tokens: &[Token], at: usize) -> Option<u32> {
    let (whole, decimals) = tokens.get(at)?.number?;
    Some(whole.saturating_mul(100).saturating_add(decimals?))
}

fn before(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    let mut from = at;
    while let Some(word) = from.checked_sub(1).and_then(|at| tokens.get(at)) {
        if word.any(words) {
            return true;
        }
        if !word.any(&[
            "you", "is", "about", "around", "us", "a", "te", "of", "will", "de", "only", "just",
        ]) {
            return false;
        }
        from -= 1;
    }
    false
}

/// Every percentage of a discount in the tokens. `100% sure` is none.
pub(super) fn percents(tokens: &[Token]) -> Vec<PercentMention> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let within_number = at > 0 && number_at(tokens, at - 1).is_some_and(|(_, used)| used > 1);
        let Some((value, used)) = number_at(tokens, at).filter(|_| !within_number) else {
            let half = tokens.get(at).is_some_and(|t| t.any(&["half", "mitad"]));
            let next = |n: usize, words: &[&str]| tokens.get(at + n).is_some_and(|t| t.any(words));
            if half && (next(1, &["off", "price", "priced"]) || next(2, &["price", "precio"])) {
                found.push(PercentMention { at, value: 50 });
            }
            continue;
        };
        let end = at + used;
        let next = |n: usize, words: &[&str]| tokens.get(end + n).is_some_and(|t| t.any(words));
        let named = next(0, &["%", "percent", "pct"])
            || (next(0, &["per", "por"]) && next(1, &["cent", "ciento"]));
        let dollars = at > 0 && tokens.get(at - 1).is_some_and(|t| t.is("$"));
        let off = next(0, &["off"]) && !dollars;
        let skip = if named { if next(0, &["per", "por"]) { 2 } else { 1 } } else { 0 };
        let idiom = tokens.get(end + skip).is_some_and(|t| t.any(NOT_DISCOUNTS))
            || tokens.iter().any(|t| t.any(&["health", "capacity", "brightness", "humidity"]));
        if (named && !idiom) || off {
            found.push(PercentMention { at, value });
        }
    }
    found
}

const NOT_DISCOUNTS: &[&str] = &[
    "sure",
    "certain",
    "genuine",
    "original",
    "charged",
    "charge",
    "battery",
    "guaranteed",
    "positive",
    "honest",
    "ready",
    "working",
    "safe",
    "recommend",
    "seguro",
    "seguros",
];

/// The repairs that the tokens name, in order.
pub(super) fn repairs(tokens: &[Token]) -> Vec<RepairKind> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = |words: &[&str]| tokens.get(at + 1).is_some_and(|t| t.any(words));
        let kind = match token.text.as_str() {
            "screen" | "screens" | "display" | "pantalla" | "pantallas" => {
                let protector = next(&["protector", "protectors"])
                    || at
                        .checked_sub(2)
                        .and_then(|at| tokens.get(at))
                        .is_some_and(|t| t.is("protector"));
                (!protector).then_some(RepairKind::Screen)
            }
            "battery" | "batteries" | "bateria" | "baterias" | "pila" => Some(RepairKind::Battery),
            "port" | "ports" | "puerto" => Some(RepairKind::ChargingPort),
            "water" | "liquid" | "agua" => Some(RepairKind::WaterDamage),
            "glass" if tokens.iter().any(|t| t.any(&["back", "rear"])) => {
                Some(RepairKind::BackGlass)
            }
            "trasero" | "trasera" => Some(RepairKind::BackGlass),
            _ => None,
        };
        if let Some(kind) = kind.filter(|kind| !found.contains(kind)) {
            found.push(kind);
        }
    }
    found
}

/// The prices of the extras that the tokens name, in dollars.
pub(super) fn upsells(tokens: &[Token]) -> Vec<u32> {
    let mut found = Vec::new();
    for token in tokens {
        let item = match token.text.as_str() {
            "protector" | "protectors" => Some(Upsell::ScreenProtector),
            "case" | "cases" | "funda" | "fundas" => Some(Upsell::Case),
            _ => None,
        };
        if let Some(price) = item.and_then(Upsell::price).filter(|price| !found.contains(price)) {
            found.push(price);
        }
    }
    found
}

/// Whether the tokens speak of a visit at the customer's.
pub(super) fn on_site(tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| match pair {
        [a, b] => {
            (a.any(&["site"]) || b.any(&["site"]))
                || (a.is("come") && b.is("to"))
                || (a.is("to") && b.is("you"))
                || (a.is("your") && b.any(&["place", "office", "home", "house", "work"]))
                || a.any(&[
                    "mobile",
                    "domicilio",
                    "onsite",
                    "surcharge",
                    "drive",
                    "travel",
                    "visit",
                ])
                || b.any(&[
                    "mobile",
                    "domicilio",
                    "onsite",
                    "surcharge",
                    "drive",
                    "travel",
                    "visit",
                ])
        }
        _ => false,
    })
}
