//! The code that was texted books what is held.

use super::{
    draft::Draft,
    layout::{self, error_of, summary},
    problems::Problem,
    texts::{self, Texts},
};
use crate::{domain::phone::Phone, http::page::Html};

pub(super) fn content(draft: &Draft, hold: &str, texts: &Texts, problems: &[Problem]) -> Html {
    let mut html = Html::default();
    html.element("header", &[], |header| {
        header.line("p", &[("class", "shop")], texts.shop);
        let mut attributes = vec![("id", "step"), ("tabindex", "-1")];
        if problems.is_empty() {
            attributes.push(("autofocus", ""));
        }
        header.line("h1", &attributes, texts.code_heading);
        let phone = Phone::parse(&draft.phone)
            .map_or_else(|_| draft.phone.clone(), |phone| texts::phone_text(phone.as_str()));
        header.line("p", &[("class", "lead")], &texts.code_lead.replace("{}", &phone));
    });
    summary(&mut html, texts, problems);
    let attributes = [("method", "post"), ("action", "book"), ("novalidate", "")];
    html.element("form", &attributes, |form| {
        form.hidden("hold_id", hold);
        for (name, value) in draft.pairs() {
            form.hidden(name, value);
        }
        form.element("div", &[("class", "field")], |field| {
            field.line("label", &[("for", "code")], texts.code);
            error_of(field, "code", problems);
            let mut attributes = vec![
                ("type", "text"),
                ("id", "code"),
                ("name", "code"),
                ("inputmode", "numeric"),
                ("autocomplete", "one-time-code"),
                ("maxlength", "12"),
                ("required", ""),
            ];
            if layout::of("code", problems).is_some() {
                attributes.extend([("aria-invalid", "true"), ("aria-describedby", "code-error")]);
            }
            field.void("input", &attributes);
        });
        form.line("button", &[("class", "main"), ("id", "submit")], texts.confirm);
        let back = [("name", "show"), ("value", "form"), ("class", "quiet back")];
        form.line("button", &back, texts.back);
    });
    html
}
