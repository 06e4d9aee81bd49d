//! Lines of a chat that are no texts: `/as owner`, `/clock +2h`.

use crate::commands::clock::{self, Move};
use rehearse_core::names::nearest;

/// What the commands do, for `/help`.
pub(super) const HELP: &str = "\
/as NAME|NUMBER          text as somebody else from here on
/clock [+LENGTH|MOMENT]  show or move business time: /clock +2h
/fail CALL HOW           let calls fail: /fail openai.responses 503
/fail off                let no call fail any more
/reset                   put the world back to its start
/save NAME               write the chat so far as a scenario
/help                    this list; Ctrl-D ends the chat
A text that begins with a slash is typed with two: //dev/null";

/// The words that begin a command.
const NAMES: [&str; 6] = ["as", "clock", "fail", "reset", "save", "help"];

/// A line as it is meant.
#[derive(Debug)]
pub(super) enum Line {
    /// A text to send.
    Text(String),
    As(String),
    Clock(Option<Move>),
    /// A fault, in the YAML of scenarios.
    Fail(String),
    FailNoMore,
    Reset,
    /// The name of a scenario to write.
    Save(String),
    Help,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with a command, in words.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        if let Some(text) = line.strip_prefix("//") {
            return Ok(Self::Text(format!("/{text}")));
        }
        let Some(command) = line.strip_prefix('/') else { return Ok(Self::Text(line.to_owned())) };
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match (name, rest) {
            ("as", "") => Err("say who texts: /as owner".into()),
            ("as", who) => Ok(Self::As(who.to_owned())),
            ("clock", "") => Ok(Self::Clock(None)),
            ("clock", to) => clock::read(to).map(|to| Self::Clock(Some(to))),
            ("fail", "off") => Ok(Self::FailNoMore),
            ("fail", rest) => match rest.split_once(char::is_whitespace) {
                Some((on, how)) => {
                    let on = serde_json::Value::from(on);
                    Ok(Self::Fail(format!("on: {on}\nfail: {}\n", how.trim())))
                }
                None => Err("say which calls fail, and how: /fail openai.responses 503".into()),
            },
            ("reset", "") => Ok(Self::Reset),
            ("save", "") => Err("name the scenario: /save A customer books".into()),
            ("save", name) => Ok(Self::Save(name.to_owned())),
            ("help", "") => Ok(Self::Help),
            ("reset" | "help", _) => Err(format!("/{name} takes no more words")),
            _ => {
                let hint = nearest(name, NAMES).map(|name| format!("; did you mean /{name}?"));
                let hint = hint.unwrap_or_default();
                Err(format!("there is no command /{name}{hint} (/help lists them)"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_or_commands() {
        assert!(matches!(Line::read("Hi /as").unwrap(), Line::Text(text) if text == "Hi /as"));
        assert!(matches!(Line::read("//dev").unwrap(), Line::Text(text) if text == "/dev"));
        assert!(matches!(Line::read("/as owner").unwrap(), Line::As(who) if who == "owner"));
        assert!(matches!(Line::read("/clock").unwrap(), Line::Clock(None)));
        assert!(matches!(Line::read("/clock +2h").unwrap(), Line::Clock(Some(_))));
        assert!(matches!(Line::read("/save A b").unwrap(), Line::Save(name) if name == "A b"));
        assert!(matches!(Line::read("/reset").unwrap(), Line::Reset));
        let Line::Fail(yaml) = Line::read("/fail dynamodb.* { delay: 2s }").unwrap() else {
            panic!("no fault");
        };
        assert_eq!(yaml, "on: \"dynamodb.*\"\nfail: { delay: 2s }\n");
        for (wrong, says) in [
            ("/clok", "did you mean /clock?"),
            ("/hlep", "did you mean /help?"),
            ("/fail openai", "/fail openai.responses 503"),
            ("/as", "/as owner"),
            ("/clock 2h", "begins with +"),
            ("/zzz", "/help lists them"),
        ] {
            assert!(Line::read(wrong).unwrap_err().contains(says), "{wrong}");
        }
    }
}
