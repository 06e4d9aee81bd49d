//! Rounds that are held until somebody answers them by hand. Elapsed time stands still meanwhile.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{
    conversation::{Conversation, ToolChoice},
    registry::{ScriptedReply, answer_alone},
    render::ReplyError,
    script::{Round, Script, TextMatch, Trigger},
};
use rehearse_core::{
    elapsed::{ElapsedTime, Standstill},
    matcher::Vars,
};

/// How many rounds that have ended are remembered.
const ENDED_KEPT: usize = 16;

/// The rounds that are held, and which ones are to be held. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Holding(Arc<Mutex<State>>);

/// Which requests to the model are held: those that all of it is true of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldRule {
    /// The user's last text, or a part of it; `None` is any.
    pub text: Option<String>,
    /// Number of the person whose text caused the request; `None` is anybody. A request whose person is
    /// not known is not held for a person.
    pub from: Option<String>,
}

/// A request to the model that waits for an answer by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldRound {
    /// Counts from 1; never used again.
    pub id: u64,
    /// Position of its exchange in the journal.
    pub exchange: u64,
    /// `openai.responses` or `openai.chat`.
    pub operation: &'static str,
    /// Number of the person whose text caused it, when that is known.
    pub from: Option<String>,
    /// The user's last text.
    pub text: String,
    /// System and developer messages included.
    pub instructions: String,
    /// Texts of the user (true) and of the model, in order.
    pub messages: Vec<(bool, String)>,
    /// Calls since the user's last text, each as `name(arguments)`, and its result once there is one.
    pub calls: Vec<(String, Value)>,
    /// The tools that the model may call.
    pub tools: Vec<OfferedTool>,
    /// Whether the model must call one.
    pub must_call: bool,
    /// Whether the model may call one only.
    pub single_call: bool,
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedTool {
    /// Its name.
    pub name: String,
    /// Whether its arguments must match its schema.
    pub strict: bool,
    /// JSON Schema of its arguments.
    pub parameters: Option<Value>,
}

/// A held round that is no longer held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRound {
    /// Its id.
    pub id: u64,
    /// Position of its exchange in the journal.
    pub exchange: u64,
    /// The user's last text.
    pub text: String,
    /// How it ended.
    pub how: HoldEnd,
}

/// How a held round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// Somebody answered it.
    Answered,
    /// It went to its script or to the persona.
    Released,
    /// The client closed the connection.
    HungUp,
}

/// Why a held round was not answered or released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// No round of this id is held; how it ended, if that is remembered.
    #[error("no round {id} is held")]
    NotHeld {
        /// The id.
        id: u64,
        /// How its round ended.
        ended: Option<HoldEnd>,
    },
    /// No model could give this answer to this request. The round is still held.
    #[error("{reason}")]
    Impossible {
        /// In one line.
        reason: String,
        /// What else helps to understand it, a line each.
        details: Vec<String>,
    },
}

#[derive(Debug, Default)]
struct State {
    rule: Option<HoldRule>,
    last: u64,
    held: BTreeMap<u64, Held>,
    ended: VecDeque<EndedRound>,
}

#[derive(Debug)]
struct Held {
    round: HeldRound,
    orders: mpsc::UnboundedSender<Order>,
    /// Here and not with whoever waits, so that time stands still exactly while a round is in the list.
    _still: Standstill,
}

#[derive(Debug)]
enum Order {
    Answer(Box<Script>, oneshot::Sender<Result<(), ReplyError>>),
    Release,
}

/// A round in the list. Dropping it before it ended says that the client hung up.
struct Registered<'h>(&'h Holding, u64);

impl Holding {
    /// Holds every request from now on that the rule is true of.
    pub fn begin(&self, rule: HoldRule) {
        self.lock().rule = Some(rule);
    }

    /// Holds no more requests. Those that are held stay so.
    pub fn end(&self) {
        self.lock().rule = None;
    }

    /// Which requests are held; `None` when none are.
    pub fn rule(&self) -> Option<HoldRule> {
        self.lock().rule.clone()
    }

    /// The rounds that are held, in the order in which they came.
    pub fn held(&self) -> Vec<HeldRound> {
        self.lock().held.values().map(|held| held.round.clone()).collect()
    }

    /// The last rounds that are no longer held, the latest last.
    pub fn ended(&self) -> Vec<EndedRound> {
        self.lock().ended.iter().cloned().collect()
    }

    /// Answers a held round as a script's round would, with the same checks. `vars` are the names that
    /// its templates use.
    ///
    /// # Errors
    /// Every [`HandError`].
    pub async fn answer(&self, id: u64, round: Round, vars: Vars) -> Result<(), HandError> {
        // The ids of a response derive from the name.
        let name = format!("by hand, answer {id}");
        let script =
            Script { name, person: None, trigger: Trigger::AnyText, rounds: vec![round], vars };
        let (told, answer) = oneshot::channel();
        {
            let state = self.lock();
            let Some(held) = state.held.get(&id) else { return Err(state.not_held(id)) };
            if held.orders.send(Order::Answer(Box::new(script), told)).is_err() {
                return Err(state.not_held(id));
            }
        }
        match answer.await {
            Ok(result) => result.map_err(|error| match error {
                ReplyError::Impossible { reason, details } => {
                    HandError::Impossible { reason, details }
                }
                error => HandError::Impossible { reason: error.to_string(), details: Vec::new() },
            }),
            // It ended meanwhile.
            Err(_) => Err(self.lock().not_held(id)),
        }
    }

