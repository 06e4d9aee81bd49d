//! The account's messages in order of creation, found by sid.

use std::collections::{HashMap, VecDeque};

use super::{Message, Sid};

/// Positions count every message that there ever was, so that dropping the oldest ones moves no other.
#[derive(Debug, Default)]
pub(crate) struct MessageLog {
    /// A deleted message leaves `None`, so that the positions of the others stay.
    rows: VecDeque<Option<Message>>,
    /// Messages that were dropped: the position of the first row.
    dropped: usize,
    positions: HashMap<Sid, usize>,
    most: Option<usize>,
}

impl MessageLog {
    /// An empty log that keeps the latest `most` messages, and all since the oldest one that is still
    /// under way; every message when it is `None`.
    pub fn new(most: Option<usize>) -> Self {
        Self { most, ..Self::default() }
    }

    /// Adds the newest message. Costs the same however many there are.
    pub fn push(&mut self, message: Message) {
        self.positions.insert(message.sid, self.dropped + self.rows.len());
        self.rows.push_back(Some(message));
        while self.most.is_some_and(|most| self.rows.len() > most.max(1)) {
            // Later statuses of a message that is under way need its row.
            if self.rows.front().is_some_and(|row| row.as_ref().is_some_and(Message::is_under_way))
            {
                break;
            }
            self.rows.pop_front();
            self.dropped += 1;
        }
        // Now and then, so that each message costs the same. Deleted ones have no row that names them.
        if self.positions.len() > 2 * self.rows.len() {
            self.positions.retain(|_, position| *position >= self.dropped);
        }
    }

    pub fn get(&self, sid: Sid) -> Option<&Message> {
        self.rows.get(self.index(sid)?)?.as_ref()
    }

    pub fn get_mut(&mut self, sid: Sid) -> Option<&mut Message> {
        let index = self.index(sid)?;
        self.rows.get_mut(index)?.as_mut()
    }

    /// Deletes a message; does nothing when there is none with this sid.
    pub fn remove(&mut self, sid: Sid) {
        // The position is kept: a page token may still name the message.
        let index = self.index(sid);
        if let Some(row) = index.and_then(|index| self.rows.get_mut(index)) {
            *row = None;
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// All messages, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.rows.iter().flatten()
    }

    /// The messages created before `sid`, newest first; `None` when no message has this sid, or it was
    /// dropped.
    pub fn before(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let index = self.index(sid)?;
        Some(self.rows.iter().take(index).rev().flatten())
    }

    /// The messages created after `sid`, oldest first; `None` when no message has this sid, or it was
    /// dropped.
    pub fn after(&self, sid: Sid) -> Option<impl Iterator<Item = &Message>> {
        let index = self.index(sid)?;
        Some(self.rows.iter().skip(index + 1).flatten())
    }

    /// Where a message stands among the rows.
    fn index(&self, sid: Sid) -> Option<usize> {
        self.positions.get(&sid)?.checked_sub(self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Direction, Encoding, Status, sid::SidGenerator};

    fn message(sids: &mut SidGenerator, status: Status) -> Message {
        let now = Timestamp::UNIX_EPOCH;
        Message {
            sid: sids.generate(false),
            direction: Direction::OutboundApi,
            from: None,
            to: "+15550100001".into(),
            body: "Hi".into(),
            media: Vec::new(),
            status,
            error_code: None,
            segments: 1,
            encoding: Encoding::Gsm7,
            created: now,
            updated: now,
            sent: None,
            service: None,
            via: None,
            in_reply_to: None,
            ends_as_sent: false,
        }
    }

    #[test]
    fn a_bounded_log_keeps_the_latest_messages_and_what_is_under_way() {
        let mut sids = SidGenerator::new(1);
        let mut log = MessageLog::new(Some(2));
        let messages: Vec<Message> =
            (0..4).map(|_| message(&mut sids, Status::Delivered)).collect();
        for message in &messages {
            log.push(message.clone());
        }
        let sids_of = |log: &MessageLog| log.iter().map(|message| message.sid).collect::<Vec<_>>();
        assert_eq!(sids_of(&log), [messages[2].sid, messages[3].sid]);
        assert!(log.get(messages[1].sid).is_none());
        assert!(log.before(messages[1].sid).is_none() && log.after(messages[1].sid).is_none());
        assert_eq!(log.after(messages[2].sid).unwrap().count(), 1);
        assert_eq!(log.before(messages[3].sid).unwrap().count(), 1);
        log.remove(messages[2].sid);
        assert_eq!(log.before(messages[3].sid).unwrap().count(), 0);

        let waiting = message(&mut sids, Status::Scheduled);
        log.push(waiting.clone());
        for _ in 0..5 {
            log.push(message(&mut sids, Status::Received));
        }
        assert_eq!(sids_of(&log).len(), 6, "what waits and all behind it");
        log.get_mut(waiting.sid).unwrap().status = Status::Canceled;
        log.push(message(&mut sids, Status::Received));
        assert_eq!(sids_of(&log).len(), 2);
    }

    #[test]
    fn a_log_without_a_limit_keeps_every_message() {
        let mut sids = SidGenerator::new(1);
        let mut log = MessageLog::new(None);
        for _ in 0..100 {
            log.push(message(&mut sids, Status::Delivered));
        }
        assert_eq!(log.iter().count(), 100);
    }
}
