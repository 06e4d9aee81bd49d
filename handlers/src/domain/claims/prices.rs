//! Whether prices are those of the catalogue.

use std::collections::BTreeSet;

use super::{
    facts::Facts,
    money::{PriceMention, on_site, prices, repairs, upsells},
    words::{Token, tokens},
};
use crate::domain::catalogue::{ON_SITE_SURCHARGE, RepairKind, Upsell};

/// What the whole text and the customer's speak of, read once for all prices.
pub(super) struct Context {
    kinds: Vec<RepairKind>,
    extras: Vec<u32>,
    make: Option<Make>,
    on_site: bool,
    /// It adds several items up.
    adds: bool,
}

impl Context {
    pub(super) fn read(text: &str, facts: &Facts) -> Self {
        let tokens = tokens(&format!("{text} {}", facts.question));
        Self {
            kinds: repairs(&tokens),
            extras: upsells(&tokens),
            make: Make::of(&tokens),
            on_site: on_site(&tokens),
            adds: tokens.iter().any(|t| {
                t.any(&[
                    "total",
                    "both",
                    "together",
                    "altogether",
                    "with",
                    "plus",
                    "+",
                    "and",
                    "all",
                    "con",
                    "mas",
                    "y",
                ])
            }),
        }
    }
}

/// Makes whose screens have different prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    Iphone,
    Samsung,
}

impl Make {
    /// The make that the tokens name, if it is one only.
    fn of(tokens: &[Token]) -> Option<Self> {
        let names = |words: &[&str]| tokens.iter().any(|t| t.any(words));
        match (names(IPHONE), names(SAMSUNG)) {
            (true, false) => Some(Self::Iphone),
            (false, true) => Some(Self::Samsung),
            _ => None,
        }
    }
}

const IPHONE: &[&str] = &["iphone", "iphones", "apple"];
const SAMSUNG: &[&str] = &["samsung", "samsungs", "galaxy"];

/// Whether a price of the sentence is one of the shop's.
pub(super) fn price_is_known(
    tokens: &[Token],
    price: &PriceMention,
    context: &Context,
    facts: &Facts,
) -> bool {
    let cents = price.cents;
    if facts.owner.cents.contains(&cents) {
        return true;
    }
    let next = |words: &[&str]| tokens.get(price.end).is_some_and(|t| t.any(words));
    // No list has a "$25 deposit".
    if next(&["deposit", "tip", "tax", "penalty", "deposito", "anticipo", "propina"]) {
        return false;
    }
    let all: BTreeSet<u32> = base_prices(RepairKind::ALL.as_slice(), Make::of(tokens));
    let discounted = |base: &BTreeSet<u32>| {
        base.iter().any(|full| {
            facts.discounts.iter().any(|percent| {
                let exact = full * (100 - percent.min(&100));
                exact.abs_diff(cents) <= 60
            })
        })
    };
    // "$12 off", "you save $12": an approved discount in dollars.
    let saves = next(&["off", "less", "discount", "cheaper", "menos"])
        || tokens.get(price.at.saturating_sub(2)..price.at).is_some_and(|words| {
            words.iter().any(|t| t.any(&["save", "saves", "saving", "ahorras"]))
        });
    if saves {
        return all.iter().any(|full| {
            facts
                .discounts
                .iter()
                .any(|percent| full.saturating_mul(*percent).abs_diff(cents) <= 60)
        });
    }
    let extra = ON_SITE_SURCHARGE * 100;
    if cents == extra {
        return on_site(tokens)
            || next(&["more", "extra", "surcharge", "mas", "on", "adicional"])
            || context.on_site;
    }
    // "Screens are under $90" is true of every price below.
    let under = price
        .at
        .checked_sub(1)
        .and_then(|at| tokens.get(at))
        .is_some_and(|t| t.any(&["<", "under", "below"]));
    let near = near(tokens, price);
    if under {
        let kinds = repairs(tokens);
        let kinds = if kinds.is_empty() { RepairKind::ALL.to_vec() } else { kinds };
        return base_prices(&kinds, Make::of(tokens)).iter().all(|dollars| dollars * 100 < cents);
    }
    let (kinds, extras) = (repairs(near), upsells(near));
    let mut allowed: BTreeSet<u32> = BTreeSet::new();
    if kinds.is_empty() && extras.is_empty() {
        let named = context.kinds.as_slice();
        let kinds = if named.is_empty() { RepairKind::ALL.as_slice() } else { named };
        allowed.extend(base_prices(kinds, context.make));
        allowed.extend(Upsell::ALL.iter().filter_map(|item| item.price()));
        allowed.extend(sums(&allowed.clone(), context));
    } else {
        allowed.extend(base_prices(&kinds, Make::of(near)));
        allowed.extend(&extras);
        allowed.extend(sums(&allowed.clone(), context));
    }
    let on_site = context.on_site;
    let full: BTreeSet<u32> = allowed
        .iter()
        .flat_map(|dollars| {
            [Some(*dollars), on_site.then_some(*dollars + ON_SITE_SURCHARGE)].into_iter().flatten()
        })
        .collect();
    full.iter().any(|dollars| dollars * 100 == cents) || discounted(&full)
}

