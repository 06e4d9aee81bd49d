//! What becomes of messages, and what the backend is told of it, as a test decides.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Status;

/// What becomes of some of the messages that are sent from now on, and which status callbacks the
/// backend gets. What is left out is as without a plan.
///
/// ```
/// use rehearse_twilio::{DeliveryPlan, PlannedCallback, Status};
///
/// // The phone is switched off, and the backend hears of the end before it hears of the beginning.
/// let plan = DeliveryPlan {
///     to: Some("+15550123456".into()),
///     status: Some(Status::Undelivered),
///     code: Some(30003),
///     callbacks: Some(vec![
///         PlannedCallback::of(Status::Undelivered),
///         PlannedCallback::of(Status::Sent),
///     ]),
///     ..DeliveryPlan::default()
/// };
/// assert_eq!(plan.check(), Ok(()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryPlan {
    /// Only messages to this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only messages from this number of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last status: `delivered`, `undelivered`, `failed`, or `sent` when the carrier never says
    /// what became of a message. Left out with a code, the code decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Twilio's code of why a message is not delivered; 30008 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Business time for which a message waits in Twilio's queue, `queued` or `accepted`, before it is
    /// sent. One that waits for longer than its `ValidityPeriod` is never sent: it fails with 30036.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub queued: Option<SignedDuration>,
    /// Business time from sending to the last status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub late: Option<SignedDuration>,
    /// The status callbacks in the order in which they go out: one that is not here never comes, one
    /// that is here twice comes twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Vec<PlannedCallback>>,
    /// For how many messages; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// One status callback of a [`DeliveryPlan`]. In JSON it is a status, or `{status, after}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "CallbackForm")]
pub struct PlannedCallback {
    /// The status that it tells. The message has it by then at the latest.
    pub status: Status,
    /// Business time from sending; when left out, as soon as the message has the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub after: Option<SignedDuration>,
}

