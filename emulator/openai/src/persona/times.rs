//! Finds times of day in texts: "at 2", "3pm", "10:30 am".

use super::days::month;

/// The last time of day in a text, in minutes from midnight. An hour alone is one of a shop's opening
/// hours: 2 is in the afternoon, 10 in the morning.
pub(super) fn time(text: &str) -> Option<u16> {
    let lower =
        text.to_lowercase().replace("a.m", "am").replace("p.m", "pm").replace("o'clock", "oclock");
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || ",!?;()\"'.-".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    let part = |names: &[&str]| words.iter().any(|w| names.contains(w));
    let meridiem = if part(&["morning"]) {
        Some(Meridiem::Am)
    } else if part(&["afternoon", "evening", "tonight"]) {
        Some(Meridiem::Pm)
    } else {
        None
    };
    (0..words.len())
        .rev()
        .filter(|at| !is_denied(&words, *at))
        .find_map(|at| clock(&words, at, meridiem))
}

/// Words for the end of a repair. A time behind them is no time to come: "will it be done by 4?"
const ENDS: [&str; 7] = ["done", "ready", "finished", "fixed", "back", "over", "finish"];

/// Whether the words before a time say that it is not meant: "not 2", "instead of 2", "ready by 2".
fn is_denied(words: &[&str], at: usize) -> bool {
    let before = &words[..at];
    let ends = matches!(before.last(), Some(&("by" | "before" | "at" | "around")))
        && before.iter().rev().skip(1).take(4).any(|word| ENDS.contains(word));
    ends || [&["not"][..], &["not", "at"], &["instead", "of"], &["rather", "than"]]
        .iter()
        .any(|denial| words[..at].ends_with(denial))
}

/// Words that make a time of the bare number before them.
const BEHIND: [&str; 10] =
    ["works", "work", "please", "pls", "instead", "then", "suits", "sounds", "thanks", "ok"];

/// Words that make a time of the bare number behind them.
const AHEAD: [&str; 10] = ["at", "around", "about", "by", "it", "do", "say", "wait", "make", "to"];

/// Words that make an amount of the number before them.
const UNITS: [&str; 14] = [
    "minutes", "minute", "min", "mins", "hours", "hour", "days", "day", "weeks", "percent",
    "dollars", "bucks", "phones", "people",
];

/// Words before a number that is a part of a name.
const NAMES: [&str; 8] = ["iphone", "galaxy", "pixel", "samsung", "note", "ipad", "s", "series"];

/// The times of day in a text that are written in full, such as "9:00 AM", in minutes from midnight and
/// in the order of the text.
pub(super) fn all(text: &str) -> Vec<u16> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || ",!?;().".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    let pairs =
        words.windows(2).filter(|pair| pair[0].contains(':') && matches!(pair[1], "am" | "pm"));
    pairs.filter_map(|pair| time(&pair.join(" "))).collect()
}

/// Whether a text has a word that says that its number is a time: "at 9", "9 am", "9:00".
pub(super) fn is_explicit(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    words.iter().any(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
        let ends =
            |end: &str| word.strip_suffix(end).is_some_and(|rest| rest.parse::<u8>().is_ok());
        word.contains(':')
            || matches!(word, "at" | "am" | "pm" | "around" | "noon" | "o'clock" | "instead")
            || word.starts_with('@')
            || ends("am")
            || ends("pm")
    })
}

/// The time that is so long after `now`, "in an hour", "in 2 hours", to the half hour.
pub(super) fn later(text: &str, now: u16) -> Option<u16> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let ahead = (0..words.len()).find_map(|at| match &words[at..] {
        ["in", "a" | "an" | "one" | "1", "hour", ..] | ["hour", "from", "now", ..] => Some(60),
        ["in", "half", "an", "hour", ..] => Some(30),
        ["in", "a", "couple", "of", "hours", ..] | ["in", "two", "hours", ..] => Some(120),
        ["in", "three", "hours", ..] => Some(180),
        ["in", hours, "hours" | "hrs", ..] => {
            hours.parse::<u16>().ok().filter(|hours| *hours <= 12).map(|hours| hours * 60)
        }
        _ => None,
    })?;
    let minutes = (now + ahead + 15) / 30 * 30;
    (minutes < 24 * 60).then_some(minutes)
}

