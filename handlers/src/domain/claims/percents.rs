//! Percentages of discounts: `20%`, `twenty percent`, `half off`, `15 off`.

use super::{
    vocabulary::Words,
    words::{Token, number_at},
};

/// A percentage that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PercentMention {
    /// First token.
    pub(super) at: usize,
    /// Percent.
    pub(super) value: u32,
}

/// What a percentage is of, when it is not of a price.
static NOT_OF_A_PRICE: Words = Words::new(
    "sure certain genuine original charged charge battery guaranteed positive honest ready working \
     safe recommend seguro seguros",
);
/// Words of a sentence about the state of a battery, whatever else it says.
static OF_A_STATE: Words = Words::new("health capacity brightness humidity salud capacidad");
/// Words of one if it does not speak of a discount.
static OF_A_BATTERY: Words =
    Words::new("shows charge charged charging drops level carga below under");
/// Words of a sentence about a discount.
static REDUCED: Words = Words::new(
    "off discount discounts price priced cheaper less save saves descuento menos rebaja precio",
);
/// Parts of a whole.
const FRACTIONS: [(&str, u32); 6] =
    [("half", 50), ("mitad", 50), ("quarter", 25), ("cuarto", 25), ("third", 33), ("tercio", 33)];

/// Every percentage of a discount in the tokens. `100% sure` is none.
pub(super) fn percents(tokens: &[Token]) -> Vec<PercentMention> {
    let has = |words: &Words| tokens.iter().any(|t| t.any(words));
    // "A battery at 80%"; but "a battery at 20% off" is a discount.
    let of_a_battery = has(&OF_A_STATE) || (has(&OF_A_BATTERY) && !has(&REDUCED));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (mention, end) = percent_at(tokens, at);
        found.extend(
            mention
                .filter(|(_, bare)| !of_a_battery || *bare)
                .map(|(value, _)| PercentMention { at, value }),
        );
        at = end.max(at + 1);
    }
    found
}

/// The percentage that begins at a token, whether it has no percent sign, and the token after it.
fn percent_at(tokens: &[Token], at: usize) -> (Option<(u32, bool)>, usize) {
    let word = |n: usize, words: &[&str]| tokens.get(n).is_some_and(|t| t.any(words));
    let before = |words: &[&str]| at.checked_sub(1).is_some_and(|at| word(at, words));
    let part = tokens.get(at).and_then(|t| FRACTIONS.iter().find(|(name, _)| t.is(name)));
    if let Some((_, value)) = part {
        // "Half-off", "half the price", "cut in half".
        let dash = usize::from(word(at + 1, &["-"]));
        let off = word(at + 1 + dash, &["off", "price", "priced"])
            || word(at + 2, &["price", "precio"])
            || (before(&["in"]) && tokens.iter().any(|t| t.any(&["price", "cut", "it"])));
        return (off.then_some((*value, true)), at + 1);
    }
    let Some((value, used)) = number_at(tokens, at) else { return (None, at + 1) };
    let end = at + used;
    let dash = usize::from(word(end, &["-"]) && tokens.get(end).is_some_and(|t| t.joined));
    let from = end + dash;
    let named = if word(from, &["%", "percent", "pct"]) {
        1
    } else if word(from, &["per", "por"]) && word(from + 1, &["cent", "ciento"]) {
        2
    } else if word(from, &["p"]) && word(from + 1, &["/"]) && word(from + 2, &["c"]) {
        3
    } else {
        0
    };
    let idiom = tokens.get(from + named).is_some_and(|t| t.any(&NOT_OF_A_PRICE));
    let off = word(from, &["off"]) && !before(&["$"]);
    match (named > 0, off) {
        (true, _) => ((!idiom).then_some((value, false)), from + named),
        (false, true) => (Some((value, true)), from),
        _ => (None, end),
    }
}
