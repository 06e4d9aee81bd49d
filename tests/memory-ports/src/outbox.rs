//! The outbox in memory, and the texts that wait for the owner's answer.

use handlers::{
    domain::outbox::{Callback, OutboxText, OwnerAnswer, UnansweredText},
    ports::StoreError,
};

use super::rows::Rows;

/// A text in the outbox.
#[derive(Debug)]
pub struct Waiting {
    pub text: OutboxText,
    /// Twilio has refused it for good.
    pub refused: bool,
    claim: Option<Claim>,
    attempts: u32,
}

#[derive(Debug)]
struct Claim {
    holder: String,
    until_ms: i64,
}

/// A text that waits for the owner's answer, or did.
#[derive(Debug)]
pub struct Unanswered {
    pub text: UnansweredText,
    pub answered: bool,
}

impl Rows {
    /// The ids of the texts that wait, oldest first.
    pub fn waiting_texts(&self) -> Vec<String> {
        let mut waiting: Vec<&OutboxText> = self.sendable().collect();
        waiting.sort_by_key(|text| text.created.as_millisecond());
        waiting.into_iter().map(|text| text.id.clone()).collect()
    }

    /// The texts that Twilio has neither taken nor refused.
    pub fn sendable(&self) -> impl Iterator<Item = &OutboxText> {
        self.outbox.values().filter(|waiting| !waiting.refused).map(|waiting| &waiting.text)
    }

    pub fn enqueue(&mut self, texts: &[OutboxText]) -> bool {
        let Some(first) = texts.first() else { return true };
        let new = self.enqueued.insert(first.id.clone());
        if new {
            self.put_texts(texts);
        }
        new
    }

    pub fn put_texts(&mut self, texts: &[OutboxText]) {
        for text in texts {
            let waiting = Waiting { text: text.clone(), refused: false, claim: None, attempts: 0 };
            self.outbox.insert(text.id.clone(), waiting);
        }
    }

    pub fn claim_text(
        &mut self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Option<(OutboxText, u32)> {
        let waiting = self.outbox.get_mut(id).filter(|waiting| !waiting.refused)?;
        match &waiting.claim {
            // A repeat of this very claim.
            Some(claim) if claim.until_ms >= unix_ms && claim.holder == holder => {}
            Some(claim) if claim.until_ms >= unix_ms => return None,
            _ => {
                waiting.claim = Some(Claim { holder: holder.to_owned(), until_ms });
                waiting.attempts += 1;
            }
        }
        Some((waiting.text.clone(), waiting.attempts - 1))
    }

    pub fn release_text(&mut self, id: &str, holder: &str) {
        if let Some(waiting) = self.outbox.get_mut(id) {
            waiting.claim.take_if(|claim| claim.holder == holder);
        }
    }

    pub fn refuse_text(&mut self, id: &str) {
        if let Some(waiting) = self.outbox.get_mut(id) {
            waiting.refused = true;
        }
    }

    /// The texts that wait for the owner's answer.
    pub fn unanswered_texts(&self) -> Vec<UnansweredText> {
        let waiting = self.unanswered.values().filter(|row| !row.answered);
        waiting.map(|row| row.text.clone()).collect()
    }

    /// Keeps a callback, unless the owner's texts of it were stored before.
    pub fn keep_callback(&mut self, callback: &Callback) {
        if self.enqueue(&callback.notification) {
            self.keep_unanswered(&callback.unanswered);
        }
    }

    pub fn keep_unanswered(&mut self, text: &UnansweredText) {
        let row = Unanswered { text: text.clone(), answered: false };
        self.unanswered.insert(text.key.sid.clone(), row);
    }

    pub fn mark_answered(&mut self, sid: &str) -> bool {
        let row = self.unanswered.get_mut(sid);
        row.map(|row| row.answered = true).is_some()
    }

    /// # Errors
    /// When a text that it answers is not there.
    pub fn answer_by_owner(&mut self, answer: &OwnerAnswer) -> Result<(), StoreError> {
        let Some(first) = answer.texts.first() else { return Ok(()) };
        if self.enqueued.contains(&first.id) {
            return Ok(());
        }
        if !answer.answered.iter().all(|sid| self.unanswered.contains_key(sid)) {
            let what = "a text that the owner answers has gone".to_owned();
            return Err(StoreError::Malformed { table: "Conversations", what });
        }
        self.enqueue(&answer.texts);
        self.memories.entry(answer.to.clone()).or_default().add_owners_words(&answer.memory);
        self.note_customer(&answer.to, answer.now);
        for sid in &answer.answered {
            self.mark_answered(sid);
        }
        Ok(())
    }
}
