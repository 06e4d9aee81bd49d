//! The document around the page's content.

use super::{
    assets::{SCRIPT, STYLE},
    problems::Problem,
    texts::Texts,
};
use crate::http::page::Html;

/// The whole page. Its links are relative, because a stage may be in front of its path.
pub(super) fn document(texts: &Texts, content: Html) -> Html {
    let mut html = Html::default();
    html.element("html", &[("lang", texts.language)], |html| {
        html.element("head", &[], |head| {
            head.void("meta", &[("charset", "utf-8")]);
            let width = "width=device-width, initial-scale=1";
            head.void("meta", &[("name", "viewport"), ("content", width)]);
            head.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            head.line("title", &[], texts.title);
            let style = format!("book/book.css?v={}", STYLE.version);
            head.void("link", &[("rel", "stylesheet"), ("href", &style)]);
            // An empty picture, so that no browser asks for /favicon.ico.
            head.void("link", &[("rel", "icon"), ("href", "data:,")]);
            let script = format!("book/book.js?v={}", SCRIPT.version);
            head.element("script", &[("src", &script), ("defer", "")], |_| {});
        });
        html.element("body", &[], |body| {
            let texts_of_the_script = [
                ("id", "book"),
                ("data-offline", texts.offline),
                ("data-failed", texts.failed),
                ("data-busy", texts.busy),
                ("data-gone", texts.chosen_time_gone),
            ];
            body.element("main", &texts_of_the_script, |main| main.append(content));
            // What changes without a reload is said here.
            body.element("p", &[("id", "news"), ("role", "status"), ("class", "unseen")], |_| {});
        });
    });
    html
}

/// What is wrong, on top, with a link to each field.
pub(super) fn summary(html: &mut Html, texts: &Texts, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let attributes = [
        ("id", "summary"),
        ("class", "summary"),
        ("role", "alert"),
        ("tabindex", "-1"),
        ("autofocus", ""),
    ];
    html.element("div", &attributes, |html| {
        html.line("h2", &[], texts.please_check);
        html.element("ul", &[], |list| {
            for problem in problems {
                list.element("li", &[], |item| match problem.target() {
                    Some(target) => item.line("a", &[("href", &target)], &problem.text),
                    None => item.text(&problem.text),
                });
            }
        });
    });
}

/// What is wrong with one field, beside it.
pub(super) fn error_of(html: &mut Html, field: &str, problems: &[Problem]) {
    if let Some(problem) = of(field, problems) {
        html.line("p", &[("class", "error"), ("id", &format!("{field}-error"))], &problem.text);
    }
}

pub(super) fn of<'a>(field: &str, problems: &'a [Problem]) -> Option<&'a Problem> {
    problems.iter().find(|problem| problem.field == Some(field))
}
