//! What the role of a function grants, when the template has the role: its own policies, and those attached to it.

use rehearse_core::yaml::{
    Location,
    tree::{Node, Value},
};

use crate::template::resolve::{Resolver, Resource, TemplateError, Unknowns};

/// The policies of the role that a function names; `None` if it names none. What cannot be read is among them as its name,
/// or as the function that only AWS computes, so that it is listed as unchecked.
pub(in crate::template) fn policies(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<Option<Node>, TemplateError> {
    let Some(role) = resource.property("Role") else { return Ok(None) };
    // `If` may choose that there is none.
    if matches!(resolver.exactly(role), Ok(None)) {
        return Ok(None);
    }
    let resources = resolver.resources()?;
    let Some(id) = role_of(resolver, &resources, role) else {
        // A role that is not in the template.
        return Ok(Some(Node::string("Role", role.at)));
    };
    let Some(own) = resources.iter().find(|one| one.id == id && one.kind == "AWS::IAM::Role")
    else {
        return Ok(Some(Node::string(id, role.at)));
    };
    let mut reader = RoleReader { resolver, id, policies: Vec::new() };
    for policy in reader.listed(own.property("Policies"))? {
        reader.document(&policy, id);
    }
    for arn in reader.listed(own.property("ManagedPolicyArns"))? {
        let name = arn.scalar().and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
        reader.policies.push(Node::string(name.unwrap_or_else(|| id.to_owned()), arn.at));
    }
    for policy in &resources {
        let roles = match policy.kind {
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => policy.property("Roles"),
            "AWS::IAM::RolePolicy" => policy.property("RoleName"),
            _ => continue,
        };
        if let Some(roles) = roles {
            let properties = Node::new(Value::Map(policy.properties().to_vec()), policy.at);
            reader.attached(policy.id, roles, &properties)?;
        }
    }
    Ok(Some(Node::new(Value::List(reader.policies), role.at)))
}

/// The logical id of the role that a property names, by `Ref`, `GetAtt`, or a text that comes to its ARN.
fn role_of<'n>(
    resolver: &Resolver<'_>,
    resources: &[Resource<'n>],
    role: &'n Node,
) -> Option<&'n str> {
    if let Some(id) = referred(role) {
        return Some(id);
    }
    let arn = exact(resolver, role)?;
    let mut roles = resources.iter().filter(|one| one.kind == "AWS::IAM::Role");
    let role = roles.find(|one| {
        let parts = [one.id, "Arn"].map(|part| Node::string(part, role.at));
        let own = call("GetAtt", Node::new(Value::List(parts.into()), role.at), role.at);
        exact(resolver, &own).as_ref() == Some(&arn)
    });
    role.map(|role| role.id)
}

struct RoleReader<'a, 'b> {
    resolver: &'a Resolver<'b>,
    /// The role's logical id.
    id: &'a str,
    policies: Vec<Node>,
}

impl RoleReader<'_, '_> {
    /// Adds the document of a policy, or else its name.
    fn document(&mut self, policy: &Node, name: &str) {
        let document = policy.get("PolicyDocument").cloned();
        self.policies.push(document.unwrap_or_else(|| Node::string(name, policy.at)));
    }

    /// Adds a policy if it is attached to the role, or if nobody can tell.
    fn attached(
        &mut self,
        policy: &str,
        roles: &Node,
        properties: &Node,
    ) -> Result<(), TemplateError> {
        if referred(roles) == Some(self.id) {
            self.document(properties, policy);
            return Ok(());
        }
        let name = call("Ref", Node::string(self.id, roles.at), roles.at);
        let name = exact(self.resolver, &name);
        let Some(roles) = self.known(roles)? else { return Ok(()) };
        let (mut is_own, mut is_unknown) = (false, false);
        for role in roles.as_list().unwrap_or(std::slice::from_ref(&roles)) {
            match self.resolver.exactly(role) {
                _ if referred(role) == Some(self.id) => is_own = true,
                Err(error) if error.only_on_aws => is_unknown = true,
                text => {
                    let text = text?.as_ref().and_then(Node::scalar);
                    is_own |= text.is_some() && text == name;
                }
            }
        }
        if is_own {
            self.document(properties, policy);
        } else if is_unknown {
            self.policies.push(Node::string(policy, properties.at));
        }
        Ok(())
    }

    /// The values of a list, those of `If` chosen.
    fn listed(&mut self, list: Option<&Node>) -> Result<Vec<Node>, TemplateError> {
        let Some(list) = list else { return Ok(Vec::new()) };
        let Some(list) = self.known(list)? else { return Ok(Vec::new()) };
        let Value::List(items) = list.value else { return Ok(vec![list]) };
        let mut known = Vec::new();
        for item in &items {
            known.extend(self.known(item)?);
        }
        Ok(known)
    }

    /// The value; `None` for `AWS::NoValue` and for one that only AWS knows, which is added as it is: whoever reads the
    /// policies says why it is not known.
    fn known(&mut self, node: &Node) -> Result<Option<Node>, TemplateError> {
        let read = || self.resolver.outermost(node);
        match self.resolver.with_unknowns(Unknowns::Refused, read) {
            Err(error) if error.only_on_aws => {
                self.policies.push(node.clone());
                Ok(None)
            }
            known => known,
        }
    }
}

fn call(function: &str, argument: Node, at: Location) -> Node {
    Node::new(Value::Tagged(function.into(), Box::new(argument)), at)
}

/// The text of a value; `None` if it has none, or only AWS knows it.
fn exact(resolver: &Resolver<'_>, node: &Node) -> Option<String> {
    resolver.exactly(node).ok().flatten()?.scalar()
}

/// The resource of `Ref` or `GetAtt`.
fn referred(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Tagged(word, argument) if word == "Ref" => argument.as_str(),
        Value::Tagged(word, argument) if word == "GetAtt" => argument.as_list()?.first()?.as_str(),
        _ => None,
    }
}
