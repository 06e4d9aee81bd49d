//! Compares the texts that arrived with the expected ones.

use std::time::Duration;

use serde_json::Value;

use super::{assign::assign, people::People, placed::PlacedProblem};
use crate::{
    outcome::Problem,
    places::YamlPath,
    reply::{Replies, Reply, via_name},
    time::Delay,
};
use rehearse_core::{
    journal::{Exchange, ExchangeDetail, Via},
    matcher::{Mismatch, RenderError, Vars},
};

/// The path of a mismatch that is about time.
const WITHIN: &str = "within";

/// A text that was sent to a person and not refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SentText {
    pub(super) to: String,
    pub(super) body: String,
    pub(super) segments: u32,
    pub(super) encoding: String,
    pub(super) via: Via,
    pub(super) in_reply_to: Option<String>,
    /// Real time from the start of the world until it was sent.
    pub(super) at: Duration,
    /// How long after the beginning of the step it was sent; `None` where that is not looked at.
    pub(super) after: Option<Duration>,
}

impl SentText {
    /// The texts among some exchanges, in the order in which they were sent.
    pub(super) fn all(exchanges: &[Exchange]) -> Vec<Self> {
        exchanges.iter().filter_map(Self::of).collect()
    }

    fn of(exchange: &Exchange) -> Option<Self> {
        // A refused text is in the journal too, with the refusal as its outcome.
        if exchange.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some()) {
            return None;
        }
        let ExchangeDetail::SmsSent { to, body, segments, encoding, via, in_reply_to, .. } =
            &exchange.detail
        else {
            return None;
        };
        Some(Self {
            to: to.clone(),
            body: body.clone(),
            segments: *segments,
            encoding: encoding.clone(),
            via: *via,
            in_reply_to: in_reply_to.clone(),
            at: Duration::from_micros(exchange.started_us),
            after: None,
        })
    }

    /// With how long after the beginning of a step it was sent.
    pub(super) fn since(self, began: Duration) -> Self {
        Self { after: Some(self.at.saturating_sub(began)), ..self }
    }

    /// Where and how this text is not what an entry asks for.
    fn mismatches(&self, wanted: &Reply, people: &People) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let mut same = |path: &str, expected: &str, actual: &str| {
            if expected != actual {
                found.push(Mismatch {
                    path: path.into(),
                    expected: expected.into(),
                    actual: actual.into(),
                });
            }
        };
        if let Some(to) = &wanted.to {
            same("to", &people.name(&people.number(to)), &people.name(&self.to));
        }
        if let Some(via) = wanted.via {
            same("via", via_name(via), via_name(self.via));
        }
        if let Some(segments) = wanted.segments {
            same("segments", &segments.to_string(), &self.segments.to_string());
        }
        if let Some(encoding) = &wanted.encoding {
            same("encoding", encoding, &self.encoding);
        }
        if let (Some(Delay(within)), Some(after)) = (wanted.within, self.after)
            && after > within
        {
            let late = seconds(after.saturating_sub(within));
            let actual = format!("after {}, {late} too late", seconds(after));
            found.push(Mismatch {
                path: WITHIN.into(),
                expected: format!("within {within:?}"),
                actual,
            });
        }
        let body = Value::String(self.body.clone());
        found.extend(wanted.text.iter().flat_map(|matcher| matcher.check(&body)));
        found
    }

    fn show(&self, people: &People) -> String {
        format!("to {}: {}", people.name(&self.to), self.body)
    }
}

impl Reply {
    /// The entry with its templates filled in, and `to` a number or a name.
    pub(super) fn render(&self, vars: &Vars) -> Result<Self, RenderError> {
        Ok(Self {
            to: self.to.as_deref().map(|to| vars.text(to)).transpose()?,
            text: self.text.iter().map(|m| m.render(vars)).collect::<Result<_, _>>()?,
            ..self.clone()
        })
    }
}

