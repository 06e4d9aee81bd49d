//! What becomes of a function's asynchronous invocations: `EventInvokeConfig` of a function, and
//! `AWS::Lambda::EventInvokeConfig`.

use std::time::Duration;

use rehearse_core::{
    names::hint,
    yaml::tree::{Entry, Node},
};

use super::{
    Ignored,
    intrinsic::{kind_of, merged},
    resolve::{Resolver, Resource, TemplateError},
};

/// How a function's asynchronous invocations are repeated, and where their failures go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsynchronousInvocations {
    /// How often a failed one is repeated.
    pub retries: u32,
    /// The age at which an event is given up.
    pub max_age: Duration,
    /// Where the record of one that was given up goes: an ARN, or why it is not known.
    pub on_failure: Option<String>,
}

impl Default for AsynchronousInvocations {
    /// Lambda's own: two retries within six hours.
    fn default() -> Self {
        Self { retries: 2, max_age: Duration::from_secs(21_600), on_failure: None }
    }
}

/// Reads `EventInvokeConfig` of a function.
pub(super) fn read(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    ignored: &mut Vec<Ignored>,
) -> Result<AsynchronousInvocations, TemplateError> {
    let name = "EventInvokeConfig";
    match merged(resolver.global("Function", name), resource.property(name)) {
        None => Ok(AsynchronousInvocations::default()),
        Some(node) => {
            let entries = node.as_map().ok_or_else(|| {
                let message = format!("{name} is a map, not {}", kind_of(&node));
                TemplateError::invalid(node.at, message)
            })?;
            of_entries(resolver, resource.id, entries, &[], ignored)
        }
    }
}

/// Reads an `AWS::Lambda::EventInvokeConfig`: the name or ARN of its function, and what it says.
pub(super) fn read_resource(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    ignored: &mut Vec<Ignored>,
) -> Result<(String, AsynchronousInvocations), TemplateError> {
    let function = resource.property("FunctionName").map(|node| resolver.resolve(node));
    let function = function.transpose()?.flatten().as_ref().and_then(Node::scalar);
    let function = function.ok_or_else(|| {
        TemplateError::invalid(resource.at, format!("{} needs FunctionName", resource.id))
    })?;
    let own = ["FunctionName", "Qualifier"];
    let read = of_entries(resolver, resource.id, resource.properties(), &own, ignored)?;
    Ok((function, read))
}

fn of_entries(
    resolver: &Resolver<'_>,
    id: &str,
    entries: &[Entry],
    more: &[&str],
    ignored: &mut Vec<Ignored>,
) -> Result<AsynchronousInvocations, TemplateError> {
    let mut read = AsynchronousInvocations::default();
    for entry in entries {
        let whole = |least: u64, most: u64| whole(resolver, entry, least, most);
        match entry.key.as_str() {
            "MaximumRetryAttempts" => {
                if let Some(retries) = whole(0, 2)? {
                    read.retries = u32::try_from(retries).unwrap_or_default();
                }
            }
            "MaximumEventAgeInSeconds" => {
                if let Some(seconds) = whole(60, 21_600)? {
                    read.max_age = Duration::from_secs(seconds);
                }
            }
            "DestinationConfig" => {
                read.on_failure = destination(resolver, id, &entry.value, ignored)?;
            }
            known if more.contains(&known) => {}
            unknown => {
                let known =
                    ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"];
                let hint = hint(unknown, known.into_iter().chain(more.iter().copied()));
                let message = format!("EventInvokeConfig has no property `{unknown}`{hint}");
                return Err(TemplateError::invalid(entry.at, message));
            }
        }
    }
    Ok(read)
}

fn whole(
    resolver: &Resolver<'_>,
    entry: &Entry,
    least: u64,
    most: u64,
) -> Result<Option<u64>, TemplateError> {
    let Some(node) = resolver.resolve(&entry.value)? else { return Ok(None) };
    let number = node.scalar().and_then(|text| text.parse().ok());
    let number = number.filter(|number| (least..=most).contains(number));
    let message = || format!("{} is a whole number from {least} to {most}", entry.key);
    number.map(Some).ok_or_else(|| TemplateError::invalid(entry.value.at, message()))
}

/// The destination of failures.
fn destination(
    resolver: &Resolver<'_>,
    id: &str,
    node: &Node,
    ignored: &mut Vec<Ignored>,
) -> Result<Option<String>, TemplateError> {
    let Some(node) = resolver.outermost(node)? else { return Ok(None) };
    let mut found = None;
    for entry in node.as_map().unwrap_or_default() {
        match entry.key.as_str() {
            "OnFailure" => {
                let Some(on_failure) = resolver.outermost(&entry.value)? else { continue };
                found = Some(arn(resolver, &on_failure)?);
            }
            "OnSuccess" => ignored.push(Ignored {
                kind: "OnSuccess destination".into(),
                id: id.into(),
                line: entry.at.line(),
            }),
            unknown => {
                let hint = hint(unknown, ["OnFailure", "OnSuccess"]);
                let message = format!("DestinationConfig has no property `{unknown}`{hint}");
                return Err(TemplateError::invalid(entry.at, message));
            }
        }
    }
    Ok(found)
}

fn arn(resolver: &Resolver<'_>, on_failure: &Node) -> Result<String, TemplateError> {
    const TYPES: [&str; 6] = ["SQS", "SNS", "Lambda", "EventBridge", "S3", "S3Bucket"];
    let kind = on_failure.get("Type").and_then(Node::scalar);
    if let (Some(kind), Some(node)) = (&kind, on_failure.get("Type"))
        && !TYPES.contains(&kind.as_str())
    {
        let message = format!("Type is one of {}, not `{kind}`", TYPES.join(", "));
        return Err(TemplateError::invalid(node.at, message));
    }
    let Some(destination) = on_failure.get("Destination") else {
        return match kind.as_deref() {
            Some(kind @ ("SQS" | "SNS")) => Ok(format!("the {kind} destination that SAM creates")),
            _ => Err(TemplateError::invalid(on_failure.at, "OnFailure needs a Destination")),
        };
    };
    match resolver.exactly(destination) {
        // `AWS::NoValue`: as if it were left out.
        Ok(None) if matches!(kind.as_deref(), Some("SQS" | "SNS")) => {
            Ok(format!("the {} destination that SAM creates", kind.unwrap_or_default()))
        }
        Ok(node) => node
            .as_ref()
            .and_then(Node::scalar)
            .ok_or_else(|| TemplateError::invalid(destination.at, "Destination is an ARN")),
        // Nothing but the journal sees it.
        Err(error) if error.only_on_aws => Ok(error.message),
        Err(error) => Err(error),
    }
}