impl PlannedCallback {
    /// A callback that goes out as soon as the message has the status.
    pub fn of(status: Status) -> Self {
        Self { status, after: None }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum CallbackForm {
    Status(Status),
    Whole(WholeCallback),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WholeCallback {
    status: Status,
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    after: Option<SignedDuration>,
}

impl From<CallbackForm> for PlannedCallback {
    fn from(form: CallbackForm) -> Self {
        match form {
            CallbackForm::Status(status) => Self::of(status),
            CallbackForm::Whole(WholeCallback { status, after }) => Self { status, after },
        }
    }
}

/// Why a plan cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidPlan(String);

impl DeliveryPlan {
    /// The last status and its code, with this plan.
    pub(crate) fn end(&self) -> (Status, Option<u32>) {
        match (self.status, self.code) {
            (None, Some(code)) => (end_of(code), Some(code)),
            (Some(status @ (Status::Undelivered | Status::Failed)), code) => {
                (status, Some(code.unwrap_or(30_008)))
            }
            (Some(status), _) => (status, None),
            (None, None) => (Status::Delivered, None),
        }
    }

    /// The plan for a message that may wait for so long: itself, or that of a message whose time is up
    /// before it is sent. Of the callbacks only those about the waiting are left then.
    pub(crate) fn within(self, validity: SignedDuration) -> Self {
        if self.queued.is_none_or(|queued| queued <= validity) {
            return self;
        }
        let is_told = self.callbacks.as_ref().is_none_or(|callbacks| !callbacks.is_empty());
        Self {
            status: Some(Status::Failed),
            code: Some(30_036),
            queued: None,
            late: Some(validity),
            callbacks: (!is_told).then(Vec::new),
            ..self
        }
    }

    /// Whether the plan can be carried out.
    ///
    /// # Errors
    /// Says what is wrong: a last status that is none, a code beside a status that has none, a
    /// callback for a status that the message never has, or a time before the message was sent.
    pub fn check(&self) -> Result<(), InvalidPlan> {
        let wrong = |why: String| Err(InvalidPlan(why));
        let (end, _) = self.end();
        if !matches!(end, Status::Sent | Status::Delivered | Status::Undelivered | Status::Failed) {
            let end = end.as_str();
            return wrong(format!(
                "a message does not end as {end}, but as delivered, undelivered, failed or sent"
            ));
        }
        if self.code.is_some() && matches!(end, Status::Sent | Status::Delivered) {
            return wrong(format!("a message that ends as {} has no code", end.as_str()));
        }
        let times = self.callbacks.iter().flatten().filter_map(|callback| callback.after);
        if times.chain(self.late).chain(self.queued).any(|time| time.is_negative()) {
            return wrong("nothing is told of a message before it is sent".into());
        }
        if self.times == Some(0) {
            return wrong("'times' is at least 1".into());
        }
        for PlannedCallback { status, .. } in self.callbacks.iter().flatten() {
            let passes = match status {
                Status::Queued => true,
                Status::Sent => end != Status::Failed,
                status => *status == end,
            };
            if !passes {
                let (status, end) = (status.as_str(), end.as_str());
                return wrong(format!(
                    "there is no callback '{status}' for a message that ends as {end}"
                ));
            }
        }
        Ok(())
    }
}

/// How a message ends that has this code. Twilio could not even send it (`failed`) when it was refused
/// or its queue or account was not ready; the carrier did not deliver it (`undelivered`) otherwise.
pub(crate) fn end_of(code: u32) -> Status {
    match code {
        // The dictionary's pages of 30001, 30002, 30010 to 30014 and 30036 speak of messages that were not
        // sent; codes below 30000 are those of the API itself.
        ..=30_002 | 30_010..=30_014 | 30_016 | 30_020 | 30_021 | 30_029..=30_031 | 30_036 => {
            Status::Failed
        }
        _ => Status::Undelivered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> DeliveryPlan {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_plan_says_how_a_message_ends() {
        for (json, end) in [
            (r#"{}"#, (Status::Delivered, None)),
            (r#"{"status": "undelivered"}"#, (Status::Undelivered, Some(30_008))),
            (r#"{"status": "failed", "code": 30003}"#, (Status::Failed, Some(30_003))),
            (r#"{"code": 30003}"#, (Status::Undelivered, Some(30_003))),
            (r#"{"code": 30001}"#, (Status::Failed, Some(30_001))),
            (r#"{"status": "sent"}"#, (Status::Sent, None)),
        ] {
            let plan = read(json);
            assert_eq!((plan.check(), plan.end()), (Ok(()), end), "{json}");
        }
    }

    #[test]
    fn a_callback_is_a_status_or_a_status_with_its_time() {
        let plan = read(r#"{"callbacks": ["delivered", {"status": "sent", "after": "10m"}]}"#);
        let after = Some(SignedDuration::from_mins(10));
        let callbacks = [
            PlannedCallback::of(Status::Delivered),
            PlannedCallback { status: Status::Sent, after },
        ];
        assert_eq!(plan.callbacks.as_deref(), Some(&callbacks[..]));
        for wrong in [r#"{"calbacks": []}"#, r#"{"status": "lost"}"#, r#"{"callbacks": ["x"]}"#] {
            assert!(serde_json::from_str::<DeliveryPlan>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_happen_is_refused() {
        for (json, why) in [
            (r#"{"status": "queued"}"#, "does not end as queued"),
            (r#"{"status": "received"}"#, "does not end as received"),
            (r#"{"status": "delivered", "code": 30003}"#, "ends as delivered has no code"),
            (r#"{"late": "-1m"}"#, "before it is sent"),
            (r#"{"queued": "-1m"}"#, "before it is sent"),
            (r#"{"callbacks": [{"status": "sent", "after": "-1s"}]}"#, "before it is sent"),
            (r#"{"callbacks": ["undelivered"]}"#, "no callback 'undelivered'"),
            (r#"{"status": "failed", "callbacks": ["sent"]}"#, "no callback 'sent'"),
            (r#"{"times": 0}"#, "at least 1"),
        ] {
            let error = read(json).check().unwrap_err().to_string();
            assert!(error.contains(why), "{json}: {error}");
        }
    }
}
