//! Permissions that were used, compared with those that are granted.

use std::collections::BTreeMap;

use super::usage::{Permission, Usage};
use crate::template::{Function, Grant, Template, UncheckedPolicy};

/// Services whose use the journal has. Grants of others are not judged.
const JUDGED: [&str; 4] = ["dynamodb:", "ssm:", "secretsmanager:", "lambda:"];

/// A permission that was used, granted, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionUse {
    /// The permission.
    pub permission: Permission,
    /// How often it was used.
    pub used: u64,
    /// The line of the template that grants it.
    pub granted: Option<u64>,
}

/// What is wrong with a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It was used and is not granted: AWS would refuse the call.
    Missing,
    /// It is granted and was never used.
    Extra,
}

impl PermissionUse {
    /// What is wrong with it, if anything.
    pub fn finding(&self) -> Option<Finding> {
        match (self.used, self.granted) {
            (0, Some(_)) => Some(Finding::Extra),
            (1.., None) => Some(Finding::Missing),
            _ => None,
        }
    }
}

/// Every permission that was used or is granted. A grant that is wider than one action on one
/// resource covers what matches it, and is itself [`Finding::Extra`].
pub fn compare(usage: &Usage, template: &Template) -> Vec<PermissionUse> {
    let mut rows: BTreeMap<Permission, PermissionUse> = BTreeMap::new();
    let row = |permission: Permission, granted| PermissionUse {
        used: usage.count(&permission),
        permission,
        granted,
    };
    for function in &template.functions {
        for grant in function.grants.iter().filter(|grant| is_judged(&grant.action)) {
            let resource = behind_account(&grant.resource);
            let same = usage.iter().find(|used| {
                used.function == function.id
                    && used.resource == resource
                    && used.action.eq_ignore_ascii_case(&grant.action)
            });
            let permission = same.cloned().unwrap_or_else(|| Permission {
                function: function.id.clone(),
                action: grant.action.clone(),
                resource: resource.to_owned(),
            });
            rows.entry(permission.clone()).or_insert_with(|| row(permission, Some(grant.line)));
        }
    }
    for used in usage.iter() {
        if rows.contains_key(used) {
            continue;
        }
        let function = template.function(&used.function);
        let granted = function.and_then(|function| granting(function, used));
        rows.insert(used.clone(), row(used.clone(), granted));
    }
    rows.into_values().collect()
}

/// The policies of a function that cannot be compared, without those of services that are not judged.
pub fn unchecked_policies(function: &Function) -> impl Iterator<Item = &UncheckedPolicy> {
    let told = |unchecked_policies: &&UncheckedPolicy| {
        unchecked_policies.actions.is_empty()
            || unchecked_policies.actions.iter().any(|action| is_judged(action))
    };
    function.unchecked_policies.iter().filter(told)
}

fn is_judged(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    action == "*" || JUDGED.iter().any(|service| action.starts_with(service))
}

/// The line that grants a use, or that may: a statement that is listed as unchecked makes what it may
/// grant not missing.
fn granting(function: &Function, used: &Permission) -> Option<u64> {
    let granted = function.grants.iter().find(|grant| covers(grant, used)).map(|grant| grant.line);
    let may = |unchecked_policies: &&UncheckedPolicy| {
        unchecked_policies.grants
            && unchecked_policies.actions.iter().any(|action| is_action(action, &used.action))
    };
    granted.or_else(|| {
        function
            .unchecked_policies
            .iter()
            .find(may)
            .map(|unchecked_policies| unchecked_policies.line)
    })
}

