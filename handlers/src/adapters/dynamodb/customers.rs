//! Everything that the tables hold about a customer, and its erasure.
//!
//! Conversations and bookings have the number as their key. Leads and the schedule have not, and no
//! index by it: they are scanned, which a shop's tables are small enough for. Older programs wrote
//! numbers in national forms, so numbers are compared once they are read, not as text.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::try_join_all;
use jiff::civil;
use serde_json::Value;

use super::{
    DynamoDb,
    errors::{ConditionalWrite, unavailable},
    form_hold::HOLDS,
    late::LATE_TURNS,
    lead_row::{time_needed, to_lead},
    outbox::{OUTBOX, UNANSWERED},
    owner_texts::CUSTOMERS,
    row::{Row, RowReader, text},
};
use crate::{
    domain::{
        customer_data::{CustomerData, DataRow},
        lead::{LeadId, LeadStatus},
        phone::Phone,
        slot::Slot,
    },
    ports::{EraseOutcome, StoreError},
};

/// The number of a lead whose customer was erased. A lead needs one to be read; this one has the
/// form, and can be nobody's, because no area code begins with 0.
const NOBODY: &str = "+10000000000";
/// Rows that are deleted at the same time.
const AT_ONCE: usize = 20;

/// The rows that name a customer.
struct CustomerRows {
    schedule: Vec<Row>,
    conversation: Vec<Row>,
    unanswered: Vec<Row>,
    outbox: Vec<Row>,
    bookings: Vec<Row>,
    leads: Vec<Row>,
}

impl DynamoDb {
    pub(super) async fn read_customer(&self, phone: &Phone) -> Result<CustomerData, StoreError> {
        let opted_out = self.read_opted_out(phone).await?;
        let rows = self.customer_rows(phone).await?;
        Ok(CustomerData {
            opted_out,
            bookings: to_data(&rows.bookings),
            leads: to_data(&rows.leads),
            schedule: to_data(&rows.schedule),
            conversation: to_data(&rows.conversation),
            unanswered: to_data(&rows.unanswered),
            outbox: to_data(&rows.outbox),
        })
    }

