//! STOP, START and HELP, which Twilio handles itself.
//!
//! A text counts only when it is nothing but a keyword. `CANCEL`, `END` and `YES` are keywords too,
//! whatever they mean to the backend.

use super::NumberKind;

/// A keyword that Twilio handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// The person opts out: no more messages to their number.
    Stop,
    /// The person opts in again.
    Start,
    /// The person asks how to opt out.
    Help,
}

impl Keyword {
    /// The keyword that a text to a number of this kind is; `None` for any other text.
    pub fn of(body: &str, kind: NumberKind) -> Option<Self> {
        match (body.trim().to_ascii_uppercase().as_str(), kind) {
            (
                "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE"
                | "OPTOUT",
                _,
            ) => Some(Self::Stop),
            ("START" | "UNSTOP", _) | ("YES", NumberKind::Local) => Some(Self::Start),
            ("HELP" | "INFO", _) => Some(Self::Help),
            _ => None,
        }
    }

    /// The webhook's `OptOutType`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }

    /// The text of Twilio's notice; `None` when there is none, since the person has opted out already
    /// or was never opted out.
    pub fn notice(self, body: &str, kind: NumberKind, opted_out: bool) -> Option<String> {
        let word = body.trim().to_ascii_lowercase();
        match (self, kind, opted_out) {
            (Self::Stop, _, true) | (Self::Start, _, false) | (Self::Help, _, true) => None,
            (Self::Stop, NumberKind::Local, _) => Some(
                "You have successfully been unsubscribed. You will not receive any more messages \
                 from this number. Reply START to resubscribe."
                    .into(),
            ),
            (Self::Start, NumberKind::Local, _) => Some(
                "You have successfully been re-subscribed to messages from this number. Reply \
                 HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
                    .into(),
            ),
            (Self::Help, ..) => Some("Reply STOP to unsubscribe. Msg&Data Rates May Apply.".into()),
            (Self::Stop, NumberKind::TollFree, _) => Some(format!(
                "NETWORK MSG: You replied with the word \"{word}\" which blocks all texts sent \
                 from this number. Text back \"unstop\" to receive messages again."
            )),
            (Self::Start, NumberKind::TollFree, _) => Some(format!(
                "NETWORK MSG: You have replied \"{word}\" and will begin receiving messages again \
                 from this number."
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_text_is_a_keyword() {
        for stop in [
            "STOP",
            " stop\n",
            "Cancel",
            "optout",
            "REVOKE",
            "end",
            "quit",
            "StopAll",
            "unsubscribe",
        ] {
            assert_eq!(Keyword::of(stop, NumberKind::Local), Some(Keyword::Stop), "{stop}");
        }
        for other in ["stop please", "please cancel", "", "yes please", "ends", "stop."] {
            assert_eq!(Keyword::of(other, NumberKind::Local), None, "{other}");
        }
        assert_eq!(Keyword::of("info", NumberKind::Local), Some(Keyword::Help));
    }

    #[test]
    fn yes_does_not_undo_an_opt_out_from_a_toll_free_number() {
        assert_eq!(Keyword::of("yes", NumberKind::Local), Some(Keyword::Start));
        assert_eq!(Keyword::of("yes", NumberKind::TollFree), None);
        assert_eq!(Keyword::of("unstop", NumberKind::TollFree), Some(Keyword::Start));
    }

    #[test]
    fn a_keyword_that_changes_nothing_has_no_notice() {
        assert_eq!(Keyword::Stop.notice("stop", NumberKind::Local, true), None);
        assert_eq!(Keyword::Start.notice("yes", NumberKind::Local, false), None);
        assert_eq!(Keyword::Help.notice("help", NumberKind::Local, true), None);
        let help = Keyword::Help.notice("help", NumberKind::Local, false).unwrap();
        assert_eq!(help, "Reply STOP to unsubscribe. Msg&Data Rates May Apply.");
    }
}
