//! The permissions of a function's role, as its inline policies grant them.
//!
//! A statement of two actions on two resources is four grants. What is not in the template (a managed
//! policy, a policy template of SAM) and what only AWS can judge (a condition, a denial) is listed as
//! unchecked; the statements beside it are read.

use super::intrinsic::kind_of;
use super::resolve::{Resolver, TemplateError, Unknowns};
use rehearse_core::yaml::tree::{Node, Value};

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `dynamodb:PutItem`, as the template has it.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// Its line in the template, from 1.
    pub line: u64,
}

/// A policy or a statement that cannot be compared with what was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedPolicy {
    /// Its name, `DynamoDBCrudPolicy`, or what it is: `a statement`.
    pub what: String,
    /// Why it is not read; `None` if its statements are not in the template.
    pub why: Option<String>,
    /// The actions that it is about, if they are known.
    pub actions: Vec<String>,
    /// Whether it may grant them: a denial does not.
    pub grants: bool,
    /// Its line in the template, from 1.
    pub line: u64,
}

type ReadPolicies = (Vec<Grant>, Vec<UncheckedPolicy>);

/// Reads the policies of a function: a name, a document, or a list of them.
pub(super) fn read(
    resolver: &Resolver<'_>,
    policies: Option<&Node>,
) -> Result<ReadPolicies, TemplateError> {
    // A value that is made up grants nothing.
    resolver.with_unknowns(Unknowns::Refused, || read_exactly(resolver, policies))
}

fn read_exactly(
    resolver: &Resolver<'_>,
    policies: Option<&Node>,
) -> Result<ReadPolicies, TemplateError> {
    let mut reader = PolicyReader { resolver, grants: Vec::new(), unchecked_policies: Vec::new() };
    let policies = policies.map(|node| reader.listed(node, "a policy")).transpose()?;
    for policy in policies.unwrap_or_default() {
        reader.policy(&policy)?;
    }
    Ok((reader.grants, reader.unchecked_policies))
}

struct PolicyReader<'a, 'b> {
    resolver: &'a Resolver<'b>,
    grants: Vec<Grant>,
    unchecked_policies: Vec<UncheckedPolicy>,
}

impl PolicyReader<'_, '_> {
    fn policy(&mut self, policy: &Node) -> Result<(), TemplateError> {
        let Some(statements) = policy.get("Statement") else {
            let template = policy.as_map().and_then(|map| map.first()).map(|e| e.key.clone());
            let what = template.or_else(|| policy.scalar()).unwrap_or_else(|| "a policy".into());
            let (actions, line) = (Vec::new(), policy.line());
            self.unchecked_policies.push(UncheckedPolicy {
                what,
                why: None,
                actions,
                grants: true,
                line,
            });
            return Ok(());
        };
        for statement in self.listed(statements, "a statement")? {
            self.statement(&statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Node) -> Result<(), TemplateError> {
        let Some(effect) = statement.get("Effect") else {
            return Err(TemplateError::invalid(statement.at, "a statement needs Effect"));
        };
        let actions = match statement.get("Action") {
            Some(node) => self.texts(node, "Action")?,
            None => Vec::new(),
        };
        let denies = match self.known(effect, "a statement")? {
            None => return Ok(()),
            Some(effect) if effect.as_str() == Some("Allow") => false,
            Some(effect) if effect.as_str() == Some("Deny") => true,
            Some(_) => return Err(TemplateError::invalid(effect.at, "Effect is Allow or Deny")),
        };
        let has = |name: &str| statement.get(name).is_some();
        let why = if denies {
            "it denies"
        } else if has("Condition") {
            "whether it holds is for its Condition to say"
        } else if has("NotAction") {
            "it says by NotAction what it does not grant"
        } else if has("NotResource") {
            "it says by NotResource where it does not hold"
        } else if !has("Action") {
            "it has no Action"
        } else if !has("Resource") {
            "it has no Resource"
        } else {
            let resources = statement.get("Resource").map(|node| self.resources(node, &actions));
            return self.grant(&actions, &resources.transpose()?.unwrap_or_default());
        };
        self.unchecked_policies.push(UncheckedPolicy {
            what: "a statement".into(),
            why: Some(why.into()),
            actions: match has("NotAction") {
                // It is about every action but those that it names.
                true => vec!["*".into()],
                false => actions.into_iter().map(|(action, _)| action).collect(),
            },
            grants: !denies,
            line: statement.line(),
        });
        Ok(())
    }

    fn grant(
        &mut self,
        actions: &[(String, u64)],
        resources: &[Node],
    ) -> Result<(), TemplateError> {
        for (action, line) in actions {
            for resource in resources {
                let resource = text(resource, "Resource")?;
                self.grants.push(Grant { action: action.clone(), resource, line: *line });
            }
        }
        Ok(())
    }

    /// Texts, each with its line.
    fn texts(&mut self, node: &Node, what: &str) -> Result<Vec<(String, u64)>, TemplateError> {
        let listed = self.listed(node, &format!("an {what}"))?;
        listed.iter().map(|node| Ok((text(node, what)?, node.line()))).collect()
    }

    /// The resources of these actions.
    fn resources(
        &mut self,
        node: &Node,
        actions: &[(String, u64)],
    ) -> Result<Vec<Node>, TemplateError> {
        let before = self.unchecked_policies.len();
        let resources = self.listed(node, "a Resource")?;
        for unchecked_policies in &mut self.unchecked_policies[before..] {
            unchecked_policies.actions = actions.iter().map(|(action, _)| action.clone()).collect();
        }
        Ok(resources)
    }

    /// The values of a list, or a single value, without those that only AWS knows.
    fn listed(&mut self, node: &Node, what: &str) -> Result<Vec<Node>, TemplateError> {
        let Some(node) = self.known(node, what)? else { return Ok(Vec::new()) };
        let Value::List(list) = node.value else { return Ok(vec![node]) };
        let mut known = Vec::new();
        for item in &list {
            known.extend(self.known(item, what)?);
        }
        Ok(known)
    }

    /// The value; `None` for `AWS::NoValue` and for one that only AWS knows, which is listed.
    fn known(&mut self, node: &Node, what: &str) -> Result<Option<Node>, TemplateError> {
        match self.resolver.outermost(node) {
            Err(TemplateError { at, message, only_on_aws: true }) => {
                let (what, why, line) = (what.to_owned(), Some(message), at.line());
                let unchecked_policies =
                    UncheckedPolicy { what, why, actions: Vec::new(), grants: true, line };
                self.unchecked_policies.push(unchecked_policies);
                Ok(None)
            }
            known => known,
        }
    }
}

fn text(node: &Node, what: &str) -> Result<String, TemplateError> {
    let message = || format!("{what} is text, not {}", kind_of(node));
    node.scalar().ok_or_else(|| TemplateError::invalid(node.at, message()))
}
