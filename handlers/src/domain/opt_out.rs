//! The keywords by which carriers let customers stop and start texts.

/// What a keyword asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// No more texts.
    Stop,
    /// Texts again, after a stop.
    Start,
    /// Information about the sender, which Twilio answers by itself.
    Help,
}

const STOP: [&str; 8] =
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];
const HELP: [&str; 2] = ["HELP", "INFO"];

/// The keyword that a whole text consists of, ignoring case and surrounding space.
///
/// `YES` is one of them, although it usually answers a question. Only from a customer who is opted
/// out does it mean "start".
pub fn keyword(body: &str) -> Option<Keyword> {
    let body = body.trim();
    let among = |words: &[&str]| words.iter().any(|word| body.eq_ignore_ascii_case(word));
    if among(&STOP) {
        Some(Keyword::Stop)
    } else if among(&START) {
        Some(Keyword::Start)
    } else if among(&HELP) {
        Some(Keyword::Help)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_text_is_a_keyword() {
        for (body, expected) in [
            ("STOP", Some(Keyword::Stop)),
            (" cancel\n", Some(Keyword::Stop)),
            ("OptOut", Some(Keyword::Stop)),
            ("Yes", Some(Keyword::Start)),
            ("unstop", Some(Keyword::Start)),
            ("help", Some(Keyword::Help)),
            ("Yes please", None),
            ("cancel my booking", None),
            ("STOP.", None),
            ("", None),
        ] {
            assert_eq!(keyword(body), expected, "{body:?}");
        }
    }
}
