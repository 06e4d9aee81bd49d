//! Parts of a day as people write them: `2-4`, `9 to noon`, `after 3`.

use crate::domain::{time_needed::DEFAULT_MINUTES, time_span::TimeSpan};

const NOON: u16 = 12 * 60;
const MIDNIGHT: u16 = 24 * 60;
/// Before this minute of the day nobody means the morning by a bare number.
const EARLIEST: u16 = 7 * 60;

/// Reads words as a part of a day. Of several readings the shortest counts, then the one by day.
pub(super) fn parse_span(words: &[&str]) -> Option<TimeSpan> {
    let joined = words.join(" ").replace("a.m", "am").replace("p.m", "pm");
    let text = joined.as_str();
    if text == "all day" {
        return TimeSpan::between(0, MIDNIGHT);
    }
    for (word, before) in [("after ", false), ("until ", true), ("till ", true), ("before ", true)]
    {
        if let Some(time) = text.strip_prefix(word) {
            let at = likeliest(&readings(time)?);
            return if before { TimeSpan::between(0, at) } else { TimeSpan::between(at, MIDNIGHT) };
        }
    }
    let text = ["from ", "between ", "at "]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .unwrap_or(text);
    let bounds = ["-", " to ", " until ", " till ", " and "]
        .iter()
        .find_map(|separator| text.split_once(separator));
    let Some((start, end)) = bounds else {
        let start = likeliest(&readings(text)?);
        return TimeSpan::between(start, start.saturating_add(DEFAULT_MINUTES).min(MIDNIGHT));
    };
    let (starts, ends) = (readings(start)?, readings(end)?);
    // `2-2` is a slip, not half a day.
    let longest = if starts.len() > 1 && ends.len() > 1 { NOON - 1 } else { MIDNIGHT };
    // As an end, 12 AM is the end of the day.
    let ends = ends.into_iter().map(|end| if end == 0 { MIDNIGHT } else { end });
    ends.flat_map(|end| starts.iter().filter_map(move |start| TimeSpan::between(*start, end)))
        .filter(|span| span.minutes <= longest)
        .min_by_key(|span| {
            let start = span.start.minute_of_day();
            (span.minutes, start < EARLIEST, start)
        })
}

/// The reading of a single time that is by day.
fn likeliest(readings: &[u16]) -> u16 {
    let by_day = readings.iter().find(|minute| **minute >= EARLIEST);
    by_day.or(readings.first()).copied().unwrap_or_default()
}

/// The minutes of the day that a time may mean: `2` is morning or afternoon, `14:00` and `2pm` are
/// one. `None` when it is no time.
fn readings(text: &str) -> Option<Vec<u16>> {
    let text: String = text.split_whitespace().collect();
    match text.as_str() {
        "noon" => return Some(vec![NOON]),
        "midnight" => return Some(vec![0]),
        _ => {}
    }
    let halves = [("am", 0), ("pm", NOON), ("a", 0), ("p", NOON)];
    let half = halves.iter().find_map(|(word, half)| Some((text.strip_suffix(word)?, *half)));
    let clock = half.map_or(text.as_str(), |(clock, _)| clock);
    let (hour, minute) = match clock.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (number(hour)?, number(minute)?),
        Some(_) => return None,
        None => (number(clock)?, 0),
    };
    if hour > 23 || minute > 59 {
        return None;
    }
    let of_twelve = (hour % 12) * 60 + minute;
    match half {
        Some((_, half)) if (1..=12).contains(&hour) => Some(vec![half + of_twelve]),
        Some(_) => None,
        None if (1..=12).contains(&hour) => Some(vec![of_twelve, NOON + of_twelve]),
        None => Some(vec![hour * 60 + minute]),
    }
}

/// One or two digits, without a sign.
fn number(digits: &str) -> Option<u16> {
    let sound = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { digits.parse().ok() } else { None }
}
