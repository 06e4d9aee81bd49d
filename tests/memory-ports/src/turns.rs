//! The turns in memory.

use std::collections::BTreeMap;

use handlers::{
    domain::{
        phone::Phone,
        turn::{
            HandOver, LateTurn, NewClaim, QueueEntry, StoredRound, TurnEnd, TurnFence, TurnKey,
            TurnRecord, TurnText,
        },
    },
    ports::TurnClaim,
};
use jiff::Timestamp;

use super::rows::Rows;

#[derive(Debug)]
pub struct Turn {
    text: TurnText,
    now: Timestamp,
    rounds: BTreeMap<usize, StoredRound>,
    holder: String,
    pub until_ms: i64,
    pub answer: Option<Vec<String>>,
    late: Late,
    late_attempts: u32,
}

/// Whether a turn was handed over.
#[derive(Debug, PartialEq, Eq)]
enum Late {
    Not,
    Waiting,
    Done,
}

impl Turn {
    fn new(claim: &NewClaim<'_>) -> Self {
        Self {
            text: claim.text.clone(),
            now: claim.now,
            rounds: BTreeMap::new(),
            holder: String::new(),
            until_ms: i64::MIN,
            answer: None,
            late: Late::Not,
            late_attempts: 0,
        }
    }

    /// Whether an attempt may still work on it.
    fn is_held_by(&self, holder: &str) -> bool {
        self.holder == holder && (self.answer.is_none() || self.late == Late::Waiting)
    }

    /// The rounds that are stored without a gap.
    fn record(&self) -> TurnRecord {
        let rounds = (0..).map_while(|ordinal| self.rounds.get(&ordinal).cloned()).collect();
        TurnRecord { now: self.now, rounds }
    }

    fn late_turn(&self) -> LateTurn {
        LateTurn {
            record: self.record(),
            text: self.text.clone(),
            earlier_attempts: self.late_attempts.saturating_sub(1),
            waited: self.answer.as_ref().is_some_and(Vec::is_empty),
        }
    }
}

pub fn turn_key(key: &TurnKey) -> (Phone, String) {
    (key.phone.clone(), key.sid.clone())
}

impl Rows {
    pub fn claim(&mut self, claim: &NewClaim<'_>) -> TurnClaim {
        let turn = self.turns.entry(turn_key(claim.key)).or_insert_with(|| Turn::new(claim));
        if let Some(messages) = &turn.answer {
            return TurnClaim::Answered(messages.clone());
        }
        if turn.until_ms < claim.unix_ms {
            turn.holder = claim.holder.to_owned();
            turn.until_ms = claim.until_ms;
        } else if turn.holder != claim.holder {
            return TurnClaim::Busy;
        }
        TurnClaim::Acquired(turn.record())
    }

    pub fn hand_over(&mut self, hand_over: &HandOver) -> bool {
        let HandOver { key, holder, now, messages } = hand_over;
        let Some(turn) = self.turns.get_mut(&turn_key(key)).filter(|turn| turn.holder == *holder)
        else {
            return false;
        };
        if turn.answer.is_some() {
            // A repeat, or answered.
            return turn.late == Late::Waiting;
        }
        turn.answer = Some(messages.clone());
        turn.late = Late::Waiting;
        turn.until_ms = i64::MIN;
        self.late.insert(key.sid.clone(), (now.as_millisecond(), key.phone.clone()));
        true
    }

    /// The turns that were handed over, the earliest first.
    pub fn late_turns(&self) -> Vec<TurnKey> {
        let key = |(sid, (at, phone)): (&String, &(i64, Phone))| {
            (*at, TurnKey { phone: phone.clone(), sid: sid.clone() })
        };
        let mut late: Vec<(i64, TurnKey)> = self.late.iter().map(key).collect();
        late.sort_by_key(|(at, _)| *at);
        late.into_iter().map(|(_, key)| key).collect()
    }

    pub fn claim_late(
        &mut self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Option<LateTurn> {
        let turn = self.turns.get_mut(&turn_key(key)).filter(|turn| turn.late == Late::Waiting)?;
        if turn.until_ms < unix_ms {
            turn.holder = holder.to_owned();
            turn.until_ms = until_ms;
            turn.late_attempts += 1;
        } else if turn.holder != holder {
            return None;
        }
        Some(turn.late_turn())
    }

    /// Whether a change may be written that depends on an attempt's claim, if it depends on one.
    pub fn may_pass(&self, fence: Option<&TurnFence>) -> bool {
        fence.is_none_or(|fence| {
            let turn = self.turns.get(&turn_key(&fence.key));
            turn.is_some_and(|turn| turn.is_held_by(&fence.holder))
        })
    }

    pub fn renew(&mut self, key: &TurnKey, holder: &str, until_ms: i64) -> bool {
        let turn = self.turns.get_mut(&turn_key(key)).filter(|turn| turn.is_held_by(holder));
        turn.map(|turn| turn.until_ms = until_ms).is_some()
    }

    pub fn save(
        &mut self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> bool {
        let turn = self.turns.get_mut(&turn_key(key)).filter(|turn| turn.is_held_by(holder));
        turn.map(|turn| turn.rounds.insert(ordinal, round.clone())).is_some()
    }

    pub fn finish(&mut self, end: &TurnEnd) -> bool {
        let Some(turn) =
            self.turns.get_mut(&turn_key(&end.key)).filter(|turn| turn.holder == end.holder)
        else {
            return false;
        };
        match &end.late_answer {
            Some(_) if turn.late != Late::Waiting => return turn.late == Late::Done,
            Some(_) => turn.late = Late::Done,
            None if turn.answer.is_some() => return turn.answer.as_ref() == Some(&end.messages),
            None => turn.answer = Some(end.messages.clone()),
        }
        let phone = &end.key.phone;
        if let Some(messages) = &end.late_answer {
            self.late.remove(&end.key.sid);
            self.put_texts(messages);
        }
        if let Some(memory) = &end.memory {
            self.memories.entry(phone.clone()).or_default().remember(memory);
        }
        if let Some(callback) = &end.callback {
            self.keep_unanswered(&callback.unanswered);
            self.put_texts(&callback.notification);
        }
        self.note_customer(phone, end.now);
        if let (Some(ended), Some(queue)) = (&end.dequeue, self.queues.get_mut(phone)) {
            leave(queue, ended);
        }
        true
    }
}

/// Removes the entry of a turn that has ended: the head, or what stands behind.
fn leave(queue: &mut Vec<QueueEntry>, ended: &QueueEntry) {
    let at = match queue.first() {
        Some(head) if head == ended => Some(0),
        _ => queue.iter().position(|entry| entry.sid == ended.sid),
    };
    at.map(|at| queue.remove(at));
}
