//! The owner's texts as commands: a small grammar, read by code and never by the model.
//!
//! Capital letters, extra spaces and punctuation at the end do not matter. None of the commands is
//! a word that carriers act upon. What is no command is a note.

mod days;
mod times;

use jiff::civil;

use self::{days::take_date, times::parse_span};
use super::time_span::TimeSpan;

/// What the owner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerCommand {
    /// `to 0100: I'll be there`: a text to a customer, from the shop's number.
    Tell {
        /// The customer's number or its last digits, without punctuation; at least four.
        digits: String,
        /// The text.
        body: String,
    },
    /// `friday?`: the bookings of a date.
    List(civil::Date),
    /// `block tomorrow 2-4` or `closed friday`: time off.
    Block {
        /// The date.
        date: civil::Date,
        /// Which part of it; `None` is all of it.
        span: Option<TimeSpan>,
    },
    /// `open friday` or `open tomorrow 2-4`: the end of time off.
    Open {
        /// The date.
        date: civil::Date,
        /// Which part of it; `None` is all of it.
        span: Option<TimeSpan>,
    },
    /// It begins like a command and cannot be carried out.
    Unclear(UnclearCommand),
    /// It is no command.
    Note,
}

/// Why a command cannot be carried out. The text is for the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnclearCommand {
    /// The date cannot be read.
    #[error("I don't know which day you mean.")]
    Date,
    /// The times cannot be read.
    #[error("I don't know which times you mean.")]
    Times,
    /// Fewer than four digits of the customer's number.
    #[error("I need at least the last 4 digits of the customer's number.")]
    Recipient,
    /// There is nothing to be sent.
    #[error("There is no text after the number.")]
    EmptyBody,
}

/// What the owner is told about the commands.
pub const COMMANDS: &str = "I understand: today? - friday? - to 0100: your text - \
                            block tomorrow 2-4 - closed friday - open friday - open tomorrow 2-4";

/// Fewest digits by which a customer is named.
const MIN_DIGITS: usize = 4;

/// Reads a text of the owner. A weekday means the next such day, today included.
pub fn parse(text: &str, today: civil::Date) -> OwnerCommand {
    if let Some(command) = tell(text) {
        return command;
    }
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((first, rest)) = words.split_first() else { return OwnerCommand::Note };
    let blocks = match *first {
        "block" | "blocked" | "close" | "closed" => true,
        "open" | "reopen" | "unblock" => false,
        _ => {
            return match take_date(&words, today) {
                Some((date, [])) => OwnerCommand::List(date),
                _ => OwnerCommand::Note,
            };
        }
    };
    // `block 2-4 tomorrow` is said as well.
    let Some((date, times)) = take_date(rest, today).or_else(|| date_at_the_end(rest, today))
    else {
        return OwnerCommand::Unclear(UnclearCommand::Date);
    };
    // A question changes nothing.
    if text.trim_end().ends_with('?') {
        return OwnerCommand::List(date);
    }
    let span = if times.is_empty() {
        None
    } else {
        match parse_span(times) {
            // `close at 3` means until the evening to one owner and an hour to another.
            Some(_) if *first != "block" && is_single_time(times) => {
                return OwnerCommand::Unclear(UnclearCommand::Times);
            }
            Some(span) => Some(span),
            None => return OwnerCommand::Unclear(UnclearCommand::Times),
        }
    };
    if blocks { OwnerCommand::Block { date, span } } else { OwnerCommand::Open { date, span } }
}

/// Whether the words name one time, without its end: `at 3`, `3pm`.
fn is_single_time(words: &[&str]) -> bool {
    let ends = ["-", "to", "until", "till", "and", "after", "before", "all", "from", "between"];
    !words.iter().any(|word| word.contains('-') || ends.contains(word))
}

