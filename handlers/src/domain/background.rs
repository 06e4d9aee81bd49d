//! Work that a function does outside of the request that asks for it, and its form as an event.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{phone::Phone, turn::TurnKey};

/// Work outside of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackgroundTask {
    /// Send these texts of the outbox.
    SendTexts {
        /// Their ids.
        ids: Vec<String>,
        /// Business time.
        now: Timestamp,
    },
    /// Finish a turn that was handed over.
    FinishTurn {
        /// The turn.
        key: TurnKey,
        /// Business time.
        now: Timestamp,
    },
    /// Do whatever waits to be done: texts in the outbox, turns that were handed over.
    DoWaiting {
        /// Business time.
        now: Timestamp,
    },
}

/// An event that is neither a task of this backend nor EventBridge's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event is no task")]
pub struct NoTask;

impl BackgroundTask {
    /// Writes the event.
    pub fn to_json(&self) -> Value {
        let millis = Timestamp::as_millisecond;
        match self {
            Self::SendTexts { ids, now } => {
                json!({ "task": "send_texts", "ids": ids, "now_ms": millis(*now) })
            }
            Self::FinishTurn { key, now } => json!({
                "task": "finish_turn",
                "phone": key.phone.as_str(),
                "sid": key.sid,
                "now_ms": millis(*now),
            }),
            Self::DoWaiting { now } => json!({ "task": "do_waiting", "now_ms": millis(*now) }),
        }
    }

    /// Reads an event, or EventBridge's scheduled one, which means [`BackgroundTask::DoWaiting`].
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(event: &Value) -> Result<Self, NoTask> {
        if event["source"] == "aws.events" || event["source"] == "aws.scheduler" {
            let now = event["time"].as_str().and_then(|time| time.parse().ok()).ok_or(NoTask)?;
            return Ok(Self::DoWaiting { now });
        }
        let now = event["now_ms"].as_i64().ok_or(NoTask)?;
        let now = Timestamp::from_millisecond(now).map_err(|_| NoTask)?;
        match event["task"].as_str() {
            Some("send_texts") => {
                let ids = event["ids"].as_array().ok_or(NoTask)?;
                let id = |id: &Value| id.as_str().map(str::to_owned).ok_or(NoTask);
                Ok(Self::SendTexts { ids: ids.iter().map(id).collect::<Result<_, _>>()?, now })
            }
            Some("finish_turn") => {
                let phone = event["phone"].as_str().ok_or(NoTask)?;
                let phone = Phone::from_e164(phone).map_err(|_| NoTask)?;
                let sid = event["sid"].as_str().ok_or(NoTask)?.to_owned();
                Ok(Self::FinishTurn { key: TurnKey { phone, sid }, now })
            }
            Some("do_waiting") => Ok(Self::DoWaiting { now }),
            _ => Err(NoTask),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_read_back_and_the_schedule_means_whatever_waits() {
        let now: Timestamp = "2026-02-10T20:10:00.5Z".parse().unwrap();
        let phone = Phone::parse("+19042520927").unwrap();
        for task in [
            BackgroundTask::SendTexts { ids: vec!["a#0".into()], now },
            BackgroundTask::FinishTurn { key: TurnKey { phone, sid: "SM1".into() }, now },
            BackgroundTask::DoWaiting { now },
        ] {
            assert_eq!(BackgroundTask::parse(&task.to_json()), Ok(task));
        }
        let scheduled = json!({ "source": "aws.events", "time": "2026-02-10T20:10:00Z" });
        let now = "2026-02-10T20:10:00Z".parse().unwrap();
        assert_eq!(BackgroundTask::parse(&scheduled), Ok(BackgroundTask::DoWaiting { now }));
        for other in
            [json!({}), json!({ "task": "x", "now_ms": 1 }), json!({ "task": "send_texts" })]
        {
            assert_eq!(BackgroundTask::parse(&other), Err(NoTask), "{other}");
        }
    }
}
