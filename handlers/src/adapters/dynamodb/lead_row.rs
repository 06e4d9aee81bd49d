//! Rows of leads and of customers' bookings.

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{Row, RowReader, number, row, seconds, text};
use crate::{
    domain::{
        booking::Booking,
        catalogue::Repair,
        label::UNKNOWN_DEVICE,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        slot::{Slot, SlotTime, parse_date},
        time_needed::TimeNeeded,
    },
    ports::StoreError,
};

/// Longest time that a row may say.
const MINUTES_PER_DAY: u16 = 24 * 60;

/// Writes the row of a lead, with the attribute names of the old system.
pub(super) fn from_lead(lead: &Lead) -> Row {
    let mut lead_row = shared_attributes(&Booking::from(lead));
    lead_row.extend(row([
        ("lead_id", text(lead.id.as_str())),
        ("timestamp", seconds(lead.timestamp)),
        ("created_at", seconds(lead.timestamp)),
        ("phone", text(lead.phone.as_str())),
        ("appointment_date", text(lead.slot.date().to_string())),
        ("appointment_time", text(lead.slot.time().to_string())),
        ("status", text(lead.status.as_str())),
    ]));
    lead_row
}

/// Writes the row of a customer's open booking.
pub(super) fn from_booking(booking: &Booking) -> Row {
    let mut booking_row = shared_attributes(booking);
    booking_row.extend(row([
        ("phone", text(booking.phone.as_str())),
        ("start", text(booking.slot.wall_clock())),
        ("lead_id", text(booking.lead_id.as_str())),
        ("timestamp", seconds(booking.timestamp)),
    ]));
    booking_row
}

fn shared_attributes(booking: &Booking) -> Row {
    let mut attributes = vec![
        ("repair_type", text(booking.repair.slug())),
        ("device", text(&booking.device)),
        ("source", text(booking.source.as_str())),
    ];
    attributes.extend(booking.customer_name.as_ref().map(|name| ("customer_name", text(name))));
    attributes.extend(booking.address.as_ref().map(|address| ("address", text(address))));
    attributes
        .extend(booking.discount_percent.map(|discount| ("discount_percent", number(discount))));
    let mut attributes = row(attributes);
    attributes.extend(time_attributes(booking.time_needed));
    attributes
}

/// How long an appointment is, where it is not as long as any of the old system.
pub(super) fn time_attributes(needed: TimeNeeded) -> Row {
    let usual = TimeNeeded::default();
    let minutes = (needed.minutes != usual.minutes).then_some(("minutes", needed.minutes));
    let travel = (needed.travel != usual.travel).then_some(("travel_minutes", needed.travel));
    row(minutes.into_iter().chain(travel).map(|(name, value)| (name, number(value))))
}

/// Reads how long an appointment is.
pub(super) fn time_needed(reader: RowReader<'_>) -> Result<TimeNeeded, StoreError> {
    let usual = TimeNeeded::default();
    let minutes = |name, usual: u16, least: u16| match reader.integer_or_none(name)? {
        None => Ok(usual),
        Some(minutes) => u16::try_from(minutes)
            .ok()
            .filter(|minutes| (least..=MINUTES_PER_DAY).contains(minutes))
            .ok_or_else(|| reader.malformed(name, "minutes of a day")),
    };
    Ok(TimeNeeded {
        minutes: minutes("minutes", usual.minutes, 1)?,
        travel: minutes("travel_minutes", usual.travel, 0)?,
    })
}

/// Reads a lead. Rows of the old system have neither name nor source.
pub(super) fn to_lead(row: &Row) -> Result<Lead, StoreError> {
    let reader = RowReader::new("Leads", row);
    let date = parse_date(reader.text("appointment_date")?)
        .map_err(|_| reader.malformed("appointment_date", "a date"))?;
    let time = SlotTime::parse(reader.text("appointment_time")?)
        .map_err(|_| reader.malformed("appointment_time", "a time of day"))?;
    let status = match reader.text_or_none("status")? {
        None => LeadStatus::Booked,
        Some(status) => LeadStatus::parse(status)
            .ok_or_else(|| reader.malformed("status", "a lead's status"))?,
    };
    Ok(Lead {
        id: LeadId::from_row(reader.text("lead_id")?),
        timestamp: reader.seconds("timestamp")?,
        phone: reader.phone("phone")?,
        slot: Slot::new(date, time),
        time_needed: time_needed(reader)?,
        repair: repair(reader)?,
        device: device(reader)?,
        customer_name: name(reader)?,
        address: address(reader)?,
        status,
        source: source(reader)?,
        discount_percent: discount(reader)?,
    })
}

/// Reads a customer's open booking.
pub(super) fn to_booking(row: &Row) -> Result<Booking, StoreError> {
    let reader = RowReader::new("CustomerBookings", row);
    Ok(Booking {
        phone: reader.phone("phone")?,
        slot: Slot::parse_wall_clock(reader.text("start")?)
            .map_err(|_| reader.malformed("start", "a date and time"))?,
        time_needed: time_needed(reader)?,
        lead_id: LeadId::from_row(reader.text("lead_id")?),
        timestamp: reader.seconds("timestamp")?,
        repair: repair(reader)?,
        device: device(reader)?,
        customer_name: name(reader)?,
        address: address(reader)?,
        source: source(reader)?,
        discount_percent: discount(reader)?,
    })
}

