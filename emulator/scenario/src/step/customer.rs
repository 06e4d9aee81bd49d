//! `customer:`

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CrashRequest, StepKind, short};
use crate::{
    check::{BackendCheck, Check},
    external,
    places::YamlPath,
    reply::Replies,
    run::{Running, StepError},
    time::Gap,
};
use rehearse_core::matcher::Matcher;
use rehearse_openai::Round;

/// A text of a person to the shop.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The text, which may be empty; null when there are only pictures.
    #[serde(rename = "customer")]
    pub text: Option<String>,
    /// Who sends it: a person of the scenario, `customer` when left out.
    #[serde(default)]
    pub from: Option<String>,
    /// The same text by several people at the same time; only among the steps of `together`. In the text,
    /// `{{ sender }}` is the name of who sends it.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Which of the shop's numbers is texted; the first one when left out.
    #[serde(default)]
    pub to: Option<String>,
    /// URLs of pictures.
    #[serde(default)]
    pub media: Vec<String>,
    /// A wrong signature of the webhook, as a request of somebody else would have.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// The same webhook again.
    #[serde(default)]
    pub duplicate: Option<Duplicate>,
    /// A function ends while the text is answered.
    #[serde(default)]
    pub crash: Option<CrashRequest>,
    /// How the webhook's attempts went, in order.
    #[serde(default)]
    pub deliveries: Option<Vec<Delivery>>,
    /// The model's side of the conversation while this text is answered.
    #[serde(default)]
    pub model: Option<Vec<Round>>,
    /// What must arrive because of this text; anything may arrive if left out.
    #[serde(default, alias = "reply")]
    pub replies: Option<Replies>,
}

impl StepKind for Customer {
    fn title(&self) -> String {
        let who = match &self.repeat {
            Some(repeat) => repeat.from.join(", "),
            None => self.from.as_deref().unwrap_or("customer").to_owned(),
        };
        format!("{who}: {}", short(self.text.as_deref().unwrap_or("(pictures)")))
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        if self.text.is_none() && self.media.is_empty() {
            let message = "a text without pictures needs words; an empty text is written \"\"";
            check.wrong(&at.to("customer"), message);
        }
        for (index, url) in self.media.iter().enumerate() {
            if !url.contains("{{") && !is_picture(url) {
                let message = format!("'{url}' is not a URL such as https://example.com/a.jpg");
                check.wrong(&at.to("media").to(index), message);
            }
        }
        if self.duplicate.is_some_and(|duplicate| duplicate.times < 2) {
            let at = at.to("duplicate").to("times");
            check.wrong(&at, "'times' counts all deliveries, so it is at least 2");
        }
        if let Some(repeat) = &self.repeat {
            let at = at.to("repeat");
            if self.from.is_some() {
                check.wrong(&at, "'from' or 'repeat' says who texts, not both");
            }
            let from = &repeat.from;
            if from.len() < 2 {
                check.wrong(&at.to("from"), "a text is repeated by at least two people");
            }
            if let Some(twice) = (1..from.len()).find(|i| from[..*i].contains(&from[*i])) {
                check.wrong(&at.to("from").to(twice), "this person texts already");
            }
        }
        if self.signature.is_some() && self.model.is_some() {
            check.wrong(&at.to("model"), "a text that nobody signed must not reach the model");
        }
        if let Some(rounds) = &self.model {
            check_rounds(rounds, check, &at.to("model"));
        }
        if let Some(crash) = &self.crash {
            crash.check(check, &at.to("crash"));
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        check.crash(self.crash.as_ref(), at);
        if let Some(from) = &self.from {
            check.person(from, &at.to("from"));
        }
        for (index, from) in self.repeat.iter().flat_map(|repeat| &repeat.from).enumerate() {
            check.person(from, &at.to("repeat").to("from").to(index));
        }
        check.replies(self.replies.as_ref(), at);
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        if self.crash.is_some() {
            return Some((at.to("crash"), external::PROCESS));
        }
        // A gap of zero does not move the clock.
        let gap = self.duplicate?.gap?;
        (!gap.0.is_zero()).then(|| (at.to("duplicate").to("gap"), external::MOVES))
    }

    fn delays(&self) -> bool {
        let rounds = self.model.iter().flatten();
        let slow = |round: &Round| round.fail.as_ref().is_some_and(|fail| fail.delay.is_some());
        rounds.into_iter().any(slow)
            || self.crash.as_ref().is_some_and(|crash| crash.timeout.is_some())
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        label: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.customer(self, label, path).await
    }
}

/// Who sends the same text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// People by name or number, each once.
    pub from: Vec<String>,
}

impl Customer {
    /// Who sends the text: the people of `repeat`, or the one of `from`, as `None`.
    pub(crate) fn senders(&self) -> Vec<Option<&str>> {
        match &self.repeat {
            Some(repeat) => repeat.from.iter().map(|from| Some(from.as_str())).collect(),
            None => vec![None],
        }
    }
}

/// Whether Twilio could fetch a picture there, or it is the name of one that the fake serves.
fn is_picture(text: &str) -> bool {
    let is_name = text.contains('.') && !text.contains(['/', ':', ' ']);
    is_name
        || url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Reports what is wrong with the rounds at a path.
pub(crate) fn check_rounds(rounds: &[Round], check: &mut Check<'_>, at: &YamlPath) {
    if rounds.is_empty() {
        check.wrong(
            at,
            "a script needs at least one round; without 'model' the model must not be asked",
        );
    }
    for (index, pair) in rounds.windows(2).enumerate() {
        if is_final(&pair[0]) {
            check.wrong(
                &at.to(index + 1),
                "no request can reach this round: the one before it ends the turn",
            );
        }
    }
}

/// Whether no request can follow a round in the same turn.
fn is_final(round: &Round) -> bool {
    round.say.is_some()
        && round.call.is_empty()
        && round.raw_call.is_empty()
        && round.fail.is_none()
}

/// What is wrong with a webhook's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// There is none.
    Missing,
    /// It was made with another token.
    Wrong,
    /// It belongs to another body.
    OtherBody,
}

/// The same webhook, with the same MessageSid, more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Deliveries in all, at least 2.
    pub times: u32,
    /// Business time between an answer and the next delivery; it passes at once. `0s` delivers all
    /// at the same time. If left out, each delivery waits for the answer to the one before.
    #[serde(default)]
    pub gap: Option<Gap>,
}

/// How one attempt of a webhook went.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The HTTP status; `{ absent: true }` when no answer came.
    #[serde(default)]
    pub answer: Option<Matcher>,
    /// Twilio's error code, such as `11200`; `{ absent: true }` when there was none.
    #[serde(default)]
    pub error: Option<Matcher>,
}
