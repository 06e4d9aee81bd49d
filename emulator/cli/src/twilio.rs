//! What Twilio says of a delivery, in words.

use rehearse_control::{Attempt, RefusedText, SmsResponse, TwilioProblem};
use rehearse_scenario::report::text::visible;

/// What a delivery says besides its replies: each text that Twilio refused, then its warnings, each
/// once. The reason of a failure is not among them.
pub(crate) fn notes(sent: &SmsResponse) -> Vec<String> {
    let mut notes: Vec<String> = sent.refused.iter().map(refused).collect();
    let told = |problem: &&TwilioProblem| {
        sent.failure.as_ref() == Some(*problem)
            || sent.refused.iter().any(|refused| refused.error == **problem)
    };
    for problem in sent.problems.iter().filter(|problem| !told(problem)) {
        let note = format!("(Twilio warns: {})", words(problem));
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// A text that Twilio refused.
pub(crate) fn refused(text: &RefusedText) -> String {
    let (to, body) = (visible(&text.to), visible(&text.body));
    format!("(not sent to {to}, Twilio error {}: {body})", words(&text.error))
}

/// Why the webhook's last response is of no use.
pub(crate) fn failure(problem: &TwilioProblem, last: Option<&Attempt>) -> String {
    let Some(last) = last else { return format!("Twilio error {}", words(problem)) };
    let status =
        last.status.map_or_else(|| "no answer".into(), |status| format!("status {status}"));
    format!("{status}, Twilio error {}, from {}", words(problem), last.url)
}

fn words(problem: &TwilioProblem) -> String {
    format!("{} ({})", problem.code, problem.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told_once_and_a_warning_is_no_failure() {
        let problem = |code| TwilioProblem::of(code);
        let sent = SmsResponse {
            seq: 0,
            sid: "SM1".into(),
            attempts: Vec::new(),
            replies: Vec::new(),
            refused: vec![RefusedText {
                to: "+15550123456".into(),
                body: "Hi".into(),
                error: problem(21610),
            }],
            problems: vec![problem(12200), problem(21610), problem(12200)],
            failure: None,
        };
        let notes = notes(&sent);
        let refused = "(not sent to +15550123456, Twilio error 21610 \
                       (Attempt to send to unsubscribed recipient): Hi)";
        assert_eq!(notes, [refused, "(Twilio warns: 12200 (Schema validation warning))"]);
        let last = Attempt { url: "http://a/sms".into(), status: Some(200), error: None };
        assert_eq!(
            failure(&problem(14106), Some(&last)),
            "status 200, Twilio error 14106 (Document retrieval limit reached), from http://a/sms"
        );
    }
}
