//! The rows of turns and of memories.
//!
//! Rounds are JSON text in the attributes `r0`, `r1`, ..., because nothing queries them and the
//! provider wants the reasoning in them back unchanged.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::row::{Row, RowReader, number, row, text};
use crate::{
    domain::{
        pace::{Pace, PaceWindow},
        turn::{ConversationItem, ConversationMemory, MemoryTurn, StoredRound, TurnRecord},
    },
    ports::StoreError,
};

/// The attribute of a memory's row that holds what the owner wrote to the customer.
pub(super) const OWNER_TURNS: &str = "owner_turns";

/// The name of a round's attribute.
pub(super) fn round_attribute(ordinal: usize) -> String {
    format!("r{ordinal}")
}

/// Serializes a round for its attribute.
pub(super) fn encode_round(round: &StoredRound) -> Result<String, serde_json::Error> {
    let wire = SerializedRound {
        items: round.items.iter().cloned().map(SerializedItem::from).collect(),
        results: round.results.iter().cloned().map(SerializedItem::from).collect(),
        confirmations: round.confirmations.clone(),
    };
    serde_json::to_string(&wire)
}

fn decode_round(json: &str) -> Result<StoredRound, serde_json::Error> {
    let wire: SerializedRound = serde_json::from_str(json)?;
    Ok(StoredRound {
        items: wire.items.into_iter().map(ConversationItem::from).collect(),
        results: wire.results.into_iter().map(ConversationItem::from).collect(),
        confirmations: wire.confirmations,
    })
}

/// Reads a turn that an earlier attempt may have begun.
pub(super) fn to_record(row: &Row) -> Result<TurnRecord, StoreError> {
    let reader = RowReader::new("Conversations", row);
    let mut rounds = Vec::new();
    while let Some(json) = reader.text_or_none(&round_attribute(rounds.len()))? {
        let name = round_attribute(rounds.len());
        rounds.push(decode_round(json).map_err(|_| reader.malformed(&name, "a round"))?);
    }
    Ok(TurnRecord { now: reader.millis("now")?, rounds })
}

/// Reads a turn's answer; `None` while there is none.
pub(super) fn to_answer(row: &Row) -> Result<Option<Vec<String>>, StoreError> {
    let reader = RowReader::new("Conversations", row);
    if reader.has("messages") { reader.texts("messages").map(Some) } else { Ok(None) }
}

pub(super) fn texts(values: &[String]) -> AttributeValue {
    AttributeValue::L(values.iter().map(text).collect())
}

/// Writes the attribute `turns` of a memory: without the owner's own words, which have an attribute
/// of their own, so that he and a turn of the customer may write at the same time.
pub(super) fn from_memory(memory: &ConversationMemory) -> AttributeValue {
    from_turns(memory.turns.iter().filter(|turn| !turn.by_owner))
}

/// Writes remembered turns.
pub(super) fn from_turns<'a>(turns: impl Iterator<Item = &'a MemoryTurn>) -> AttributeValue {
    let turn = |turn: &MemoryTurn| {
        let mut row = row([("user", text(&turn.user)), ("assistant", text(&turn.assistant))]);
        if let Some(at_ms) = turn.at_ms {
            row.insert("at_ms".to_owned(), number(at_ms));
        }
        AttributeValue::M(row)
    };
    AttributeValue::L(turns.map(turn).collect())
}

/// Reads a memory, with the owner's own words in their place.
pub(super) fn to_memory(row: &Row) -> Result<ConversationMemory, StoreError> {
    let reader = RowReader::new("Conversations", row);
    let mut turns = to_turns(reader, "turns", false)?;
    turns.extend(to_turns(reader, OWNER_TURNS, true)?);
    // Turns of older rows, which have no time, come first.
    turns.sort_by_key(|turn| turn.at_ms);
    Ok(ConversationMemory { turns, pace: to_pace(&reader)? })
}

