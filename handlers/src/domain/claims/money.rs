//! Prices and what they are for, as a sentence names them.

use std::cell::OnceCell;

use super::{
    vocabulary::{WordList, Words},
    words::{Token, number_at},
};
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

const CURRENCY: &[&str] = &[
    "dollars", "dollar", "bucks", "buck", "usd", "dolares", "dolar", "pesos", "quid", "euros",
    "euro", "smackers",
];
/// Words before a bare number that make it a price.
static COSTS: Words = Words::new(
    "costs cost cuesta cuestan price precio run runs charge charges charged cobramos pay only just \
     vale total totals comes amounts even say call flat make dejo dejamos deja sale queda esta estan \
     seria serian cobro cobraria costo",
);
/// What may stand between such a word and the number.
static BETWEEN: Words = Words::new(
    "you is about around us a an the te of will de only just at like roughly maybe es son be to en \
     it lo la approximately solo :",
);
const SIGNS: &[&str] = &["$", "\u{20ac}", "\u{a3}"];

/// Every price in the tokens.
pub(super) fn prices(tokens: &[Token]) -> Vec<PriceMention> {
    // Read once, so that the time grows with the length only in proportion.
    let whole = Whole {
        names_repair: !repairs(tokens).is_empty(),
        names_deal: tokens.iter().any(|t| t.is("deal")),
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match price_at(tokens, at, &whole) {
            Some(price) => {
                at = price.end;
                found.push(price);
            }
            None => at += 1,
        }
    }
    found
}

/// Words of a question about prices.
static ASKS_PRICE: Words = Words::new(
    "much price prices cost costs charge $ dollars total cuanto cuesta cuestan precio precios vale",
);
/// Words before the number of a model or of something else that is no price.
static NUMBERED: Words = Words::new(
    "iphone ipad ios android galaxy note pixel series version pro max plus mini se tab number no nr \
     suite room age in than of",
);

/// The prices of an answer: of one to a question about prices, any number that counts nothing else.
/// `is_other`: times and dates.
pub(super) fn prices_of_answer(
    tokens: &[Token],
    question: &[Token],
    is_other: impl Fn(usize) -> bool,
) -> Vec<PriceMention> {
    let mut found = prices(tokens);
    if !question.iter().any(|t| t.any(&ASKS_PRICE)) {
        return found;
    }
    let mut at = 0;
    while at < tokens.len() {
        let Some((value, used)) = number_at(tokens, at) else {
            at += 1;
            continue;
        };
        let (end, first) = (at + used, at);
        at = end;
        let known = found.iter().any(|price| (price.at..price.end).contains(&first));
        let joined = tokens.get(first).is_some_and(|t| t.joined && t.number.is_some())
            && first.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|t| !t.is_sign());
        let numbered =
            first.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|t| t.any(&NUMBERED));
        let apart = tokens.get(end).is_none_or(|t| t.is_sign() && !t.any(&["%", ":", "-", "/"]));
        if (20..1000).contains(&value)
            && apart
            && !known
            && !joined
            && !numbered
            && !is_other(first)
        {
            found.push(PriceMention { at: first, end, cents: value.saturating_mul(100) });
        }
    }
    found.sort_by_key(|price| price.at);
    found
}

/// What all of the tokens say.
struct Whole {
    names_repair: bool,
    names_deal: bool,
}