/// `to NUMBER: TEXT`. A text such as `to do: buy glass` names no number and is none.
fn tell(text: &str) -> Option<OwnerCommand> {
    let text = text.trim();
    let (to, rest) = (text.get(..2)?, text.get(2..)?);
    if !to.eq_ignore_ascii_case("to") || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let (number, body) = rest.split_once(':')?;
    let is_punctuation = |c: char| c.is_whitespace() || "+-.()/#*".contains(c);
    if !number.chars().all(|c| c.is_ascii_digit() || is_punctuation(c)) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let body = body.trim();
    Some(if digits.len() < MIN_DIGITS {
        OwnerCommand::Unclear(UnclearCommand::Recipient)
    } else if body.is_empty() {
        OwnerCommand::Unclear(UnclearCommand::EmptyBody)
    } else {
        OwnerCommand::Tell { digits, body: body.to_owned() }
    })
}

/// The words in small letters, without punctuation around them.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace(['\u{2013}', '\u{2014}', '\u{2212}'], "-")
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|word| word.trim_matches(|c| "?!.;:\"'".contains(c)))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A date that ends the words, and the words before it.
fn date_at_the_end<'a, 'b>(
    words: &'a [&'b str],
    today: civil::Date,
) -> Option<(civil::Date, &'a [&'b str])> {
    (1..words.len()).find_map(|at| {
        let (before, end) = words.split_at(at);
        take_date(end, today).filter(|(_, rest)| rest.is_empty()).map(|(date, _)| (date, before))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::opt_out::keyword;

    /// A Tuesday.
    const TODAY: civil::Date = date(2026, 2, 10);

    fn span(start: (u8, u8), end: (u8, u8)) -> TimeSpan {
        let minutes = |(hour, minute): (u8, u8)| u16::from(hour) * 60 + u16::from(minute);
        TimeSpan::between(minutes(start), minutes(end)).unwrap()
    }

    #[test]
    fn a_text_to_a_customer_keeps_its_words() {
        for (text, digits, body) in [
            ("to 0100: I'll be there", "0100", "I'll be there"),
            ("To 0100 :  I'll be there ", "0100", "I'll be there"),
            ("TO  +1 (904) 555-0100: At 2:30, ok?", "19045550100", "At 2:30, ok?"),
            ("to 904.555.0100:Yes", "9045550100", "Yes"),
        ] {
            let expected = OwnerCommand::Tell { digits: digits.into(), body: body.into() };
            assert_eq!(parse(text, TODAY), expected, "{text}");
        }
        for (text, why) in [
            ("to 100: hi", UnclearCommand::Recipient),
            ("to : hi", UnclearCommand::Recipient),
            ("to 0100:  ", UnclearCommand::EmptyBody),
        ] {
            assert_eq!(parse(text, TODAY), OwnerCommand::Unclear(why), "{text}");
        }
        for note in ["to do: buy glass", "tomorrow 0100: x", "to 0100 hi", "total: 1000"] {
            assert_eq!(parse(note, TODAY), OwnerCommand::Note, "{note}");
        }
    }

    #[test]
    fn a_date_alone_asks_for_its_bookings() {
        for (text, expected) in [
            ("today?", date(2026, 2, 10)),
            ("Today ?", date(2026, 2, 10)),
            ("TOMORROW", date(2026, 2, 11)),
            ("fri?", date(2026, 2, 13)),
            ("on Friday?", date(2026, 2, 13)),
            ("Tues?", date(2026, 2, 10)),
            ("2026-02-13?", date(2026, 2, 13)),
            ("2/13?", date(2026, 2, 13)),
            ("Feb 13th?", date(2026, 2, 13)),
            ("1/5", date(2027, 1, 5)),
        ] {
            assert_eq!(parse(text, TODAY), OwnerCommand::List(expected), "{text}");
        }
        for note in ["next friday?", "friday or saturday?", "who comes friday?", "2/30?", ""] {
            assert_eq!(parse(note, TODAY), OwnerCommand::Note, "{note}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let (two_to_four, nine_to_noon) = (span((14, 0), (16, 0)), span((9, 0), (12, 0)));
        for (times, expected) in [
            ("2-4", two_to_four),
            ("2 - 4", two_to_four),
            ("2\u{2013}4", two_to_four),
            ("2pm-4pm", two_to_four),
            ("2 PM to 4 PM", two_to_four),
            ("from 2 to 4", two_to_four),
            ("2-4pm", two_to_four),
            ("2pm-4", two_to_four),
            ("14:00-16:00", two_to_four),
            ("14-16", two_to_four),
            ("between 2 and 4", two_to_four),
            ("9-12", nine_to_noon),
            ("9am-12", nine_to_noon),
            ("9 a.m. to noon", nine_to_noon),
            ("9-5", span((9, 0), (17, 0))),
            ("11-2", span((11, 0), (14, 0))),
            ("11-2pm", span((11, 0), (14, 0))),
            ("12-1", span((12, 0), (13, 0))),
            ("2:30-4:15", span((14, 30), (16, 15))),
            ("at 2", span((14, 0), (15, 0))),
            ("after 3", span((15, 0), (24, 0))),
            ("until noon", span((0, 0), (12, 0))),
            ("6pm-midnight", span((18, 0), (24, 0))),
        ] {
            let text = format!("Block tomorrow {times}.");
            let block =
                OwnerCommand::Block { date: TODAY.tomorrow().unwrap(), span: Some(expected) };
            assert_eq!(parse(&text, TODAY), block, "{text}");
            let text = format!("block {times} TOMORROW");
            assert_eq!(parse(&text, TODAY), block, "{text}");
        }
        for times in ["later", "2-2", "4pm-2pm", "25-26", "2-4-6", "2:60-4"] {
            let text = format!("block friday {times}");
            assert_eq!(parse(&text, TODAY), OwnerCommand::Unclear(UnclearCommand::Times), "{text}");
        }
    }

    #[test]
    fn a_question_changes_nothing() {
        let friday = date(2026, 2, 13);
        for text in ["open friday?", "Closed friday ?", "block friday 2-4?"] {
            assert_eq!(parse(text, TODAY), OwnerCommand::List(friday), "{text}");
        }
    }

    #[test]
    fn a_single_time_closes_nothing() {
        for text in ["close at 3 today", "open friday 3pm"] {
            assert_eq!(parse(text, TODAY), OwnerCommand::Unclear(UnclearCommand::Times), "{text}");
        }
    }

    #[test]
    fn days_are_closed_and_opened() {
        let friday = date(2026, 2, 13);
        for text in
            ["closed friday", "CLOSED  Fri", "close on friday", "block 2026-02-13", "closed 2/13!"]
        {
            let expected = OwnerCommand::Block { date: friday, span: None };
            assert_eq!(parse(text, TODAY), expected, "{text}");
        }
        for text in ["open friday", "Open Fri.", "reopen friday", "unblock friday"] {
            let expected = OwnerCommand::Open { date: friday, span: None };
            assert_eq!(parse(text, TODAY), expected, "{text}");
        }
        let part = OwnerCommand::Open { date: friday, span: Some(span((14, 0), (16, 0))) };
        assert_eq!(parse("open friday 2-4", TODAY), part);
        for text in ["closed", "open", "block next friday 2-4", "open the door"] {
            assert_eq!(parse(text, TODAY), OwnerCommand::Unclear(UnclearCommand::Date), "{text}");
        }
    }

    #[test]
    fn no_command_is_a_carriers() {
        for command in ["block", "blocked", "close", "closed", "open", "reopen", "unblock", "today"]
        {
            assert_eq!(keyword(command), None, "{command}");
        }
        assert!(COMMANDS.split(" - ").all(|example| keyword(example).is_none()));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*", command in "(to |block |open |closed )?") {
            let _ = parse(&text, TODAY);
            let _ = parse(&format!("{command}{text}"), TODAY);
        }
    }
}
