//! What a sentence gives away: things for nothing, and discounts.

use super::{
    facts::Facts, money::PercentMention, sentence::Sentence, vocabulary::LIMITS, words::Token,
};

/// Whether the sentence gives away what costs something, and the owner's texts do not.
pub(super) fn gives_away(sentence: &Sentence, facts: &Facts) -> bool {
    is_free_of_charge(&sentence.tokens)
        && !sentence.asks(0)
        && !["free", "complimentary", "gratis", "no charge", "on the house"]
            .iter()
            .any(|word| facts.owner.text.contains(word))
        && !sentence.tokens.iter().any(|t| t.any(&["not", "never"]))
}

/// Whether a discount was approved, stands in the owner's texts, is refused, or is the most that
/// there is.
pub(super) fn discount_is_known(
    sentence: &Sentence,
    percent: &PercentMention,
    facts: &Facts,
) -> bool {
    let value = percent.value;
    let clause = sentence.clause(percent.at);
    let limit = sentence.has(&LIMITS)
        || sentence.has(&["only", "ceiling", "highest", "tope", "over", "above", "more", "least"]);
    let approved = facts.discounts.contains(&value) || facts.owner.percents.contains(&value);
    approved
        || sentence.is_denied(clause.clone())
        || sentence
            .words(clause)
            .iter()
            .any(|t| t.any(&["much", "high", "impossible", "cannot", "beyond", "than"]))
        || (limit && value == u32::from(facts.max_discount))
        || (sentence.asks(percent.at) && facts.customer.percents.contains(&value))
}

/// Whether the tokens say that something costs nothing.
fn is_free_of_charge(tokens: &[Token]) -> bool {
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
