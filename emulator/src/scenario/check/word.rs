//! Names of crossings, people and things, and what to say of a wrong one.

/// Beginnings of the names that crossings have in the journal; the first ones can fail.
pub(super) const CROSSINGS: [&str; 6] =
    ["openai.", "twilio.", "dynamodb.", "webhook.", "http.", "sms."];
pub(super) const FALLIBLE: &[&str] = CROSSINGS.split_at(4).0;

pub(super) fn is_crossing(name: &str, known: &[&str]) -> bool {
    known.iter().any(|start| name.strip_prefix(start).is_some_and(|rest| !rest.is_empty()))
}

pub(super) fn unknown_crossing(name: &str) -> String {
    format!(
        "'{name}' is no crossing of the journal, such as openai.responses, \
         twilio.messages.create, dynamodb.PutItem, webhook.sms or http.GET /state"
    )
}

pub(super) fn unknown_fault(name: &str) -> String {
    format!(
        "'{name}' cannot fail: name a crossing such as openai.responses, \
         twilio.messages.create, dynamodb.PutItem or webhook.sms"
    )
}

pub(super) fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `unknown table 'Lead'; did you mean 'Leads'?`
pub(super) fn unknown<T: AsRef<str>>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = T>,
) -> String {
    let known: Vec<T> = known.collect();
    let nearest = known
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other.as_ref()), other.as_ref()))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match nearest {
        Some((_, nearest)) => format!("did you mean '{nearest}'?"),
        None if known.is_empty() => "there are none".into(),
        None => {
            let all: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            format!("there are {}", all.join(", "))
        }
    };
    format!("unknown {what} '{name}'; {help}")
}