fn to_turns(
    reader: RowReader<'_>,
    name: &str,
    by_owner: bool,
) -> Result<Vec<MemoryTurn>, StoreError> {
    let expected = || reader.malformed(name, "a list of turns");
    let values = match reader.get(name) {
        None => return Ok(Vec::new()),
        Some(AttributeValue::L(values)) => values,
        Some(_) => return Err(expected()),
    };
    let turn = |value: &AttributeValue| {
        let AttributeValue::M(turn) = value else { return Err(expected()) };
        let reader = RowReader::new("Conversations", turn);
        Ok(MemoryTurn {
            user: reader.text("user")?.to_owned(),
            assistant: reader.text("assistant")?.to_owned(),
            at_ms: reader.integer_or_none("at_ms")?,
            by_owner,
        })
    };
    values.iter().map(turn).collect()
}

pub(super) fn from_pace(pace: &Pace) -> AttributeValue {
    let window = |window: &PaceWindow| {
        AttributeValue::M(row([
            ("start_ms", number(window.start_ms)),
            ("turns", number(window.turns)),
            ("model_calls", number(window.model_calls)),
            ("segments", number(window.segments)),
            ("told", AttributeValue::Bool(window.told)),
        ]))
    };
    AttributeValue::M(row([("hour", window(&pace.hour)), ("day", window(&pace.day))]))
}

/// No turns at all in a row that was written before they were counted.
fn to_pace(reader: &RowReader<'_>) -> Result<Pace, StoreError> {
    let expected = || reader.malformed("pace", "the turns of an hour and a day");
    let pace = match reader.get("pace") {
        None => return Ok(Pace::default()),
        Some(AttributeValue::M(pace)) => pace,
        Some(_) => return Err(expected()),
    };
    let window = |name: &str| {
        let Some(AttributeValue::M(window)) = pace.get(name) else { return Err(expected()) };
        let reader = RowReader::new("Conversations", window);
        let count = |counted: i64| usize::try_from(counted).map_err(|_| expected());
        // Older rows count turns alone.
        let added = |name: &str| count(reader.integer_or_none(name)?.unwrap_or_default());
        Ok(PaceWindow {
            start_ms: reader.integer("start_ms")?,
            turns: count(reader.integer("turns")?)?,
            model_calls: added("model_calls")?,
            segments: added("segments")?,
            told: reader.boolean_or_none("told")?.unwrap_or_default(),
        })
    };
    Ok(Pace { hour: window("hour")?, day: window("day")? })
}

