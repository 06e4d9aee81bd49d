//! Reads the response of a webhook: TwiML, or plain text as the only reply.
//!
//! [`read`] is the way in. The [`Parser`] turns XML into verbs, and [`Instructions`] checks them as
//! Twilio does and resolves their URLs. Nested elements cost no stack.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use url::Url;

use super::{Method, options::Endpoint, phone, whatsapp};

/// Most replies to one received text.
const MAX_REPLIES: usize = 10;

const INVALID_URL: u32 = 11100;
const NO_BODY: u32 = 11770;
const PARSE_FAILURE: u32 = 12100;
const ROOT_NOT_RESPONSE: u32 = 12102;
const SCHEMA_WARNING: u32 = 12200;
const INVALID_CONTENT_TYPE: u32 = 12300;
const INVALID_TO: u32 = 14101;
const INVALID_FROM: u32 = 14102;
const INVALID_BODY: u32 = 14103;
const INVALID_METHOD: u32 = 14104;
const INVALID_CALLBACK: u32 = 14105;
const TOO_MANY_REPLIES: u32 = 14109;
const INVALID_VERB: u32 = 14110;

/// Verbs of voice calls. They are valid TwiML, but not in a response to a text.
const VOICE: &[&str] = &[
    "Connect", "Dial", "Echo", "Enqueue", "Gather", "Hangup", "Leave", "Pause", "Pay", "Play",
    "Prompt", "Queue", "Record", "Refer", "Reject", "Say", "Siprec", "Start", "Stop", "Stream",
];

/// What a document is read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DocumentContext<'a> {
    /// The document's own URL, against which relative ones are resolved.
    pub url: &'a str,
    /// The account's numbers, and the addresses of its WhatsApp senders.
    pub numbers: &'a [String],
    /// The number of the person who texted.
    pub sender: &'a str,
    /// The account's number that was texted.
    pub number: &'a str,
    /// Replies that earlier documents of the same delivery asked for.
    pub replies: usize,
}

/// What a document asks Twilio to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Instructions {
    pub replies: Vec<Reply>,
    /// Where to get the next document.
    pub redirect: Option<Endpoint>,
    /// Twilio's codes of what it ignored, in order, each once.
    pub warnings: Vec<u32>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The sender that the verb names; the number that was texted when `None`.
    pub from: Option<String>,
    pub to: String,
    pub body: String,
    /// Absolute URLs.
    pub media: Vec<String>,
    pub status_callback: Option<Endpoint>,
}

/// Reads the body of a successful response.
///
/// # Errors
/// Twilio's code of why it cannot use the response: 11770, the body is empty; 12100, it is not
/// well-formed XML; 12102, its root is not `Response`; 12300, its content type is not supported.
pub(crate) fn read(
    context: DocumentContext<'_>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Instructions, u32> {
    let essence = content_type.and_then(|t| t.split(';').next()).map(str::trim).unwrap_or_default();
    let document = match essence.to_ascii_lowercase().as_str() {
        _ if body.is_empty() => return Err(NO_BODY),
        "text/xml" | "application/xml" | "text/html" => parse(body)?,
        "text/plain" => {
            let text = String::from_utf8_lossy(body).into_owned();
            let message = MessageVerb { text, ..MessageVerb::default() };
            Document { verbs: vec![Verb::Message(message)], warnings: Vec::new() }
        }
        _ => return Err(INVALID_CONTENT_TYPE),
    };
    let mut instructions = Instructions { warnings: document.warnings, ..Instructions::default() };
    document.verbs.into_iter().for_each(|verb| instructions.add(verb, context));
    Ok(instructions)
}

impl Instructions {
    fn add(&mut self, verb: Verb, context: DocumentContext<'_>) {
        match verb {
            Verb::Message(message) => match reply(message, context, &mut self.warnings) {
                Some(_) if context.replies + self.replies.len() >= MAX_REPLIES => {
                    warn(&mut self.warnings, TOO_MANY_REPLIES);
                }
                Some(reply) => self.replies.push(reply),
                None => {}
            },
            Verb::Redirect { url, method } => match resolve(context.url, &url) {
                Some(url) => {
                    let parsed = method.as_deref().map_or(Some(Method::Post), Method::parse);
                    if parsed.is_none() {
                        warn(&mut self.warnings, SCHEMA_WARNING);
                    }
                    self.redirect = Some(Endpoint { url, method: parsed.unwrap_or_default() });
                }
                None => warn(&mut self.warnings, INVALID_URL),
            },
        }
    }
}

