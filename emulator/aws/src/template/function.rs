//! Functions of a template and their environment.

use super::intrinsic::kind_of;
use rehearse_core::yaml::tree::{Entry, Node, Value};
use std::{collections::BTreeMap, time::Duration};

use rehearse_core::yaml::Location;

use super::{
    Ignored,
    asynchronous::{self, AsynchronousInvocations},
    code::{self, CodePlace, FunctionUrl},
    plain,
    policy::{self, Grant, UncheckedPolicy},
    resolve::{Resolver, Resource, TemplateError, Unknowns},
    route::{self, Route},
    schedule::{self, Schedule, ScheduleKind},
};

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id.
    pub id: String,
    /// `FunctionName`; the logical id if there is none (AWS derives a name from it).
    pub name: String,
    /// `Handler`, such as `bootstrap`.
    pub handler: Option<String>,
    /// `Runtime`, such as `provided.al2023`.
    pub runtime: Option<String>,
    /// Its binary of a Rust workspace (`Metadata: BuildProperties: Binary`).
    pub binary: Option<String>,
    /// Where its code is.
    pub code: CodePlace,
    /// Its function URL, if it has one.
    pub url: Option<FunctionUrl>,
    /// `Architectures`, such as `arm64`.
    pub architectures: Vec<String>,
    /// Most invocations at once.
    pub reserved_concurrency: Option<u32>,
    /// Its environment, without the variables in `unresolved` that have no value.
    pub env: BTreeMap<String, String>,
    /// Variables whose values only AWS knows: those without any, and those with one that is made up.
    pub unresolved: Vec<UnresolvedVariable>,
    /// Most time of one invocation.
    pub timeout: Duration,
    /// Memory in MB.
    pub memory: u32,
    /// The permissions of its role, as inline policies grant them.
    pub grants: Vec<Grant>,
    /// Policies and statements that cannot be compared with what was used.
    pub unchecked_policies: Vec<UncheckedPolicy>,
    /// Its layers: ARNs, or the reason why an ARN is not known.
    pub layers: Vec<String>,
    /// The routes to it.
    pub routes: Vec<Route>,
    /// The schedules that invoke it.
    pub schedules: Vec<Schedule>,
    /// What becomes of its asynchronous invocations.
    pub asynchronous: AsynchronousInvocations,
    /// Its line in the template, from 1; 0 for a function that is in no template.
    pub line: u64,
}

impl Function {
    /// A function without routes, environment or permissions.
    ///
    /// Its timeout is 29 seconds, not AWS's default of 3, so that a slow machine fails no test.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            name: id.into(),
            handler: None,
            runtime: None,
            binary: None,
            code: CodePlace::Folder(".".into()),
            url: None,
            architectures: Vec::new(),
            reserved_concurrency: None,
            env: BTreeMap::new(),
            unresolved: Vec::new(),
            timeout: Duration::from_secs(29),
            memory: 128,
            grants: Vec::new(),
            unchecked_policies: Vec::new(),
            layers: Vec::new(),
            routes: Vec::new(),
            schedules: Vec::new(),
            asynchronous: AsynchronousInvocations::default(),
            line: 0,
        }
    }
}

impl Function {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:us-east-1:123456789012:function:{}", self.name)
    }

    /// Whether a name is its own, as Lambda takes names: the function's name, its ARN, or the part of
    /// that from the account on; with `:$LATEST` or without. Its logical id does, too.
    pub fn is_named(&self, name: &str) -> bool {
        let name = name.strip_suffix(":$LATEST").unwrap_or(name);
        let arn = self.arn();
        let partial = arn.strip_prefix("arn:aws:lambda:us-east-1:").unwrap_or_default();
        [self.id.as_str(), &self.name, &arn, partial].contains(&name)
    }
}

/// A variable whose value only AWS knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedVariable {
    /// Its name.
    pub variable: String,
    /// Why it is not known.
    pub reason: String,
    /// The plausible value in it, if it has one. What stands around that may be a secret and is left out.
    pub placeholder: Option<String>,
    /// Its line in the template, from 1.
    pub line: u64,
}

/// What was read of a function.
#[derive(Debug)]
pub(super) struct ReadFunction {
    pub(super) function: Function,
    /// The positions of its routes.
    pub(super) places: Vec<Location>,
    /// Its events that are neither routes nor schedules, and what else is not emulated.
    pub(super) ignored: Vec<Ignored>,
}