/// Prices of these repairs in dollars, by the make.
fn base_prices(kinds: &[RepairKind], make: Option<Make>) -> BTreeSet<u32> {
    kinds
        .iter()
        .flat_map(|kind| kind.dollars().iter().copied().enumerate().map(|(at, d)| (*kind, at, d)))
        .filter(|(kind, at, _)| {
            *kind != RepairKind::Screen
                || make.is_none_or(|make| (*at == 0) == (make == Make::Iphone))
        })
        .map(|(_, _, dollars)| dollars)
        .collect()
}

/// Sums of several items when the context adds some up.
fn sums(allowed: &BTreeSet<u32>, context: &Context) -> BTreeSet<u32> {
    let mut sums = BTreeSet::new();
    if !context.adds {
        return sums;
    }
    let mut totals: BTreeSet<u32> = allowed.clone();
    if context.kinds.len() > 1 {
        let mut rows: BTreeSet<u32> = [0].into();
        for kind in &context.kinds {
            rows = rows
                .iter()
                .flat_map(|sum| {
                    base_prices(&[*kind], context.make).into_iter().map(move |d| sum + d)
                })
                .collect();
        }
        totals.extend(rows);
    }
    for extra in &context.extras {
        totals.extend(totals.clone().iter().map(|sum| sum + extra));
    }
    sums.extend(totals);
    sums
}

/// The words that say what a price is for: those behind it after "for", else those since the price
/// before.
fn near<'a>(tokens: &'a [Token], price: &PriceMention) -> &'a [Token] {
    let all = prices(tokens);
    if all.len() == 1 {
        return tokens;
    }
    let behind = |at: usize| tokens.get(at).is_some_and(|t| t.any(&["for", "por", "para"]));
    let next = all.iter().find(|other| other.at >= price.end);
    let previous = all.iter().rev().find(|other| other.end <= price.at);
    if behind(price.end) {
        let end = next.map_or(tokens.len(), |next| next.at);
        return tokens.get(price.end..end).unwrap_or_default();
    }
    let from =
        previous.map_or(0, |previous| if behind(previous.end) { price.at } else { previous.end });
    let segment = tokens.get(from..price.at).unwrap_or_default();
    if segment.is_empty() || (repairs(segment).is_empty() && upsells(segment).is_empty()) {
        // "iPhone $79, Samsung $89" after the repair: the makes decide.
        let end = next.map_or(tokens.len(), |next| next.at);
        let behind = tokens.get(price.end..end).unwrap_or_default();
        let end = behind.iter().position(|t| t.any(&[";", ",", "."])).unwrap_or(behind.len());
        let behind = behind.get(..end).unwrap_or_default();
        let makes = |part: &[Token]| {
            part.iter().any(|t| t.any(&["iphone", "samsung", "iphones", "samsungs"]))
        };
        if !makes(segment) && makes(behind) {
            return behind;
        }
    }
    segment
}
