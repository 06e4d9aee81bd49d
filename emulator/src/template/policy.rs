//! What a function's role may do, as its inline policies say.
//!
//! A statement of two actions on two resources is four grants. What stands
//! elsewhere (a managed policy, a policy template of SAM) is named and not read.

use super::{
    node::{Node, Yaml},
    resolve::{Reason, Scope},
};

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `dynamodb:PutItem`, as it is written.
    pub action: String,
    /// ARN, as far as the template says it.
    pub resource: String,
    /// Where it stands, from 1.
    pub line: u64,
}

/// A policy whose statements do not stand in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name, `DynamoDBCrudPolicy`, or why it cannot be read.
    pub what: String,
    /// Where it stands, from 1.
    pub line: u64,
}

type Read = (Vec<Grant>, Vec<Unread>);

/// The policies of a function: a name, a document, or a list of them.
pub(super) fn read(scope: &Scope<'_>, policies: Option<&Node>) -> Result<Read, Reason> {
    let mut read = Read::default();
    let Some(policies) = policies else { return Ok(read) };
    let one = std::slice::from_ref(policies);
    for policy in policies.as_list().unwrap_or(one) {
        let resolved = match scope.resolve(policy) {
            Ok(Some(resolved)) => resolved,
            Ok(None) => continue,
            Err(reason) if reason.only_on_aws => {
                read.1.push(Unread { what: reason.message, line: reason.at.line() });
                continue;
            }
            Err(reason) => return Err(reason),
        };
        document(&resolved, &mut read)?;
    }
    Ok(read)
}

fn document(policy: &Node, (grants, unread): &mut Read) -> Result<(), Reason> {
    let line = policy.line();
    let Some(statements) = policy.get("Statement") else {
        let template = policy.as_map().and_then(|map| map.first()).map(|entry| entry.key.clone());
        let what = template.or_else(|| policy.scalar()).unwrap_or_else(|| "a policy".into());
        unread.push(Unread { what, line });
        return Ok(());
    };
    for statement in listed(statements) {
        let part = |name: &str| {
            statement
                .get(name)
                .ok_or_else(|| Reason::invalid(statement.at, format!("a statement needs {name}")))
        };
        if part("Effect")?.as_str() != Some("Allow") {
            let message = "only statements with `Effect: Allow` are read";
            return Err(Reason::invalid(statement.at, message));
        }
        let (actions, resources) = (part("Action")?, part("Resource")?);
        for action in listed(actions) {
            for resource in listed(resources) {
                let text = |node: &Node, what: &str| {
                    node.scalar().ok_or_else(|| {
                        let message = format!("{what} is text, not {}", node.kind());
                        Reason::invalid(node.at, message)
                    })
                };
                grants.push(Grant {
                    action: text(action, "Action")?,
                    resource: text(resource, "Resource")?,
                    line: action.line(),
                });
            }
        }
    }
    Ok(())
}

fn listed(node: &Node) -> &[Node] {
    match &node.value {
        Yaml::List(list) => list,
        _ => std::slice::from_ref(node),
    }
}
