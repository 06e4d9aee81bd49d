//! Finds errors in an expression that can be seen without a row.

use serde_json::Value;

use super::token::{Token, tokens};

/// Functions of conditions and of updates; their names are case-sensitive.
const FUNCTIONS: [&str; 8] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
];
/// Functions whose operands must differ.
const DISTINCT: [&str; 2] = ["begins_with", "contains"];
const MAX_IN: usize = 100;
const MAX_OPERATORS: usize = 300;

/// An expression of a request, with the values of its placeholders.
pub(super) struct Expression<'r> {
    /// The request member, such as `FilterExpression`.
    member: &'static str,
    tokens: Vec<Token<'r>>,
    /// The JSON object that contains it.
    holder: &'r Value,
}

impl<'r> Expression<'r> {
    /// The expression in this member of an object, if there is one.
    pub(super) fn of(holder: &'r Value, member: &'static str) -> Option<Self> {
        let tokens = tokens(holder[member].as_str()?);
        Some(Self { member, tokens, holder })
    }

    /// DynamoDB's message if it refuses the expression.
    pub(super) fn refusal(&self) -> Option<String> {
        let reason = self
            .malformed()
            .or_else(|| self.undefined())
            .or_else(|| self.wrong_operand())
            .or_else(|| self.is_condition().then(|| self.same_operands()).flatten())
            .or_else(|| self.is_condition().then(|| self.too_many()).flatten())?;
        Some(format!("Invalid {}: {reason}", self.member))
    }

