//! The form: repair, date and time, and the customer.

mod when;

use jiff::civil;

use super::{
    BookPage,
    draft::Draft,
    layout::{self, error_of, summary},
    problems::Problem,
    texts::Texts,
};
use crate::{
    app::scheduler::Days,
    domain::{
        catalogue::{ON_SITE_SURCHARGE, RepairKind},
        label::{MAX_ADDRESS_CHARS, MAX_LABEL_CHARS},
        time_needed::DEFAULT_MINUTES,
    },
    http::page::{Attribute, Html},
};

/// Everything that the form shows.
pub(super) struct FormView<'a> {
    pub(super) texts: &'static Texts,
    pub(super) page: &'a BookPage,
    /// `None` when the calendar cannot be read.
    pub(super) days: Option<Days>,
    pub(super) today: Option<civil::Date>,
    pub(super) draft: Draft,
    pub(super) problems: Vec<Problem>,
    pub(super) asks_for_code: bool,
}

/// A field for one line of text.
struct TextField<'a> {
    name: &'static str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    kind: &'static str,
    autocomplete: &'static str,
    most: usize,
    is_required: bool,
}

impl FormView<'_> {
    pub(super) fn content(&self) -> Html {
        let (texts, draft) = (self.texts, &self.draft);
        let mut html = Html::default();
        html.element("header", &[], |header| {
            header.line("p", &[("class", "shop")], texts.shop);
            header.line("h1", &[], texts.heading);
            header.line("p", &[("class", "lead")], texts.lead);
        });
        summary(&mut html, texts, &self.problems);
        // Errors are said by the server, in the page's language and beside the fields.
        let attributes = [("method", "post"), ("action", "book"), ("novalidate", "")];
        html.element("form", &attributes, |form| {
            // The first button is what the Enter key presses.
            let default = [("class", "unseen"), ("tabindex", "-1"), ("aria-hidden", "true")];
            form.line("button", &default, texts.submit);
            form.hidden("key", &draft.key);
            self.repair(form);
            when::section(self, form);
            self.customer(form);
            form.line("button", &[("class", "main"), ("id", "submit")], self.submit_text());
            if self.asks_for_code {
                form.line("p", &[("class", "hint")], texts.code_comes);
            }
        });
        self.help(&mut html);
        html
    }

    fn submit_text(&self) -> &'static str {
        if self.asks_for_code { self.texts.submit_for_code } else { self.texts.submit }
    }

    fn repair(&self, form: &mut Html) {
        let (texts, draft) = (self.texts, &self.draft);
        let chosen = draft.repair_type.as_str();
        self.group(form, "repair_type", texts.repair_legend, |group| {
            group.element("div", &[("class", "cards"), ("id", "repair_type")], |cards| {
                for kind in RepairKind::ALL {
                    let minutes = self
                        .days
                        .as_ref()
                        .map_or(DEFAULT_MINUTES, |days| days.calendar.settings().minutes(kind));
                    let is_chosen = chosen == kind.slug();
                    let id = format!("repair-{}", kind.slug());
                    card(cards, ("repair_type", kind.slug(), &id), is_chosen, |card| {
                        card.line("strong", &[], texts.repair(kind));
                        card.line("span", &[], &texts.price(kind));
                        card.line("span", &[("class", "hint")], &texts.duration(minutes));
                    });
                }
            });
            group.element("label", &[("class", "check")], |label| {
                let mut attributes = vec![
                    ("type", "checkbox"),
                    ("name", "visit"),
                    ("id", "visit"),
                    ("value", "yes"),
                ];
                if draft.is_visit {
                    attributes.push(("checked", ""));
                }
                label.void("input", &attributes);
                let surcharge = ON_SITE_SURCHARGE.to_string();
                label.line("span", &[], &texts.visit.replace("{}", &surcharge));
            });
            group.element("div", &[("class", "address")], |html| {
                self.text_field(
                    html,
                    &TextField {
                        name: "address",
                        label: texts.address,
                        hint: texts.address_hint,
                        value: &draft.address,
                        kind: "text",
                        autocomplete: "street-address",
                        most: MAX_ADDRESS_CHARS,
                        is_required: false,
                    },
                );
            });
        });
    }

    fn customer(&self, form: &mut Html) {
        let (texts, draft) = (self.texts, &self.draft);
        self.group(form, "customer", texts.customer_legend, |group| {
            let label_field = |name, label, hint, value, autocomplete| TextField {
                name,
                label,
                hint,
                value,
                kind: "text",
                autocomplete,
                most: MAX_LABEL_CHARS,
                is_required: false,
            };
            let device =
                label_field("device", texts.device, texts.device_hint, &draft.device, "off");
            self.text_field(group, &device);
            let name = label_field("customer_name", texts.name, "", &draft.customer_name, "name");
            self.text_field(group, &name);
            self.text_field(
                group,
                &TextField {
                    name: "phone",
                    label: texts.phone,
                    hint: texts.phone_hint,
                    value: &draft.phone,
                    kind: "tel",
                    autocomplete: "tel",
                    most: 30,
                    is_required: true,
                },
            );
        });
    }

    /// Fields under one heading. What is wrong with all of them is said below it.
    fn group(&self, html: &mut Html, field: &str, legend: &str, content: impl FnOnce(&mut Html)) {
        let described = format!("{field}-error");
        let mut attributes: Vec<Attribute<'_>> = Vec::new();
        if layout::of(field, &self.problems).is_some() {
            attributes.push(("aria-describedby", &described));
        }
        html.element("fieldset", &attributes, |html| {
            html.line("legend", &[], legend);
            error_of(html, field, &self.problems);
            content(html);
        });
    }

    fn text_field(&self, html: &mut Html, field: &TextField<'_>) {
        html.element("div", &[("class", "field")], |html| {
            html.element("label", &[("for", field.name)], |label| {
                label.text(field.label);
                if !field.is_required {
                    label.text(" ");
                    label.line("span", &[("class", "hint")], self.texts.optional);
                }
            });
            let (hint, error) = (format!("{}-hint", field.name), format!("{}-error", field.name));
            let mut described = Vec::new();
            if !field.hint.is_empty() {
                html.line("p", &[("class", "hint"), ("id", &hint)], field.hint);
                described.push(hint.as_str());
            }
            let is_wrong = layout::of(field.name, &self.problems).is_some();
            if is_wrong {
                error_of(html, field.name, &self.problems);
                described.push(&error);
            }
            let (most, described) = (field.most.to_string(), described.join(" "));
            let mut attributes: Vec<Attribute<'_>> = vec![
                ("type", field.kind),
                ("id", field.name),
                ("name", field.name),
                ("value", field.value),
                ("maxlength", &most),
                ("autocomplete", field.autocomplete),
            ];
            if field.is_required {
                attributes.push(("required", ""));
            }
            if is_wrong {
                attributes.push(("aria-invalid", "true"));
            }
            if !described.is_empty() {
                attributes.push(("aria-describedby", &described));
            }
            html.void("input", &attributes);
        });
    }

    fn help(&self, html: &mut Html) {
        let Some(phone) = &self.page.shop_phone else { return };
        html.element("footer", &[], |footer| {
            footer.text(self.texts.or_text_us);
            footer.text(" ");
            let address = format!("sms:{}", phone.as_str());
            footer.line("a", &[("href", &address)], &super::texts::phone_text(phone.as_str()));
        });
    }
}

/// A choice of several, as large as a finger.
fn card(
    html: &mut Html,
    (name, value, id): (&str, &str, &str),
    is_chosen: bool,
    content: impl FnOnce(&mut Html),
) {
    html.element("label", &[("class", "card"), ("for", id)], |label| {
        let mut attributes = vec![("type", "radio"), ("name", name), ("value", value), ("id", id)];
        if is_chosen {
            attributes.push(("checked", ""));
        }
        label.void("input", &attributes);
        label.element("span", &[("class", "face")], content);
    });
}
