//! How fast a customer writes: when answers stop, so that neither a machine nor a prankster costs
//! the shop what it earns.

use jiff::{SignedDuration, Timestamp};

use super::{
    text::{FALLBACK_REPLY, NO_PROMISE_REPLY, folded_lowercase},
    turn::{ConversationMemory, MemoryTurn},
};

/// How much one customer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnLimits {
    /// Within an hour.
    pub hour: WindowLimits,
    /// Within a day.
    pub day: WindowLimits,
}

/// How much one customer may cost within a time. Whoever has reached one of these is answered again
/// when the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// Turns that are answered.
    pub turns: usize,
    /// Requests to the model.
    pub model_calls: usize,
    /// Segments of the answers.
    pub segments: usize,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            hour: WindowLimits { turns: 40, model_calls: 120, segments: 2000 },
            day: WindowLimits { turns: 150, model_calls: 400, segments: 4000 },
        }
    }
}

/// What a turn has cost beside being one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnCost {
    /// Requests to the model, of every attempt that stored its rounds.
    pub model_calls: usize,
    /// Segments of the answer.
    pub segments: usize,
}

/// What a customer has cost since the first turn of an hour or a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaceWindow {
    /// Business time of the first turn, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// Turns that were answered.
    pub turns: usize,
    /// Requests to the model.
    pub model_calls: usize,
    /// Segments of the answers.
    pub segments: usize,
    /// The customer was told that there will be no more answers.
    pub told: bool,
}

/// What a customer has cost in the last hour and day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Of an hour.
    pub hour: PaceWindow,
    /// Of a day.
    pub day: PaceWindow,
}

/// What a text gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// An answer.
    Answer,
    /// The news that there will be no more answers for a while.
    LastAnswer,
    /// Nothing.
    Silence,
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Turns after which a loop ends.
const LOOP_TURNS: usize = 3;
/// Turns after which a loop of short texts ends: a person may say "yes" to three questions.
const SHORT_LOOP_TURNS: usize = 6;
/// Longest text, in characters, that a person may well repeat.
const SHORT_TEXT: usize = 8;
/// Time within which the turns of a loop follow each other.
const LOOP_TIME: SignedDuration = SignedDuration::from_mins(10);

impl Pace {
    /// What the next text gets, and the pace with it as one more turn. What the turn costs is known
    /// at its end: [`Pace::with_cost`].
    #[must_use]
    pub fn next(self, limits: TurnLimits, now: Timestamp) -> (Self, Attention) {
        let mut pace = Self { hour: self.hour.at(now, HOUR), day: self.day.at(now, DAY) };
        let (hour, day) = (pace.hour.has_reached(limits.hour), pace.day.has_reached(limits.day));
        let told = if day { pace.day.told } else { pace.hour.told };
        let attention = match (hour || day, told) {
            (false, _) => Attention::Answer,
            (true, false) => Attention::LastAnswer,
            (true, true) => Attention::Silence,
        };
        if attention == Attention::Answer {
            pace.hour.turns += 1;
            pace.day.turns += 1;
        } else {
            pace.hour.told |= hour;
            pace.day.told |= day;
        }
        (pace, attention)
    }

    /// The pace with what a turn has cost, which the next text is decided by.
    #[must_use]
    pub fn with_cost(self, cost: TurnCost) -> Self {
        Self { hour: self.hour.with_cost(cost), day: self.day.with_cost(cost) }
    }
}

impl PaceWindow {
    fn at(self, now: Timestamp, length: SignedDuration) -> Self {
        let now_ms = now.as_millisecond();
        let is_over = now_ms - self.start_ms >= i64::try_from(length.as_millis()).unwrap_or(0);
        if is_over { Self { start_ms: now_ms, ..Self::default() } } else { self }
    }

    fn has_reached(self, limits: WindowLimits) -> bool {
        self.turns >= limits.turns
            || self.model_calls >= limits.model_calls
            || self.segments >= limits.segments
    }

    fn with_cost(self, TurnCost { model_calls, segments }: TurnCost) -> Self {
        Self {
            model_calls: self.model_calls.saturating_add(model_calls),
            segments: self.segments.saturating_add(segments),
            ..self
        }
    }
}

/// Since when a machine writes, in milliseconds since the Unix epoch: one that sends the same text
/// again and again, or our own answers back. `None` when it does not look like one.
pub fn loop_since(memory: &ConversationMemory, text: &str, now: Timestamp) -> Option<i64> {
    let text = normalized(text);
    let turns = if text.chars().count() > SHORT_TEXT { LOOP_TURNS } else { SHORT_LOOP_TURNS };
    // What the owner writes himself is no answer.
    let answered: Vec<&MemoryTurn> = memory.turns.iter().filter(|turn| !turn.by_owner).collect();
    let first = answered.len().checked_sub(turns)?;
    let last = answered.get(first..)?;
    let since = (now - LOOP_TIME).as_millisecond();
    if !last.iter().all(|turn| turn.at_ms.is_some_and(|at| at > since)) {
        return None;
    }
    // Who is told to text again later does.
    let has_failed = |turn: &&MemoryTurn| {
        [FALLBACK_REPLY, NO_PROMISE_REPLY].iter().any(|reply| turn.assistant.starts_with(reply))
    };
    if last.iter().any(has_failed) {
        return None;
    }
    let is_same = |turn: &&MemoryTurn| normalized(&turn.user) == text;
    let said: Vec<String> = last.iter().map(|turn| normalized(&turn.assistant)).collect();
    let heard = last.iter().skip(1).map(|turn| normalized(&turn.user)).chain([text.clone()]);
    let repeats = last.iter().all(is_same) || said.into_iter().eq(heard);
    last.first().filter(|_| repeats)?.at_ms
}

