//! Reads schedules of a template.

use jiff::tz::TimeZone;
use rehearse_core::{
    names::hint,
    yaml::{
        Location,
        tree::{Entry, Node, Value},
    },
};

use super::{Schedule, ScheduleExpression, ScheduleKind};
use crate::template::{
    Ignored,
    intrinsic::kind_of,
    resolve::{Resolver, Resource, TemplateError},
};

/// Properties that change nothing here: delivery to a function never fails, and nobody reads a
/// description.
const HARMLESS: [&str; 9] = [
    "Description",
    "DeadLetterConfig",
    "RetryPolicy",
    "RoleArn",
    "PermissionsBoundary",
    "GroupName",
    "KmsKeyArn",
    "OmitName",
    "EventBusName",
];
/// Properties that are not emulated: the schedule is due as if they were not there.
const IGNORED: [&str; 3] = ["FlexibleTimeWindow", "StartDate", "EndDate"];

/// What was read of an event: its schedule, unless only AWS knows when it is due; and what of it is
/// not emulated.
pub(in crate::template) type ReadSchedule = (Option<Schedule>, Vec<Ignored>);

/// What was read of a rule: its schedule for each of its functions, by the function's ARN; and what of
/// it is not emulated.
pub(in crate::template) type ReadRule = (Vec<(String, Schedule)>, Vec<Ignored>);

/// Reads a `Schedule` or `ScheduleV2` event of the function `owner`.
pub(in crate::template) fn read(
    resolver: &Resolver<'_>,
    owner: &str,
    kind: ScheduleKind,
    event: &Entry,
) -> Result<ReadSchedule, TemplateError> {
    let (word, expression, more): (_, _, &[&str]) = match kind {
        ScheduleKind::Rule => ("Schedule event", "Schedule", &["Enabled"]),
        ScheduleKind::Scheduler => {
            ("ScheduleV2 event", "ScheduleExpression", &["ScheduleExpressionTimezone"])
        }
    };
    let own: Vec<&str> =
        ["Name", "Input", "State", expression].into_iter().chain(more.iter().copied()).collect();
    let at = event.at;
    let Some(properties) = event.value.get("Properties").and_then(Node::as_map) else {
        let message = format!("the event `{}` needs Properties with {expression}", event.key);
        return Err(TemplateError::invalid(at, message));
    };
    let id = format!("{owner}.{}", event.key);
    let mut ignored = unemulated(properties, &own, &id, word)?;
    let name = format!("{owner}{}", event.key);
    let reader = Reader { resolver, properties };
    match reader.schedule(name, kind, expression, at) {
        Ok(schedule) => Ok((Some(schedule), ignored)),
        Err(error) if error.only_on_aws => {
            ignored.push(Ignored { kind: word.into(), id, line: at.line() });
            Ok((None, ignored))
        }
        Err(error) => Err(error),
    }
}