    /// Lets a held round go on to its script, or to the persona.
    ///
    /// # Errors
    /// [`HandError::NotHeld`].
    pub fn release(&self, id: u64) -> Result<(), HandError> {
        let mut state = self.lock();
        match state.finish(id, HoldEnd::Released) {
            Some(held) => {
                // Nobody hears it who has hung up at this very moment.
                let _ = held.orders.send(Order::Release);
                Ok(())
            }
            None => Err(state.not_held(id)),
        }
    }

    /// Holds nothing more, and lets everything go that is held. Returns whether anything was.
    pub fn reset(&self) -> bool {
        let mut state = self.lock();
        let last = state.last;
        let before = std::mem::replace(&mut *state, State { last, ..State::default() });
        !before.held.is_empty()
    }

    pub(super) fn is_on(&self) -> bool {
        self.lock().rule.is_some()
    }

    /// Waits for an answer by hand, if the rule is true of the request; `None` when somebody else is to
    /// answer it.
    pub(super) async fn hold(
        &self,
        time: &ElapsedTime,
        exchange: u64,
        from: Option<String>,
        conversation: &Conversation<'_>,
    ) -> Option<ScriptedReply> {
        let (id, mut orders) = {
            let mut state = self.lock();
            if !state.rule.as_ref()?.is_true_of(conversation.text(), from.as_deref()) {
                return None;
            }
            state.last += 1;
            let (id, (sender, orders)) = (state.last, mpsc::unbounded_channel());
            let round = HeldRound::of(id, exchange, from, conversation);
            let _still = time.stand_still();
            state.held.insert(id, Held { round, orders: sender, _still });
            (id, orders)
        };
        let _registered = Registered(self, id);
        // It has no limit and outlives the page that asked for it: the log says what waits here. Without
        // the text and the number, which are a customer's.
        tracing::warn!(
            round = id,
            exchange,
            "a round of the model is held until it is answered: POST /model/held/{id}/answer or /release"
        );
        while let Some(Order::Answer(script, told)) = orders.recv().await {
            match answer_alone(&script, conversation) {
                Ok(reply) => {
                    let ended = self.lock().finish(id, HoldEnd::Answered);
                    // Somebody released it meanwhile: `told` is dropped, so whoever answered hears that.
                    ended?;
                    let _ = told.send(Ok(()));
                    return Some(reply);
                }
                Err(error) => {
                    let _ = told.send(Err(error));
                }
            }
        }
        None
    }

    /// The state is consistent after every statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn finish(&mut self, id: u64, how: HoldEnd) -> Option<Held> {
        let held = self.held.remove(&id)?;
        let HeldRound { exchange, text, .. } = &held.round;
        self.ended.push_back(EndedRound { id, exchange: *exchange, text: text.clone(), how });
        if self.ended.len() > ENDED_KEPT {
            self.ended.pop_front();
        }
        Some(held)
    }

    fn not_held(&self, id: u64) -> HandError {
        let ended = self.ended.iter().find(|ended| ended.id == id).map(|ended| ended.how);
        HandError::NotHeld { id, ended }
    }
}

impl HoldRule {
    fn is_true_of(&self, text: &str, from: Option<&str>) -> bool {
        let by_text = self.text.as_ref().is_none_or(|wanted| {
            let trigger = Trigger::Text { text: wanted.clone(), media: 0 };
            trigger.compare(text) >= TextMatch::Contained
        });
        by_text && self.from.as_deref().is_none_or(|wanted| from == Some(wanted))
    }
}

impl HeldRound {
    fn of(id: u64, exchange: u64, from: Option<String>, asked: &Conversation<'_>) -> Self {
        let may_call = |name: &str| match &asked.choice {
            ToolChoice::Auto | ToolChoice::Required => true,
            ToolChoice::None => false,
            ToolChoice::Named(only) => *only == name,
            ToolChoice::Allowed { names, .. } => names.contains(&name),
        };
        let tools = asked.tools.iter().filter(|tool| may_call(tool.name));
        let must_call = matches!(
            asked.choice,
            ToolChoice::Required
                | ToolChoice::Named(_)
                | ToolChoice::Allowed { required: true, .. }
        );
        let called = |call: &super::conversation::ToolCall<'_>| {
            (format!("{}({})", call.name, call.arguments), call.output())
        };
        Self {
            id,
            exchange,
            operation: asked.operation,
            from,
            text: asked.text().to_owned(),
            instructions: asked.instructions.to_string(),
            messages: asked.messages.iter().map(|m| (m.user, m.text.to_string())).collect(),
            calls: asked.calls.iter().map(called).collect(),
            tools: tools
                .map(|tool| OfferedTool {
                    name: tool.name.to_owned(),
                    strict: tool.strict,
                    parameters: tool.parameters.cloned(),
                })
                .collect(),
            must_call,
            single_call: asked.single_call,
        }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // What has ended is no longer in the list.
        self.0.lock().finish(self.1, HoldEnd::HungUp);
    }
}
