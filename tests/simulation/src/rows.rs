//! What must hold of the rows at the end, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use handlers::domain::{
    day_schedule::Hold,
    lead::{Lead, LeadStatus},
};

use crate::{plan, sequential::Bookings, tables::Tables};

/// The bookings that stand.
///
/// # Errors
/// The sentence that does not hold, and what stands against it.
pub(crate) fn check(tables: &Tables) -> Result<Bookings, String> {
    let leads = tables.leads()?;
    let booked: BTreeMap<&str, &Lead> = leads
        .iter()
        .filter(|lead| lead.status == LeadStatus::Booked)
        .map(|lead| (lead.id.as_str(), lead))
        .collect();
    let mut held = 0;
    for date in leads.iter().map(|lead| lead.slot.date()).collect::<BTreeSet<_>>() {
        let holds = tables.holds(date)?;
        for (i, hold) in holds.iter().enumerate() {
            let lead = booked.get(hold.lead_id.as_str());
            if lead.is_none_or(|lead| lead.slot.time() != hold.start || lead.slot.date() != date) {
                return Err(format!("a slot is locked only by a confirmed booking: {}", at(hold)));
            }
            if holds.iter().skip(i + 1).any(|other| other.start == hold.start) {
                return Err(format!("at most one booking holds a slot: {}", at(hold)));
            }
            held += 1;
        }
    }
    if held != booked.len() {
        return Err(format!("a confirmed booking locks its slot: {held} of {}", booked.len()));
    }
    let phones: BTreeSet<String> =
        leads.iter().map(|lead| lead.phone.as_str().to_owned()).collect();
    let open = tables.open_bookings(&phones.into_iter().collect::<Vec<_>>())?;
    if open.len() != booked.len()
        || open
            .iter()
            .any(|row| booked.get(row.lead_id.as_str()).is_none_or(|lead| lead.slot != row.slot))
    {
        return Err(format!("each booking stands once among its customer's: {open:?}"));
    }
    let mut bookings = Bookings::new();
    for lead in booked.values() {
        let (Some(id), Some(hour)) = (plan::booking_in(&lead.device), plan::hour_of(lead.slot))
        else {
            return Err(format!("nobody asked for that: {lead:?}"));
        };
        if bookings.insert(id, (plan::customer_of(lead.phone.as_str()), hour)).is_some() {
            return Err(format!("a text or form books once: {id}"));
        }
    }
    Ok(bookings)
}

/// `9:00 AM by LEAD-...`.
fn at(hold: &Hold) -> String {
    format!("{} by {}", hold.start, hold.lead_id)
}
