//! XML to verbs. Nothing is kept but what a Messaging response may hold, so
//! nesting costs no stack.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// What a document asks for, in order, and what Twilio warns of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub verbs: Vec<Verb>,
    pub warnings: Vec<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Message(Message),
    Redirect { url: String, method: Option<String> },
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub to: Option<String>,
    pub from: Option<String>,
    pub action: Option<String>,
    pub method: Option<String>,
    pub status_callback: Option<String>,
    /// Text directly in the verb.
    pub text: String,
    /// Text of its `Body`.
    pub body: Option<String>,
    pub media: Vec<String>,
}

const PARSE_FAILURE: u32 = 12100;
const ROOT_NOT_RESPONSE: u32 = 12102;
const SCHEMA_WARNING: u32 = 12200;
const INVALID_VERB: u32 = 14110;

/// Verbs of voice calls: valid TwiML, but not for a text.
const VOICE: &[&str] = &[
    "Connect", "Dial", "Echo", "Enqueue", "Gather", "Hangup", "Leave", "Pause", "Pay", "Play",
    "Prompt", "Queue", "Record", "Refer", "Reject", "Say", "Siprec", "Start", "Stop", "Stream",
];

/// Where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Response,
    Message,
    Body,
    Media,
    Redirect,
    /// In something that Twilio ignores.
    Ignored,
}

