//! What the role of a function grants, when the template has the role: its own policies, and those attached to it.

use rehearse_core::yaml::tree::{Node, Value};

use crate::template::resolve::{Resolver, Resource};

/// The policies of the role that a function names; `None` if it names none.
pub(in crate::template) fn policies(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Option<Node> {
    let role = resource.property("Role")?;
    let Some(id) = referred(role) else {
        // A role that is not in the template.
        return Some(Node::string("Role", role.at));
    };
    let properties = resolver.resource(id).and_then(|role| role.get("Properties"));
    let Some(properties) = properties else { return Some(Node::string(id, role.at)) };
    let mut policies = Vec::new();
    for policy in properties.get("Policies").and_then(Node::as_list).unwrap_or_default() {
        policies.extend(policy.get("PolicyDocument").cloned());
    }
    for arn in properties.get("ManagedPolicyArns").and_then(Node::as_list).unwrap_or_default() {
        let text = resolver.resolve(arn).ok().flatten().as_ref().and_then(Node::scalar);
        let text = text.unwrap_or_default();
        let name = text.rsplit('/').next().unwrap_or_default();
        policies.push(Node::string(name, arn.at));
    }
    for policy in resolver.of_type("AWS::IAM::Policy") {
        let part = |name: &str| policy.get("Properties").and_then(|all| all.get(name));
        let roles = part("Roles").and_then(Node::as_list).unwrap_or_default();
        if roles.iter().any(|role| referred(role) == Some(id)) {
            policies.extend(part("PolicyDocument").cloned());
        }
    }
    Some(Node::new(Value::List(policies), role.at))
}

/// The resource of `Ref` or `GetAtt`.
fn referred(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Tagged(word, argument) if word == "Ref" => argument.as_str(),
        Value::Tagged(word, argument) if word == "GetAtt" => argument.as_list()?.first()?.as_str(),
        _ => None,
    }
}