/// The attributes of a slot's row, besides its key, while the booking holds the slot.
pub(super) fn slot_attributes(booking: &Booking) -> [(&'static str, AttributeValue); 4] {
    [
        ("lead_id", text(booking.lead_id.as_str())),
        ("phone", text(booking.phone.as_str())),
        ("repair_type", text(booking.repair.slug())),
        ("device", text(&booking.device)),
    ]
}

fn repair(reader: RowReader<'_>) -> Result<Repair, StoreError> {
    reader.text("repair_type").map(Repair::from_row)
}

fn device(reader: RowReader<'_>) -> Result<String, StoreError> {
    Ok(reader.text_or_none("device")?.unwrap_or(UNKNOWN_DEVICE).to_owned())
}

fn address(reader: RowReader<'_>) -> Result<Option<String>, StoreError> {
    Ok(reader.text_or_none("address")?.filter(|text| !text.is_empty()).map(str::to_owned))
}

fn name(reader: RowReader<'_>) -> Result<Option<String>, StoreError> {
    Ok(reader.text_or_none("customer_name")?.filter(|name| !name.is_empty()).map(str::to_owned))
}

fn discount(reader: RowReader<'_>) -> Result<Option<u8>, StoreError> {
    let percent = reader.integer_or_none("discount_percent")?;
    percent
        .map(u8::try_from)
        .transpose()
        .map_err(|_| reader.malformed("discount_percent", "a percentage"))
}

fn source(reader: RowReader<'_>) -> Result<LeadSource, StoreError> {
    match reader.text_or_none("source")? {
        None => Ok(LeadSource::Sms),
        Some(source) => {
            LeadSource::parse(source).ok_or_else(|| reader.malformed("source", "sms or form"))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::{catalogue::RepairKind, phone::Phone};

    fn lead() -> Lead {
        Lead {
            id: LeadId::from_row("LEAD-20260210-201000-1a2b3c"),
            timestamp: "2026-02-10T20:10:00Z".parse().unwrap(),
            phone: Phone::parse("+19042520927").unwrap(),
            slot: Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(14)),
            time_needed: TimeNeeded { minutes: 90, travel: 30 },
            repair: Repair::Listed { kind: RepairKind::Screen, on_site: true },
            device: "iPhone".into(),
            customer_name: Some("Ann <b>".into()),
            address: Some("12 Main St".into()),
            status: LeadStatus::Cancelled,
            source: LeadSource::Form,
            discount_percent: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let lead = lead();
        assert_eq!(to_lead(&from_lead(&lead)).unwrap(), lead);
        let nameless =
            Lead { customer_name: None, time_needed: TimeNeeded::default(), ..lead.clone() };
        let row = from_lead(&nameless);
        assert!(!row.contains_key("minutes") && !row.contains_key("travel_minutes"));
        assert_eq!(to_lead(&row).unwrap(), nameless);
        let booking = Booking::from(&lead);
        assert_eq!(to_booking(&from_booking(&booking)).unwrap(), booking);
    }

    #[test]
    fn the_attributes_are_those_of_the_old_system() {
        let row = from_lead(&lead());
        assert_eq!(row["timestamp"], number(1_770_754_200));
        assert_eq!(row["appointment_date"], text("2026-02-11"));
        assert_eq!(row["appointment_time"], text("2:00 PM"));
        let row = from_booking(&Booking::from(&lead()));
        assert_eq!(row["start"], text("2026-02-11T14:00"));
    }

    #[test]
    fn a_lead_of_the_old_system_is_read() {
        let row = row([
            ("lead_id", text("LEAD-20250101-120000-123")),
            ("timestamp", number(1_735_732_800)),
            ("phone", text("(904) 252-0927")),
            ("repair_type", text("Hairdryer")),
            ("device", text("iPhone 12")),
            ("appointment_date", text("2025-01-02")),
            ("appointment_time", text("10:00 AM")),
            ("status", text("booked")),
        ]);
        let lead = to_lead(&row).unwrap();
        assert_eq!(lead.phone.as_str(), "+19042520927");
        assert_eq!(lead.repair, Repair::Unlisted("Hairdryer".into()));
        assert_eq!(lead.source, LeadSource::Sms);
        assert_eq!(lead.customer_name, None);
    }

    #[test]
    fn a_malformed_row_is_an_error_that_names_the_attribute() {
        for (name, value) in [
            ("appointment_date", text("tomorrow")),
            ("appointment_time", text("later")),
            ("status", text("lost")),
            ("phone", number(9)),
            ("timestamp", text("then")),
            ("minutes", number(0)),
            ("travel_minutes", number(-1)),
        ] {
            let mut row = from_lead(&lead());
            row.insert(name.to_owned(), value);
            let error = to_lead(&row).unwrap_err().to_string();
            assert!(error.starts_with(&format!("a row of Leads is malformed: {name} ")), "{error}");
            row.remove(name);
            let has_default = ["status", "minutes", "travel_minutes"].contains(&name);
            assert_eq!(to_lead(&row).is_ok(), has_default, "{name}");
        }
    }
}