/// Reads a document, or says with which code Twilio refuses it.
pub(super) fn parse(body: &[u8]) -> Result<Document, u32> {
    let text = std::str::from_utf8(body).map_err(|_| PARSE_FAILURE)?;
    if text.chars().any(|c| !is_xml_char(c)) {
        return Err(PARSE_FAILURE);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut state = State::default();
    let mut first = true;
    loop {
        match reader.read_event().map_err(|_| PARSE_FAILURE)? {
            Event::Start(tag) => state.open(&tag)?,
            Event::End(_) => state.close(),
            Event::Text(text) => {
                let text = text.xml10_content();
                if text.contains("]]>") {
                    return Err(PARSE_FAILURE);
                }
                state.text(&text)?;
            }
            Event::CData(text) => state.data(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().map_err(|_| PARSE_FAILURE)?;
                match c {
                    Some(c) if is_xml_char(c) => state.data(c.encode_utf8(&mut [0; 4]))?,
                    Some(_) => return Err(PARSE_FAILURE),
                    None => {
                        let name = reference.xml10_content();
                        let text = resolve_predefined_entity(&name).ok_or(PARSE_FAILURE)?;
                        state.data(text)?;
                    }
                }
            }
            // "Content is not allowed in prolog": a declaration stands first or nowhere.
            Event::Decl(_) if !first => return Err(PARSE_FAILURE),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Empty(_) => return Err(PARSE_FAILURE),
            Event::Eof => return state.finish(),
        }
        first = false;
    }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[derive(Debug, Default)]
struct State {
    document: Document,
    places: Vec<Place>,
    rooted: bool,
    /// A redirect was complete: Twilio reads no further.
    redirected: bool,
    message: Message,
    buffer: String,
    redirect_method: Option<String>,
}

impl State {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), u32> {
        let name = tag.name().0;
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
            return Err(PARSE_FAILURE);
        }
        let attributes = attributes(tag)?;
        let place = match (self.places.last(), name) {
            (None, _) if self.rooted => return Err(PARSE_FAILURE),
            (None, "Response") => {
                self.rooted = true;
                Place::Response
            }
            (None, _) => return Err(ROOT_NOT_RESPONSE),
            (Some(Place::Response), "Message" | "Sms") => {
                self.message = Message::default();
                for (key, value) in attributes {
                    match key.as_str() {
                        "to" => self.message.to = Some(value),
                        "from" => self.message.from = Some(value),
                        "action" => self.message.action = Some(value),
                        "method" => self.message.method = Some(value),
                        "statusCallback" => self.message.status_callback = Some(value),
                        _ => self.warn(SCHEMA_WARNING),
                    }
                }
                Place::Message
            }
            (Some(Place::Response), "Redirect") => {
                self.redirect_method = None;
                self.buffer.clear();
                for (key, value) in attributes {
                    match key.as_str() {
                        "method" => self.redirect_method = Some(value),
                        _ => self.warn(SCHEMA_WARNING),
                    }
                }
                Place::Redirect
            }
            (Some(Place::Response), _) => {
                self.warn(if VOICE.contains(&name) { INVALID_VERB } else { SCHEMA_WARNING });
                Place::Ignored
            }
            (Some(Place::Message), "Body") => {
                self.buffer.clear();
                Place::Body
            }
            (Some(Place::Message), "Media") => {
                self.buffer.clear();
                Place::Media
            }
            (Some(Place::Ignored), _) => Place::Ignored,
            (Some(_), _) => {
                self.warn(SCHEMA_WARNING);
                Place::Ignored
            }
        };
        self.places.push(place);
        Ok(())
    }

    /// Text outside the root is an error, save white space.
    fn text(&mut self, text: &str) -> Result<(), u32> {
        let blank = text.trim_matches([' ', '\t', '\n', '\r']).is_empty();
        if blank && self.places.is_empty() { Ok(()) } else { self.data(text) }
    }

    fn data(&mut self, text: &str) -> Result<(), u32> {
        match self.places.last() {
            None => return Err(PARSE_FAILURE),
            Some(Place::Body | Place::Media | Place::Redirect) => self.buffer.push_str(text),
            Some(Place::Message) => self.message.text.push_str(text),
            Some(Place::Response) if !text.trim().is_empty() => self.warn(SCHEMA_WARNING),
            Some(Place::Response | Place::Ignored) => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        match self.places.pop() {
            Some(Place::Body) if self.message.body.is_none() => {
                self.message.body = Some(std::mem::take(&mut self.buffer));
            }
            Some(Place::Body) => self.warn(SCHEMA_WARNING),
            Some(Place::Media) => self.message.media.push(self.buffer.trim().to_owned()),
            Some(Place::Message) if !self.redirected => {
                let message = std::mem::take(&mut self.message);
                self.document.verbs.push(Verb::Message(message));
            }
            Some(Place::Redirect) if !self.redirected => {
                let url = self.buffer.trim().to_owned();
                let method = self.redirect_method.take();
                self.document.verbs.push(Verb::Redirect { url, method });
                self.redirected = true;
            }
            _ => {}
        }
    }

    fn warn(&mut self, code: u32) {
        if !self.document.warnings.contains(&code) {
            self.document.warnings.push(code);
        }
    }

    fn finish(self) -> Result<Document, u32> {
        if self.rooted && self.places.is_empty() { Ok(self.document) } else { Err(PARSE_FAILURE) }
    }
}

fn attributes(tag: &BytesStart<'_>) -> Result<Vec<(String, String)>, u32> {
    tag.attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(|_| PARSE_FAILURE)?;
            if attribute.value.contains('<') {
                return Err(PARSE_FAILURE);
            }
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| PARSE_FAILURE)?;
            Ok((attribute.key.0.to_owned(), value.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(document: &Document) -> Vec<&str> {
        document
            .verbs
            .iter()
            .map(|verb| match verb {
                Verb::Message(message) => message.body.as_deref().unwrap_or(&message.text),
                Verb::Redirect { url, .. } => url,
            })
            .collect()
    }

    #[test]
    fn verbs_are_read_in_order_with_entities_and_cdata() {
        let xml = br#"<?xml version="1.0" encoding="UTF-8"?>
            <Response>
              <Message to="+15551234567" statusCallback="/s?a=1&amp;b=2">Tom &amp; Jerry &#x1F600; <![CDATA[<3 &]]></Message>
              <Message><Body>two</Body><Media>https://a/1.png</Media><Media> /2.png </Media></Message>
              <Redirect method="GET"> /next </Redirect>
              <Message>never</Message>
            </Response>"#;
        let document = parse(xml).unwrap();
        assert_eq!(texts(&document), ["Tom & Jerry 😀 <3 &", "two", "/next"]);
        let Verb::Message(first) = &document.verbs[0] else { panic!("a message") };
        assert_eq!(first.to.as_deref(), Some("+15551234567"));
        assert_eq!(first.status_callback.as_deref(), Some("/s?a=1&b=2"));
        let Verb::Message(second) = &document.verbs[1] else { panic!("a message") };
        assert_eq!(second.media, ["https://a/1.png", "/2.png"]);
        assert_eq!(document.warnings, [0_u32; 0]);
    }

    #[test]
    fn broken_documents_are_12100() {
        for xml in [
            "",
            "hello",
            " <?xml version=\"1.0\"?><Response/>",
            "\n<?xml version=\"1.0\"?><Response/>",
            "<Response>",
            "<Response></response>",
            "<Response><Message>a</Response></Message>",
            "<Response/><Response/>",
            "<Response/>trailing",
            "leading<Response/>",
            "<Response><Message>Tom & Jerry</Message></Response>",
            "<Response><Message>&nbsp;</Message></Response>",
            "<Response><Message>&#0;</Message></Response>",
            "<Response><Message>\u{8}</Message></Response>",
            "<Response><Message to=+1>a</Message></Response>",
            "<Response><Message to=\"1\" to=\"2\">a</Message></Response>",
            "<Response><Message to=\"<\">a</Message></Response>",
            "<Response><Message>3 < 4</Message></Response>",
            "<Response><!-- a -- b --></Response>",
            "<Response>]]></Response>",
        ] {
            assert_eq!(parse(xml.as_bytes()), Err(12100), "{xml}");
        }
        assert_eq!(parse(b"<Response><Message>\xff</Message></Response>"), Err(12100));
    }

    #[test]
    fn a_root_that_is_not_response_is_12102() {
        for xml in ["<response/>", "<Responses/>", "<html><body>Error</body></html>"] {
            assert_eq!(parse(xml.as_bytes()), Err(12102), "{xml}");
        }
    }

    #[test]
    fn what_does_not_belong_is_a_warning_and_is_skipped() {
        for (xml, code) in [
            ("<Response><message>a</message><Message>b</Message></Response>", 12200),
            ("<Response><Message sender=\"1\">b</Message></Response>", 12200),
            ("<Response><Message><body>a</body><Body>b</Body></Message></Response>", 12200),
            ("<Response>stray<Message>b</Message></Response>", 12200),
            ("<Response><Say>a</Say><Message>b</Message></Response>", 14110),
        ] {
            let document = parse(xml.as_bytes()).unwrap();
            assert_eq!((texts(&document), &document.warnings), (vec!["b"], &vec![code]), "{xml}");
        }
    }

    #[test]
    fn an_empty_response_asks_for_nothing() {
        for xml in
            ["<Response/>", "<Response></Response>", "\u{feff}<?xml version=\"1.0\"?><Response/>"]
        {
            assert_eq!(parse(xml.as_bytes()), Ok(Document::default()), "{xml}");
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = format!("<Response>{}{}</Response>", "<a>".repeat(9000), "</a>".repeat(9000));
        assert_eq!(parse(deep.as_bytes()).unwrap().warnings, [12200]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(xml in "(<Response>)?(<[A-Za-z/!? ]{0,9}>|[&;#x0-9a-z]{0,4}|\\PC{0,4}){0,12}(</Response>)?") {
            let _ = parse(xml.as_bytes());
        }

        #[test]
        fn any_text_survives_escaping(text in "\\PC{0,200}") {
            let xml = format!("<Response><Message>{}</Message></Response>", quick_xml::escape::escape(&text));
            let document = parse(xml.as_bytes()).unwrap();
            prop_assert_eq!(texts(&document), [text.as_str()]);
        }
    }
}
