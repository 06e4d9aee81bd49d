//! What a sentence gives away: things for nothing, and discounts.

use super::{
    facts::Facts,
    percents::PercentMention,
    sentence::Sentence,
    times,
    vocabulary::{LIMITS, WordList, Words},
    words::{self, Token},
};

/// Whether the sentence gives away what costs something, and the owner's texts do not.
pub(super) fn gives_away(sentence: &Sentence, facts: &Facts) -> bool {
    let timed = |tokens: &[Token]| !times::times(tokens).is_empty();
    let about_times =
        !sentence.times.is_empty() || !sentence.dates.is_empty() || timed(&facts.asked);
    let given = is_free_of_charge(sentence) || (!about_times && is_free(sentence));
    given && !sentence.asks(0) && !owner_gives_away(facts)
}

/// Whether the owner's texts give something away, which then may be said.
fn owner_gives_away(facts: &Facts) -> bool {
    let text = &facts.owner.text;
    let tokens = words::tokens(text);
    let free = tokens.iter().enumerate().any(|(at, t)| {
        t.any(&["free", "complimentary", "gratis", "gratuito", "gratuita"]) && !denies(&tokens, at)
    });
    free || text.contains("no charge") || text.contains("on the house")
}

/// Whether what stands at a token is more than there can be: "20% is too much".
pub(super) fn is_refused(sentence: &Sentence, at: usize) -> bool {
    let clause = sentence.clause(at);
    sentence.is_denied(clause.clone())
        || sentence
            .words(clause)
            .iter()
            .any(|t| t.any(&["much", "high", "low", "impossible", "cannot", "beyond", "than"]))
}

/// Whether a sentence grants a percentage: it neither refuses it, nor asks for it, nor speaks of a
/// battery, about which a customer asks with `question`.
pub(super) fn is_granted(
    sentence: &Sentence,
    percent: &PercentMention,
    question: &[Token],
) -> bool {
    !is_refused(sentence, percent.at)
        && !sentence.has(&["whether", "if", "ask", "request", "check", "try"])
        && !is_of_battery(sentence, question)
}

fn is_of_battery(sentence: &Sentence, question: &[Token]) -> bool {
    let battery = |t: &Token| t.any(&["battery", "bateria", "health"]);
    (question.iter().any(battery) || sentence.tokens.iter().any(battery))
        && !sentence.has(&["off", "discount", "descuento", "less", "cheaper", "price"])
}

/// Whether a discount was approved, stands in the owner's texts, is refused, or is the most that
/// there is.
pub(super) fn discount_is_known(
    sentence: &Sentence,
    percent: &PercentMention,
    facts: &Facts,
) -> bool {
    let value = percent.value;
    let limit = sentence.has(&LIMITS)
        || sentence.has(&["only", "ceiling", "highest", "tope", "over", "above", "more", "least"]);
    let approved = facts.discounts.contains(&value) || facts.owner.percents.contains(&value);
    // "85% is still fine" of the battery that the customer speaks of.
    let of_battery =
        facts.customer.percents.contains(&value) && is_of_battery(sentence, &facts.asked);
    let asks = sentence.asks(percent.at);
    approved
        || of_battery
        || is_refused(sentence, percent.at)
        || (limit && value == u32::from(facts.max_discount))
        // "Shall I ask for 10% off?"
        || ((asks || sentence.has(&["whether", "if"]))
            && sentence.has(&["ask", "request", "check", "try"]))
        || (asks && facts.customer.percents.contains(&value))
}

/// "It's free!", of something that is no time.
fn is_free(sentence: &Sentence) -> bool {
    let tokens = &sentence.tokens;
    tokens.windows(2).enumerate().any(|(at, pair)| {
        let subject = at.checked_sub(1).and_then(|at| tokens.get(at));
        matches!(pair, [is, free] if is.any(&["is", "are", "comes", "come"]) && free.is("free"))
            && subject.is_some_and(|t| {
                !t.any(&["i", "we", "he", "brandon", "you", "slot", "spot", "time", "times", "day"])
                    && !t.text.ends_with("ing")
            })
            && !tokens.get(at + 2).is_some_and(|t| t.any(&["to", "at", "on", "for", "time"]))
            && !denies(tokens, at + 1)
    })
}

/// Whether a word just before a token turns it into its opposite.
fn denies(tokens: &[Token], at: usize) -> bool {
    let before = tokens.get(at.saturating_sub(4)..at).unwrap_or_default();
    before
        .iter()
        .any(|t| t.any(&["not", "never", "no", "nothing", "none", "neither", "nada", "ni"]))
}