#[derive(Serialize, Deserialize)]
struct SerializedRound {
    items: Vec<SerializedItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<SerializedItem>,
    #[serde(rename = "lines", default, skip_serializing_if = "Vec::is_empty")]
    confirmations: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SerializedItem {
    User { text: String },
    Assistant { text: String },
    Reasoning { id: String, encrypted: Option<String> },
    Call { id: String, call_id: String, name: String, arguments: String },
    Result { call_id: String, output: String },
}

impl From<ConversationItem> for SerializedItem {
    fn from(item: ConversationItem) -> Self {
        match item {
            ConversationItem::User(text) => Self::User { text },
            ConversationItem::Assistant(text) => Self::Assistant { text },
            ConversationItem::Reasoning { id, encrypted } => Self::Reasoning { id, encrypted },
            ConversationItem::Call { id, call_id, name, arguments } => {
                Self::Call { id, call_id, name, arguments }
            }
            ConversationItem::Result { call_id, output } => Self::Result { call_id, output },
        }
    }
}

impl From<SerializedItem> for ConversationItem {
    fn from(item: SerializedItem) -> Self {
        match item {
            SerializedItem::User { text } => Self::User(text),
            SerializedItem::Assistant { text } => Self::Assistant(text),
            SerializedItem::Reasoning { id, encrypted } => Self::Reasoning { id, encrypted },
            SerializedItem::Call { id, call_id, name, arguments } => {
                Self::Call { id, call_id, name, arguments }
            }
            SerializedItem::Result { call_id, output } => Self::Result { call_id, output },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> StoredRound {
        StoredRound {
            items: vec![
                ConversationItem::Reasoning { id: "rs_1".into(), encrypted: Some("gAAA==".into()) },
                ConversationItem::Assistant("One moment \u{1f600}".into()),
                ConversationItem::Call {
                    id: "fc_1".into(),
                    call_id: "call_1".into(),
                    name: "book_slot".into(),
                    arguments: r#"{"date":"2026-02-11"}"#.into(),
                },
            ],
            results: vec![ConversationItem::Result {
                call_id: "call_1".into(),
                output: "{}".into(),
            }],
            confirmations: vec!["Confirmed: ...".into()],
        }
    }

    fn turn_row(rounds: &[&str]) -> Row {
        let mut row = row([("now", number(1_770_754_200_123_i64))]);
        row.extend(rounds.iter().enumerate().map(|(at, json)| (round_attribute(at), text(*json))));
        row
    }

    #[test]
    fn rounds_are_read_back_in_order_with_the_first_attempts_time() {
        let other = StoredRound {
            items: vec![ConversationItem::User("x".into())],
            ..StoredRound::default()
        };
        let rounds = [encode_round(&round()).unwrap(), encode_round(&other).unwrap()];
        let record = to_record(&turn_row(&[&rounds[0], &rounds[1]])).unwrap();
        assert_eq!(record.now, "2026-02-10T20:10:00.123Z".parse().unwrap());
        assert_eq!(record.rounds, [round(), other]);
    }

    #[test]
    fn the_stored_json_keeps_its_names() {
        let json: serde_json::Value =
            serde_json::from_str(&encode_round(&round()).unwrap()).unwrap();
        assert_eq!(json["lines"][0], "Confirmed: ...");
        assert_eq!(json["items"][0]["type"], "reasoning");
        assert_eq!(json["results"][0]["call_id"], "call_1");
    }

    #[test]
    fn a_round_that_cannot_be_read_is_an_error() {
        let error = to_record(&turn_row(&["{}"])).unwrap_err().to_string();
        assert_eq!(error, "a row of Conversations is malformed: r0 is not a round");
    }

    #[test]
    fn an_empty_answer_is_an_answer() {
        let mut row = Row::new();
        assert_eq!(to_answer(&row).unwrap(), None);
        row.insert("messages".into(), texts(&[]));
        assert_eq!(to_answer(&row).unwrap(), Some(vec![]));
        row.insert("messages".into(), texts(&["Hi".to_owned()]));
        assert_eq!(to_answer(&row).unwrap(), Some(vec!["Hi".to_owned()]));
    }

    #[test]
    fn what_older_rows_do_not_count_is_nothing() {
        let window = || {
            row([
                ("start_ms", number(7)),
                ("turns", number(2)),
                ("told", AttributeValue::Bool(true)),
            ])
        };
        let pace = |hour: Row| {
            let pace =
                row([("hour", AttributeValue::M(hour)), ("day", AttributeValue::M(window()))]);
            to_memory(&row([("pace", AttributeValue::M(pace))])).map(|memory| memory.pace)
        };
        let before = PaceWindow { start_ms: 7, turns: 2, told: true, ..PaceWindow::default() };
        assert_eq!(pace(window()).unwrap(), Pace { hour: before, day: before });
        for (name, value) in [("segments", text("many")), ("model_calls", number(-1))] {
            let mut odd = window();
            odd.insert(name.to_owned(), value);
            assert!(pace(odd).is_err(), "{name}");
        }
    }

    #[test]
    fn memory_is_read_back() {
        let mut memory = ConversationMemory::default().with(
            "Hi".into(),
            String::new(),
            jiff::Timestamp::UNIX_EPOCH,
        );
        let uncounted = row([("turns", from_memory(&memory))]);
        assert_eq!(to_memory(&uncounted).unwrap(), memory, "as older rows are");
        memory.pace.hour =
            PaceWindow { start_ms: 7, turns: 2, model_calls: 5, segments: 3, told: true };
        let counted = row([("turns", from_memory(&memory)), ("pace", from_pace(&memory.pace))]);
        assert_eq!(to_memory(&counted).unwrap(), memory);
        assert!(to_memory(&row([("turns", text("x"))])).is_err());
        // The owner's own words stand where they were written, and are not written back.
        let own = MemoryTurn {
            user: "[the owner]".into(),
            assistant: "I'm late".into(),
            at_ms: Some(1),
            by_owner: true,
        };
        let mut with_own = counted;
        with_own.insert(OWNER_TURNS.into(), from_turns([&own].into_iter()));
        let read = to_memory(&with_own).unwrap();
        assert_eq!(read.turns.last(), Some(&own));
        assert_eq!(from_memory(&read), from_memory(&memory));
    }
}
