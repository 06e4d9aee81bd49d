//! Finds days in texts: "tomorrow", "friday", "Feb 11th", "wednesday next week".
//!
//! Written here, since the crates for it read a day alone and refuse it in the middle of a sentence, where
//! it may be denied or put right: "not friday, thursday", "friday, no wait, the 12th".

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

/// The day that a text means, counted from `today`: the first one that it does not deny, or the one with
/// which it puts another right.
pub(super) fn date(text: &str, today: Date) -> Option<Date> {
    let lower = text.to_lowercase();
    let words = words(&lower);
    let mut found: Option<Date> = None;
    for at in 0..words.len() {
        let corrects = || words[..at].iter().rev().take(3).any(|w| CORRECTIONS.contains(w));
        if (found.is_none() || corrects())
            && !is_denied(&words, at)
            && let Some(date) = named(&words, at, today)
        {
            found = Some(date);
        }
    }
    found
}

/// A day of the week and a day of the month that do not belong together, "friday the 11th": the day of the
/// week, counted from `today`, and the other.
pub(super) fn clash(text: &str, today: Date) -> Option<(Date, Date)> {
    let lower = text.to_lowercase();
    let words = words(&lower);
    (0..words.len()).find_map(|at| {
        let day = weekday(words[at])?;
        let named = coming(day, at.checked_sub(1).map_or("", |i| words[i]), today)?;
        let of_month = day_of_month(&words, at, today)?;
        (of_month.weekday() != day).then_some((named, of_month))
    })
}

/// Words after which a second day puts the first one right.
const CORRECTIONS: [&str; 9] =
    ["wait", "actually", "mean", "meant", "rather", "sorry", "no", "make", "instead"];

/// Words right before a day that is not meant.
const DENIALS: [&[&str]; 7] = [
    &["not"],
    &["not", "on"],
    &["instead", "of"],
    &["rather", "than"],
    &["t", "do"],
    &["t", "make"],
    &["except"],
];

/// Words right behind a day that does not suit: "friday doesn't work".
const UNFIT: [&[&str]; 7] = [
    &["doesn", "t"],
    &["won", "t"],
    &["isn", "t"],
    &["does", "not"],
    &["is", "no"],
    &["is", "not"],
    &["is", "out"],
];

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || ",.!?;()\"'\u{2019}".contains(c))
        .filter(|w| !w.is_empty())
        .collect()
}

fn is_denied(words: &[&str], at: usize) -> bool {
    DENIALS.iter().any(|denial| words[..at].ends_with(denial))
        || UNFIT.iter().any(|unfit| words[at + 1..].starts_with(unfit))
}

/// The day that the word at `at` names, with the words around it.
fn named(words: &[&str], at: usize, today: Date) -> Option<Date> {
    let word = words[at];
    let before = |n: usize| at.checked_sub(n).map_or("", |i| words[i]);
    let after = |n: usize| words.get(at + n).copied().unwrap_or_default();
    let days = |n: i64| today.checked_add(n.days()).ok();
    match word {
        "today" | "tonight" => return Some(today),
        "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw" | "tmr" | "2morrow" => {
            let second = before(1) == "after" && before(2) == "day";
            return days(if second { 2 } else { 1 + 7 * weeks_before(words, at) });
        }
        // "this afternoon", "in an hour", "in 2 hours", "right now"
        "morning" | "afternoon" | "evening" if before(1) == "this" => return days(0),
        "hour" | "hours" if before(2) == "in" || before(3) == "in" => return days(0),
        "now" if matches!(before(1), "right" | "today" | "come" | "in" | "by" | "over") => {
            return days(0);
        }
        "asap" => return days(0),
        // "in 3 days", "3 days from now", "in a week", "a week from now", "next week"
        "days" | "day" if before(2) == "in" || after(1) == "from" && after(2) == "now" => {
            return days(number(before(1))?);
        }
        "weeks" | "week" if before(2) == "in" || after(1) == "from" && after(2) == "now" => {
            return days(7 * number(before(1))?);
        }
        "week" if before(1) == "next" && !names_weekday(words, at) => return days(7),
        "weekend" => {
            let saturday = coming(Weekday::Saturday, "this", today)?;
            let next = before(1) == "next" && today.weekday() != Weekday::Saturday;
            return if next { saturday.checked_add(7.days()).ok() } else { Some(saturday) };
        }
        _ => {}
    }
    if is_no_day(words, at) {
        return None;
    }
    if let Some(day) = weekday(word) {
        // "fri feb 20"
        if let (Some(month), Some(day)) = (month(after(1)), ordinal(after(2))) {
            return upcoming(month, day, today);
        }
        // A day of the month says more, if both are the same day; if not, nobody knows which is meant.
        if let Some(date) = day_of_month(words, at, today) {
            return (date.weekday() == day).then_some(date);
        }
        let next_week = ["next", "week"];
        let is_next = words[at + 1..].starts_with(&next_week)
            || words[..at].ends_with(&next_week)
            || words[..at].ends_with(&["next", "week", "on"])
            || words[at + 1..].starts_with(&["of", "next", "week"]);
        let date = coming(day, if is_next { "next" } else { before(1) }, today)?;
        return date.checked_add((7 * weeks_before(words, at)).days()).ok();
    }
    if let Some(month) = month(word) {
        let day = ordinal(after(1));
        let back = if before(1) == "of" { before(2) } else { before(1) };
        return upcoming(month, day.or_else(|| ordinal(back))?, today);
    }
    if word.len() == 10
        && let Ok(date) = word.parse()
    {
        return Some(date);
    }
    if let Some((month, rest)) = word.split_once('/') {
        let (day, year) =
            rest.split_once('/').map_or((rest, None), |(day, year)| (day, Some(year)));
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        return match year {
            None => upcoming(month, day, today),
            Some(year) => {
                let year: i16 = year.parse().ok()?;
                Date::new(if year < 100 { 2000 + year } else { year }, month, day).ok()
            }
        };
    }
    // "the 12th"
    if word.ends_with(|c: char| c.is_ascii_alphabetic())
        && month(after(1)).is_none()
        && after(1) != "of"
        && !CHOSEN.contains(&after(1))
        && weekday(before(1)).is_none()
        && !(before(1) == "the" && weekday(before(2)).is_some())
    {
        return next_with(ordinal(word)?, today);
    }
    None
}

