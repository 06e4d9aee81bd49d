//! What a process writes: each line goes to the journal with the request during which it was written.

use std::{
    collections::VecDeque,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::net::unix::pipe::Receiver;

use crate::gateway::invoke::OutputTail;
use rehearse_core::journal::{Cause, ExchangeDetail, Journal, with_cause};

/// A longer line is cut into pieces, as CloudWatch does.
const MAX_LINE_BYTES: usize = 256 << 10;
/// Most bytes of one request: a function that writes without end must not fill the memory.
const MAX_BYTES: usize = 4 << 20;
/// How many lines an error repeats.
const LAST_LINES: usize = 10;
/// How much of each of these lines.
const LAST_LINE_CHARS: usize = 500;

/// Both output streams of a process, which are one pipe. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Output(Arc<OutputInner>);

#[derive(Debug)]
struct OutputInner {
    function: String,
    journal: Journal,
    pipe: Receiver,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    request_id: Option<Arc<str>>,
    /// The request's exchange.
    cause: Option<Cause>,
    /// A line that has not ended.
    line: Vec<u8>,
    /// Bytes written since the request began.
    bytes: usize,
    last: VecDeque<String>,
    /// Every request drains the pipe twice, and mostly there is nothing: made once.
    drain_buffer: Vec<u8>,
}

impl Output {
    pub(super) fn new(function: &str, pipe: OwnedFd, journal: Journal) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let function = function.to_owned();
        Ok(Self(Arc::new(OutputInner { function, journal, pipe, state: Mutex::default() })))
    }

    /// Reads what is written, until the last writer has closed the pipe.
    pub(super) async fn follow(self) {
        let mut buffer = vec![0; 16 << 10];
        while self.0.pipe.readable().await.is_ok() {
            let mut state = self.state();
            match self.0.pipe.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => self.0.take(&mut state, &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        self.0.end_line(&mut self.state());
    }

    /// Begins a request: what is written from now on belongs to it.
    pub(super) fn begin(&self, request_id: &Arc<str>, cause: Cause) {
        self.finish();
        let mut state = self.state();
        state.request_id = Some(Arc::clone(request_id));
        state.cause = Some(cause);
        state.bytes = 0;
        state.last.clear();
    }

    /// Ends a request: takes what was written until now; a line that has not ended ends here.
    pub(super) fn finish(&self) {
        self.drain();
        self.0.end_line(&mut self.state());
    }

    /// Reads what was written until now: a function writes before it posts its result, but
    /// [`Output::follow`] may not have read it when the result arrives.
    fn drain(&self) {
        let mut state = self.state();
        let mut buffer = std::mem::take(&mut state.drain_buffer);
        buffer.resize(4 << 10, 0);
        // The pipe itself is read: tokio knows only what its last poll said.
        while let Ok(length @ 1..) = rustix::io::read(&self.0.pipe, &mut buffer[..]) {
            self.0.take(&mut state, &buffer[..length]);
        }
        state.drain_buffer = buffer;
    }

    /// The last lines of the request, with one that has not ended.
    pub(super) fn output_tail(&self) -> OutputTail {
        self.finish();
        OutputTail(self.state().last.iter().cloned().collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputInner {
    fn take(&self, state: &mut State, mut bytes: &[u8]) {
        let before = state.bytes;
        state.bytes = before.saturating_add(bytes.len());
        if before > MAX_BYTES {
            return;
        }
        if state.bytes > MAX_BYTES {
            self.end_line(state);
            let line =
                format!("[more than {MAX_BYTES} bytes for one request: the rest is left out]");
            self.write(state, line);
            return;
        }
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.extend(state, &bytes[..end]);
            self.end_line(state);
            bytes = &bytes[end + 1..];
        }
        self.extend(state, bytes);
    }

    fn extend(&self, state: &mut State, mut bytes: &[u8]) {
        while state.line.len() + bytes.len() > MAX_LINE_BYTES {
            let (piece, rest) = bytes.split_at(MAX_LINE_BYTES - state.line.len());
            state.line.extend_from_slice(piece);
            self.end_line(state);
            bytes = rest;
        }
        state.line.extend_from_slice(bytes);
    }

    fn end_line(&self, state: &mut State) {
        if state.line.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(&state.line).trim_end().to_owned();
        state.line.clear();
        self.write(state, line);
    }

    fn write(&self, state: &mut State, line: String) {
        // Some runtimes separate the lines of a stack trace by returns, to keep it in one log line.
        for line in line.split('\r') {
            if state.last.len() == LAST_LINES {
                state.last.pop_front();
            }
            state.last.push_back(line.chars().take(LAST_LINE_CHARS).collect());
        }
        tracing::info!(function = self.function, line, "the function wrote");
        let (function, request_id) =
            (self.function.clone(), state.request_id.as_deref().map(str::to_owned));
        let name = format!("log.{function}");
        let detail = ExchangeDetail::Log { function, request_id, line };
        with_cause(state.cause, || self.journal.note(name, detail));
    }
}
