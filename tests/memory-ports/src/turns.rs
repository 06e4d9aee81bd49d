//! The turns in memory.

use handlers::{
    domain::{
        phone::Phone,
        turn::{HandOver, LateTurn, NewClaim, StoredRound, TurnEnd, TurnKey, TurnRecord, TurnText},
    },
    ports::TurnClaim,
};

use super::rows::Rows;

pub struct Turn {
    pub phone: Phone,
    pub text: TurnText,
    pub record: TurnRecord,
    pub holder: String,
    pub until_ms: i64,
    pub answer: Option<Vec<String>>,
    late: bool,
    late_attempts: u32,
}

impl Turn {
    /// Whether an attempt may still work on it.
    fn is_open(&self) -> bool {
        self.answer.is_none() || self.late
    }
}

impl Rows {
    pub fn claim(&mut self, claim: &NewClaim<'_>) -> TurnClaim {
        let fresh = || Turn {
            phone: claim.key.phone.clone(),
            text: claim.text.clone(),
            record: TurnRecord { now: claim.now, rounds: Vec::new() },
            holder: String::new(),
            until_ms: i64::MIN,
            answer: None,
            late: false,
            late_attempts: 0,
        };
        let turn = self.turns.entry(claim.key.sid.clone()).or_insert_with(fresh);
        if let Some(messages) = &turn.answer {
            return TurnClaim::Answered(messages.clone());
        }
        if turn.holder != claim.holder && turn.until_ms > claim.unix_ms {
            return TurnClaim::Busy;
        }
        turn.holder = claim.holder.to_owned();
        turn.until_ms = claim.until_ms;
        TurnClaim::Acquired(turn.record.clone())
    }

    pub fn hand_over(&mut self, hand_over: &HandOver) -> bool {
        let turn = self.turns.get_mut(&hand_over.key.sid).unwrap();
        if turn.holder != hand_over.holder || turn.answer.is_some() {
            return false;
        }
        turn.answer = Some(hand_over.messages.clone());
        turn.late = true;
        turn.until_ms = i64::MIN;
        true
    }

    pub fn late_turns(&self) -> Vec<TurnKey> {
        let late = self.turns.iter().filter(|(_, turn)| turn.late);
        late.map(|(sid, turn)| TurnKey { phone: turn.phone.clone(), sid: sid.clone() }).collect()
    }

    pub fn claim_late(
        &mut self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Option<LateTurn> {
        let turn = self.turns.get_mut(&key.sid)?;
        if !turn.late || turn.until_ms > unix_ms {
            return None;
        }
        turn.holder = holder.to_owned();
        turn.until_ms = until_ms;
        turn.late_attempts += 1;
        Some(LateTurn {
            record: turn.record.clone(),
            text: turn.text.clone(),
            earlier_attempts: turn.late_attempts - 1,
            waited: turn.answer.as_ref().is_some_and(Vec::is_empty),
        })
    }

    pub fn renew(&mut self, key: &TurnKey, holder: &str, until_ms: i64) -> bool {
        match self.turns.get_mut(&key.sid) {
            Some(turn) if turn.holder == holder && turn.is_open() => {
                turn.until_ms = until_ms;
                true
            }
            _ => false,
        }
    }

    pub fn save(
        &mut self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> bool {
        let turn = self.turns.get_mut(&key.sid).unwrap();
        if turn.holder != holder || !turn.is_open() {
            return false;
        }
        let rounds = &mut turn.record.rounds;
        if ordinal == rounds.len() {
            rounds.push(round.clone());
        } else {
            rounds[ordinal] = round.clone();
        }
        true
    }

    pub fn finish(&mut self, end: &TurnEnd) -> bool {
        let turn = self.turns.get_mut(&end.key.sid).unwrap();
        if turn.holder != end.holder || !turn.is_open() {
            return false;
        }
        if turn.late {
            turn.late = false;
            self.put_texts(end.late_answer.as_deref().unwrap());
        } else {
            turn.answer = Some(end.messages.clone());
        }
        if let Some(memory) = &end.memory {
            self.memories.insert(end.key.phone.clone(), memory.clone());
        }
        if let Some(callback) = &end.callback {
            self.keep_unanswered(&callback.unanswered);
            self.put_texts(&callback.notification);
        }
        let queue = self.queues.entry(end.key.phone.clone()).or_default();
        if let Some(ended) = &end.dequeue {
            // At the head, or from behind.
            queue.retain(|entry| entry.sid != ended.sid);
        }
        true
    }
}
