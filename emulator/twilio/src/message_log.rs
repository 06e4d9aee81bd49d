//! The account's messages in order of creation, found by sid.

use std::collections::HashMap;

use super::{Message, Sid};

#[derive(Debug, Default)]
pub(super) struct MessageLog {
    /// A deleted message leaves its place empty, so that positions stay.
    rows: Vec<Option<Message>>,
    places: HashMap<Sid, usize>,
}

impl MessageLog {
    pub fn push(&mut self, message: Message) {
        self.places.insert(message.sid, self.rows.len());
        self.rows.push(Some(message));
    }

    pub fn get(&self, sid: Sid) -> Option<&Message> {
        self.rows.get(*self.places.get(&sid)?)?.as_ref()
    }

    pub fn get_mut(&mut self, sid: Sid) -> Option<&mut Message> {
        self.rows.get_mut(*self.places.get(&sid)?)?.as_mut()
    }

    pub fn remove(&mut self, sid: Sid) -> Option<Message> {
        // The place is kept: a page token may still name the message.
        self.rows.get_mut(*self.places.get(&sid)?)?.take()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.rows.iter().flatten()
    }

    /// Those created before `sid`, newest first; `None` when it never was.
    pub fn before(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let place = *self.places.get(&sid)?;
        Some(self.rows.get(..place).unwrap_or_default().iter().rev().flatten())
    }

    /// Those created after `sid`, oldest first; `None` when it never was.
    pub fn after(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let place = *self.places.get(&sid)?;
        Some(self.rows.get(place + 1..).unwrap_or_default().iter().flatten())
    }
}