impl Replies {
    /// The entries with the people that they name filled in, as far as that can be done already.
    pub(super) fn with_people(&self, vars: &Vars) -> Self {
        let named = |reply: &Reply| {
            let to = reply.to.as_deref();
            Reply { to: to.map(|to| vars.text(to).unwrap_or_else(|_| to.into())), ..reply.clone() }
        };
        match self {
            Self::None => Self::None,
            Self::Ordered(list) => Self::Ordered(list.iter().map(named).collect()),
            Self::Exactly(list) => Self::Exactly(list.iter().map(named).collect()),
        }
    }

    pub(super) fn render(&self, vars: &Vars) -> Result<Self, RenderError> {
        let all = |list: &[Reply]| list.iter().map(|r| r.render(vars)).collect::<Result<_, _>>();
        Ok(match self {
            Self::None => Self::None,
            Self::Ordered(list) => Self::Ordered(all(list)?),
            Self::Exactly(list) => Self::Exactly(all(list)?),
        })
    }
}

/// Whose texts are compared.
#[derive(Clone, Copy)]
pub(super) enum Recipients<'n> {
    /// Texts to these numbers, and to the people that entries name.
    Numbers(&'n [String]),
    /// All texts.
    Everybody,
}

/// What is wrong with the texts that arrived. Templates must be filled in before.
pub(super) fn check(
    wanted: &Replies,
    texts: &[SentText],
    of: Recipients<'_>,
    people: &People,
) -> Vec<PlacedProblem> {
    let entries: Vec<Reply> =
        wanted.entries().iter().map(|reply| addressed(reply, of, people)).collect();
    let seen: Vec<&SentText> =
        texts.iter().filter(|text| is_seen(text, &entries, of, people)).collect();
    let whom = match of {
        Recipients::Numbers([number]) => people.name(number),
        Recipients::Numbers(_) | Recipients::Everybody => "anybody".into(),
    };
    match wanted {
        Replies::None if seen.is_empty() => Vec::new(),
        Replies::None => {
            let summary = format!("silence was expected, but {} arrived", so_many(seen.len()));
            let problem = Problem::new(summary).differs("no text", listed(&seen, people));
            vec![PlacedProblem { below: YamlPath::new(), problem }]
        }
        Replies::Ordered(_) if seen.is_empty() => vec![nothing(&entries, &whom)],
        Replies::Ordered(_) => ordered(&entries, &seen, people),
        Replies::Exactly(_) => any_order(&entries, &seen, people),
    }
}

/// Whether as many texts have arrived as are expected: more of them would not help.
pub(super) fn all_arrived(
    wanted: &Replies,
    texts: &[SentText],
    of: Recipients<'_>,
    people: &People,
) -> bool {
    let entries: Vec<Reply> =
        wanted.entries().iter().map(|reply| addressed(reply, of, people)).collect();
    texts.iter().filter(|text| is_seen(text, &entries, of, people)).count() >= entries.len()
}

/// Whether a text is one that a list is about.
fn is_seen(text: &SentText, entries: &[Reply], of: Recipients<'_>, people: &People) -> bool {
    match of {
        Recipients::Everybody => true,
        Recipients::Numbers(numbers) => {
            let mut named = entries.iter().filter_map(|entry| entry.to.as_deref());
            numbers.contains(&text.to) || named.any(|to| people.number(to) == text.to)
        }
    }
}

/// A time in seconds, `1.2s`.
fn seconds(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}

/// An entry without `to` is about the step's person, if there is one.
fn addressed(reply: &Reply, of: Recipients<'_>, people: &People) -> Reply {
    let to = match (&reply.to, of) {
        (None, Recipients::Numbers([number])) => Some(people.name(number)),
        (to, _) => to.clone(),
    };
    Reply { to, ..reply.clone() }
}

fn nothing(entries: &[Reply], whom: &str) -> PlacedProblem {
    let wanted: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let problem =
        Problem::new(format!("no text arrived for {whom}")).differs(wanted.join("\n"), "no text");
    PlacedProblem { below: YamlPath::new(), problem }
}

