//! What becomes of an asynchronous invocation that failed: when it is repeated, or given up.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{gateway::invoke::InvokeError, template::AsynchronousInvocations};
use rehearse_core::journal::Cause;

/// An event for a function, on its way.
#[derive(Debug, Clone)]
pub(super) struct QueuedEvent {
    /// Logical id of the function.
    pub(super) function: String,
    /// The exchange's name in the journal.
    pub(super) name: String,
    /// What caused it, in words.
    pub(super) cause: String,
    /// The exchange that caused it, if one did.
    pub(super) caused_by: Option<Cause>,
    pub(super) request_id: Arc<str>,
    pub(super) payload: Value,
    /// When Lambda took it.
    pub(super) accepted: Timestamp,
    /// From 1.
    pub(super) attempt: u32,
    /// How often it was throttled, which does not count as an attempt.
    pub(super) throttled: u32,
}

/// What is to be done with an event at a later moment.
#[derive(Debug, Clone)]
pub(super) struct Later {
    pub(super) at: Timestamp,
    pub(super) event: QueuedEvent,
    pub(super) what: LaterWork,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum LaterWork {
    /// It is repeated.
    Repeat,
    /// It is too old by then, and given up.
    GiveUp(GivenUp),
}

/// Why an event is given up, and how its last attempt failed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GivenUp {
    /// `RetriesExhausted` or `EventAgeExceeded`.
    pub(super) condition: &'static str,
    /// How many attempts were made. One that was throttled is none.
    pub(super) attempts: u32,
    /// The function's error as Lambda writes it.
    pub(super) error: Value,
}

/// What follows from a failed attempt.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for a moment")]
pub(super) enum AfterFailure {
    Later(Later),
    GiveUp(GivenUp),
}

impl QueuedEvent {
    /// What follows from its failure at a moment of business time: as on AWS, it is repeated after
    /// one minute and after two more. One that was throttled is repeated after one second, two, four,
    /// and so on up to five minutes.
    pub(super) fn after_failure(
        mut self,
        error: &InvokeError,
        config: &AsynchronousInvocations,
        now: Timestamp,
    ) -> AfterFailure {
        let throttled = matches!(error, InvokeError::Throttled { .. });
        // Counted before the next attempt is.
        let attempts = if throttled { self.attempt.saturating_sub(1) } else { self.attempt };
        let given_up = |condition| GivenUp { condition, attempts, error: error_payload(error) };
        let wait = if throttled {
            let wait = Duration::from_secs(1 << self.throttled.min(9));
            self.throttled += 1;
            wait.min(Duration::from_secs(300))
        } else if self.attempt > config.retries {
            return AfterFailure::GiveUp(given_up("RetriesExhausted"));
        } else {
            let minutes = u64::from(self.attempt.min(2));
            self.attempt += 1;
            Duration::from_secs(60 * minutes)
        };
        let after = |moment: Timestamp, by: Duration| {
            let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            moment.checked_add(by).unwrap_or(Timestamp::MAX)
        };
        let (at, expires) = (after(now, wait), after(self.accepted, config.max_age));
        if now >= expires {
            return AfterFailure::GiveUp(given_up("EventAgeExceeded"));
        }
        let (at, what) = match at > expires {
            true => (expires, LaterWork::GiveUp(given_up("EventAgeExceeded"))),
            false => (at, LaterWork::Repeat),
        };
        AfterFailure::Later(Later { at, event: self, what })
    }

    /// The record of its invocation for a destination of failures. `arn` is its function's.
    pub(super) fn record(&self, given_up: &GivenUp, arn: &str, now: Timestamp) -> Value {
        json!({
            "version": "1.0",
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "requestContext": {
                "requestId": &*self.request_id,
                "functionArn": format!("{arn}:$LATEST"),
                "condition": given_up.condition,
                "approximateInvokeCount": given_up.attempts,
            },
            "requestPayload": self.payload,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": given_up.error,
        })
    }
}