/// Whether an action matches a pattern. Upper and lower case do not differ.
fn is_action(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

fn covers(grant: &Grant, used: &Permission) -> bool {
    is_action(&grant.action, &used.action)
        && (grant.resource == "*" || matches(behind_account(&grant.resource), &used.resource))
}

/// `table/Leads` of `arn:aws:dynamodb:us-east-1:123456789012:table/Leads`.
fn behind_account(arn: &str) -> &str {
    match arn.splitn(6, ':').nth(5) {
        Some(resource) if arn.starts_with("arn:") => resource,
        _ => arn,
    }
}

/// Whether a text matches a pattern in which `*` is any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last.is_some_and(|last| last.is_empty() || text.ends_with(last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rehearse_core::yaml::Source;
    use rehearse_core::{
        clock::Clock,
        journal::{ExchangeDetail, Journal},
    };

    fn usage(operations: &[&str]) -> Usage {
        let journal = Journal::new(Clock::stopped(jiff::Timestamp::UNIX_EPOCH));
        for operation in operations {
            journal.note(
                format!("dynamodb.{operation}"),
                ExchangeDetail::Database {
                    function: Some("One".into()),
                    operation: (*operation).into(),
                    tables: vec!["Leads".into()],
                    items: 1,
                    request: json!({}),
                },
            );
        }
        let mut usage = Usage::default();
        usage.add(&journal.since(0));
        usage
    }

    fn findings(statement: &str, operations: &[&str]) -> Vec<(String, String, Finding)> {
        let template = template(&format!(
            "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
             Policies:\n        - Statement: [{{ Effect: Allow, {statement} }}]\n"
        ));
        compare(&usage(operations), &template)
            .into_iter()
            .filter_map(|row| {
                let finding = row.finding()?;
                Some((row.permission.action, row.permission.resource, finding))
            })
            .collect()
    }

    const LEADS: &str = "Resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/Leads'";

    fn template(text: &str) -> Template {
        Template::parse(&Source::new("template.yaml", text)).unwrap()
    }

    #[test]
    fn exactly_what_is_used_is_right() {
        let statement = format!("Action: [dynamodb:GetItem, dynamodb:PutItem], {LEADS}");
        assert_eq!(findings(&statement, &["GetItem", "PutItem", "GetItem"]), []);
    }

    #[test]
    fn what_is_missing_and_what_is_extra_is_named() {
        let statement = format!("Action: [dynamodb:GetItem, dynamodb:Scan], {LEADS}");
        let name = |action: &str, finding| (action.to_owned(), "table/Leads".to_owned(), finding);
        assert_eq!(
            findings(&statement, &["GetItem", "PutItem"]),
            [name("dynamodb:PutItem", Finding::Missing), name("dynamodb:Scan", Finding::Extra),]
        );
    }

    #[test]
    fn a_wide_grant_covers_and_is_extra() {
        let all = |action: &str, resource: &str| (action.into(), resource.into(), Finding::Extra);
        let wide = "Action: 'dynamodb:*', Resource: '*'";
        assert_eq!(findings(wide, &["GetItem"]), [all("dynamodb:*", "*")]);
        let wide = "Action: dynamodb:GetItem, Resource: 'arn:aws:dynamodb:*:*:table/*'";
        assert_eq!(findings(wide, &["GetItem"]), [all("dynamodb:GetItem", "table/*")]);
    }

    #[test]
    fn actions_are_the_same_in_any_case() {
        let statement = format!("Action: [DynamoDB:getitem, DYNAMODB:scan], {LEADS}");
        let extra = ("DYNAMODB:scan".to_owned(), "table/Leads".to_owned(), Finding::Extra);
        assert_eq!(findings(&statement, &["GetItem"]), [extra]);
        let wide = findings("Action: 'DynamoDB:*', Resource: '*'", &["GetItem"]);
        assert!(wide.iter().all(|(.., finding)| *finding == Finding::Extra), "{wide:?}");
    }

    #[test]
    fn an_invocation_is_granted_by_the_functions_arn() {
        let journal = Journal::new(Clock::stopped(jiff::Timestamp::UNIX_EPOCH));
        journal.note(
            "lambda.invoke",
            ExchangeDetail::Invoke {
                function: Some("One".into()),
                target: "One".into(),
                target_name: "one-on-aws".into(),
                invocation_type: "Event".into(),
                payload: json!({}),
            },
        );
        let mut usage = Usage::default();
        usage.add(&journal.since(0));
        let found = |policies: &str| {
            let template = template(&format!(
                "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
                 FunctionName: one-on-aws\n      Policies: {policies}\n"
            ));
            let rows = compare(&usage, &template).into_iter();
            rows.filter_map(|row| Some((row.finding()?, row.permission.resource)))
                .collect::<Vec<_>>()
        };
        let granted = "[{ Statement: [{ Effect: Allow, Action: 'lambda:InvokeFunction', \
                       Resource: !Sub 'arn:aws:lambda:*:*:function:one-on-aws' }] }]";
        assert_eq!(found(granted), []);
        assert_eq!(found("[]"), [(Finding::Missing, "function:one-on-aws".to_owned())]);
    }

    #[test]
    fn what_a_condition_may_grant_is_not_missing_and_what_is_denied_is() {
        let condition = "Condition: { Bool: { 'aws:SecureTransport': 'true' } }";
        let statement = format!("Action: 'dynamodb:*Item', {LEADS}, {condition}");
        assert_eq!(findings(&statement, &["GetItem"]), []);
        let name = ("dynamodb:Query".to_owned(), "table/Leads".to_owned(), Finding::Missing);
        assert_eq!(findings(&statement, &["GetItem", "Query"]), [name]);
        let denied = findings(
            &format!(
                "Action: dynamodb:GetItem, {LEADS} }}, {{ Effect: Deny, Action: dynamodb:Query, {LEADS}"
            ),
            &["GetItem", "Query"],
        );
        assert_eq!(denied.len(), 1, "{denied:?}");
    }

    #[test]
    fn what_is_unread_is_told_where_it_is_of_a_judged_service() {
        let of = |action: &str| {
            let template = template(&format!(
                "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
                 Policies: [{{ Statement: {{ Effect: Deny, Action: '{action}', Resource: '*' }} }}]\n"
            ));
            unchecked_policies(&template.functions[0]).count()
        };
        assert_eq!(
            [of("dynamodb:Scan"), of("SSM:*"), of("*"), of("sqs:SendMessage")],
            [1, 1, 1, 0]
        );
    }

    #[test]
    fn patterns_match_as_iam_does() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("a*b*c", "axbxc", true),
            ("b*", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
