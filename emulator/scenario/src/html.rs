//! A page as a scenario sees it: what a person reads in it, and what its forms would send.

use scraper::{ElementRef, Html, Node, Selector};
use serde_json::{Map, Value, json};

/// The parts of a page.
pub(crate) const PARTS: [&str; 5] = ["title", "lang", "text", "form", "forms"];

/// Elements whose text nobody reads.
const UNREAD: [&str; 5] = ["script", "style", "template", "head", "noscript"];
/// Elements that stand in a line of text.
const INLINE: [&str; 11] =
    ["a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "sub", "u"];

/// Reads a page as a browser would, whatever its markup is.
pub(crate) fn read(markup: &str) -> Value {
    let page = Html::parse_document(markup);
    let root = page.root_element();
    let forms: Vec<Value> = all(root, "form").map(form).collect();
    let mut text = String::new();
    words(root, &mut text);
    json!({
        "title": all(root, "title").next().map(|title| tidy(&title.text().collect::<String>())),
        "lang": root.value().attr("lang"),
        "text": tidy(&text),
        "form": forms.first(),
        "forms": forms,
    })
}

fn all<'a>(within: ElementRef<'a>, selector: &str) -> std::vec::IntoIter<ElementRef<'a>> {
    let found: Vec<_> =
        Selector::parse(selector).map(|s| within.select(&s).collect()).unwrap_or_default();
    found.into_iter()
}

/// What the form would send, and what may be chosen in it.
fn form(form: ElementRef<'_>) -> Value {
    let (mut fields, mut choices) = (Map::new(), Map::new());
    let mut choice = |name: &str, value: &str| {
        if let Value::Array(list) = choices.entry(name).or_insert_with(|| json!([])) {
            list.push(value.into());
        }
    };
    for field in all(form, "input, select, textarea") {
        let attribute = |name| field.value().attr(name);
        let Some(name) = attribute("name") else { continue };
        // A button is sent only when it is pressed.
        let is_button = matches!(attribute("type"), Some("submit" | "button" | "image" | "reset"));
        if is_button && field.value().name() == "input" {
            continue;
        }
        let is_off = attribute("disabled").is_some();
        match (field.value().name(), attribute("type").unwrap_or("text")) {
            ("input", "radio" | "checkbox") => {
                let value = attribute("value").unwrap_or("on");
                if !is_off {
                    choice(name, value);
                }
                if !is_off && attribute("checked").is_some() {
                    fields.insert(name.into(), value.into());
                }
            }
            ("select", _) => {
                let (mut first, mut selected) = (None, None);
                for option in all(field, "option") {
                    let own = tidy(&option.text().collect::<String>());
                    let value = option.value().attr("value").unwrap_or(&own);
                    let is_open = !is_off && option.value().attr("disabled").is_none();
                    if is_open {
                        choice(name, value);
                        first.get_or_insert_with(|| value.to_owned());
                    }
                    if option.value().attr("selected").is_some() {
                        // A disabled one that is selected, such as "Choose...", sends nothing.
                        selected = Some(is_open.then(|| value.to_owned()));
                    }
                }
                if let Some(value) = selected.unwrap_or(first) {
                    fields.insert(name.into(), value.into());
                }
            }
            ("textarea", _) if !is_off => {
                fields.insert(name.into(), field.text().collect::<String>().into());
            }
            ("input", _) if !is_off => {
                fields.insert(name.into(), attribute("value").unwrap_or_default().into());
            }
            _ => {}
        }
    }
    json!({
        "action": form.value().attr("action"),
        "method": form.value().attr("method").unwrap_or("get").to_ascii_lowercase(),
        "fields": fields,
        "choices": choices,
    })
}

