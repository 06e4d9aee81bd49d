//! Texts that were sent, as replies.

use serde_json::{Value, json};

use super::{cast::Cast, tokens::Tokens, words::Words};
use rehearse_core::journal::{Exchange, ExchangeDetail, Via};

/// Longest text that stands in the file as it is, in characters.
const LONGEST: usize = 160;
/// Longest part of a text that stands in the file, in characters.
const LONGEST_PART: usize = 100;

/// A text that Twilio took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'e> {
    pub(super) to: &'e str,
    pub(super) body: &'e str,
    via: Via,
}

/// The text of an exchange, unless Twilio refused it.
pub(super) fn sent(exchange: &Exchange) -> Option<Sent<'_>> {
    if exchange.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some()) {
        return None;
    }
    let ExchangeDetail::SmsSent { to, body, via, .. } = &exchange.detail else { return None };
    Some(Sent { to, body, via: *via })
}

/// What writes replies.
#[derive(Clone, Copy)]
pub(super) struct Replies<'a> {
    pub(super) cast: &'a Cast,
    pub(super) words: &'a Words,
    pub(super) tokens: &'a Tokens,
}

impl Replies<'_> {
    /// The texts that came of a text of a person; of several, or of nobody's, with `person` left out.
    pub(super) fn of(&self, texts: &[Sent<'_>], person: Option<&str>) -> Value {
        let entries: Vec<Value> = texts.iter().map(|text| self.entry(text, person)).collect();
        // Only what one call sends is sent in an order that does not depend on chance.
        let is_ordered =
            texts.windows(2).all(|pair| pair[0].to == pair[1].to && pair[0].via == pair[1].via);
        match entries.as_slice() {
            [] => "none".into(),
            [one] if person.is_some() => one.clone(),
            _ if is_ordered && person.is_some() => entries.into(),
            _ => json!({ "exactly": entries }),
        }
    }

    fn entry(&self, text: &Sent<'_>, person: Option<&str>) -> Value {
        let to = (person != Some(text.to)).then(|| {
            self.cast.name(text.to).map_or_else(|| self.words.text(text.to), str::to_owned)
        });
        let matcher = self.matcher(text.body);
        match (to, matcher) {
            // Silence is written so.
            (None, Value::String(text)) if text == "none" => json!({ "equals": text }),
            (None, matcher) => matcher,
            (Some(to), Value::String(text)) => json!({ "to": to, "equals": text }),
            (Some(to), mut matcher) => {
                let mut entry = json!({ "to": to });
                if let (Some(entry), Some(matcher)) =
                    (entry.as_object_mut(), matcher.as_object_mut())
                {
                    entry.append(matcher);
                }
                entry
            }
        }
    }

    /// The whole text, or the parts of it that are the same in every run.
    fn matcher(&self, body: &str) -> Value {
        let unknown = self.tokens.unknown(body);
        if unknown.is_empty() && body.chars().count() <= LONGEST {
            return self.words.text(body).into();
        }
        let mut parts = Vec::new();
        let mut from = 0;
        for range in unknown.into_iter().chain(std::iter::once(body.len()..body.len())) {
            let piece = body.get(from..range.start).unwrap_or_default();
            parts.extend(piece.lines().map(part).filter(|part| !part.is_empty()));
            from = range.end.max(from);
        }
        if parts.is_empty() {
            return json!({ "any": "string" });
        }
        let parts: Vec<Value> =
            parts.into_iter().map(|part| self.words.text(part).into()).collect();
        json!({ "contains": parts })
    }
}

/// A line, cut between two words if it is long.
fn part(line: &str) -> &str {
    let line = line.trim();
    let Some((end, _)) = line.char_indices().nth(LONGEST_PART) else { return line };
    let cut = line[..end].rfind(char::is_whitespace).unwrap_or(end);
    line[..cut].trim_end()
}