pub(super) fn read(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<ReadFunction, TemplateError> {
    let number = |name: &str, least: u64| number(resolver, resource, name, least);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let timeout = Duration::from_secs(number("Timeout", 1)?.unwrap_or(3));
    let memory = small(number("MemorySize", 1)?.unwrap_or(128));
    let text = |name: &str| text(resolver, resource, name);
    // A role of its own takes the place of the one that SAM would make of the policies.
    let role = plain::policies(resolver, resource)?;
    let policies = role.as_ref().or_else(|| resource.property("Policies"));
    let (grants, unchecked_policies) = policy::read(resolver, policies)?;
    let mut function = Function {
        name: resolver.function_name(resource.id, 0)?,
        handler: text("Handler")?,
        runtime: text("Runtime")?,
        binary: resource.metadata("BuildProperties").and_then(|node| node.get("Binary")?.scalar()),
        code: code::place(resolver, resource)?,
        url: None,
        architectures: architectures(resolver, resource)?,
        // 0 is allowed and turns a function off.
        reserved_concurrency: number("ReservedConcurrentExecutions", 0)?.map(small),
        timeout,
        memory,
        grants,
        unchecked_policies,
        layers: layers(resolver, resource)?,
        line: resource.line,
        ..Function::new(resource.id)
    };
    // The function's own variables go before those of Globals.
    for environment in [global(resolver, resource, "Environment"), resource.property("Environment")]
    {
        let environment = chosen(resolver, &mut function, environment, "Environment")?;
        let mut environment = entries(environment.as_ref(), "Environment")?.iter();
        let variables = environment.find(|entry| entry.key == "Variables").map(|e| &e.value);
        let variables = chosen(resolver, &mut function, variables, "Variables")?;
        for variable in entries(variables.as_ref(), "Variables")? {
            set_variable(resolver, &mut function, variable)?;
        }
    }
    let (mut places, mut ignored) = (Vec::new(), Vec::new());
    if let Some(config) = property(resolver, resource, "FunctionUrlConfig") {
        let (url, route) = code::url(resolver, resource.id, config, &mut ignored)?;
        function.url = Some(url);
        function.routes.push(route);
        places.push(config.at);
    }
    function.asynchronous = asynchronous::read(resolver, resource, &mut ignored)?;
    for event in entries(resource.property("Events"), "Events")? {
        let kind = match event.value.get("Type").and_then(Node::as_str) {
            Some("Schedule") => Some(ScheduleKind::Rule),
            Some("ScheduleV2") => Some(ScheduleKind::Scheduler),
            _ => None,
        };
        if let Some(kind) = kind {
            let (read, unemulated) = schedule::read(resolver, resource.id, kind, event)?;
            function.schedules.extend(read);
            ignored.extend(unemulated);
            continue;
        }
        match route::read(resolver, event)? {
            Ok(route) => {
                function.routes.push(route);
                places.push(event.at);
            }
            Err(kind) => ignored.push(Ignored {
                kind: format!("{kind} event"),
                id: format!("{}.{}", resource.id, event.key),
                line: event.at.line(),
            }),
        }
    }
    Ok(ReadFunction { function, places, ignored })
}

/// Layers: an ARN, or the reason why it is not known, which names the parameter that has it.
fn layers(resolver: &Resolver<'_>, resource: &Resource<'_>) -> Result<Vec<String>, TemplateError> {
    let mut layers = Vec::new();
    for list in [global(resolver, resource, "Layers"), resource.property("Layers")] {
        for layer in list.and_then(Node::as_list).unwrap_or_default() {
            match resolver.exactly(layer) {
                Ok(layer) => layers.extend(layer.as_ref().and_then(Node::scalar)),
                Err(error) if error.only_on_aws => layers.push(error.message),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(layers)
}

/// The branch that `If` chooses, with its values unresolved: each is resolved, or listed, by itself.
/// If only AWS knows the condition, the whole is listed as unresolved under `name`.
fn chosen(
    resolver: &Resolver<'_>,
    function: &mut Function,
    node: Option<&Node>,
    name: &str,
) -> Result<Option<Node>, TemplateError> {
    let read = |node| resolver.with_unknowns(Unknowns::OfResources, || resolver.outermost(node));
    match node.map(read) {
        Some(Err(error)) if error.only_on_aws => {
            function.unresolved.push(unresolved(name, error));
            Ok(None)
        }
        chosen => Ok(chosen.transpose()?.flatten()),
    }
}

fn unresolved(name: &str, error: TemplateError) -> UnresolvedVariable {
    let (reason, line) = (error.message, error.at.line());
    UnresolvedVariable { variable: name.into(), reason, placeholder: None, line }
}

fn set_variable(
    resolver: &Resolver<'_>,
    function: &mut Function,
    variable: &Entry,
) -> Result<(), TemplateError> {
    let name = &variable.key;
    function.env.remove(name);
    function.unresolved.retain(|u| u.variable != *name);
    let before = resolver.take_placeholders();
    let read = || resolver.resolve(&variable.value);
    let read = resolver.with_unknowns(Unknowns::OfResources, read);
    let made_up = resolver.take_placeholders();
    resolver.put_back(before);
    match read {
        Ok(Some(value)) => {
            let text = value.scalar().ok_or_else(|| {
                let message = format!("{name} must be text, not {}", kind_of(&value));
                TemplateError::invalid(variable.value.at, message)
            })?;
            function.unresolved.extend(made_up.into_iter().map(|made_up| UnresolvedVariable {
                variable: name.clone(),
                reason: made_up.reason,
                placeholder: Some(made_up.value),
                line: made_up.line,
            }));
            function.env.insert(name.clone(), text);
        }
        Ok(None) => {}
        Err(error) if error.only_on_aws => {
            function.unresolved.push(unresolved(name, error));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A property of the function, or else of `Globals`.
pub(super) fn property<'a>(
    resolver: &Resolver<'a>,
    resource: &Resource<'a>,
    name: &str,
) -> Option<&'a Node> {
    resource.property(name).or_else(|| global(resolver, resource, name))
}

/// A property of `Globals`, which are those of SAM's functions alone.
fn global<'a>(resolver: &Resolver<'a>, resource: &Resource<'a>, name: &str) -> Option<&'a Node> {
    let of_sam = resource.kind == "AWS::Serverless::Function";
    resolver.global("Function", name).filter(|_| of_sam)
}

/// A whole number of at least `least`.
fn number(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    name: &str,
    least: u64,
) -> Result<Option<u64>, TemplateError> {
    let Some(node) = property(resolver, resource, name) else { return Ok(None) };
    let Some(resolved) = resolver.resolve(node)? else { return Ok(None) };
    let value = resolved.scalar().and_then(|text| text.parse().ok()).filter(|n| *n >= least);
    let message = || match least {
        0 => format!("{name} must be a whole number"),
        _ => format!("{name} must be a whole number above 0"),
    };
    value.map(Some).ok_or_else(|| TemplateError::invalid(node.at, message()))
}

pub(super) fn text(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    name: &str,
) -> Result<Option<String>, TemplateError> {
    let Some(node) = property(resolver, resource, name) else { return Ok(None) };
    let Some(resolved) = resolver.resolve(node)? else { return Ok(None) };
    resolved.scalar().map(Some).ok_or_else(|| {
        TemplateError::invalid(
            node.at,
            format!("{name} must be a string, not {}", kind_of(&resolved)),
        )
    })
}

fn architectures(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<Vec<String>, TemplateError> {
    let Some(node) = property(resolver, resource, "Architectures") else { return Ok(Vec::new()) };
    let Some(resolved) = resolver.resolve(node)? else { return Ok(Vec::new()) };
    match (resolved.as_list(), resolved.scalar()) {
        (Some(list), _) => Ok(list.iter().filter_map(Node::scalar).collect()),
        // A parameter may be the list.
        (None, Some(one)) => Ok(vec![one]),
        (None, None) => {
            let message = format!("Architectures is a list, not {}", kind_of(&resolved));
            Err(TemplateError::invalid(node.at, message))
        }
    }
}

fn entries<'a>(node: Option<&'a Node>, name: &str) -> Result<&'a [Entry], TemplateError> {
    match node.map(|node| (&node.value, node)) {
        None | Some((Value::Null, _)) => Ok(&[]),
        Some((Value::Map(entries), _)) => Ok(entries),
        Some((_, node)) => {
            Err(TemplateError::invalid(node.at, format!("{name} is a map, not {}", kind_of(node))))
        }
    }
}
