//! A fluent way to write scripts in Rust.

use serde_json::Value;

use super::{
    registry::ScriptRegistry,
    script::{Call, RequestExpectation, Round, RoundFailure, Script, Trigger},
};
use rehearse_core::matcher::Vars;

/// Builds a script round by round and mounts it on a server.
///
/// A script answers one turn: the requests that follow one text of the user, until the model's text.
/// [`call`](Self::call), [`calls`](Self::calls), [`say`](Self::say), [`fail`](Self::fail) and
/// [`round`](Self::round) each add a round, which responds to one request. A round with calls is
/// followed by the next one once the request contains the results of these calls.
///
/// # Which script
/// The last user text of a request must contain the script's text. A script whose text is equal
/// takes precedence over one whose text is only contained, and that one over a script for any text.
/// If different scripts match equally well, the request is refused as ambiguous.
///
/// # Which round
/// The position comes from the conversation in the request, never from a counter: the number of
/// tool results after the last user text. So a repeated request gets the same answer again, as
/// often as it is sent, and the same turn may be played any number of times. Only failures are
/// counted; see [`fail`](Self::fail).
///
/// # Templates
/// Texts and arguments may contain templates such as `{{ day(1) }}`, the date of tomorrow. `{{` is
/// never taken literally.
///
/// A request that fits no script, or no round of its script, gets an error of status 400 whose code
/// is `rehearse` and whose message says why. It is recorded for
/// [`verify`](crate::ScriptRegistry::verify).
#[must_use = "a script does nothing before `mount` is called"]
#[derive(Debug)]
pub struct ScriptBuilder {
    registry: ScriptRegistry,
    trigger: Trigger,
    vars: Vars,
    rounds: Vec<Round>,
    /// For the next round.
    expectation: Option<RequestExpectation>,
}

impl ScriptBuilder {
    /// Begins a script for any text of the user.
    pub fn new(registry: &ScriptRegistry) -> Self {
        Self {
            registry: registry.clone(),
            trigger: Trigger::AnyText,
            vars: registry.vars().clone(),
            rounds: Vec::new(),
            expectation: None,
        }
    }

    /// The user text that the script is for. White space at both ends does not count.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.trigger = Trigger::Text { text: text.into(), media: 0 };
        self
    }

    /// The variables of templates, instead of the registry's own.
    pub fn vars(mut self, vars: Vars) -> Self {
        self.vars = vars;
        self
    }

    /// What the request must contain for the round that is added next, as the YAML key `sees`:
    /// a map with `instructions`, `tools`, `input`, `history`, `results` and `model`, whose values
    /// are matchers.
    ///
    /// # Panics
    /// `expectation` is not such a map.
    #[track_caller]
    pub fn sees(mut self, expectation: Value) -> Self {
        match serde_json::from_value(expectation) {
            Ok(expectation) => self.expectation = Some(expectation),
            Err(error) => misuse(&format!("invalid expectation: {error}")),
        }
        self
    }

    /// Tools that the request must offer for the round that is added next; it may offer more.
    pub fn expect_tools<T: Into<String>>(mut self, tools: impl IntoIterator<Item = T>) -> Self {
        let expectation = self.expectation.get_or_insert_default();
        expectation.tools.extend(tools.into_iter().map(Into::into));
        self
    }

    /// A round in which the model calls one tool. The request must offer the tool, and the arguments
    /// must match its schema if it is strict.
    ///
    /// # Panics
    /// `arguments` is not an object.
    #[track_caller]
    pub fn call(self, tool: &str, arguments: Value) -> Self {
        self.calls([(tool, arguments)])
    }

    /// A round in which the model calls several tools at once.
    ///
    /// # Panics
    /// The arguments of a call are not an object.
    #[track_caller]
    pub fn calls<'t>(self, calls: impl IntoIterator<Item = (&'t str, Value)>) -> Self {
        let mut list = Vec::new();
        for (name, arguments) in calls {
            let Value::Object(arguments) = arguments else {
                misuse(&format!("the arguments of '{name}' must be an object, not {arguments}"));
            };
            list.push(Call { name: name.into(), arguments });
        }
        self.round(Round { call: list, ..Round::default() })
    }

    /// A round in which the model answers with a text.
    pub fn say(self, text: impl Into<String>) -> Self {
        self.round(Round { say: Some(text.into()), ..Round::default() })
    }

    /// A request that fails with this HTTP status and the provider's error body for it. It happens
    /// once if a round follows, else on every request; [`times`](Self::times) changes that.
    pub fn fail(self, status: u16) -> Self {
        let fail = RoundFailure { status: Some(status), ..RoundFailure::default() };
        self.round(Round { fail: Some(fail), ..Round::default() })
    }

    /// How many requests the failure before fails.
    ///
    /// # Panics
    /// The round before is not a failure, or `times` is 0.
    #[track_caller]
    pub fn times(mut self, times: u32) -> Self {
        match self.rounds.last_mut().and_then(|round| round.fail.as_mut()) {
            Some(fail) if times > 0 => fail.times = Some(times),
            Some(_) => misuse("a failure happens at least once"),
            None => misuse(
                "`times` must follow a failure; other rounds respond to any number of requests",
            ),
        }
        self
    }

    /// A round of any other kind, such as a refusal or a cut connection. An expectation of
    /// [`sees`](Self::sees) or [`expect_tools`](Self::expect_tools) replaces the round's own.
    pub fn round(mut self, mut round: Round) -> Self {
        if let Some(expectation) = self.expectation.take() {
            round.expectation = Some(expectation);
        }
        self.rounds.push(round);
        self
    }

    /// Mounts the script. It stays until the registry is verified or reset.
    ///
    /// # Panics
    /// The script has no round, or an expectation is not followed by a round.
    #[track_caller]
    pub fn mount(self) {
        if self.rounds.is_empty() {
            misuse("a script needs at least one round");
        }
        if self.expectation.is_some() {
            misuse("an expectation must be followed by the round that responds");
        }
        let name = match &self.trigger {
            Trigger::Text { text, .. } => format!("when({text:?})"),
            Trigger::AnyText => "when_any()".into(),
        };
        let Self { registry, trigger, vars, rounds, .. } = self;
        registry.mount(Script { name, person: None, trigger, rounds, vars });
    }
}

/// Reports a mistake in the code of a test.
#[track_caller]
#[expect(clippy::panic, reason = "the test that builds the script is wrong and must fail there")]
fn misuse(message: &str) -> ! {
    panic!("{message}")
}
