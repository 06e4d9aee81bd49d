//! Schedules that invoke a function: `Schedule` and `ScheduleV2` events, and rules of EventBridge
//! (`AWS::Events::Rule`).

mod cron;
mod expression;
mod read;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

pub use self::expression::ScheduleExpression;
pub(super) use self::read::{read, read_rule};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";

/// A schedule that invokes a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Its name on AWS; the event's or the resource's id if it has none.
    pub name: String,
    /// Who keeps it.
    pub kind: ScheduleKind,
    /// The moments at which it is due.
    pub expression: ScheduleExpression,
    /// The time zone of the expression; a rule's is always UTC.
    pub time_zone: TimeZone,
    /// JSON that takes the place of the event.
    pub input: Option<String>,
    /// Whether it is due at all.
    pub enabled: bool,
    /// Its line in the template, from 1; 0 for a schedule that is in no template.
    pub line: u64,
}

/// Who keeps a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleKind {
    /// A rule of EventBridge (`Schedule`, `AWS::Events::Rule`).
    Rule,
    /// EventBridge Scheduler (`ScheduleV2`).
    Scheduler,
}

impl Schedule {
    /// A rule with this name: `rate(1 minute)`, `cron(0 9 * * ? *)`.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn rule(name: &str, expression: &str) -> Result<Self, String> {
        Ok(Self {
            name: name.into(),
            kind: ScheduleKind::Rule,
            expression: expression.parse()?,
            time_zone: TimeZone::UTC,
            input: None,
            enabled: true,
            line: 0,
        })
    }

    /// The first moment after `after` at which it is due. `start` is when it was created, from which
    /// rates count. `None` when there is none any more, or it is disabled.
    pub fn next_after(&self, after: Timestamp, start: Timestamp) -> Option<Timestamp> {
        if !self.enabled {
            return None;
        }
        self.expression.next_after(after, start, &self.time_zone)
    }

    /// The event that its function gets at a moment. `id` is the event's own.
    pub fn event(&self, at: Timestamp, id: &str) -> Value {
        let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let arn = self.arn();
        if let Some(input) = &self.input {
            let text = match self.kind {
                ScheduleKind::Rule => input.clone(),
                // EventBridge Scheduler fills in these words.
                ScheduleKind::Scheduler => input
                    .replace("<aws.scheduler.schedule-arn>", &arn)
                    .replace("<aws.scheduler.scheduled-time>", &time)
                    .replace("<aws.scheduler.execution-id>", id)
                    .replace("<aws.scheduler.attempt-number>", "1"),
            };
            return serde_json::from_str(&text).unwrap_or(Value::String(text));
        }
        let (source, detail) = match self.kind {
            ScheduleKind::Rule => ("aws.events", json!({})),
            ScheduleKind::Scheduler => ("aws.scheduler", json!("{}")),
        };
        json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": source,
            "account": ACCOUNT,
            "time": time,
            "region": REGION,
            "resources": [arn],
            "detail": detail,
        })
    }

    fn arn(&self) -> String {
        match self.kind {
            ScheduleKind::Rule => format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", self.name),
            ScheduleKind::Scheduler => {
                format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{}", self.name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_eventbridges_and_an_input_takes_its_place() {
        let at: Timestamp = "2026-02-10T20:11:00Z".parse().unwrap();
        let rule = Schedule::rule("Every", "rate(1 minute)").unwrap();
        let event = rule.event(at, "e-1");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!((&event["time"], &event["id"]), (&json!("2026-02-10T20:11:00Z"), &json!("e-1")));
        assert_eq!(event["resources"][0], "arn:aws:events:us-east-1:123456789012:rule/Every");
        let input = Some(r#"{"at":"<aws.scheduler.scheduled-time>"}"#.to_owned());
        let own = Schedule { input, kind: ScheduleKind::Scheduler, ..rule };
        assert_eq!(own.event(at, "e-1"), json!({ "at": "2026-02-10T20:11:00Z" }));
    }

    #[test]
    fn a_disabled_schedule_is_never_due() {
        let now = Timestamp::UNIX_EPOCH;
        let rule = Schedule::rule("Every", "rate(1 minute)").unwrap();
        assert!(rule.next_after(now, now).is_some());
        assert!(Schedule { enabled: false, ..rule }.next_after(now, now).is_none());
    }
}
