//! The account's messages in order of creation, found by sid.

use std::collections::HashMap;

use super::{Message, Sid};

#[derive(Debug, Default)]
pub(crate) struct MessageLog {
    /// A deleted message leaves `None`, so that the positions of the others stay.
    rows: Vec<Option<Message>>,
    positions: HashMap<Sid, usize>,
}

impl MessageLog {
    /// Adds the newest message.
    pub fn push(&mut self, message: Message) {
        self.positions.insert(message.sid, self.rows.len());
        self.rows.push(Some(message));
    }

    pub fn get(&self, sid: Sid) -> Option<&Message> {
        self.rows.get(*self.positions.get(&sid)?)?.as_ref()
    }

    pub fn get_mut(&mut self, sid: Sid) -> Option<&mut Message> {
        self.rows.get_mut(*self.positions.get(&sid)?)?.as_mut()
    }

    /// Deletes a message; does nothing when there is none with this sid.
    pub fn remove(&mut self, sid: Sid) {
        // The position is kept: a page token may still name the message.
        let position = self.positions.get(&sid).copied();
        if let Some(row) = position.and_then(|position| self.rows.get_mut(position)) {
            *row = None;
        }
    }

    /// All messages, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.rows.iter().flatten()
    }

    /// The messages created before `sid`, newest first; `None` when no message ever had this sid.
    pub fn before(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let position = *self.positions.get(&sid)?;
        Some(self.rows.get(..position).unwrap_or_default().iter().rev().flatten())
    }

    /// The messages created after `sid`, oldest first; `None` when no message ever had this sid.
    pub fn after(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let position = *self.positions.get(&sid)?;
        Some(self.rows.get(position + 1..).unwrap_or_default().iter().flatten())
    }
}