/// Words behind the number of one that is chosen: "the 2nd one".
const CHOSEN: [&str; 6] = ["one", "option", "time", "slot", "choice", "thing"];

/// Whether the short form of a day is another word: "I sat down", "left in the sun".
fn is_no_day(words: &[&str], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |i| words[i]);
    let after = |n: usize| words.get(at + n).copied().unwrap_or_default();
    match words[at] {
        "sat" => {
            matches!(before, "i" | "it" | "he" | "she" | "we" | "they" | "who" | "just" | "phone")
                || matches!(after(1), "down" | "on" | "there" | "around")
                || (after(1) == "in" && !matches!(after(3), "morning" | "afternoon" | "evening"))
        }
        "sun" => matches!(before, "the" | "direct" | "hot" | "full" | "strong"),
        _ => false,
    }
}

/// How many weeks a day comes later: "a week from friday", "two weeks from tomorrow".
fn weeks_before(words: &[&str], at: usize) -> i64 {
    match &words[..at] {
        [rest @ .., "week" | "weeks", "from" | "on"] => {
            rest.last().and_then(|word| number(word)).unwrap_or(1)
        }
        _ => 0,
    }
}

/// Whether a day of the week stands beside "next week".
fn names_weekday(words: &[&str], at: usize) -> bool {
    let near = words[..at].iter().rev().skip(1).take(2).chain(words[at + 1..].iter().take(2));
    near.into_iter().any(|word| weekday(word).is_some())
}

/// The day of the month behind the day of the week at `at`: "friday the 13th".
fn day_of_month(words: &[&str], at: usize, today: Date) -> Option<Date> {
    let rest = words[at + 1..].strip_prefix(&["the"][..]).unwrap_or(&words[at + 1..]);
    let word = rest.first().filter(|w| w.ends_with(['t', 'd', 'h']))?;
    let day = ordinal(word)?;
    if rest.get(1).is_some_and(|next| *next == "of" || month(next).is_some()) {
        return None;
    }
    next_with(day, today)
}

/// The next day with this number in its month.
fn next_with(day: i8, today: Date) -> Option<Date> {
    (0..12).find_map(|months| {
        let date = today.first_of_month().checked_add(months.months()).ok()?;
        Date::new(date.year(), date.month(), day).ok().filter(|date| *date >= today)
    })
}

/// A number of days, weeks or months, in digits or words.
fn number(word: &str) -> Option<i64> {
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    let words = ["one", "two", "three", "four", "five", "six", "seven"];
    words.iter().position(|w| *w == word).map_or_else(
        || word.parse().ok().filter(|n| (0..=366).contains(n)),
        |at| i64::try_from(at + 1).ok(),
    )
}

/// A day of a month: `11` or `11th`.
fn ordinal(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    matches!(&word[digits.len()..], "" | "st" | "nd" | "rd" | "th")
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|day| (1..=31).contains(day))
}

/// Days as people mistype them.
const MISSPELT: [(&str, &str); 10] = [
    ("munday", "monday"),
    ("tuseday", "tuesday"),
    ("teusday", "tuesday"),
    ("wensday", "wednesday"),
    ("wednsday", "wednesday"),
    ("wendesday", "wednesday"),
    ("thrusday", "thursday"),
    ("firday", "friday"),
    ("satuday", "saturday"),
    ("saterday", "saturday"),
];

