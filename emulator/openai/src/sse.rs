//! Server-sent events in one buffer that records where each event ends, so that a stream can be sent
//! at once, event by event, or in part.

use bytes::Bytes;
use serde::Serialize;

/// A whole stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
    ends: Vec<usize>,
}

impl Events {
    /// Begins a named event whose data is a JSON object. It ends when the writer is dropped.
    pub fn named(&mut self, name: &str) -> EventWriter<'_> {
        self.buffer.extend_from_slice(b"event: ");
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.push(b'\n');
        let mut event = self.open();
        event.field("type", name);
        event
    }

    /// Adds an event without a name.
    pub fn data<T: Serialize>(&mut self, data: &T) {
        self.buffer.extend_from_slice(b"data: ");
        write(&mut self.buffer, data);
        self.end();
    }

    /// Adds the line that ends a stream of chat completions.
    pub fn done(&mut self) {
        self.buffer.extend_from_slice(b"data: [DONE]");
        self.end();
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Removes all events but the first `keep`.
    pub fn truncate(&mut self, keep: usize) {
        self.ends.truncate(keep);
        self.buffer.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// The whole stream in one buffer.
    pub fn whole(self) -> Bytes {
        self.buffer.into()
    }

    /// One buffer per event.
    pub fn pieces(self) -> Vec<Bytes> {
        let mut rest = Bytes::from(self.buffer);
        let mut from = 0;
        let mut pieces = Vec::with_capacity(self.ends.len());
        for end in self.ends {
            pieces.push(rest.split_to(end - from));
            from = end;
        }
        pieces
    }

    fn open(&mut self) -> EventWriter<'_> {
        self.buffer.extend_from_slice(b"data: {");
        EventWriter { events: self, first: true }
    }

    fn end(&mut self) {
        self.buffer.extend_from_slice(b"\n\n");
        self.ends.push(self.buffer.len());
    }
}

/// An event that is being written.
pub(super) struct EventWriter<'e> {
    events: &'e mut Events,
    first: bool,
}

impl EventWriter<'_> {
    /// Adds a key to the data.
    pub fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Self {
        let buffer = &mut self.events.buffer;
        if !self.first {
            buffer.push(b',');
        }
        self.first = false;
        buffer.push(b'"');
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(b"\":");
        write(buffer, value);
        self
    }
}

impl Drop for EventWriter<'_> {
    fn drop(&mut self) {
        self.events.buffer.push(b'}');
        self.events.end();
    }
}

fn write<T: Serialize + ?Sized>(buffer: &mut Vec<u8>, value: &T) {
    // Writing values with text keys into memory cannot fail.
    if serde_json::to_writer(&mut *buffer, value).is_err() {
        buffer.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_framed_and_can_be_taken_out_alone() {
        let mut events = Events::default();
        events.named("a.b").field("n", &1).field("text", "x\ny");
        events.data(&serde_json::json!({ "c": 1 }));
        events.done();
        assert_eq!(events.len(), 3);
        let pieces = events.pieces();
        assert_eq!(
            pieces[0],
            "event: a.b\ndata: {\"type\":\"a.b\",\"n\":1,\"text\":\"x\\ny\"}\n\n"
        );
        assert_eq!(pieces[1], "data: {\"c\":1}\n\n");
        assert_eq!(pieces[2], "data: [DONE]\n\n");
    }

    #[test]
    fn truncating_keeps_whole_events() {
        let mut events = Events::default();
        events.data(&1);
        events.data(&2);
        events.truncate(1);
        assert_eq!(events.whole(), "data: 1\n\n");
    }
}
