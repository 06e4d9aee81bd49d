//! How a stream goes out: its pace, its packets, and where it is cut.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::{
    conversations::ConversationLock,
    script::{CutPoint, StreamPace},
    sse::Events,
};

/// A body in pieces.
pub(super) type Pieces = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// What is sent, piece by piece.
#[derive(Debug, PartialEq)]
struct Plan {
    /// Pieces, each with the pause before it.
    pieces: Vec<(Duration, Bytes)>,
    /// The pause before the connection is closed, if it is.
    cut: Option<Duration>,
}

/// A stream of events. `between` is a pause between any two events; `lock` is held until the last one.
pub(super) fn events(
    events: Events,
    pace: StreamPace,
    between: Option<Duration>,
    cut: Option<CutPoint>,
    lock: Option<ConversationLock>,
) -> Pieces {
    if cut.is_none() && between.is_none() && pace == StreamPace::default() {
        return body(Plan { pieces: vec![(Duration::ZERO, events.whole())], cut: None }, lock);
    }
    let mut plan = cut_off(paced(events, pace, between), cut);
    if let Some(most) = pace.packet {
        plan.pieces = plan.pieces.into_iter().flat_map(|piece| packets(piece, most)).collect();
    }
    body(plan, lock)
}

/// The first half of a body, after which the connection is closed.
pub(super) fn half(body_bytes: &Bytes, cut: CutPoint) -> Pieces {
    let pause = match cut {
        CutPoint::Elapsed(after) => after,
        _ => Duration::ZERO,
    };
    let start = body_bytes.slice(..body_bytes.len() / 2);
    body(Plan { pieces: vec![(Duration::ZERO, start)], cut: Some(pause) }, None)
}

/// The events with the pauses before them.
fn paced(events: Events, pace: StreamPace, between: Option<Duration>) -> Vec<(Duration, Bytes)> {
    let token = pace.tokens_per_second.map_or(Duration::ZERO, |rate| {
        Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX)
    });
    let mut tokens = 0;
    let pieces = events.pieces().into_iter().enumerate();
    pieces
        .map(|(at, event)| {
            let mut pause = between.filter(|_| at > 0).unwrap_or_default();
            if is_token(&event) {
                pause = pause.saturating_add(if tokens == 0 { pace.first } else { token });
                tokens += 1;
            }
            (pause, event)
        })
        .collect()
}

/// Whether an event carries a piece of the model's output.
fn is_token(event: &[u8]) -> bool {
    event.windows(7).any(|word| word == b"\"delta\"")
}

/// The pieces up to where the connection is closed.
fn cut_off(mut pieces: Vec<(Duration, Bytes)>, cut: Option<CutPoint>) -> Plan {
    let pause = match cut {
        None => return Plan { pieces, cut: None },
        Some(CutPoint::Events { whole, inside }) => {
            let next = pieces.get(whole).filter(|_| inside).cloned();
            pieces.truncate(whole);
            pieces.extend(next.map(|(pause, event)| (pause, event.slice(..event.len() / 2))));
            Duration::ZERO
        }
        Some(CutPoint::Elapsed(after)) => {
            // The last event would end the stream.
            pieces.pop();
            let mut passed = Duration::ZERO;
            let in_time = pieces.iter().take_while(|(pause, _)| {
                let arrives = passed.saturating_add(*pause);
                let in_time = arrives <= after;
                if in_time {
                    passed = arrives;
                }
                in_time
            });
            let count = in_time.count();
            pieces.truncate(count);
            after.saturating_sub(passed)
        }
        Some(CutPoint::MidStream | CutPoint::Before | CutPoint::After) => {
            pieces.truncate(pieces.len() / 2);
            Duration::ZERO
        }
    };
    Plan { pieces, cut: Some(pause) }
}

/// A piece in packets of at most so many bytes.
fn packets((pause, piece): (Duration, Bytes), most: usize) -> Vec<(Duration, Bytes)> {
    let starts = (0..piece.len()).step_by(most.max(1));
    starts
        .map(|at| {
            let pause = if at == 0 { pause } else { Duration::ZERO };
            (pause, piece.slice(at..(at + most).min(piece.len())))
        })
        .collect()
}

fn body(plan: Plan, mut lock: Option<ConversationLock>) -> Pieces {
    let last = plan.pieces.len().saturating_sub(1);
    let frames = futures::stream::iter(plan.pieces.into_iter().enumerate());
    let frames = frames.then(move |(at, (pause, piece))| {
        // Whoever has read the last piece may go on at once.
        let ended = if at == last { lock.take() } else { None };
        async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            } else if at > 0 {
                // Yielding lets the server send what it has, so that each piece is a packet of its own.
                tokio::task::yield_now().await;
            }
            drop(ended);
            Ok(Frame::data(piece))
        }
    });
    let Some(pause) = plan.cut else { return StreamBody::new(frames.boxed()) };
    let end = async move {
        tokio::time::sleep(pause).await;
        // Without this the server would drop what it has not sent yet.
        tokio::task::yield_now().await;
        Err(io::Error::other("the connection is cut as the script asks"))
    };
    StreamBody::new(frames.chain(futures::stream::once(end)).boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn stream() -> Events {
        let mut events = Events::default();
        events.data(&"begin");
        for text in ["a", "b", "c"] {
            events.data(&serde_json::json!({ "delta": text }));
        }
        events.data(&"end");
        events
    }

    fn pauses(pieces: &[(Duration, Bytes)]) -> Vec<u128> {
        pieces.iter().map(|(pause, _)| pause.as_millis()).collect()
    }

    #[test]
    fn the_first_token_waits_longer_and_only_tokens_wait() {
        let pace =
            StreamPace { first: MS(300), tokens_per_second: Some(50.0), ..StreamPace::default() };
        assert_eq!(pauses(&paced(stream(), pace, None)), [0, 300, 20, 20, 0]);
        assert_eq!(pauses(&paced(stream(), StreamPace::default(), Some(MS(5)))), [0, 5, 5, 5, 5]);
    }

    #[test]
    fn a_stream_is_cut_after_events_inside_one_and_after_a_time() {
        let pace = StreamPace { tokens_per_second: Some(10.0), ..StreamPace::default() };
        let cut = |cut| {
            let plan = cut_off(paced(stream(), pace, None), Some(cut));
            (plan.pieces.len(), plan.cut.unwrap().as_millis())
        };
        assert_eq!(cut(CutPoint::Events { whole: 2, inside: false }), (2, 0));
        assert_eq!(cut(CutPoint::Events { whole: 2, inside: true }), (3, 0));
        assert_eq!(cut(CutPoint::Events { whole: 9, inside: true }), (5, 0));
        assert_eq!(cut(CutPoint::MidStream), (2, 0));
        // The tokens come at 0, 100 and 200 ms.
        assert_eq!(cut(CutPoint::Elapsed(MS(150))), (3, 50));
        assert_eq!(cut(CutPoint::Elapsed(MS(900))), (4, 700));
        let half =
            cut_off(paced(stream(), pace, None), Some(CutPoint::Events { whole: 0, inside: true }));
        assert_eq!(half.pieces, [(Duration::ZERO, Bytes::from_static(b"data: \""))]);
    }

    #[test]
    fn packets_make_up_the_piece_again_and_the_first_waits() {
        let all = packets((MS(5), Bytes::from_static("é: abc".as_bytes())), 3);
        assert_eq!(pauses(&all), [5, 0, 0]);
        let bytes: Vec<u8> = all.iter().flat_map(|(_, piece)| piece.to_vec()).collect();
        assert_eq!(bytes, "é: abc".as_bytes());
    }
}
