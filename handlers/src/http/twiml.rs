//! Writes TwiML, the response to Twilio's webhook.

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

/// The response to an authentic webhook: always 200, because Twilio ignores the body of any other.
/// `status_callback` gives the address to which Twilio reports what became of a message.
pub(super) fn response(
    messages: &[String],
    status_callback: impl Fn(&str) -> Option<&'static str>,
) -> Response {
    let content_type = HeaderValue::from_static("text/xml");
    let body = document(messages, status_callback);
    (StatusCode::OK, [(CONTENT_TYPE, content_type)], body).into_response()
}

/// A document of one `<Message>` per text, in order.
fn document(messages: &[String], status_callback: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut xml = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    if messages.is_empty() {
        xml.push_str("<Response/>");
        return xml;
    }
    xml.push_str("<Response>");
    for message in messages {
        match status_callback(message) {
            Some(url) => {
                xml.push_str("<Message statusCallback=\"");
                escape_into(&mut xml, url);
                xml.push_str("\">");
            }
            None => xml.push_str("<Message>"),
        }
        escape_into(&mut xml, message);
        xml.push_str("</Message>");
    }
    xml.push_str("</Response>");
    xml
}

/// Escapes text. Characters that XML 1.0 cannot represent even escaped are left out.
fn escape_into(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // An XML parser would turn a bare carriage return into a line feed.
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => xml.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(messages: &[&str]) -> String {
        let messages: Vec<String> = messages.iter().map(|text| (*text).to_owned()).collect();
        document(&messages, |_| None)
    }

    #[test]
    fn silence_is_an_empty_response() {
        assert_eq!(texts(&[]), r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#);
    }

    #[test]
    fn each_text_is_a_message_in_order() {
        assert!(
            texts(&["a", "b"])
                .ends_with("<Response><Message>a</Message><Message>b</Message></Response>")
        );
    }

    #[test]
    fn a_message_may_name_where_its_state_is_reported() {
        let messages = ["a".to_owned(), "b".to_owned()];
        let xml = document(&messages, |text| (text == "b").then_some("status?a=1&b=2"));
        assert!(xml.contains(
            "<Message>a</Message><Message statusCallback=\"status?a=1&amp;b=2\">b</Message>"
        ));
    }

    #[test]
    fn markup_in_a_text_stays_text() {
        let xml = texts(&[r#"<b>"5" & '6'</Message>"#]);
        assert!(xml.contains("&lt;b&gt;&quot;5&quot; &amp; &apos;6&apos;&lt;/Message&gt;"));
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_dropped() {
        let xml = texts(&["a\u{0}b\u{8}c\u{b}d\u{fffe}e\u{ffff}f\tg\nh\ri\u{1f600}"]);
        assert!(xml.contains("<Message>abcdef\tg\nh&#13;i\u{1f600}</Message>"), "{xml}");
    }
}
