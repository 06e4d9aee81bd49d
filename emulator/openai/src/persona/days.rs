//! Finds days in texts: "tomorrow", "friday", "Feb 11th".

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

/// The first day in a text, counted from `today`.
pub(super) fn date(text: &str, today: Date) -> Option<Date> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || ",.!?;()\"'".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    (0..words.len()).find_map(|at| named(&words, at, today))
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
            return days(if second { 2 } else { 1 });
        }
        // "in 3 days", "in a week", "next week"
        "days" | "day" if before(2) == "in" => return days(number(before(1))?),
        "weeks" | "week" if before(2) == "in" => {
            return days(7 * if before(1) == "a" { 1 } else { number(before(1))? });
        }
        "week" if before(1) == "next" => return days(7),
        _ => {}
    }
    if let Some(day) = weekday(word) {
        return coming(day, before(1), today);
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
    {
        let day = ordinal(word)?;
        return (0..12).find_map(|months| {
            let date = today.first_of_month().checked_add(months.months()).ok()?;
            Date::new(date.year(), date.month(), day).ok().filter(|date| *date >= today)
        });
    }
    None
}

/// A number of days, weeks or months, in digits or words.
fn number(word: &str) -> Option<i64> {
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
            ("January 5", "2027-01-05"),
            ("2/11", "2026-02-11"),
            ("2/11/26", "2026-02-11"),
            ("the 12th", "2026-02-12"),
            ("the 9th", "2026-03-09"),
            ("in 3 days", "2026-02-13"),
            ("in a week", "2026-02-17"),
        ] {
            assert_eq!(
                date(text, today).map(|d| d.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["", "my screen is cracked", "iPhone 12", "may I come", "24/7", "on the second"]
        {
            assert_eq!(date(text, today), None, "{text}");
        }
    }
}