    /// The top-level attributes that it names, without repeats.
    pub(super) fn attributes(&self) -> Vec<&'r str> {
        let mut found: Vec<&str> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            match self.path(at) {
                Some((path, next)) => {
                    found.extend(path.first().filter(|name| !found.contains(name)).copied());
                    at = next;
                }
                None => at += 1,
            }
        }
        found
    }

    /// The top-level attributes that an update writes.
    pub(super) fn targets(&self) -> Vec<&'r str> {
        let (mut depth, mut begins, mut found) = (0_usize, false, Vec::new());
        for (at, token) in self.tokens.iter().enumerate() {
            let clause = ["SET", "REMOVE", "ADD", "DELETE"].iter().any(|word| token.is(word));
            if begins && let Some((path, _)) = self.path(at) {
                found.extend(path.first().copied());
            }
            match token {
                Token::Sign("(") => depth += 1,
                Token::Sign(")") => depth = depth.saturating_sub(1),
                _ => {}
            }
            begins = clause || (*token == Token::Sign(",") && depth == 0);
        }
        found
    }

    /// Each value placeholder's value, with the last attribute before it.
    pub(super) fn compared(&self) -> Vec<(&'r str, &'r Value)> {
        let (mut last, mut found) = ("", Vec::new());
        for (at, token) in self.tokens.iter().enumerate() {
            if let Some((path, _)) = self.path(at) {
                last = path.first().copied().unwrap_or_default();
            } else if let Token::Value(value) = token {
                found.push((last, &self.holder["ExpressionAttributeValues"][*value]));
            }
        }
        found
    }

    fn is_condition(&self) -> bool {
        matches!(self.member, "ConditionExpression" | "FilterExpression")
    }

    fn malformed(&self) -> Option<String> {
        let pairs = self.tokens.iter().enumerate();
        pairs.clone().find_map(|(at, token)| match token {
            Token::Word(word) if word.starts_with('_') => {
                Some(format!("Syntax error; token: \"_\", near: \"{word}\""))
            }
            Token::Word(word) if self.tokens.get(at + 1) == Some(&Token::Sign("(")) => {
                let meant = FUNCTIONS.iter().find(|name| name.eq_ignore_ascii_case(word));
                meant
                    .filter(|name| *name != word)
                    .map(|_| format!("Invalid function name; function: {word}"))
            }
            _ => None,
        })
    }

    fn undefined(&self) -> Option<String> {
        self.tokens.iter().find_map(|token| match token {
            Token::Value(value)
                if self.holder["ExpressionAttributeValues"].get(*value).is_none() =>
            {
                Some(format!(
                    "An expression attribute value used in expression is not defined; attribute \
                     value: {value}"
                ))
            }
            Token::Name(name) if self.holder["ExpressionAttributeNames"].get(*name).is_none() => {
                Some(format!(
                    "An expression attribute name used in the document path is not defined; \
                     attribute name: {name}"
                ))
            }
            _ => None,
        })
    }

    /// An operand of a type that `ADD` or `DELETE` does not accept.
    fn wrong_operand(&self) -> Option<String> {
        let mut clause = "";
        self.tokens.iter().find_map(|token| {
            let Token::Value(value) = token else {
                let begun = ["SET", "REMOVE", "ADD", "DELETE"].iter().find(|word| token.is(word));
                clause = begun.copied().unwrap_or(clause);
                return None;
            };
            let value = self.holder["ExpressionAttributeValues"][*value].as_object()?;
            let kind = value.keys().next()?.as_str();
            let fits = match clause {
                "ADD" => ["N", "SS", "NS", "BS"].contains(&kind),
                "DELETE" => ["SS", "NS", "BS"].contains(&kind),
                _ => true,
            };
            let kind = match kind {
                "S" => "STRING",
                "N" => "NUMBER",
                "B" => "BINARY",
                "BOOL" => "BOOLEAN",
                "L" => "LIST",
                "M" => "MAP",
                kind => kind,
            };
            (!fits && self.member == "UpdateExpression").then(|| {
                format!(
                    "Incorrect operand type for operator or function; operator: {clause}, operand \
                     type: {kind}, typeSet: ALLOWED_FOR_{clause}_OPERAND"
                )
            })
        })
    }

    /// A path that is compared with itself.
    fn same_operands(&self) -> Option<String> {
        let is_path = |at: usize, path: &[&str]| self.path(at).is_some_and(|(own, _)| own == path);
        (0..self.tokens.len()).find_map(|at| {
            let before = at.checked_sub(2).and_then(|at| self.tokens.get(at));
            let (path, next) = self.path(at)?;
            let operator = *self.tokens.get(next)?;
            let (named, same) = match (operator, before) {
                (Token::Sign(sign), _) if operator.is_comparator() => {
                    (sign, is_path(next + 1, &path))
                }
                (_, _) if operator.is("BETWEEN") => {
                    let and = (next..self.tokens.len()).find(|at| self.tokens[*at].is("AND"));
                    let upper = and.is_some_and(|and| is_path(and + 1, &path));
                    ("BETWEEN", upper || is_path(next + 1, &path))
                }
                (_, _) if operator.is("IN") => {
                    let list = self.list(next + 1);
                    ("IN", list.into_iter().any(|at| is_path(at, &path)))
                }
                (Token::Sign(","), Some(Token::Word(function))) if DISTINCT.contains(function) => {
                    (*function, is_path(next + 1, &path))
                }
                _ => return None,
            };
            same.then(|| {
                format!(
                    "The first operand must be distinct from the remaining operands for this \
                     operator or function; operator: {named}, first operand: [{}]",
                    path.join(", ")
                )
            })
        })
    }

    fn too_many(&self) -> Option<String> {
        let mut operators = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            if token.is("IN") {
                let operands = self.list(at + 1).len();
                if operands > MAX_IN {
                    return Some(format!(
                        "The IN operator is provided with too many operands; number of operands: \
                         {operands}"
                    ));
                }
            }
            operators += usize::from(token.is_comparator() || token.is_keyword());
            // The AND of a BETWEEN does not count.
            operators -= usize::from(token.is("BETWEEN"));
        }
        (operators > MAX_OPERATORS).then(|| {
            format!("The expression contains too many operators; operator count: {operators}")
        })
    }

    /// The positions of the operands of a list in parentheses that begins at `open`.
    fn list(&self, open: usize) -> Vec<usize> {
        if self.tokens.get(open) != Some(&Token::Sign("(")) {
            return Vec::new();
        }
        let inside = self.tokens.iter().enumerate().skip(open + 1);
        let inside = inside.take_while(|(_, token)| **token != Token::Sign(")"));
        let commas = inside.filter(|(_, token)| **token == Token::Sign(","));
        std::iter::once(open).chain(commas.map(|(at, _)| at)).map(|at| at + 1).collect()
    }

    /// The path that begins at `at`, with names resolved, and the position after it.
    fn path(&self, at: usize) -> Option<(Vec<&'r str>, usize)> {
        let part = |at: usize| match *self.tokens.get(at)? {
            word @ Token::Word(text) if !word.is_keyword() => Some(text),
            Token::Name(name) => self.holder["ExpressionAttributeNames"][name].as_str(),
            _ => None,
        };
        let sign = |at: usize, sign: &str| self.tokens.get(at) == Some(&Token::Sign(sign));
        let mut path = vec![part(at)?];
        let mut at = at + 1;
        if sign(at, "(") {
            return None;
        }
        loop {
            match self.tokens.get(at + 1) {
                Some(_) if sign(at, ".") => path.push(part(at + 1)?),
                Some(Token::Index(index)) if sign(at, "[") && sign(at + 2, "]") => {
                    path.push(index);
                    at += 1;
                }
                _ => return Some((path, at)),
            }
            at += 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(member: &'static str, text: &str) -> Option<String> {
        let holder = json!({
            member: text,
            "ExpressionAttributeNames": { "#s": "s" }, "ExpressionAttributeValues": { ":a": { "S": "z" } },
        });
        Expression::of(&holder, member)?.refusal()
    }

    #[track_caller]
    fn refused(text: &str, says: &str) {
        let refusal = refusal("FilterExpression", text).unwrap_or_default();
        assert_eq!(refusal, format!("Invalid FilterExpression: {says}"));
    }

    #[test]
    fn expressions_that_dynamodb_refuses_are_refused() {
        let distinct = |operator: &str, path: &str| {
            format!(
                "The first operand must be distinct from the remaining operands for this operator or \
                 function; operator: {operator}, first operand: [{path}]"
            )
        };
        refused("attribute_exists(_id)", "Syntax error; token: \"_\", near: \"_id\"");
        refused("Size(a) > :a", "Invalid function name; function: Size");
        for (text, operator, path) in [
            ("s = s", "=", "s"),
            ("NOT (#s = s)", "=", "s"),
            ("m.x[1] <> m.x[1]", "<>", "m, x, 1"),
            ("s BETWEEN :a AND s", "BETWEEN", "s"),
            ("s IN (:a, s)", "IN", "s"),
            ("begins_with(s, s)", "begins_with", "s"),
        ] {
            refused(text, &distinct(operator, path));
        }
        let many = |n: usize| vec![":a"; n].join(", ");
        refused(
            &format!("s IN ({})", many(101)),
            "The IN operator is provided with too many operands; number of operands: 101",
        );
        refused(
            &vec!["s = :a"; 151].join(" OR "),
            "The expression contains too many operators; operator count: 301",
        );
        refused(
            "a = :n",
            "An expression attribute value used in expression is not defined; attribute value: :n",
        );
        refused(
            "attribute_exists(#n)",
            "An expression attribute name used in the document path is not defined; attribute name: #n",
        );
    }

    #[test]
    fn expressions_that_dynamodb_accepts_are_accepted() {
        for text in [
            "size(s) = size(s)",
            "s = s.x",
            ":a = :a",
            "a_b = :a",
            "s BETWEEN a AND b AND a = b",
            "contains(s, :a) or not begins_with (#s, :a)",
        ] {
            assert_eq!(refusal("FilterExpression", text), None, "{text}");
        }
        let most = vec!["s = :a"; 150].join(" OR ");
        assert_eq!(refusal("ConditionExpression", &most), None);
        // In an update, `=` is an assignment.
        assert_eq!(refusal("UpdateExpression", "SET s = s, n = n + :a"), None);
    }

    #[test]
    fn add_takes_numbers_and_sets_and_delete_takes_sets() {
        let wrong = |clause: &str| {
            Some(format!(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: \
                 {clause}, operand type: STRING, typeSet: ALLOWED_FOR_{clause}_OPERAND"
            ))
        };
        assert_eq!(refusal("UpdateExpression", "SET b = :a ADD v :a"), wrong("ADD"));
        assert_eq!(refusal("UpdateExpression", "delete v :a"), wrong("DELETE"));
        assert_eq!(refusal("UpdateExpression", "ADD v :a SET b = :a"), wrong("ADD"));
        assert_eq!(refusal("UpdateExpression", "REMOVE c SET b = :a"), None);
    }

    #[test]
    fn targets_of_an_update_are_the_attributes_it_writes() {
        let holder = json!({
            "UpdateExpression": "SET a = if_not_exists(b, :v), #k.x = c remove d[1], e ADD f :v",
            "ExpressionAttributeNames": { "#k": "pk" },
        });
        let update = Expression::of(&holder, "UpdateExpression").unwrap();
        assert_eq!(update.targets(), ["a", "pk", "d", "e", "f"]);
    }
}