    /// Erases row by row, each on the condition that it still is what was read, so that a repeat
    /// after a failure finds what is left.
    pub(super) async fn write_erasure(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<EraseOutcome, StoreError> {
        let rows = self.customer_rows(phone).await?;
        let open = open_bookings(&rows, now);
        if !open.is_empty() {
            return Ok(EraseOutcome::HasOpenBookings(open));
        }
        let mut erased = 0;
        for slot in &rows.schedule {
            erased += usize::from(self.strip_slot(slot).await?);
        }
        for lead in &rows.leads {
            erased += usize::from(self.strip_lead(lead).await?);
        }
        let bookings = &self.tables.bookings;
        erased += self.delete_rows(bookings, ["phone", "start"], &rows.bookings).await?;
        let conversations = &self.tables.conversations;
        for part in [&rows.conversation, &rows.unanswered, &rows.outbox] {
            erased += self.delete_rows(conversations, ["conversation_id", "item_id"], part).await?;
        }
        Ok(EraseOutcome::Erased(erased))
    }

    /// Reads the leads last and the schedule first: a booking that is written meanwhile is seen as
    /// an open lead, or its slot is not in the list.
    async fn customer_rows(&self, phone: &Phone) -> Result<CustomerRows, StoreError> {
        let schedule = self.scan_for("Schedule", &self.tables.schedule, phone).await?;
        let mut conversation = self.read_partition(phone.as_str()).await?;
        for (partition, attribute) in
            [(CUSTOMERS, "item_id"), (LATE_TURNS, "phone"), (HOLDS, "phone")]
        {
            let listed = self.read_partition(partition).await?;
            conversation.extend(listed.into_iter().filter(|row| has_phone(row, attribute, phone)));
        }
        let mut unanswered = self.read_partition(UNANSWERED).await?;
        unanswered.retain(|row| has_phone(row, "phone", phone));
        let mut outbox = self.read_partition(OUTBOX).await?;
        outbox.retain(|row| has_phone(row, "to", phone) || mentions(row, phone));
        let bookings = self.read_all_bookings(phone).await?;
        let leads = self.scan_for("Leads", &self.tables.leads, phone).await?;
        Ok(CustomerRows { schedule, conversation, unanswered, outbox, bookings, leads })
    }

    /// The customer's rows among the bookings: those that are over and the form's guard, too.
    async fn read_all_bookings(&self, phone: &Phone) -> Result<Vec<Row>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.bookings)
            .key_condition_expression("phone = :phone")
            .expression_attribute_values(":phone", text(phone.as_str()));
        self.query_all(query).await
    }

    /// The rows of a table whose `phone` is this number. Reads the whole table, all pages: the filter
    /// saves no reading, only the way of rows that have no number at all.
    async fn scan_for(
        &self,
        table: &'static str,
        table_name: &str,
        phone: &Phone,
    ) -> Result<Vec<Row>, StoreError> {
        let scan = self.client.scan().table_name(table_name);
        let scan = scan.filter_expression("attribute_exists(phone)");
        let mut found = Vec::new();
        let mut unreadable = 0_usize;
        for row in self.scan_all(scan).await? {
            let owner = RowReader::new(table, &row).phone("phone");
            match owner {
                Ok(owner) if owner == *phone => found.push(row),
                Ok(_) => {}
                Err(_) => unreadable += 1,
            }
        }
        if unreadable > 0 {
            tracing::warn!(table, rows = unreadable, "rows have a phone that cannot be read");
        }
        Ok(found)
    }

    /// Takes a lead from its customer; false when it has changed meanwhile.
    async fn strip_lead(&self, lead: &Row) -> Result<bool, StoreError> {
        let strip = self
            .client
            .update_item()
            .table_name(&self.tables.leads)
            .set_key(Some(key_of(lead, ["lead_id", "timestamp"])))
            .update_expression("SET phone = :nobody REMOVE customer_name, address, device")
            .condition_expression("phone = :phone")
            .expression_attribute_values(":nobody", text(NOBODY))
            .expression_attribute_values(":phone", attribute(lead, "phone"));
        let write = self.write_conditionally(|| strip.clone().send()).await?;
        Ok(matches!(write, ConditionalWrite::Written(_)))
    }

    /// Takes a time of the schedule from its customer; false when another lead holds it by now.
    async fn strip_slot(&self, slot: &Row) -> Result<bool, StoreError> {
        let strip = self
            .client
            .update_item()
            .table_name(&self.tables.schedule)
            .set_key(Some(key_of(slot, ["schedule_date", "slot_time"])))
            .update_expression("REMOVE phone")
            .expression_attribute_values(":phone", attribute(slot, "phone"));
        let strip = match slot.get("lead_id") {
            Some(lead_id) => strip
                .condition_expression("phone = :phone AND lead_id = :lead_id")
                .expression_attribute_values(":lead_id", lead_id.clone()),
            None => strip.condition_expression("phone = :phone AND attribute_not_exists(lead_id)"),
        };
        let write = self.write_conditionally(|| strip.clone().send()).await?;
        Ok(matches!(write, ConditionalWrite::Written(_)))
    }

    /// Deletes rows by their keys, some at the same time. Returns how many they are.
    async fn delete_rows(
        &self,
        table_name: &str,
        key: [&str; 2],
        rows: &[Row],
    ) -> Result<usize, StoreError> {
        for some in rows.chunks(AT_ONCE) {
            let mut deletions = Vec::with_capacity(some.len());
            for row in some {
                let delete = self.client.delete_item().table_name(table_name);
                deletions.push(delete.set_key(Some(key_of(row, key))).send());
            }
            try_join_all(deletions).await.map_err(unavailable)?;
        }
        Ok(rows.len())
    }
}

/// The references of the bookings that are not over at `now`. A lead counts without its row among
/// the bookings, too, as the old system's have none; one that cannot be read is no booking that
/// anybody could cancel.
fn open_bookings(rows: &CustomerRows, now: civil::DateTime) -> Vec<LeadId> {
    let bookings = rows.bookings.iter().filter_map(|row| {
        let reader = RowReader::new("CustomerBookings", row);
        let slot = Slot::parse_wall_clock(reader.text("start").ok()?).ok()?;
        let id = reader.text_or_empty("lead_id").unwrap_or_default();
        let needed = time_needed(reader).unwrap_or_default();
        needed.is_open_at(slot, now).then(|| LeadId::from_row(id))
    });
    let leads = rows
        .leads
        .iter()
        .filter_map(|row| to_lead(row).ok())
        .filter(|lead| lead.status == LeadStatus::Booked)
        .filter(|lead| lead.time_needed.is_open_at(lead.slot, now))
        .map(|lead| lead.id);
    let open: BTreeSet<LeadId> = bookings.chain(leads).collect();
    open.into_iter().collect()
}

/// Whether an attribute is this number, in whatever form.
fn has_phone(row: &Row, attribute: &str, phone: &Phone) -> bool {
    RowReader::new("Conversations", row).phone(attribute).is_ok_and(|found| found == *phone)
}