/// The text of an element, a line for each block. What a style hides is read: styles are not applied.
fn words(element: ElementRef<'_>, out: &mut String) {
    for child in element.children() {
        match child.value() {
            Node::Text(text) => out.push_str(&text.replace(['\n', '\t'], " ")),
            Node::Element(inner)
                if !UNREAD.contains(&inner.name()) && inner.attr("hidden").is_none() =>
            {
                let Some(inner) = ElementRef::wrap(child) else { continue };
                let is_block = !INLINE.contains(&inner.value().name());
                if is_block {
                    out.push('\n');
                }
                words(inner, out);
                // Elements in a row are words of their own; text goes on right after one.
                let next_is_element =
                    child.next_sibling().is_some_and(|next| next.value().is_element());
                if is_block {
                    out.push('\n');
                } else if next_is_element {
                    out.push(' ');
                }
            }
            _ => {}
        }
    }
}

/// One space between words, and no empty lines.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_is_read_and_what_its_form_sends() {
        let page = read(
            "<!DOCTYPE html><html lang=es><head><title> Hola </title><script>var x</script></head>\
             <body><h1>Uno <b>dos</b></h1><p>tres &lt;b&gt;</p>\
             <form action=book method=POST><input type=hidden name=key value=k>\
             <input type=radio name=time value=9 checked><input type=radio name=time value=10>\
             <input type=radio name=time value=11 disabled><input name=phone>\
             <select name=s><option value=a>A<option selected>B</select>\
             <textarea name=t>x</textarea></form></body></html>",
        );
        assert_eq!(page["title"], "Hola");
        assert_eq!(page["lang"], "es");
        let text = page["text"].as_str().unwrap();
        assert!(text.starts_with("Uno dos\ntres <b>"), "{text}");
        assert!(!text.contains("var x"), "{text}");
        assert_eq!(
            page["form"],
            json!({
                "action": "book",
                "method": "post",
                "fields": { "key": "k", "time": "9", "phone": "", "s": "B", "t": "x" },
                "choices": { "time": ["9", "10"], "s": ["a", "B"] },
            })
        );
    }

    #[test]
    fn white_space_and_entities_are_as_in_a_browser() {
        let page = read(
            "<title>\n A &amp; B </title><p>one\n\t two&nbsp;three</p><p>&lt;b&gt; it&#39;s \
             <i>so</i>, <a><b>no</b></a>. &#x20AC;5</p><ul><li>a<li>b</ul>x<br>y",
        );
        assert_eq!(page["title"], "A & B");
        assert_eq!(page["text"], "one two three\n<b> it's so, no. €5\na\nb\nx\ny");
    }

    #[test]
    fn what_is_hidden_is_not_read() {
        let page = read(
            "<p>seen</p><section hidden><h2>Settings</h2></section><style>p {}</style>\
             <noscript>no</noscript><template>t</template><form><input type=hidden name=k value=v></form>",
        );
        assert_eq!(
            (&page["text"], &page["form"]["fields"]),
            (&json!("seen"), &json!({ "k": "v" }))
        );
    }

    #[test]
    fn each_form_has_its_own_fields_and_only_what_it_would_send() {
        let page = read(
            "<form action=a><input name=x value=1><input type=submit name=go value=Go>\
             <button name=stop value=Stop>Stop</button></form>\
             <form action=b method=post><input name=x value=2><input name=y value=3 disabled>\
             <select name=s disabled><option>A</select>\
             <select name=t><option disabled>none<option> B </select>\
             <select name=u><option disabled selected>Choose<option>C</select>\
             <select name=v><option>D<option disabled selected>Choose</select></form>",
        );
        assert_eq!(page["form"], page["forms"][0]);
        assert_eq!(page["forms"][0]["fields"], json!({ "x": "1" }));
        let second = &page["forms"][1];
        assert_eq!(second["fields"], json!({ "x": "2", "t": "B" }));
        assert_eq!(second["choices"], json!({ "t": ["B"], "u": ["C"], "v": ["D"] }));
    }

    #[test]
    fn a_page_without_forms_has_none() {
        let page = read("just text");
        assert_eq!((&page["form"], &page["forms"]), (&Value::Null, &json!([])));
        assert_eq!(page["text"], "just text");
        assert_eq!(page["title"], Value::Null);
    }
}