/// A function's error as Lambda writes it.
pub(super) fn error_payload(error: &InvokeError) -> Value {
    match error {
        InvokeError::WithOutput { error, .. } => error_payload(error),
        // `Boom: on purpose` is what a function reported, by type and message.
        InvokeError::Failed(text) => match text.split_once(": ") {
            Some((kind, message)) if !kind.contains(' ') => {
                json!({ "errorType": kind, "errorMessage": message })
            }
            _ => json!({ "errorType": "Error", "errorMessage": text }),
        },
        InvokeError::TimedOut(after) => json!({
            "errorType": "Sandbox.Timedout",
            "errorMessage": format!("Task timed out after {:.2} seconds", after.as_secs_f64()),
        }),
        InvokeError::Panicked(message) => {
            json!({ "errorType": "Runtime.Panic", "errorMessage": message })
        }
        InvokeError::TooLarge { limit, .. } => json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage":
                format!("Response payload size exceeded maximum allowed payload size ({limit} bytes)."),
        }),
        other => json!({ "errorType": "Runtime.ExitError", "errorMessage": other.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> QueuedEvent {
        QueuedEvent {
            caused_by: None,
            function: "Late".into(),
            name: "invocation.Late".into(),
            cause: "lambda.invoke".into(),
            request_id: "id".into(),
            payload: json!({ "a": 1 }),
            accepted: Timestamp::UNIX_EPOCH,
            attempt: 1,
            throttled: 0,
        }
    }

    fn config(retries: u32, max_age: u64) -> AsynchronousInvocations {
        let max_age = Duration::from_secs(max_age);
        AsynchronousInvocations { retries, max_age, on_failure: None }
    }

    /// What follows when every attempt fails at once.
    fn story(config: &AsynchronousInvocations) -> Vec<String> {
        let (mut event, mut now, mut story) = (event(), Timestamp::UNIX_EPOCH, Vec::new());
        loop {
            let error = InvokeError::Failed("Boom: on purpose".into());
            match event.after_failure(&error, config, now) {
                AfterFailure::Later(Later { at, event: next, what: LaterWork::Repeat }) => {
                    story.push(format!("{} attempt {}", at.as_second(), next.attempt));
                    (event, now) = (next, at);
                }
                AfterFailure::Later(Later { at, what: LaterWork::GiveUp(given_up), .. }) => {
                    story.push(format!("{} {}", at.as_second(), given_up.condition));
                    return story;
                }
                AfterFailure::GiveUp(given_up) => {
                    story.push(format!("{} {}", now.as_second(), given_up.condition));
                    return story;
                }
            }
        }
    }

    #[test]
    fn an_event_is_repeated_after_one_minute_and_two_more_then_given_up() {
        assert_eq!(
            story(&AsynchronousInvocations::default()),
            ["60 attempt 2", "180 attempt 3", "180 RetriesExhausted"]
        );
        assert_eq!(story(&config(1, 180)), ["60 attempt 2", "60 RetriesExhausted"]);
        assert_eq!(story(&config(0, 180)), ["0 RetriesExhausted"]);
    }

    #[test]
    fn an_event_that_would_be_too_old_is_given_up_when_it_is() {
        assert_eq!(story(&config(2, 120)), ["60 attempt 2", "120 EventAgeExceeded"]);
    }

    #[test]
    fn a_throttled_event_was_not_attempted() {
        let limited = InvokeError::Throttled { limit: 1 };
        let later = event().after_failure(&limited, &config(0, 60), Timestamp::UNIX_EPOCH);
        let AfterFailure::Later(later) = later else { panic!("given up") };
        assert_eq!((later.at.as_second(), later.event.attempt), (1, 1));
        assert_eq!(later.what, LaterWork::Repeat);
    }

    #[test]
    fn the_attempts_that_were_made_are_counted() {
        let failed = InvokeError::Failed("Boom: on purpose".into());
        let limited = InvokeError::Throttled { limit: 1 };
        // Given up at once, or later when it is too old.
        for (error, attempt, seconds, expected) in [
            (&failed, 3, 0, 3),
            (&failed, 2, 59, 2),
            (&failed, 2, 60, 2),
            (&limited, 1, 59, 0),
            (&limited, 2, 60, 1),
        ] {
            let event = QueuedEvent { attempt, throttled: 5, ..event() };
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
            let given_up = match event.after_failure(error, &config(2, 60), now) {
                AfterFailure::GiveUp(given_up)
                | AfterFailure::Later(Later { what: LaterWork::GiveUp(given_up), .. }) => given_up,
                other => panic!("{other:?}"),
            };
            assert_eq!(given_up.attempts, expected, "attempt {attempt} at {seconds}: {error}");
        }
    }

    #[test]
    fn the_record_is_the_documented_one() {
        let error = error_payload(&InvokeError::Failed("Boom: on purpose".into()));
        let given_up = GivenUp { condition: "RetriesExhausted", attempts: 3, error };
        let record = event().record(&given_up, "arn:f", Timestamp::UNIX_EPOCH);
        assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
        assert_eq!(record["requestContext"]["functionArn"], "arn:f:$LATEST");
        assert_eq!(record["timestamp"], "1970-01-01T00:00:00.000Z");
        assert_eq!(record["requestPayload"], json!({ "a": 1 }));
        let error = json!({ "errorType": "Boom", "errorMessage": "on purpose" });
        assert_eq!(record["responsePayload"], error);
    }
}
