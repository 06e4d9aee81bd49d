//! Splits a text into sentences.

/// Words after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 20] = [
    "ref", "no", "nr", "id", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat",
    "jan", "feb", "approx", "dr", "mr", "st", "vs",
];

/// Splits a text into sentences and lines, each with the space after it. `Ref. LEAD-1`, `2 p.m.
/// tomorrow` and `1. This` are one sentence each.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut from = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, c)| *c);
        let before = text.get(from..at).unwrap_or_default();
        let ends = match c {
            '\n' => true,
            '.' => {
                next.is_some_and(char::is_whitespace)
                    && !is_abbreviation_or_number(before)
                    && !(is_half_of_day(before) && goes_on(text.get(at + 1..).unwrap_or_default()))
            }
            '!' | '?' => next.is_some_and(char::is_whitespace),
            _ => false,
        };
        if !ends {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((at, space)) = rest.next_if(|(_, c)| c.is_whitespace()) {
            end = at + space.len_utf8();
        }
        sentences.extend(text.get(from..end));
        from = end;
    }
    sentences.extend(text.get(from..).filter(|last| !last.is_empty()));
    sentences
}

/// Whether a full stop after this text belongs to an abbreviation or a number.
fn is_abbreviation_or_number(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let abbreviation = ABBREVIATIONS.iter().any(|a| word.eq_ignore_ascii_case(a));
    // "No." is an answer when nothing comes before it.
    let answer = word.len() == before.trim().len() && word.eq_ignore_ascii_case("no");
    (abbreviation && !answer)
        || (!before.trim().is_empty() && before.trim().chars().all(|c| c.is_ascii_digit()))
}

/// Whether the text ends with `a.m` or `p.m`.
fn is_half_of_day(before: &str) -> bool {
    let end: String = before.chars().rev().take(3).map(|c| c.to_ascii_lowercase()).collect();
    end == "m.a" || end == "m.p"
}

/// Whether a sentence goes on here: with a small letter, a number or a day.
fn goes_on(after: &str) -> bool {
    let after = after.trim_start();
    let day =
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(|d| after.starts_with(d));
    day || after.chars().next().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(sentences("Hi! It is $79. Ok?\nBye"), ["Hi! ", "It is $79. ", "Ok?\n", "Bye"]);
        assert_eq!(
            sentences("At 2 p.m. tomorrow or 3 p.m. See you"),
            ["At 2 p.m. tomorrow or 3 p.m. ", "See you"]
        );
        assert_eq!(sentences("No. Sorry"), ["No. ", "Sorry"]);
    }
}
