//! Whether prices are those of the catalogue.

use std::collections::BTreeSet;

use super::{
    facts::Facts,
    money::{PriceMention, on_site, prices, repairs, upsells},
    words::Token,
};
use crate::domain::catalogue::{ON_SITE_SURCHARGE, RepairKind};

/// Whether every price of the sentence is one of the shop's. `context` is the whole text and the
/// customer's.
pub(super) fn price_is_known(
    tokens: &[Token],
    price: &PriceMention,
    context: &[Token],
    facts: &Facts,
) -> bool {
    let cents = price.cents;
    if facts.owner.cents.contains(&cents) {
        return true;
    }
    let next = |words: &[&str]| tokens.get(price.end).is_some_and(|t| t.any(words));
    let all: BTreeSet<u32> = base_prices(RepairKind::ALL.as_slice(), tokens);
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
            facts.discounts.iter().any(|percent| (full * percent).abs_diff(cents) <= 60)
        });
    }
    let extra = ON_SITE_SURCHARGE * 100;
    if cents == extra {
        return on_site(tokens)
            || next(&["more", "extra", "surcharge", "mas", "on", "adicional"])
            || on_site(context);
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
        return base_prices(&kinds, tokens).iter().all(|dollars| dollars * 100 < cents);
    }
    let (kinds, extras) = (repairs(near), upsells(near));
    let mut allowed: BTreeSet<u32> = BTreeSet::new();
    if kinds.is_empty() && extras.is_empty() {
        let named = repairs(context);
        let kinds = if named.is_empty() { RepairKind::ALL.to_vec() } else { named };
        allowed.extend(base_prices(&kinds, context));
        allowed.extend([15, 25]);
        allowed.extend(sums(&allowed.clone(), context));
    } else {
        allowed.extend(base_prices(&kinds, near));
        allowed.extend(&extras);
        allowed.extend(sums(&allowed.clone(), context));
    }
    let on_site = on_site(context);
    let full: BTreeSet<u32> = allowed
        .iter()
        .flat_map(|dollars| {
            [Some(*dollars), on_site.then_some(*dollars + ON_SITE_SURCHARGE)].into_iter().flatten()
        })
        .collect();
    full.iter().any(|dollars| dollars * 100 == cents) || discounted(&full)
}

/// Prices of these repairs in dollars, by the make that the tokens name.
fn base_prices(kinds: &[RepairKind], tokens: &[Token]) -> BTreeSet<u32> {
    let iphone = tokens.iter().any(|t| t.any(&["iphone", "iphones", "apple"]));
    let samsung = tokens.iter().any(|t| t.any(&["samsung", "samsungs", "galaxy"]));
    kinds
        .iter()
        .flat_map(|kind| kind.dollars().iter().copied().enumerate().map(|(at, d)| (*kind, at, d)))
        .filter(|(kind, at, _)| {
            *kind != RepairKind::Screen || iphone == samsung || (*at == 0) == iphone
        })
        .map(|(_, _, dollars)| dollars)
        .collect()
}

/// Sums of several items when the context adds some up.
fn sums(allowed: &BTreeSet<u32>, context: &[Token]) -> BTreeSet<u32> {
    let kinds = repairs(context);
    let extras = upsells(context);
    let adds = context.iter().any(|t| {
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
    });
    let mut sums = BTreeSet::new();
    if !adds {
        return sums;
    }
    let mut totals: BTreeSet<u32> = allowed.clone();
    if kinds.len() > 1 {
        let mut rows: BTreeSet<u32> = [0].into();
        for kind in &kinds {
            rows = rows
                .iter()
                .flat_map(|sum| base_prices(&[*kind], context).into_iter().map(move |d| sum + d))
                .collect();
        }
        totals.extend(rows);
    }
    for extra in extras {
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

/// Whether the sentence gives away what costs something.
pub(super) fn gives_away(tokens: &[Token]) -> bool {
    // "Two for one", "2 for 1", "buy one get one".
    let twice = tokens.windows(3).any(|w| {
        matches!(w, [a, b, c] if a.any(&["two", "2", "dos"]) && b.any(&["for", "x", "por"]) && c.any(&["one", "1", "uno"]))
            || matches!(w, [a, b, c] if a.is("one") && b.is("get") && c.is("one"))
    }) || tokens.iter().any(|t| t.is("bogo"));
    if twice {
        return true;
    }
    let item = |t: &Token| {
        t.any(&[
            "case",
            "protector",
            "screen",
            "battery",
            "repair",
            "diagnostic",
            "diagnosis",
            "replacement",
            "visit",
            "surcharge",
            "warranty",
            "funda",
            "pantalla",
            "bateria",
            "reparacion",
            "diagnostico",
            "port",
            "glass",
            "fix",
        ])
    };
    let has_item = tokens.iter().any(item);
    tokens.iter().enumerate().any(|(at, token)| {
        let next = |n: usize, word: &str| tokens.get(at + n).is_some_and(|t| t.is(word));
        let previous = |word: &str| at > 0 && tokens.get(at - 1).is_some_and(|t| t.is(word));
        match token.text.as_str() {
            "free" => {
                (next(1, "of") && next(2, "charge"))
                    || (previous("for") && !next(1, "to"))
                    || tokens.get(at + 1).is_some_and(item)
                    || (next(1, "screen") && next(2, "protector"))
                    || (has_item
                        && previous("is")
                        && at > 1
                        && tokens.get(at - 2).is_some_and(item))
            }
            "complimentary" | "gratis" | "gratuito" | "gratuita" => true,
            "house" => previous("the") && at > 1 && tokens.get(at - 2).is_some_and(|t| t.is("on")),
            "charge" | "cost" => {
                has_item
                    && (previous("no") || previous("extra") || previous("additional"))
                    && tokens
                        .get(at.saturating_sub(2)..at)
                        .is_some_and(|t| t.iter().any(|t| t.is("no")))
            }
            _ => false,
        }
    })
}
