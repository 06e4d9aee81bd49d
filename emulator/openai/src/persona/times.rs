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
    (0..words.len()).rev().find_map(|at| clock(&words, at, meridiem))
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
            if matches!(before, "at" | "around" | "about" | "by" | "after" | "before")
                && month(next).is_none() =>
        {
            part
        }
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
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