fn ordered(entries: &[Reply], seen: &[&SentText], people: &People) -> Vec<PlacedProblem> {
    let mut found: Vec<PlacedProblem> = entries
        .iter()
        .zip(seen)
        .enumerate()
        .filter_map(|(at, (entry, text))| {
            let mismatches = text.mismatches(entry, people);
            (!mismatches.is_empty()).then(|| {
                let problem = differing(entry, text, mismatches, people);
                PlacedProblem { below: YamlPath::new().to(at), problem }
            })
        })
        .collect();
    if entries.len() != seen.len() {
        let summary = format!("{} arrived instead of {}", so_many(seen.len()), entries.len());
        let below = if seen.len() < entries.len() {
            YamlPath::new().to(seen.len())
        } else {
            YamlPath::new()
        };
        let wanted: Vec<String> = entries.iter().map(ToString::to_string).collect();
        let problem = Problem::new(summary).differs(wanted.join("\n"), listed(seen, people));
        found.push(PlacedProblem { below, problem });
    }
    found
}

fn any_order(entries: &[Reply], seen: &[&SentText], people: &People) -> Vec<PlacedProblem> {
    let fits = |want: usize, text: usize| seen[text].mismatches(&entries[want], people).is_empty();
    let pairs = assign(entries.len(), seen.len(), fits);
    let mut spare: Vec<usize> = (0..seen.len()).filter(|t| !pairs.contains(&Some(*t))).collect();
    let mut found = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(at, _)| pairs[*at].is_none()) {
        let nearest = spare
            .iter()
            .map(|text| (*text, seen[*text].mismatches(entry, people)))
            .min_by_key(|(_, mismatches)| mismatches.len());
        let problem = match nearest {
            Some((text, mismatches)) => {
                spare.retain(|other| *other != text);
                differing(entry, seen[text], mismatches, people)
            }
            None => Problem::new("a text did not arrive")
                .differs(entry.to_string(), listed(seen, people)),
        };
        found.push(PlacedProblem { below: YamlPath::new().to("exactly").to(at), problem });
    }
    for text in spare {
        let problem = Problem::new("a text arrived that is not expected")
            .differs("no such text", seen[text].show(people));
        found.push(PlacedProblem { below: YamlPath::new().to("exactly"), problem });
    }
    found
}

fn differing(
    entry: &Reply,
    text: &SentText,
    mismatches: Vec<Mismatch>,
    people: &People,
) -> Problem {
    let whom = people.name(&text.to);
    if let [Mismatch { path, expected, actual }] = mismatches.as_slice()
        && path == WITHIN
    {
        return Problem::new(format!("the text to {whom} came too late"))
            .differs(expected.clone(), format!("{actual}: {}", text.body));
    }
    let literal = match entry.text.as_slice() {
        [rehearse_core::matcher::Matcher::Literal(Value::String(literal))] => Some(literal.clone()),
        _ => None,
    };
    let expected = literal.unwrap_or_else(|| Reply { to: None, ..entry.clone() }.to_string());
    Problem {
        mismatches,
        ..Problem::new(format!("the text to {whom} is not what was expected"))
            .differs(expected, text.body.clone())
    }
}

fn listed(texts: &[&SentText], people: &People) -> String {
    if texts.is_empty() {
        return "no text".into();
    }
    texts.iter().map(|text| text.show(people)).collect::<Vec<_>>().join("\n")
}