/// Checks a `Message` verb; `None`, with a warning, when Twilio does not send it.
fn reply(
    message: MessageVerb,
    context: DocumentContext<'_>,
    warnings: &mut Vec<u32>,
) -> Option<Reply> {
    let to = message.to.unwrap_or_else(|| context.sender.to_owned());
    if !phone::is_e164(whatsapp::number(&to).unwrap_or(&to)) && !phone::is_short_code(&to) {
        warn(warnings, INVALID_TO);
        return None;
    }
    let from = message.from;
    if from.as_ref().is_some_and(|from| !context.numbers.contains(from)) {
        warn(warnings, INVALID_FROM);
        return None;
    }
    // A reply stays on its channel: what answers a WhatsApp message is no text, and the other way round.
    let is_whatsapp = |address: &str| whatsapp::number(address).is_some();
    if is_whatsapp(from.as_deref().unwrap_or(context.number)) != is_whatsapp(&to) {
        warn(warnings, if from.is_some() { INVALID_FROM } else { INVALID_TO });
        return None;
    }
    let mut media = Vec::new();
    for url in &message.media {
        match resolve(context.url, url) {
            Some(resolved) if !url.is_empty() => media.push(resolved),
            _ => warn(warnings, SCHEMA_WARNING),
        }
    }
    let body = message.body.unwrap_or(message.text).trim().to_owned();
    if body.is_empty() && media.is_empty() {
        warn(warnings, INVALID_BODY);
        return None;
    }
    let method = message.method.as_deref().map_or(Some(Method::Post), Method::parse);
    if method.is_none() {
        warn(warnings, INVALID_METHOD);
    }
    let status_callback = message.status_callback.or(message.action).and_then(|url| {
        let url = resolve(context.url, url.trim());
        if url.is_none() {
            warn(warnings, INVALID_CALLBACK);
        }
        Some(Endpoint { url: url?, method: method.unwrap_or_default() })
    });
    Some(Reply { from, to, body, media, status_callback })
}

/// Adds a warning, unless the document has it already.
fn warn(warnings: &mut Vec<u32>, code: u32) {
    if !warnings.contains(&code) {
        warnings.push(code);
    }
}

/// An HTTP URL as an absolute one; `None` when it is not valid. An absolute URL is returned
/// unchanged, since Twilio signs it as it is written.
fn resolve(base: &str, url: &str) -> Option<String> {
    let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    match Url::parse(url) {
        Ok(parsed) => is_http(&parsed).then(|| url.to_owned()),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            Url::parse(base).ok()?.join(url).ok().filter(is_http).map(String::from)
        }
        Err(_) => None,
    }
}

/// The verbs of a document in order, and Twilio's warnings about it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    verbs: Vec<Verb>,
    warnings: Vec<u32>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verb {
    Message(MessageVerb),
    Redirect { url: String, method: Option<String> },
}

#[derive(Debug, Default, PartialEq, Eq)]
struct MessageVerb {
    to: Option<String>,
    from: Option<String>,
    action: Option<String>,
    method: Option<String>,
    status_callback: Option<String>,
    /// The text directly in the verb.
    text: String,
    /// The text of its `Body` element.
    body: Option<String>,
    media: Vec<String>,
}

/// An open element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Response,
    Message,
    Body,
    Media,
    Redirect,
    /// An element that Twilio ignores, with all that is in it.
    Ignored,
}

/// Parses a document.
///
/// # Errors
/// 12100, it is not well-formed XML; 12102, its root is not `Response`.
fn parse(body: &[u8]) -> Result<Document, u32> {
    let text = std::str::from_utf8(body).map_err(|_| PARSE_FAILURE)?;
    if text.chars().any(|c| !is_xml_char(c)) {
        return Err(PARSE_FAILURE);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut parser = Parser::default();
    let mut first = true;
    loop {
        match reader.read_event().map_err(|_| PARSE_FAILURE)? {
            Event::Start(tag) => parser.open(&tag)?,
            Event::End(_) => parser.close(),
            Event::Text(text) => {
                let text = text.xml10_content();
                if text.contains("]]>") {
                    return Err(PARSE_FAILURE);
                }
                parser.text(&text)?;
            }
            Event::CData(text) => parser.data(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let c = reference.resolve_char_ref().map_err(|_| PARSE_FAILURE)?;
                match c {
                    Some(c) if is_xml_char(c) => parser.data(c.encode_utf8(&mut [0; 4]))?,
                    Some(_) => return Err(PARSE_FAILURE),
                    None => {
                        let name = reference.xml10_content();
                        let text = resolve_predefined_entity(&name).ok_or(PARSE_FAILURE)?;
                        parser.data(text)?;
                    }
                }
            }
            // A declaration is allowed only at the very beginning.
            Event::Decl(_) if !first => return Err(PARSE_FAILURE),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Empty(_) => return Err(PARSE_FAILURE),
            Event::Eof => return parser.finish(),
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
    /// The open elements, the root first.
    elements: Vec<Element>,
    /// Whether the root was opened.
    rooted: bool,
    /// Whether a `Redirect` was closed. Twilio ignores the verbs after it.
    redirected: bool,
    message: MessageVerb,
    /// The text of the open `Body`, `Media` or `Redirect`.
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

    /// Rejects non-whitespace text outside the root element.
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
        warn(&mut self.document.warnings, code);
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
