//! Expressions with the names and values that they use.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::value::{entry, value};

/// An expression, and what stands for its placeholders.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    names: Vec<(&'static str, &'static str)>,
    values: Vec<(&'static str, Value)>,
}

impl Expression {
    fn new(text: &str, values: Vec<(&'static str, Value)>) -> Self {
        Self { text: text.into(), names: Vec::new(), values }
    }

    fn named(mut self, placeholder: &'static str, name: &'static str) -> Self {
        self.names.push((placeholder, name));
        self
    }

    /// Adds it to a request.
    pub fn into(self, mut request: Value, member: &str) -> Value {
        request[member] = self.text.into();
        for (placeholder, name) in self.names {
            request["ExpressionAttributeNames"][placeholder] = name.into();
        }
        for (placeholder, value) in self.values {
            request["ExpressionAttributeValues"][placeholder] = value;
        }
        request
    }
}

fn fixed(text: &'static str) -> BoxedStrategy<Expression> {
    Just(Expression::new(text, vec![])).boxed()
}

/// A shape with one value.
fn one(text: &'static str, placeholder: &'static str) -> BoxedStrategy<Expression> {
    value().prop_map(move |value| Expression::new(text, vec![(placeholder, value)])).boxed()
}

fn two(text: &'static str) -> BoxedStrategy<Expression> {
    (value(), value())
        .prop_map(move |(v, w)| Expression::new(text, vec![(":cv", v), (":cw", w)]))
        .boxed()
}

fn number() -> impl Strategy<Value = Value> {
    select(vec!["0", "1", "15", "-2", "1.5"]).prop_map(|number| json!({ "N": number }))
}

/// A condition or a filter.
pub fn condition() -> BoxedStrategy<Expression> {
    let simple = prop_oneof![
        6 => select(vec![
            "attribute_not_exists(pk)", "attribute_not_exists(id)", "attribute_exists(a)",
            "attribute_not_exists(messages)", "attribute_exists(m.x)", "attribute_exists(list[0])",
            "NOT attribute_exists(b)",
        ]).prop_map(|text| Expression::new(text, vec![])),
        3 => one("a = :cv", ":cv"),
        2 => one("a <> :cv", ":cv"),
        2 => number().prop_map(|n| Expression::new("attribute_not_exists(v) OR v < :cn", vec![(":cn", n)])),
        2 => number().prop_map(|n| Expression::new("v >= :cn", vec![(":cn", n)])),
        1 => one("a < :cv", ":cv"),
        1 => two("a BETWEEN :cv AND :cw"),
        1 => two("a IN (:cv, :cw)"),
        2 => Just(Expression::new(
            "holder = :ch AND attribute_not_exists(messages)", vec![(":ch", json!({ "S": "h1" }))])),
        2 => entry().prop_map(|entry| Expression::new(
            "attribute_not_exists(list) OR NOT contains(list, :ce)", vec![(":ce", entry)])),
        2 => Just(Expression::new("list[0].sid = :cs AND list[0].until_ms = :cu",
            vec![(":cs", json!({ "S": "SM1" })), (":cu", json!({ "N": "10" }))])),
        1 => Just(Expression::new("#st = :cb", vec![(":cb", json!({ "S": "booked" }))]).named("#st", "status")),
        1 => Just(Expression::new("begins_with(sk, :cp)", vec![(":cp", json!({ "S": "turn#" }))])),
        1 => Just(Expression::new("contains(a, :cp)", vec![(":cp", json!({ "S": "a" }))])),
        1 => Just(Expression::new("contains(set, :cp)", vec![(":cp", json!({ "S": "a" }))])),
        1 => number().prop_map(|n| Expression::new("size(list) > :cn", vec![(":cn", n)])),
        1 => select(vec!["S", "N", "M", "X"]).prop_map(|kind| Expression::new(
            "attribute_type(a, :ct)", vec![(":ct", json!({ "S": kind }))])),
        1 => fixed("a = b"),
        1 => number().prop_map(|n| Expression::new(
            "(attribute_exists(a) OR attribute_exists(b)) AND NOT (v = :cn)", vec![(":cn", n)])),
    ];
    let odd = select(vec![
        Expression::new("a = :missing", vec![]),
        Expression::new("attribute_exists(a)", vec![(":unused", json!({ "S": "x" }))]),
        Expression::new("attribute_exists(a", vec![]),
        Expression::new("a ==  :cv", vec![(":cv", json!({ "S": "a" }))]),
        Expression::new("attribute_exists(#nobody)", vec![]),
        Expression::new("attribute_exists(a)", vec![]).named("#unused", "a"),
        Expression::new("status = :cv", vec![(":cv", json!({ "S": "a" }))]),
        Expression::new("", vec![]),
        Expression::new("exists(a)", vec![]),
        Expression::new("Attribute_Exists(a)", vec![]),
        Expression::new("attribute_exists(_a)", vec![]),
        Expression::new("a = a", vec![]),
        Expression::new("#st <> status", vec![]).named("#st", "status"),
        Expression::new("begins_with(a, a)", vec![]),
        Expression::new("a IN (b, a)", vec![]),
    ]);
    prop_oneof![20 => simple, 1 => odd].boxed()
}

/// What an update does.
pub fn update() -> BoxedStrategy<Expression> {
    let simple = prop_oneof![
        4 => one("SET a = :uv", ":uv"),
        2 => (value(), value()).prop_map(|(v, w)| Expression::new(
            "SET a = if_not_exists(a, :uv), b = :uw", vec![(":uv", v), (":uw", w)])),
        3 => entry().prop_map(|entry| Expression::new(
            "SET list = list_append(if_not_exists(list, :un), :ue)",
            vec![(":un", json!({ "L": [] })), (":ue", json!({ "L": [entry] }))])),
        2 => Just(Expression::new("SET holder = :uh, #now = if_not_exists(#now, :uw)",
            vec![(":uh", json!({ "S": "h1" })), (":uw", json!({ "N": "1000" }))]).named("#now", "now")),
        2 => number().prop_map(|n| Expression::new("SET v = v + :un", vec![(":un", n)])),
        2 => number().prop_map(|n| Expression::new(
            "SET v = if_not_exists(v, :uz) - :un", vec![(":un", n), (":uz", json!({ "N": "0" }))])),
        2 => fixed("REMOVE list[0]"),
        2 => fixed("REMOVE a, b"),
        1 => one("SET #st = :uv REMOVE a", ":uv").prop_map(|e| e.named("#st", "status")),
        1 => number().prop_map(|n| Expression::new("ADD v :un", vec![(":un", n)])),
        1 => Just(Expression::new("ADD set :us", vec![(":us", json!({ "SS": ["a", "z"] }))])),
        1 => Just(Expression::new("DELETE set :us", vec![(":us", json!({ "SS": ["a", "b"] }))])),
        1 => one("SET list[1] = :uv", ":uv"),
        1 => one("SET m.x = :uv", ":uv"),
        1 => fixed("SET a = b"),
        1 => select(vec!["slot", "lead"]).prop_map(|kind| Expression::new(
            "SET kind = :uk, at = :ua", vec![(":uk", json!({ "S": kind })), (":ua", json!({ "N": "3" }))])),
    ];
    let odd = select(vec![
        Expression::new("SET pk = :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("SET a = :uv, a = :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("SET a = :uv", vec![]),
        Expression::new("SET a", vec![]),
        Expression::new("SET kind = :uv", vec![(":uv", json!({ "N": "1" }))]),
        Expression::new("SET m.x = :uv, m = :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("SET a = :uv SET b = :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("ADD a :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("SET status = :uv", vec![(":uv", json!({ "S": "p" }))]),
        Expression::new("", vec![]),
    ]);
    prop_oneof![20 => simple, 1 => odd].boxed()
}

/// What a query asks for, and where.
#[derive(Debug, Clone)]
pub struct Keys {
    pub table: &'static str,
    pub index: Option<&'static str>,
    pub expression: Expression,
}

/// A key condition on a table or on the index.
pub fn key_condition() -> BoxedStrategy<Keys> {
    let s = |text: &str| json!({ "S": text });
    let n = |number: &str| json!({ "N": number });
    let hash = ":kh";
    let pairs = prop_oneof![
        4 => Just(Expression::new("pk = :kh", vec![])),
        2 => Just(Expression::new("pk = :kh AND sk = :kr", vec![(":kr", s("a"))])),
        2 => Just(Expression::new("pk = :kh AND sk >= :kr", vec![(":kr", s("b"))])),
        2 => Just(Expression::new("#p = :kh AND begins_with(sk, :kr)", vec![(":kr", s("turn#"))]).named("#p", "pk")),
        1 => Just(Expression::new("sk BETWEEN :kr AND :kt AND pk = :kh", vec![(":kr", s("a")), (":kt", s("c"))])),
        1 => Just(Expression::new("(pk = :kh) AND (sk < :kr)", vec![(":kr", s("b"))])),
        1 => select(vec![
            Expression::new("pk > :kh", vec![]),
            Expression::new("sk = :kh", vec![]),
            Expression::new("pk = :kh AND a = :kr", vec![(":kr", s("a"))]),
            Expression::new("pk = :kh AND sk = :kr", vec![(":kr", n("1"))]),
            Expression::new("pk = :kh OR sk = :kr", vec![(":kr", s("a"))]),
            Expression::new("pk = :kh AND sk <> :kr", vec![(":kr", s("a"))]),
        ]),
    ];
    let pairs = (pairs, select(vec!["p", "q", "é✓"])).prop_map(move |(mut expression, pk)| {
        expression.values.push((hash, json!({ "S": pk })));
        Keys { table: "Pairs", index: None, expression }
    });
    let counted = select(vec![
        Expression::new("id = :kh", vec![]),
        Expression::new("id = :kh AND n >= :kr", vec![(":kr", n("1"))]),
        Expression::new("id = :kh AND n < :kr", vec![(":kr", n("1.5"))]),
    ]);
    let counted = (counted, select(vec!["x", "y"])).prop_map(move |(mut expression, id)| {
        expression.values.push((hash, json!({ "S": id })));
        Keys { table: "Counted", index: None, expression }
    });
    let index = select(vec![
        Expression::new("kind = :kh", vec![]),
        Expression::new("kind = :kh AND at > :kr", vec![(":kr", n("1"))]),
        Expression::new(
            "kind = :kh AND at BETWEEN :kr AND :kt",
            vec![(":kr", n("2")), (":kt", n("10"))],
        ),
    ]);
    let index =
        (index, select(vec!["slot", "lead"]), select(vec!["ByKind", "ByKind", "ByKind", "ByNone"]))
            .prop_map(move |(mut expression, kind, index)| {
                expression.values.push((hash, json!({ "S": kind })));
                Keys { table: "Pairs", index: Some(index), expression }
            });
    prop_oneof![4 => pairs, 2 => counted, 2 => index].boxed()
}