/// Whether the tokens say that something costs nothing.
fn is_free_of_charge(sentence: &Sentence) -> bool {
    let tokens = &sentence.tokens;
    // "Two for one", "2 for 1", "buy one get one".
    let twice = tokens.windows(3).any(|w| {
        matches!(w, [a, b, c] if a.any(&["two", "2", "dos"]) && b.any(&["for", "x", "por"]) && c.any(&["one", "1", "uno"]))
            || matches!(w, [a, b, c] if a.is("one") && b.is("get") && c.is("one"))
    }) || tokens.iter().any(|t| t.is("bogo"));
    if twice || costs_nothing(tokens) {
        return true;
    }
    let item = is_item;
    let has_item = tokens.iter().any(item);
    tokens.iter().enumerate().any(|(at, token)| {
        let next = |n: usize, word: &str| tokens.get(at + n).is_some_and(|t| t.is(word));
        let previous = |word: &str| at > 0 && tokens.get(at - 1).is_some_and(|t| t.is(word));
        match token.text.as_str() {
            "free" if denies(tokens, at) => false,
            "free" => {
                (previous("one") && at > 1 && tokens.get(at - 2).is_some_and(|t| t.is("get")))
                    || (next(1, "of") && next(2, "charge"))
                    || (previous("for") && !next(1, "to"))
                    || tokens.get(at + 1).is_some_and(item)
                    || (next(1, "screen") && next(2, "protector"))
                    || (has_item
                        && previous("is")
                        && at > 1
                        && tokens.get(at - 2).is_some_and(item))
            }
            "complimentary" | "gratis" | "gratuito" | "gratuita" => !denies(tokens, at),
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

/// Whether a word names what the shop sells.
fn is_item(token: &Token) -> bool {
    let word = token.text.as_str();
    ITEMS.has_word(word) || word.strip_suffix('s').is_some_and(|word| ITEMS.has_word(word))
}

static ITEMS: Words = Words::new(
    "case protector screen battery repair diagnostic diagnosis replacement visit surcharge warranty \
     funda pantalla bateria reparacion diagnostico port glass fix",
);

/// "It won't cost you a thing", "we waive the fee", "te regalo la funda", "sin costo".
fn costs_nothing(tokens: &[Token]) -> bool {
    // That is true of a change.
    if tokens.iter().any(|t| t.any(&["cancel", "cancelling", "reschedule", "cancelar", "cambiar"]))
    {
        return false;
    }
    tokens.iter().enumerate().any(|(at, token)| {
        let after = tokens.get(at + 1..).unwrap_or_default();
        let near = |n: usize, words: &[&str]| after.iter().take(n).any(|t| t.any(words));
        let before = tokens.get(at.saturating_sub(3)..at).unwrap_or_default();
        let after_not = before.iter().any(|t| t.any(&["not", "no", "never"]));
        match token.text.as_str() {
            "cost" | "costs" | "pay" | "charge" | "owe" => {
                near(1, &["nothing", "zero"])
                    || (after_not && near(4, &["anything", "thing", "cent", "dime", "penny"]))
                    || (after_not
                        && near(2, &["for"])
                        && (after.iter().take(4).any(is_item) || near(3, &["it", "that"])))
            }
            "nothing" | "nada" => near(3, &["pay", "owe", "pagar"]),
            "cuesta" | "cuestan" => after_not && near(2, &["nada"]),
            "no" if at == 0 => near(1, &["cost", "charge", "fee"]),
            "of" => {
                at > 0 && tokens.get(at - 1).is_some_and(|t| t.is("free")) && near(1, &["cost"])
            }
            "on" => near(1, &["us", "me"]) && before.iter().any(|t| t.any(&["is", "are"])),
            "throw" | "throwing" => near(1, &["in"]) && after.iter().take(6).any(is_item),
            "gift" => !near(1, &["card", "cards"]) && before.iter().any(|t| t.any(&["as", "a"])),
            "waive" | "waived" | "waiving" => !after_not,
            "regalo" | "regalamos" | "obsequio" => !after_not,
            "sin" => near(1, &["costo", "cargo", "coste"]),
            "cobramos" | "cobro" | "cobraremos" => {
                after_not && near(4, &["diagnostico", "nada", "visita", "reparacion", "funda"])
            }
            _ => false,
        }
    })
}