fn price_at(tokens: &[Token], at: usize, whole: &Whole) -> Option<PriceMention> {
    let first = tokens.get(at)?;
    if first.any(SIGNS) {
        if let Some(cents) = decimal(tokens, at + 1) {
            return Some(PriceMention { at, end: at + 2, cents });
        }
        let (value, used) = number_at(tokens, at + 1)?;
        return Some(PriceMention { at, end: at + 1 + used, cents: value.saturating_mul(100) });
    }
    if let Some(cents) = decimal(tokens, at) {
        let unit = tokens.get(at + 1).is_some_and(|t| t.any(CURRENCY) || t.any(SIGNS));
        let costs = before(tokens, at, &COSTS);
        let is = before(tokens, at, &["is", "are", "son"]) && whole.names_repair;
        return (unit || costs || is).then_some(PriceMention { at, end: at + 1, cents });
    }
    // "por ciento" is no number.
    let (value, used) = number_at(tokens, at).filter(|_| !first.is("ciento"))?;
    let end = at + used;
    let next = tokens.get(end);
    let price = PriceMention { at, end, cents: value.saturating_mul(100) };
    if next.is_some_and(|t| t.any(CURRENCY) || (t.any(SIGNS) && t.joined)) {
        return Some(PriceMention { end: end + 1, ..price });
    }
    let apart = next.is_none_or(|t| {
        (t.is_sign() && !t.any(&["%", ":", "-"]))
            || t.any(&["for", "por", "total", "today", "and", "plus", "y", "flat", "even", "all"])
    });
    // "it is just 19", "costs 19", "for 19": a bare number with two digits or more.
    let costs = before(tokens, at, CURRENCY)
        || is_total(tokens, at)
        || is_of_repair(tokens, at, end, whole)
        || before(tokens, at, &COSTS)
        || (before(tokens, at, &["for", "por"]) && value > 12);
    let is = before(tokens, at, &["is", "are", "son"]) && value > 12 && whole.names_repair;
    let year_or_model = value > 1000;
    (apart && (costs || is) && value > 12 && !year_or_model).then_some(price)
}

/// "That'll be 70", "it would be about a hundred".
fn is_total(tokens: &[Token], at: usize) -> bool {
    let words = tokens.get(at.saturating_sub(5)..at).unwrap_or_default();
    let would_be = words
        .windows(2)
        .position(|pair| matches!(pair, [a, b] if a.any(&["will", "would"]) && b.is("be")));
    would_be.is_some_and(|be| {
        let subject = be.checked_sub(1).and_then(|at| words.get(at));
        subject.is_some_and(|t| t.any(&["that", "it", "total", "price", "this"]))
            && words.iter().skip(be + 2).all(|t| t.any(&BETWEEN))
    })
}

/// "Screen: 69", "70 for the screen".
fn is_of_repair(tokens: &[Token], at: usize, end: usize, whole: &Whole) -> bool {
    let near = |from: usize, until: usize| {
        !repairs(tokens.get(from..until).unwrap_or_default()).is_empty()
    };
    let previous = at.checked_sub(1).and_then(|at| tokens.get(at));
    let listed = previous.is_some_and(|t| t.is(":")) && near(at.saturating_sub(3), at);
    // "The price of the battery is 40".
    let words = tokens.get(at.saturating_sub(8)..at).unwrap_or_default();
    let priced = previous.is_some_and(|t| t.any(&["is", "es", "de", "son"]))
        && words.iter().any(|t| t.any(&["price", "precio", "cost", "costo"]));
    let first = previous.is_none_or(Token::is_sign);
    let ahead = tokens.get(end).is_some_and(|t| t.any(&["for", "por"]))
        && near(end, tokens.len().min(end + 4));
    listed || priced || (first && (ahead || whole.names_deal))
}

fn decimal(tokens: &[Token], at: usize) -> Option<u32> {
    let (whole, decimals) = tokens.get(at)?.number?;
    Some(whole.saturating_mul(100).saturating_add(decimals?))
}

fn before<W: WordList + ?Sized>(tokens: &[Token], at: usize, words: &W) -> bool {
    let mut from = at;
    while let Some(word) = from.checked_sub(1).and_then(|at| tokens.get(at)) {
        if word.any(words) {
            return true;
        }
        if !word.any(&BETWEEN) {
            return false;
        }
        from -= 1;
    }
    false
}

/// The repairs that the tokens name, in order.
pub(super) fn repairs(tokens: &[Token]) -> Vec<RepairKind> {
    let mut found = Vec::new();
    let of_back = OnceCell::new();
    let is_back = || *of_back.get_or_init(|| tokens.iter().any(|t| t.any(&["back", "rear"])));
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
            "glass" if is_back() => Some(RepairKind::BackGlass),
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
