//! Whose words go out on a connection.
//!
//! What hyper cannot parse it answers by itself, with a status and nothing else. It does so while no
//! answer of ours is under way, which tells its words from ours: they are kept back, and the API's
//! go out in their place.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

/// Who speaks on a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct ErrorOverride(Arc<Mutex<Phase>>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request is there to be answered: what is written is hyper's own.
    #[default]
    Nobody,
    /// A request is being answered.
    Function,
    /// Hyper has all of an answer, and the next flush sends what is left of it.
    Ending,
    /// Hyper spoke, and was kept back.
    KeptBack,
}

impl ErrorOverride {
    /// A request came, and what is written from now on is for it.
    pub(super) fn begin(&self) {
        *self.speaker() = Phase::Function;
    }

    /// The answer's body, which tells when hyper has all of it.
    pub(super) fn body(&self, bytes: Bytes) -> ResponseBody {
        ResponseBody { body: Full::new(bytes), speech: self.clone() }
    }

    /// Whether hyper answered by itself, which nobody heard.
    pub(super) fn was_kept_back(&self) -> bool {
        *self.speaker() == Phase::KeptBack
    }

    /// Whether what is written now is to be kept back.
    pub(super) fn keeps_back(&self) -> bool {
        let mut speaker = self.speaker();
        if *speaker == Phase::Nobody {
            *speaker = Phase::KeptBack;
        }
        *speaker == Phase::KeptBack
    }

    /// Everything that was written is out.
    pub(super) fn flushed(&self) {
        self.turn(Phase::Ending, Phase::Nobody);
    }

    /// From one state to another; nothing in any other one.
    fn turn(&self, from: Phase, to: Phase) {
        let mut speaker = self.speaker();
        if *speaker == from {
            *speaker = to;
        }
    }

    fn speaker(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an answer of ours.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Full<Bytes>,
    speech: ErrorOverride,
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.speech.turn(Phase::Function, Phase::Ending);
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