/// Reads an `AWS::Events::Rule`: its schedule for each of its targets that is a function, by the
/// target's ARN. A rule without a schedule waits for events of other services: it is ignored.
pub(in crate::template) fn read_rule(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<ReadRule, TemplateError> {
    let ignore =
        |what: &str| Ignored { kind: what.to_owned(), id: resource.id.into(), line: resource.line };
    if resource.property("ScheduleExpression").is_none() {
        return Ok((Vec::new(), vec![ignore("AWS::Events::Rule")]));
    }
    let all = ["ScheduleExpression", "Name", "State", "Targets", "EventPattern", "Tags"];
    let properties = resource.properties();
    let mut ignored = unemulated(properties, &all, resource.id, "rule")?;
    let reader = Reader { resolver, properties };
    let rule = ScheduleKind::Rule;
    let read = reader.schedule(resource.id.into(), rule, "ScheduleExpression", resource.at);
    let schedule = match read {
        Ok(schedule) => schedule,
        Err(error) if error.only_on_aws => {
            return Ok((Vec::new(), vec![ignore("AWS::Events::Rule")]));
        }
        Err(error) => return Err(error),
    };
    let mut schedules = Vec::new();
    for target in resource.property("Targets").and_then(Node::as_list).unwrap_or_default() {
        let of = Reader { resolver, properties: target.as_map().unwrap_or_default() };
        match of.text("Arn") {
            Ok(Some((arn, _))) if arn.contains(":lambda:") => {
                let input = of.input()?.or_else(|| schedule.input.clone());
                schedules.push((arn, Schedule { input, ..schedule.clone() }));
            }
            Err(error) if !error.only_on_aws => return Err(error),
            _ => ignored.push(Ignored {
                kind: "target of a rule".into(),
                id: resource.id.into(),
                line: target.line(),
            }),
        }
    }
    Ok((schedules, ignored))
}

/// Properties that are there and not emulated; a misspelt one is an error.
fn unemulated(
    properties: &[Entry],
    own: &[&str],
    id: &str,
    word: &str,
) -> Result<Vec<Ignored>, TemplateError> {
    let mut ignored = Vec::new();
    for Entry { key, at, .. } in properties {
        let key = key.as_str();
        if IGNORED.contains(&key) {
            let kind = format!("{key} of a {word}");
            ignored.push(Ignored { kind, id: id.into(), line: at.line() });
        } else if !own.contains(&key) && !HARMLESS.contains(&key) {
            let known = own.iter().chain(&IGNORED).chain(&HARMLESS).copied();
            let message = format!("a {word} has no property `{key}`{}", hint(key, known));
            return Err(TemplateError::invalid(*at, message));
        }
    }
    Ok(ignored)
}

struct Reader<'a, 'r> {
    resolver: &'a Resolver<'r>,
    properties: &'a [Entry],
}

impl Reader<'_, '_> {
    fn schedule(
        &self,
        name: String,
        kind: ScheduleKind,
        expression: &str,
        at: Location,
    ) -> Result<Schedule, TemplateError> {
        let Some((text, place)) = self.text(expression)? else {
            return Err(TemplateError::invalid(at, format!("a schedule needs {expression}")));
        };
        let parsed: ScheduleExpression =
            text.parse().map_err(|wrong: String| TemplateError::invalid(place, wrong))?;
        if kind == ScheduleKind::Rule && matches!(parsed, ScheduleExpression::At(_)) {
            let message = "a rule takes rate(...) or cron(...); at(...) is for a ScheduleV2";
            return Err(TemplateError::invalid(place, message));
        }
        let time_zone = match self.text("ScheduleExpressionTimezone")? {
            None => TimeZone::UTC,
            Some((zone, at)) => TimeZone::get(&zone)
                .map_err(|_| TemplateError::invalid(at, format!("`{zone}` is not a time zone")))?,
        };
        Ok(Schedule {
            name: self.text("Name")?.map_or(name, |(name, _)| name),
            kind,
            expression: parsed,
            time_zone,
            input: self.input()?,
            enabled: self.enabled()?,
            line: at.line(),
        })
    }

    fn input(&self) -> Result<Option<String>, TemplateError> {
        let Some((input, at)) = self.text("Input")? else { return Ok(None) };
        match serde_json::from_str::<serde_json::Value>(&input) {
            Ok(_) => Ok(Some(input)),
            Err(wrong) => Err(TemplateError::invalid(at, format!("Input is not JSON: {wrong}"))),
        }
    }

    fn enabled(&self) -> Result<bool, TemplateError> {
        if let Some((state, at)) = self.text("State")? {
            return match state.as_str() {
                "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Ok(true),
                "DISABLED" => Ok(false),
                _ => Err(TemplateError::invalid(at, "State is ENABLED or DISABLED")),
            };
        }
        match self.text("Enabled")? {
            None => Ok(true),
            Some((word, at)) => match word.to_ascii_lowercase().as_str() {
                "true" | "yes" => Ok(true),
                "false" | "no" => Ok(false),
                _ => Err(TemplateError::invalid(at, "Enabled is true or false")),
            },
        }
    }

    /// A property as text, and its place.
    fn text(&self, name: &str) -> Result<Option<(String, Location)>, TemplateError> {
        let Some(entry) = self.properties.iter().find(|entry| entry.key == name) else {
            return Ok(None);
        };
        let at = entry.value.at;
        let Some(node) = self.resolver.exactly(&entry.value)? else { return Ok(None) };
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let text = node.scalar().ok_or_else(|| {
            TemplateError::invalid(at, format!("{name} is text, not {}", kind_of(&node)))
        })?;
        Ok(Some((text, at)))
    }
}