fn so_many(count: usize) -> String {
    if count == 1 { "1 text".into() } else { format!("{count} texts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "+15550100001";
    const BOB: &str = "+15550100002";

    fn people() -> People {
        People::new([("ann".into(), ANN.into()), ("bob".into(), BOB.into())])
    }

    fn text(to: &str, body: &str) -> SentText {
        SentText {
            to: to.into(),
            body: body.into(),
            segments: 1,
            encoding: "GSM-7".into(),
            via: Via::Twiml,
            in_reply_to: None,
            at: Duration::ZERO,
            after: None,
        }
    }

    fn wrong(yaml: &str, texts: &[SentText], of: Recipients<'_>) -> Vec<String> {
        let wanted: Replies = serde_saphyr::from_str(yaml).unwrap();
        check(&wanted, texts, of, &people()).into_iter().map(|f| f.problem.summary).collect()
    }

    #[test]
    fn a_step_looks_at_its_own_person_and_at_whom_it_names() {
        let texts = [text(ANN, "Hi"), text(BOB, "Alert!")];
        let ann = [ANN.to_owned()];
        let ann = Recipients::Numbers(&ann);
        assert!(wrong("Hi", &texts, ann).is_empty());
        assert!(wrong("[Hi, { to: bob, contains: Alert }]", &texts, ann).is_empty());
        assert_eq!(
            wrong("[{ to: bob, contains: Alert }, Hi]", &texts, ann),
            [
                "the text to ann is not what was expected",
                "the text to bob is not what was expected"
            ]
        );
        assert!(wrong("{ exactly: [{ to: bob, contains: Alert }, Hi] }", &texts, ann).is_empty());
        assert!(wrong("none", &texts[1..], ann).is_empty());
        assert_eq!(wrong("none", &texts, ann), ["silence was expected, but 1 text arrived"]);
        assert_eq!(wrong("Hi", &texts[1..], ann), ["no text arrived for ann"]);
    }

    #[test]
    fn one_too_many_and_one_too_few_are_told() {
        let texts = [text(ANN, "a"), text(ANN, "b")];
        let ann = [ANN.to_owned()];
        let ann = Recipients::Numbers(&ann);
        assert_eq!(wrong("a", &texts, ann), ["2 texts arrived instead of 1"]);
        assert_eq!(wrong("[a, b, c]", &texts, ann), ["2 texts arrived instead of 3"]);
        assert_eq!(wrong("{ exactly: [b] }", &texts, ann), ["a text arrived that is not expected"]);
        assert_eq!(wrong("{ exactly: [b, a, c] }", &texts, ann), ["a text did not arrive"]);
    }

    #[test]
    fn how_a_text_was_sent_is_checked() {
        let texts = [text(ANN, "a")];
        let ann = [ANN.to_owned()];
        let ann = Recipients::Numbers(&ann);
        assert!(wrong("{ via: twiml, segments: 1, encoding: GSM-7 }", &texts, ann).is_empty());
        for entry in ["{ via: rest }", "{ segments: 2 }", "{ encoding: UCS-2 }", "{ excludes: a }"]
        {
            assert_eq!(wrong(entry, &texts, ann).len(), 1, "{entry}");
        }
    }

    #[test]
    fn a_text_that_comes_too_late_is_told_with_how_late() {
        let after = |seconds| {
            vec![SentText { after: Some(Duration::from_millis(seconds)), ..text(ANN, "a") }]
        };
        let ann = [ANN.to_owned()];
        let ann = Recipients::Numbers(&ann);
        let entry = "{ within: 5s, equals: a }";
        assert!(wrong(entry, &after(4_900), ann).is_empty());
        assert_eq!(wrong(entry, &after(6_200), ann), ["the text to ann came too late"]);
        let wanted: Replies = serde_saphyr::from_str(entry).unwrap();
        let found = check(&wanted, &after(6_200), ann, &people());
        let came = found[0].problem.actual.as_deref();
        assert_eq!(came, Some("after 6.2s, 1.2s too late: a"));
        assert!(all_arrived(&wanted, &after(1), ann, &people()));
        assert!(!all_arrived(&wanted, &[text(BOB, "a")], ann, &people()));
    }

    #[test]
    fn everybodys_texts_are_looked_at_when_asked() {
        let texts = [text(ANN, "a"), text(BOB, "b")];
        assert!(wrong("[a, { to: bob, equals: b }]", &texts, Recipients::Everybody).is_empty());
        assert_eq!(wrong("[a]", &texts, Recipients::Everybody), ["2 texts arrived instead of 1"]);
    }
}
