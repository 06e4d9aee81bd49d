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
    Message(MessageVerb),
    Redirect { url: String, method: Option<String> },
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MessageVerb {
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
enum Element {
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
    let mut state = Parser::default();
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
struct Parser {
    document: Document,
    elements: Vec<Element>,
    rooted: bool,
    /// A redirect was complete: Twilio reads no further.
    redirected: bool,
    message: MessageVerb,
    buffer: String,
    redirect_method: Option<String>,
}

impl Parser {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), u32> {
        let name = tag.name().0;
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
            return Err(PARSE_FAILURE);
        }
        let attributes = attributes(tag)?;
        let element = match (self.elements.last(), name) {
            (None, _) if self.rooted => return Err(PARSE_FAILURE),
            (None, "Response") => {
                self.rooted = true;
                Element::Response
            }
            (None, _) => return Err(ROOT_NOT_RESPONSE),
            (Some(Element::Response), "Message" | "Sms") => {
                self.message = MessageVerb::default();
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
                Element::Message
            }
            (Some(Element::Response), "Redirect") => {
                self.redirect_method = None;
                self.buffer.clear();
                for (key, value) in attributes {
                    match key.as_str() {
                        "method" => self.redirect_method = Some(value),
                        _ => self.warn(SCHEMA_WARNING),
                    }
                }
                Element::Redirect
            }
            (Some(Element::Response), _) => {
                self.warn(if VOICE.contains(&name) { INVALID_VERB } else { SCHEMA_WARNING });
                Element::Ignored
            }
            (Some(Element::Message), "Body") => {
                self.buffer.clear();
                Element::Body
            }
            (Some(Element::Message), "Media") => {
                self.buffer.clear();
                Element::Media
            }
            (Some(Element::Ignored), _) => Element::Ignored,
            (Some(_), _) => {
                self.warn(SCHEMA_WARNING);
                Element::Ignored
            }
        };
        self.elements.push(element);
        Ok(())
    }

    /// Text outside the root is an error, save white space.
    fn text(&mut self, text: &str) -> Result<(), u32> {
        let blank = text.trim_matches([' ', '\t', '\n', '\r']).is_empty();
        if blank && self.elements.is_empty() { Ok(()) } else { self.data(text) }
    }

    fn data(&mut self, text: &str) -> Result<(), u32> {
        match self.elements.last() {
            None => return Err(PARSE_FAILURE),
            Some(Element::Body | Element::Media | Element::Redirect) => self.buffer.push_str(text),
            Some(Element::Message) => self.message.text.push_str(text),
            Some(Element::Response) if !text.trim().is_empty() => self.warn(SCHEMA_WARNING),
            Some(Element::Response | Element::Ignored) => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        match self.elements.pop() {
            Some(Element::Body) if self.message.body.is_none() => {
                self.message.body = Some(std::mem::take(&mut self.buffer));
            }
            Some(Element::Body) => self.warn(SCHEMA_WARNING),
            Some(Element::Media) => self.message.media.push(self.buffer.trim().to_owned()),
            Some(Element::Message) if !self.redirected => {
                let message = std::mem::take(&mut self.message);
                self.document.verbs.push(Verb::Message(message));
            }
            Some(Element::Redirect) if !self.redirected => {
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
        if self.rooted && self.elements.is_empty() { Ok(self.document) } else { Err(PARSE_FAILURE) }
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
mod tests;
