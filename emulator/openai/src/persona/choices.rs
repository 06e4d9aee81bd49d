//! Choices among the times that were offered: "9 works", "the first one", "ok that one".

use super::times::{self, show_time};

/// Words for a place in a list, from its beginning; -1 is the last.
const PLACES: [(&str, i32); 14] = [
    ("first", 0),
    ("1st", 0),
    ("earliest", 0),
    ("earlier", 0),
    ("soonest", 0),
    ("second", 1),
    ("2nd", 1),
    ("third", 2),
    ("3rd", 2),
    ("last", -1),
    ("latest", -1),
    ("later", -1),
    ("former", 0),
    ("latter", -1),
];

/// Words that take the one time that was offered.
const TAKES: [&str; 8] = [
    "that one",
    "that works",
    "works for me",
    "sounds good",
    "that time",
    "i'll take it",
    "that's fine",
    "perfect",
];

/// The time, in minutes from midnight, that a text chooses among those of `offer`, which is what was said
/// before: a question which of some times suits. None if the text names a time in full, or chooses none.
pub(super) fn pick(offer: &str, text: &str) -> Option<u16> {
    let (offer, text) = (offer.to_lowercase(), text.to_lowercase().replace('\u{2019}', "'"));
    let asks = offer.contains("which one") || offer.contains("which time");
    let offered = offered(&offer);
    if !asks || offered.is_empty() {
        return None;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",.!?;()\"".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    // A number alone among words: an hour, if it was offered.
    let hour = |at: usize| {
        let hour: u16 = words[at].trim_start_matches('@').parse().ok()?;
        let before = at.checked_sub(1).map_or("", |i| words[i]);
        let is_other = NOT_HOURS.contains(&before);
        offered
            .iter()
            .find(|minutes| !is_other && **minutes % 60 == 0 && show_hour(**minutes) == hour)
            .copied()
    };
    // The last one counts, as for times in full; one that is denied does not.
    if let Some(minutes) = (0..words.len()).rev().find_map(hour) {
        return Some(minutes);
    }
    if times::time(&text).is_some() {
        return None;
    }
    if let Some((_, place)) = place(&words) {
        let at = if place < 0 { offered.len() - 1 } else { usize::try_from(place).ok()? };
        return offered.get(at).copied();
    }
    let takes = TAKES.iter().any(|take| text.contains(take)) && !text.contains("not ");
    (takes && offered.len() == 1).then(|| offered[0])
}

/// The word for a place in a list, and the place, if a text has one that is no day: not "on the 2nd".
fn place(words: &[&str]) -> Option<(&'static str, i32)> {
    let is_place = |(word, _): &&(&'static str, i32)| {
        words.iter().position(|w| w == word).is_some_and(|at| {
            let before = words[..at].iter().rev().find(|w| **w != "the");
            let is_date = word.starts_with(|c: char| c.is_ascii_digit())
                && matches!(before, Some(&("on" | "by" | "until" | "for")));
            let is_other = matches!(words.get(at + 1), Some(&("of" | "thing")));
            !is_date && !is_other && !words.contains(&"than")
        })
    };
    PLACES.iter().find(is_place).copied()
}

/// A text without the word for a place among the times of `offer`, which is no day then: "the 2nd".
pub(super) fn without_place(offer: &str, text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    match place(&words) {
        Some((word, _)) if pick(offer, text).is_some() => lower.replace(word, ""),
        _ => lower,
    }
}

/// The times that a text offers, in minutes from midnight: not one that it says is gone.
pub(super) fn offered(text: &str) -> Vec<u16> {
    let text = text.to_lowercase();
    let gone = ["not free", "just taken"];
    let from = gone.iter().filter_map(|words| text.rfind(words).map(|at| at + words.len())).max();
    times::all(&text[from.unwrap_or(0)..])
}

/// Words before a number that is no hour.
const NOT_HOURS: [&str; 9] =
    ["iphone", "galaxy", "pixel", "note", "samsung", "not", "feb", "february", "in"];

/// The hour as people say it.
fn show_hour(minutes: u16) -> u16 {
    show_time(minutes).split(':').next().and_then(|hour| hour.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "I have 9:00 AM, 10:00 AM or 1:00 PM on Wed Feb 11. Which time suits you?";

    fn picked(offer: &str, text: &str) -> Option<String> {
        pick(offer, text).map(show_time)
    }

    #[test]
    fn a_time_is_chosen_as_people_choose() {
        for (text, expected) in [
            ("9", "9:00 AM"),
            ("9 works", "9:00 AM"),
            ("1 please", "1:00 PM"),
            ("let's do 10", "10:00 AM"),
            ("the first one", "9:00 AM"),
            ("second", "10:00 AM"),
            ("the 2nd one", "10:00 AM"),
            ("2nd please", "10:00 AM"),
            ("the last one please", "1:00 PM"),
            ("the earliest", "9:00 AM"),
            ("not 9, 10", "10:00 AM"),
        ] {
            assert_eq!(picked(OFFER, text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "ok that one",
            "can I come on the 2nd",
            "11",
            "iphone 10",
            "is there anything later than that",
            "the 10th",
        ] {
            assert_eq!(picked(OFFER, text), None, "{text}");
        }
        let one = "Sorry, 2:00 PM is not free. The nearest I have is 3:00 PM on Wed Feb 11. Which one would you like?";
        assert_eq!(picked(one, "ok that one").as_deref(), Some("3:00 PM"));
        assert_eq!(picked("Shall I book 2:00 PM for your iPhone?", "that works"), None);
    }
}