/// Letters and digits alone.
fn normalized(text: &str) -> String {
    folded_lowercase(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TurnLimits = TurnLimits {
        hour: WindowLimits { turns: 2, model_calls: 100, segments: 100 },
        day: WindowLimits { turns: 3, model_calls: 100, segments: 100 },
    };

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_second(1_770_754_200 + minute * 60).unwrap()
    }

    #[test]
    fn at_each_limit_there_is_one_more_answer_and_then_silence() {
        use Attention::{Answer, LastAnswer, Silence};
        let mut pace = Pace::default();
        for (at, expected) in [
            (0, Answer),
            (1, Answer),
            (2, LastAnswer),
            (3, Silence),
            (59, Silence),
            (60, Answer),
            (61, LastAnswer),
            (120, Silence),
            (1439, Silence),
            (1440, Answer),
        ] {
            let (next, attention) = pace.next(LIMITS, minute(at));
            assert_eq!(attention, expected, "minute {at}");
            pace = next;
        }
    }

    #[test]
    fn what_turns_cost_stops_answers_as_their_number_does() {
        use Attention::{Answer, LastAnswer, Silence};
        let least = |model_calls, segments| WindowLimits { turns: 100, model_calls, segments };
        let costs = |model_calls, segments| TurnCost { model_calls, segments };
        for (hour, day, cost) in [
            (least(4, 100), least(6, 100), costs(2, 1)),
            (least(100, 4), least(100, 6), costs(1, 2)),
            // The turn that passes a limit is answered: its cost is known at its end.
            (least(3, 100), least(5, 100), costs(2, 0)),
        ] {
            let limits = TurnLimits { hour, day };
            let mut pace = Pace::default();
            for (at, expected) in [
                (0, Answer),
                (1, Answer),
                (2, LastAnswer),
                (3, Silence),
                (60, Answer),
                (61, LastAnswer),
                (120, Silence),
                (1440, Answer),
            ] {
                let (next, attention) = pace.next(limits, minute(at));
                assert_eq!(attention, expected, "minute {at} with {cost:?}");
                let answered = attention == Answer;
                pace = if answered { next.with_cost(cost) } else { next };
            }
        }
    }

    #[test]
    fn a_turn_without_cost_counts_as_a_turn_alone() {
        let (pace, _) = Pace::default().next(LIMITS, minute(0));
        assert_eq!(pace.with_cost(TurnCost::default()), pace);
        let window = pace.with_cost(TurnCost { model_calls: 3, segments: 2 }).hour;
        assert_eq!((window.turns, window.model_calls, window.segments), (1, 3, 2));
    }

    fn memory(turns: &[(&str, &str)]) -> ConversationMemory {
        turns.iter().zip(0..).fold(ConversationMemory::default(), |memory, ((user, said), at)| {
            memory.with((*user).to_owned(), (*said).to_owned(), minute(at))
        })
    }

    #[test]
    fn a_machine_is_told_from_a_person() {
        let away = "I'm driving and will answer later.";
        let same =
            memory(&[(away, "a"), (away, "b"), ("I\u{2019}m driving, and will answer later", "c")]);
        assert!(loop_since(&same, away, minute(3)).is_some());
        assert!(loop_since(&same, away, minute(10)).is_none(), "the first is ten minutes old");
        assert!(loop_since(&same, "Is my phone ready yet?", minute(3)).is_none());
        assert!(loop_since(&memory(&[(away, "a"), (away, "b")]), away, minute(3)).is_none());
        let echo = memory(&[
            ("Hi", "How can I help?"),
            ("How can I help?", "With what?"),
            ("With what?", "Which phone?"),
        ]);
        assert!(loop_since(&echo, "An iPhone, please", minute(3)).is_none());
        let echo = memory(&[
            ("Hello there", "How can I help?"),
            ("How can I help?", "With what, please?"),
            ("With what, please?", "Which phone is it?"),
        ]);
        assert!(loop_since(&echo, "which phone is it", minute(3)).is_some());
        let outage = memory(&[(away, NO_PROMISE_REPLY), (away, FALLBACK_REPLY), (away, "c")]);
        assert!(loop_since(&outage, away, minute(3)).is_none(), "told to text again later");
        let yes = memory(&[("yes", "2 PM?"), ("yes", "An iPhone?"), ("yes", "Shall I book?")]);
        assert!(loop_since(&yes, "yes", minute(3)).is_none());
    }
}