/// Whether a text names this number, as those to the owner do.
fn mentions(row: &Row, phone: &Phone) -> bool {
    let Ok(Some(body)) = RowReader::new("Conversations", row).text_or_none("body") else {
        return false;
    };
    body.match_indices(phone.as_str()).any(|(at, found)| {
        let rest = body.get(at + found.len()..).unwrap_or_default();
        !rest.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn key_of(row: &Row, names: [&str; 2]) -> Row {
    names.into_iter().map(|name| (name.to_owned(), attribute(row, name))).collect()
}

fn attribute(row: &Row, name: &str) -> AttributeValue {
    row.get(name).cloned().unwrap_or(AttributeValue::Null(true))
}

fn to_data(rows: &[Row]) -> Vec<DataRow> {
    rows.iter().map(to_json).collect()
}

fn to_json(row: &Row) -> DataRow {
    let mut attributes: Vec<(&String, &AttributeValue)> = row.iter().collect();
    attributes.sort_by_key(|(name, _)| *name);
    attributes.into_iter().map(|(name, value)| (name.clone(), to_value(value))).collect()
}

fn to_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::from(text.as_str()),
        AttributeValue::N(digits) => to_number(digits),
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::L(values) => Value::Array(values.iter().map(to_value).collect()),
        AttributeValue::M(row) => Value::Object(to_json(row)),
        AttributeValue::Ss(texts) => {
            Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect())
        }
        AttributeValue::Ns(numbers) => {
            Value::Array(numbers.iter().map(|digits| to_number(digits)).collect())
        }
        AttributeValue::B(bytes) => Value::from(STANDARD.encode(bytes)),
        AttributeValue::Bs(values) => {
            Value::Array(values.iter().map(|bytes| Value::from(STANDARD.encode(bytes))).collect())
        }
        // `Null`, and what only a newer SDK could know.
        _ => Value::Null,
    }
}

/// A number; one that JSON's readers could not hold stays text.
fn to_number(digits: &str) -> Value {
    serde_json::from_str(digits).unwrap_or_else(|_| Value::from(digits))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use serde_json::json;

    use super::*;
    use crate::adapters::dynamodb::row::{number, row};

    fn ann() -> Phone {
        Phone::parse("+19042520927").unwrap()
    }

    #[test]
    fn every_kind_of_attribute_is_plain_json_in_the_order_of_the_names() {
        let stored = row([
            ("text", text("a")),
            ("number", number("1769954400.5")),
            ("huge", number("1E400")),
            ("flag", AttributeValue::Bool(true)),
            ("list", AttributeValue::L(vec![number(1), text("b")])),
            ("map", AttributeValue::M(row([("x", number(-2))]))),
            ("texts", AttributeValue::Ss(vec!["c".into()])),
            ("numbers", AttributeValue::Ns(vec!["3".into()])),
            ("bytes", AttributeValue::B(Blob::new("hi"))),
            ("null", AttributeValue::Null(true)),
        ]);
        let plain = to_json(&stored);
        let names: Vec<&str> = plain.keys().map(String::as_str).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(
            Value::Object(plain),
            json!({
                "text": "a", "number": 1_769_954_400.5, "huge": "1E400", "flag": true,
                "list": [1, "b"], "map": { "x": -2 }, "texts": ["c"], "numbers": [3],
                "bytes": "aGk=", "null": null,
            })
        );
    }

    #[test]
    fn a_number_is_found_in_any_form_and_not_within_a_longer_one() {
        for form in ["+19042520927", "(904) 252-0927", "904.252.0927"] {
            assert!(has_phone(&row([("to", text(form))]), "to", &ann()), "{form}");
        }
        assert!(!has_phone(&row([("to", text("+19042520928"))]), "to", &ann()));
        assert!(!has_phone(&Row::new(), "to", &ann()));
        let body = |words: &str| row([("body", text(words))]);
        assert!(mentions(&body("Booked: screen. +19042520927 (\"Ann\")"), &ann()));
        assert!(mentions(&body("It is +19042520927"), &ann()));
        assert!(!mentions(&body("It is +190425209271"), &ann()));
        assert!(!mentions(&Row::new(), &ann()));
    }

    #[test]
    fn nobodys_number_is_read_and_no_customer_can_have_it() {
        let lead = row([("phone", text(NOBODY))]);
        assert!(RowReader::new("Leads", &lead).phone("phone").is_ok());
        assert!(Phone::parse(NOBODY).is_err());
    }
}