/// A day of the week, its short form or its plural.
fn weekday(word: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let short = ["mon", "tue", "tues", "wed", "weds", "thu", "thur", "thurs", "fri", "sat", "sun"];
    let find = |w: &str| {
        NAMES
            .iter()
            .find(|(name, _)| *name == w || (short.contains(&w) && name.starts_with(&w[..3])))
    };
    let word = MISSPELT.iter().find(|(wrong, _)| *wrong == word).map_or(word, |(_, right)| right);
    find(word).or_else(|| find(word.strip_suffix('s')?)).map(|(_, day)| *day)
}

/// The next such weekday after today; today itself if the word before is "this".
fn coming(day: Weekday, before: &str, today: Date) -> Option<Date> {
    let mut ahead = i64::from(today.weekday().until(day));
    if ahead == 0 && before != "this" {
        ahead = 7;
    }
    if before == "next" {
        // In the next calendar week.
        let to_monday = match i64::from(today.weekday().until(Weekday::Monday)) {
            0 => 7,
            days => days,
        };
        ahead = to_monday + i64::from(Weekday::Monday.until(day));
    }
    today.checked_add(ahead.days()).ok()
}

/// The number of a month, from 1, by its name or short form.
pub(super) fn month(word: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let fits = |name: &&str| {
        *name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(word))
    };
    NAMES.iter().position(fits).and_then(|at| i8::try_from(at + 1).ok())
}

/// The date in this year, or in the next year if it is past.
fn upcoming(month: i8, day: i8, today: Date) -> Option<Date> {
    let this = Date::new(today.year(), month, day).ok();
    this.filter(|date| *date >= today).or_else(|| Date::new(today.year() + 1, month, day).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_as_people_write_them() {
        // A Tuesday.
        let today: Date = "2026-02-10".parse().unwrap();
        for (text, expected) in [
            ("today?", "2026-02-10"),
            ("Can I come tomorrow at 2", "2026-02-11"),
            ("the day after tomorrow", "2026-02-12"),
            ("friday 3pm", "2026-02-13"),
            ("on Fri.", "2026-02-13"),
            ("Tuesday", "2026-02-17"),
            ("this tuesday", "2026-02-10"),
            ("next friday", "2026-02-20"),
            ("any Mondays free", "2026-02-16"),
            ("2026-02-11", "2026-02-11"),
            ("on 2026-03-01, please", "2026-03-01"),
            ("Feb 11th", "2026-02-11"),
            ("11 February", "2026-02-11"),
            ("the 3rd of March", "2026-03-03"),
            ("Wed Feb 11 at 2", "2026-02-11"),
            ("Fri Feb 20. Which time suits you?", "2026-02-20"),
            ("January 5", "2027-01-05"),
            ("2/11", "2026-02-11"),
            ("2/11/26", "2026-02-11"),
            ("the 12th", "2026-02-12"),
            ("the 9th", "2026-03-09"),
            ("in 3 days", "2026-02-13"),
            ("in a week", "2026-02-17"),
            ("a week from now", "2026-02-17"),
            ("wednesday next week", "2026-02-18"),
            ("next week wednesday", "2026-02-18"),
            ("sometime next week", "2026-02-17"),
            ("a week from friday", "2026-02-20"),
            ("two weeks from tomorrow", "2026-02-25"),
            ("friday the 13th", "2026-02-13"),
            ("not friday, thursday", "2026-02-12"),
            ("I can't do friday, is thursday ok", "2026-02-12"),
            ("thursday instead of friday", "2026-02-12"),
            ("friday doesn't work, saturday?", "2026-02-14"),
            ("friday, no wait, monday", "2026-02-16"),
            ("this afternoon", "2026-02-10"),
            ("in an hour", "2026-02-10"),
            ("this weekend", "2026-02-14"),
            ("sat morning", "2026-02-14"),
            ("sat in the afternoon", "2026-02-14"),
            ("sun or mon", "2026-02-15"),
            ("can I come now?", "2026-02-10"),
            ("on the 2nd", "2026-03-02"),
            ("thrusday", "2026-02-12"),
        ] {
            assert_eq!(
                date(text, today).map(|d| d.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["I sat down on it", "left in the sun", "it sat in water", "the 2nd one"] {
            assert_eq!(date(text, today), None, "{text}");
        }
        let none = ["", "my screen is cracked", "iPhone 12", "may I come", "24/7", "on the second"];
        for text in none.into_iter().chain(["not friday", "friday the 11th", "it takes an hour"]) {
            assert_eq!(date(text, today), None, "{text}");
        }
    }

    #[test]
    fn days_that_do_not_belong_together_are_told() {
        let today: Date = "2026-02-10".parse().unwrap();
        let told = |text| clash(text, today).map(|(a, b)| format!("{a} {b}"));
        assert_eq!(told("friday the 11th?").as_deref(), Some("2026-02-13 2026-02-11"));
        assert_eq!(told("friday the 13th"), None);
        assert_eq!(told("friday at 11"), None);
    }
}
