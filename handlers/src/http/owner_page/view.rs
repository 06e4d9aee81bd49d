//! What the page shows, as JSON. Everything that a customer typed is a plain string: the page shows
//! it as text.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    app::owner_page::{Conversation, Day, Entry, EntryKind, Overview},
    domain::{
        booking::Booking, catalogue::Repair, label::UNKNOWN_DEVICE, lead::Lead,
        outbox::UnansweredText, turn::MemoryTurn,
    },
    http::{calendar::settings_json, state::state_json},
};

pub(super) fn overview(overview: &Overview, now: Timestamp) -> Value {
    let Overview { owner, calendar, days, unanswered } = overview;
    let local = calendar.local(now);
    json!({
        "status": "success",
        "now": now.as_second(),
        "today": local.date().to_string(),
        "clock": local.strftime("%Y-%m-%dT%H:%M").to_string(),
        "time_zone": calendar.zone_name(),
        "days": days.iter().map(day).collect::<Vec<_>>(),
        "unanswered": unanswered.iter().map(waiting).collect::<Vec<_>>(),
        "state": state_json(owner),
        "calendar": settings_json(calendar.settings(), calendar.zone_name()),
    })
}

fn day(Day { date, unreadable, entries }: &Day) -> Value {
    json!({
        "date": date.to_string(),
        "unreadable": unreadable,
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn entry(Entry { hold, kind }: &Entry) -> Value {
    let mut entry = json!({
        "time": hold.start.to_string(),
        "minutes": hold.minutes,
        "travel": hold.travel,
    });
    let (kind, lead) = match kind {
        EntryKind::TimeOff => ("time_off", None),
        EntryKind::Unconfirmed => ("unconfirmed", None),
        EntryKind::Booking(lead) => ("booking", lead.as_deref()),
    };
    entry["kind"] = json!(kind);
    if kind == "booking" {
        entry["lead_id"] = json!(hold.lead_id);
        entry["phone"] = json!(hold.phone.as_ref().map(|phone| phone.as_str()));
    }
    if let (Some(lead), Value::Object(fields)) = (lead, &mut entry) {
        fields.extend(lead_json(lead));
    }
    entry
}

fn lead_json(lead: &Lead) -> serde_json::Map<String, Value> {
    let booking = Booking::from(lead);
    let repair = match &lead.repair {
        Repair::Listed { .. } => lead.repair.to_string(),
        Repair::Unlisted(words) => words.clone(),
    };
    let fields = [
        ("lead_id", json!(lead.id.as_str())),
        ("phone", json!(lead.phone.as_str())),
        ("name", json!(lead.customer_name)),
        ("device", json!((lead.device != UNKNOWN_DEVICE).then_some(&lead.device))),
        ("repair", json!(repair)),
        ("repair_type", json!(lead.repair.slug())),
        ("is_visit", json!(lead.repair.is_visit())),
        ("address", json!(lead.address)),
        ("price", json!(booking.price())),
        ("discount_percent", json!(lead.discount_percent)),
        ("source", json!(lead.source.as_str())),
        ("status", json!(lead.status.as_str())),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn waiting(text: &UnansweredText) -> Value {
    json!({
        "sid": text.key.sid,
        "phone": text.key.phone.as_str(),
        "words": text.words,
        "pictures": text.media.len(),
        "reason": text.reason,
        "at": text.now.as_second(),
    })
}

pub(super) fn conversation(conversation: &Conversation) -> Value {
    let turn = |turn: &MemoryTurn| {
        json!({
            "user": turn.user,
            "assistant": turn.assistant,
            "by_owner": turn.by_owner,
            "at": turn.at_ms.map(|at| at.div_euclid(1000)),
        })
    };
    let lead = |lead: &Lead| {
        let mut fields = lead_json(lead);
        fields.insert("date".to_owned(), json!(lead.slot.date().to_string()));
        fields.insert("time".to_owned(), json!(lead.slot.time().to_string()));
        Value::Object(fields)
    };
    json!({
        "phone": conversation.phone.as_str(),
        "turns": conversation.turns.iter().map(turn).collect::<Vec<_>>(),
        "bookings": conversation.leads.iter().map(lead).collect::<Vec<_>>(),
    })
}
