//! Rows as BatchWriteItem takes them: `{ "Table": [{ "PutRequest": { "Item": {...} } }] }`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Most writes in one batch.
pub(crate) const BATCH: usize = 25;

/// An item in DynamoDB's own format.
pub(crate) type Item = Map<String, Value>;

/// The rows of a table in batches, each as `--request-items` takes it.
pub(crate) fn of_table(table: &str, items: &[Item]) -> Vec<Value> {
    let put = |item: &Item| json!({ "PutRequest": { "Item": item } });
    let batch = |items: &[Item]| json!({ table: items.iter().map(put).collect::<Vec<_>>() });
    items.chunks(BATCH).map(batch).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Dump {
    Many(Vec<BTreeMap<String, Vec<Write>>>),
    One(BTreeMap<String, Vec<Write>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Write {
    #[serde(rename = "PutRequest")]
    put: Put,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    #[serde(rename = "Item")]
    item: Item,
}

/// The rows of a dump or of one batch, by table.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, Vec<Item>>, String> {
    // Read as plain JSON first: its errors have a place, those of the shape do not.
    let json: Value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            format!("it ends in the middle, at line {}: the dump was cut", error.line())
        } else {
            error.to_string()
        }
    })?;
    let dump: Dump = serde_json::from_value(json).map_err(|_| {
        r#"it is not a dump: batches are {"Table": [{"PutRequest": {"Item": {...}}}]}, one or a list of them"#
            .to_owned()
    })?;
    let batches = match dump {
        Dump::Many(batches) => batches,
        Dump::One(batch) => vec![batch],
    };
    let mut tables: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (table, writes) in batches.into_iter().flatten() {
        let items = writes.into_iter().map(|write| write.put.item);
        tables.entry(table).or_default().extend(items);
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Vec<Item> {
        let item = |n: usize| json!({ "id": { "N": n.to_string() } }).as_object().cloned();
        (0..count).filter_map(item).collect()
    }

    #[test]
    fn what_is_dumped_in_batches_of_25_is_read_again() {
        let batches = of_table("Leads", &items(60));
        let sizes: Vec<usize> =
            batches.iter().map(|batch| batch["Leads"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [25, 25, 10]);
        assert_eq!(parse(&json!(batches).to_string()).unwrap()["Leads"], items(60));
        assert_eq!(parse(&batches[2].to_string()).unwrap()["Leads"].len(), 10);
        assert!(parse("[]").unwrap().is_empty());
    }

    #[test]
    fn a_dump_that_was_cut_anywhere_is_refused_whole() {
        let text = json!(of_table("Leads", &items(30))).to_string();
        for length in 1..text.len() {
            let error = parse(&text[..length]).unwrap_err();
            assert!(error.contains("the dump was cut"), "{length}: {error}");
        }
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        for text in [
            r#"{"Leads": [{"DeleteRequest": {"Key": {}}}]}"#,
            r#"{"Leads": [{"id": {"S": "a"}}]}"#,
            "3",
        ] {
            assert!(parse(text).unwrap_err().contains("it is not a dump"), "{text}");
        }
        assert!(parse("{,}").unwrap_err().contains("line 1"));
    }
}
