//! What was booked.

use super::{
    BookPage,
    texts::{self, Texts},
};
use crate::{
    app::scheduler::FormBooking,
    domain::{
        catalogue::{ON_SITE_SURCHARGE, Repair},
        label::UNKNOWN_DEVICE,
        lead::LeadStatus,
    },
    http::page::Html,
};

pub(super) fn content(form: &FormBooking, page: &BookPage, texts: &Texts) -> Html {
    let booking = &form.booking;
    let is_booked = form.status == LeadStatus::Booked;
    let heading = match form.status {
        LeadStatus::Booked => texts.booked,
        LeadStatus::Cancelled => texts.cancelled,
        LeadStatus::Completed => texts.completed,
    };
    let (date, time) = (booking.slot.date(), booking.slot.time());
    let when = format!("{}, {}", texts.long_date(date), texts.time(time));
    let mut html = Html::default();
    html.element("header", &[], |header| {
        header.line("p", &[("class", "shop")], texts.shop);
        let attributes = [("id", "done"), ("tabindex", "-1"), ("autofocus", "")];
        header.line("h1", &attributes, heading);
        header.line("p", &[("class", "lead")], &when);
    });
    let repair = repair_text(&booking.repair, texts);
    let minutes = booking.time_needed.minutes;
    html.element("dl", &[("class", "facts")], |list| {
        let mut fact = |name: &str, value: &str| {
            list.element("div", &[], |row| {
                row.line("dt", &[], name);
                row.line("dd", &[], value);
            });
        };
        fact(texts.reference, booking.lead_id.as_str());
        fact(texts.repair_legend, &repair);
        fact(texts.price, &price_text(&booking.repair, &booking.device, texts));
        fact(texts.takes, &texts.duration(minutes));
        if booking.device != UNKNOWN_DEVICE {
            fact(texts.device, &booking.device);
        }
        if let Some(name) = &booking.customer_name {
            fact(texts.name, name);
        }
        if let Some(address) = &booking.address {
            fact(texts.address, address);
        }
    });
    if is_booked {
        html.element("form", &[("method", "post"), ("action", "book/ics")], |form| {
            form.hidden("reference", booking.lead_id.as_str());
            form.hidden("date", &date.to_string());
            form.hidden("time", &time.to_string());
            form.hidden("minutes", &minutes.to_string());
            form.hidden("repair_type", &booking.repair.slug());
            form.line("button", &[("class", "main")], texts.add_to_calendar);
        });
        change(&mut html, page, texts);
    }
    html.element("p", &[], |line| line.line("a", &[("href", "book")], texts.book_another));
    html
}

/// How to change it.
fn change(html: &mut Html, page: &BookPage, texts: &Texts) {
    html.element("section", &[("class", "change")], |section| {
        section.line("h2", &[], texts.change_heading);
        section.element("p", &[], |line| match &page.shop_phone {
            None => line.text(texts.change_without_number),
            Some(phone) => {
                let (before, after) = texts.change.split_once("{}").unwrap_or((texts.change, ""));
                line.text(before);
                let address = format!("sms:{}", phone.as_str());
                line.line("a", &[("href", &address)], &texts::phone_text(phone.as_str()));
                line.text(after);
            }
        });
    });
}

fn repair_text(repair: &Repair, texts: &Texts) -> String {
    match repair {
        Repair::Listed { kind, on_site: true } => {
            format!("{} ({})", texts.repair(*kind), texts.at_your_place)
        }
        Repair::Listed { kind, on_site: false } => texts.repair(*kind).to_owned(),
        Repair::Unlisted(text) => text.clone(),
    }
}

/// The price for the device, or the prices of the list with the way to a visit.
fn price_text(repair: &Repair, device: &str, texts: &Texts) -> String {
    if let Some(quote) = repair.quote(device) {
        return quote.replace("diagnostic", texts.diagnostic);
    }
    match repair {
        Repair::Listed { kind, on_site: true } => {
            format!("{} + ${ON_SITE_SURCHARGE}", texts.price(*kind))
        }
        Repair::Listed { kind, on_site: false } => texts.price(*kind),
        Repair::Unlisted(_) => String::new(),
    }
}