/// The half of a day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meridiem {
    Am,
    Pm,
}

/// The time that the word at `at` names, with the words around it. `part` is the half of the day that
/// the text names, if any.
fn clock(words: &[&str], at: usize, part: Option<Meridiem>) -> Option<u16> {
    let word = words[at].trim_start_matches('@');
    let before = at.checked_sub(1).map_or("", |i| words[i]);
    let after = words.get(at + 1).copied().unwrap_or_default();
    if matches!(word, "noon" | "midday") {
        return Some(12 * 60);
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let meridiem = match (&word[digits.len()..], after) {
        ("am", _) | ("", "am") => Some(Meridiem::Am),
        ("pm" | "p", _) | ("", "pm") => Some(Meridiem::Pm),
        ("ish" | "oclock", _) | ("", "oclock" | "ish") => part,
        // A bare number is a time only where it cannot be anything else.
        ("", _) if digits.contains(':') || words[at].starts_with('@') || words.len() == 1 => part,
        ("", next)
            if AHEAD.contains(&before)
                && month(next).is_none()
                && !UNITS.contains(&next)
                && hour > 0 =>
        {
            part
        }
        ("", next) if BEHIND.contains(&next) && !NAMES.contains(&before) && hour > 0 => part,
        _ => return None,
    };
    let hour = match meridiem {
        Some(Meridiem::Am) if hour == 12 => 0,
        Some(Meridiem::Pm) if hour < 12 => hour + 12,
        None if (1..=7).contains(&hour) => hour + 12,
        _ => hour,
    };
    Some(hour * 60 + minute)
}

/// Minutes from midnight as `2:00 PM`.
pub(super) fn show_time(minutes: u16) -> String {
    let (hour, minute) = (minutes / 60, minutes % 60);
    let meridiem = if hour < 12 { "AM" } else { "PM" };
    let hour = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    format!("{hour}:{minute:02} {meridiem}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_as_people_write_them() {
        for (text, expected) in [
            ("tomorrow at 2", "2:00 PM"),
            ("friday 3pm", "3:00 PM"),
            ("2:30 PM works", "2:30 PM"),
            ("10 am", "10:00 AM"),
            ("at 10", "10:00 AM"),
            ("2 p.m. please", "2:00 PM"),
            ("14:00", "2:00 PM"),
            ("noon", "12:00 PM"),
            ("2", "2:00 PM"),
            ("9 o'clock", "9:00 AM"),
            ("around 8 in the evening", "8:00 PM"),
            ("2ish", "2:00 PM"),
            ("9 works", "9:00 AM"),
            ("no wait, 10 instead", "10:00 AM"),
            ("make it 3", "3:00 PM"),
            ("not 2, 3 please", "3:00 PM"),
            ("from 2pm to 3pm", "3:00 PM"),
            ("12am", "12:00 AM"),
        ] {
            assert_eq!(time(text).map(show_time).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "iPhone 12",
            "2026-02-11",
            "Feb 11",
            "at 11 February",
            "99",
            "25:00",
            "tomorrow afternoon",
            "$79",
            "iPhone 12 please",
            "not at 2",
            "anything after 2",
            "wait, will it be done by 4?",
            "is it ready at 3",
            "the 2nd",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn words_say_that_a_number_is_a_time() {
        for text in ["at 13", "9am", "9 PM", "9:30", "@9", "noon please", "around 2"] {
            assert!(is_explicit(text), "{text}");
        }
        for text in ["13", "it's a 12", "13 pro max", "iphone 11 please", "spam"] {
            assert!(!is_explicit(text), "{text}");
        }
    }

    #[test]
    fn times_are_listed_and_reckoned_from_now() {
        assert_eq!(all("I have 9:00 AM, 10:00 AM or 1:00 PM."), [540, 600, 780]);
        assert_eq!(all("at 9"), Vec::<u16>::new());
        let now = 15 * 60 + 10;
        assert_eq!(later("can I come in an hour?", now), Some(16 * 60));
        assert_eq!(later("in 2 hours", now), Some(17 * 60));
        assert_eq!(later("it takes an hour", now), None);
        assert_eq!(later("in 12 hours", now), None);
    }
}
