//! The statuses that a message passes through and the callbacks about them, in order, each with its
//! time.

use jiff::SignedDuration;

use super::{DeliveryPlan, PlannedCallback, Status};

/// A status of a message, with the code of why it is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub status: Status,
    pub error: Option<u32>,
}

/// One thing that happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CourseStep {
    /// Business time from sending.
    pub after: SignedDuration,
    pub what: Happening,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The message gets its next status.
    Change(StatusChange),
    /// The backend is told of a status.
    CallBack(StatusChange),
}

/// What happens to a message that ends so, in order. Without a plan all of it happens at once, with a
/// callback at each status. The first status, `accepted` for a Messaging Service's message and `queued`
/// for others, has none.
pub(crate) fn course(
    by_service: bool,
    end: StatusChange,
    plan: Option<&DeliveryPlan>,
) -> Vec<CourseStep> {
    let queued = plan.and_then(|plan| plan.queued).unwrap_or(SignedDuration::ZERO);
    let late = plan.and_then(|plan| plan.late).unwrap_or(SignedDuration::ZERO);
    let late = queued.saturating_add(late);
    let plain = |status| StatusChange { status, error: None };
    let mut path: Vec<(SignedDuration, StatusChange)> = Vec::new();
    if by_service {
        path.push((SignedDuration::ZERO, plain(Status::Queued)));
    }
    if end.status != Status::Failed {
        path.push((queued, plain(Status::Sent)));
    }
    if end.status != Status::Sent {
        path.push((late, end));
    }
    let mut callbacks: Vec<(SignedDuration, StatusChange)> =
        match plan.and_then(|plan| plan.callbacks.as_deref()) {
            None => path.clone(),
            Some(planned) => {
                let when = |callback: &PlannedCallback| {
                    let error = end.error.filter(|_| callback.status == end.status);
                    let has_it = match callback.status {
                        status if status == end.status => late,
                        Status::Queued => SignedDuration::ZERO,
                        _ => queued,
                    };
                    let after = callback.after.unwrap_or(has_it);
                    (after, StatusChange { status: callback.status, error })
                };
                planned.iter().map(when).collect()
            }
        };
    callbacks.sort_by_key(|(after, _)| *after);
    let mut steps = Vec::with_capacity(path.len() + callbacks.len());
    let mut coming = path.into_iter().peekable();
    for (after, told) in callbacks {
        // The message has the status by the time that the backend hears of it.
        while let Some((due, change)) =
            coming.next_if(|(due, change)| *due < after || rank(change.status) <= rank(told.status))
        {
            let change = Happening::Change(change);
            steps.push(CourseStep { after: due.min(after), what: change });
        }
        steps.push(CourseStep { after, what: Happening::CallBack(told) });
    }
    steps.extend(
        coming.map(|(after, change)| CourseStep { after, what: Happening::Change(change) }),
    );
    steps
}

/// Where a status stands on a message's way.
pub(super) fn rank(status: Status) -> u8 {
    match status {
        Status::Accepted | Status::Scheduled => 0,
        Status::Queued => 1,
        Status::Sent => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `=sent` is a change, `sent` a callback; the minute stands behind what is not at once.
    fn shown(by_service: bool, json: &str) -> Vec<String> {
        let plan: DeliveryPlan = serde_json::from_str(json).unwrap();
        assert_eq!(plan.check(), Ok(()));
        let (status, error) = plan.end();
        let steps = course(by_service, StatusChange { status, error }, Some(&plan));
        assert!(steps.is_sorted_by_key(|step| step.after), "{steps:?}");
        let show = |step: &CourseStep| {
            let (sign, change) = match step.what {
                Happening::Change(change) => ("=", change),
                Happening::CallBack(change) => ("", change),
            };
            let minutes = step.after.as_mins();
            let at = if minutes == 0 { String::new() } else { format!("@{minutes}") };
            let code = change.error.map_or_else(String::new, |code| format!(" {code}"));
            format!("{sign}{}{code}{at}", change.status.as_str())
        };
        steps.iter().map(show).collect()
    }

    #[test]
    fn without_a_plan_a_callback_follows_each_status() {
        let end = StatusChange { status: Status::Failed, error: Some(21_610) };
        let change = |status, error| StatusChange { status, error };
        let steps: Vec<Happening> = course(true, end, None).iter().map(|step| step.what).collect();
        let queued = change(Status::Queued, None);
        let expected = [
            Happening::Change(queued),
            Happening::CallBack(queued),
            Happening::Change(end),
            Happening::CallBack(end),
        ];
        assert_eq!(steps, expected);
        assert_eq!(shown(false, "{}"), ["=sent", "sent", "=delivered", "delivered"]);
    }

    #[test]
    fn plans_delay_drop_repeat_and_reorder_callbacks() {
        for (json, expected) in [
            (r#"{"late": "30m"}"#, vec!["=sent", "sent", "=delivered@30", "delivered@30"]),
            (
                r#"{"code": 30003, "callbacks": ["undelivered"]}"#,
                vec!["=sent", "=undelivered 30003", "undelivered 30003"],
            ),
            (r#"{"callbacks": []}"#, vec!["=sent", "=delivered"]),
            (r#"{"callbacks": ["sent"], "late": "5m"}"#, vec!["=sent", "sent", "=delivered@5"]),
            (
                r#"{"callbacks": ["delivered", "sent"]}"#,
                vec!["=sent", "=delivered", "delivered", "sent"],
            ),
            (
                r#"{"callbacks": ["sent", "sent", "delivered", "delivered"]}"#,
                vec!["=sent", "sent", "sent", "=delivered", "delivered", "delivered"],
            ),
            (
                r#"{"callbacks": [{"status": "sent", "after": "10m"}, "delivered"]}"#,
                vec!["=sent", "=delivered", "delivered", "sent@10"],
            ),
            (
                r#"{"late": "5m", "callbacks": [{"status": "delivered", "after": "2m"}]}"#,
                vec!["=sent", "=delivered@2", "delivered@2"],
            ),
            (r#"{"status": "sent"}"#, vec!["=sent", "sent"]),
            (
                r#"{"queued": "10m", "late": "5m"}"#,
                vec!["=sent@10", "sent@10", "=delivered@15", "delivered@15"],
            ),
            (r#"{"queued": "10m", "status": "sent"}"#, vec!["=sent@10", "sent@10"]),
            (
                r#"{"queued": "10m", "callbacks": ["sent", "delivered"]}"#,
                vec!["=sent@10", "sent@10", "=delivered@10", "delivered@10"],
            ),
        ] {
            assert_eq!(shown(false, json), expected, "{json}");
        }
        let failed = shown(true, r#"{"status": "failed", "code": 30001, "late": "1m"}"#);
        assert_eq!(failed, ["=queued", "queued", "=failed 30001@1", "failed 30001@1"]);
    }
}
