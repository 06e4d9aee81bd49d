//! A document checked and resolved: replies that may be sent, and where to go next.

use url::Url;

use super::parse::{MessageVerb, Verb, parse};
use crate::{Method, phone};

/// Most replies to one received text.
const REPLIES: usize = 10;

/// What a document is read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DocumentContext<'a> {
    /// The document's own URL: relative ones resolve against it.
    pub url: &'a str,
    /// The shop's number.
    pub number: &'a str,
    /// Who texted.
    pub sender: &'a str,
    /// Replies that earlier documents of this delivery asked for.
    pub replies: usize,
}

/// One document's requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Instructions {
    pub replies: Vec<Reply>,
    pub redirect: Option<(String, Method)>,
    /// What Twilio's debugger would show; the rest was done all the same.
    pub warnings: Vec<u32>,
}

/// One reply.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub to: String,
    pub body: String,
    pub media: Vec<String>,
    pub callback: Option<(String, Method)>,
}

/// Reads a successful answer, or says with which code Twilio refuses it.
pub(crate) fn read(
    context: DocumentContext<'_>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Instructions, u32> {
    let essence = content_type.and_then(|t| t.split(';').next()).map(str::trim).unwrap_or_default();
    let verbs = match essence.to_ascii_lowercase().as_str() {
        _ if body.is_empty() => return Err(11770),
        "text/xml" | "application/xml" | "text/html" => parse(body)?,
        "text/plain" => {
            let text = String::from_utf8_lossy(body).into_owned();
            let message = MessageVerb { text, ..MessageVerb::default() };
            return Ok(Instructions::default().with(Verb::Message(message), context));
        }
        _ => return Err(12300),
    };
    let page = Instructions { warnings: verbs.warnings, ..Instructions::default() };
    Ok(verbs.verbs.into_iter().fold(page, |page, verb| page.with(verb, context)))
}

impl Instructions {
    fn with(mut self, verb: Verb, context: DocumentContext<'_>) -> Self {
        match verb {
            Verb::Message(message) => match reply(message, context, &mut self.warnings) {
                Some(_) if context.replies + self.replies.len() >= REPLIES => self.warn(14109),
                Some(reply) => self.replies.push(reply),
                None => {}
            },
            Verb::Redirect { url, method } => match resolve(context.url, &url) {
                Some(url) => {
                    let parsed = method.as_deref().map_or(Some(Method::Post), Method::parse);
                    if parsed.is_none() {
                        self.warn(12200);
                    }
                    self.redirect = Some((url, parsed.unwrap_or_default()));
                }
                None => self.warn(11100),
            },
        }
        self
    }

    fn warn(&mut self, code: u32) {
        warn(&mut self.warnings, code);
    }
}

fn reply(
    message: MessageVerb,
    context: DocumentContext<'_>,
    warnings: &mut Vec<u32>,
) -> Option<Reply> {
    let to = message.to.unwrap_or_else(|| context.sender.to_owned());
    if !phone::is_e164(&to) && !phone::is_short_code(&to) {
        warn(warnings, 14101);
        return None;
    }
    if message.from.is_some_and(|from| from != context.number) {
        warn(warnings, 14102);
        return None;
    }
    let mut media = Vec::new();
    for url in &message.media {
        match resolve(context.url, url) {
            Some(resolved) if !url.is_empty() => media.push(resolved),
            _ => warn(warnings, 12200),
        }
    }
    let body = message.body.unwrap_or(message.text).trim().to_owned();
    if body.is_empty() && media.is_empty() {
        warn(warnings, 14103);
        return None;
    }
    let method = message.method.as_deref().map_or(Some(Method::Post), Method::parse);
    if method.is_none() {
        warn(warnings, 14104);
    }
    let callback = message.status_callback.or(message.action).and_then(|url| {
        let url = resolve(context.url, url.trim());
        if url.is_none() {
            warn(warnings, 14105);
        }
        Some((url?, method.unwrap_or_default()))
    });
    Some(Reply { to, body, media, callback })
}

fn warn(warnings: &mut Vec<u32>, code: u32) {
    if !warnings.contains(&code) {
        warnings.push(code);
    }
}

/// An absolute URL stays as it is written: it is what Twilio signs.
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

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: DocumentContext<'static> = DocumentContext {
        url: "http://shop.test:4000/dispatcher?x=1",
        number: "+15550100000",
        sender: "+15550123456",
        replies: 0,
    };

    fn xml(inner: &str) -> Instructions {
        let xml = format!("<Response>{inner}</Response>");
        read(CONTEXT, Some("text/xml; charset=utf-8"), xml.as_bytes()).unwrap()
    }

    #[test]
    fn a_reply_goes_back_to_the_sender_with_its_ends_trimmed() {
        let page = xml("<Message>\n  Hello,\n  you \n</Message>");
        let body = "Hello,\n  you".to_owned();
        let reply = Reply { to: "+15550123456".into(), body, ..Reply::default() };
        assert_eq!(page, Instructions { replies: vec![reply], ..Instructions::default() });
    }

    #[test]
    fn attributes_that_twilio_refuses() {
        for (inner, code, replies) in [
            ("<Message to='nobody'>a</Message>", 14101, 0),
            ("<Message from='+15559999999'>a</Message>", 14102, 0),
            ("<Message/>", 14103, 0),
            ("<Message> <Body> </Body> </Message>", 14103, 0),
            ("<Message action='/s' method='PUT'>a</Message>", 14104, 1),
            ("<Message statusCallback='ftp://a/b'>a</Message>", 14105, 1),
            ("<Message statusCallback='http://'>a</Message>", 14105, 1),
            ("<Redirect>mailto:a@b</Redirect>", 11100, 0),
        ] {
            let page = xml(inner);
            assert_eq!((page.warnings, page.replies.len()), (vec![code], replies), "{inner}");
        }
    }

    #[test]
    fn relative_urls_resolve_against_the_document() {
        let page = xml(
            "<Message action='status?a=1' method='get'><Media>/a.png</Media></Message><Redirect/>",
        );
        assert_eq!(page.replies[0].media, ["http://shop.test:4000/a.png"]);
        let callback = Some(("http://shop.test:4000/status?a=1".to_owned(), Method::Get));
        assert_eq!(page.replies[0].callback, callback);
        assert_eq!(page.redirect, Some((CONTEXT.url.to_owned(), Method::Post)));
        let verbatim = xml("<Redirect>https://A.test:443?q</Redirect>").redirect.unwrap().0;
        assert_eq!(verbatim, "https://A.test:443?q");
    }

    #[test]
    fn ten_replies_and_no_more() {
        let page = xml(&"<Message>a</Message>".repeat(12));
        assert_eq!((page.replies.len(), page.warnings), (10, vec![14109]));
        let later = DocumentContext { replies: 9, ..CONTEXT };
        let two = b"<Response><Message>a</Message><Message>b</Message></Response>";
        assert_eq!(read(later, Some("text/xml"), two).unwrap().replies.len(), 1);
    }

    #[test]
    fn content_types() {
        let plain = read(CONTEXT, Some("text/plain"), b" hi\n").unwrap();
        assert_eq!(plain.replies[0].body, "hi");
        assert_eq!(read(CONTEXT, Some("TEXT/HTML"), b"<Response/>"), Ok(Instructions::default()));
        assert_eq!(read(CONTEXT, Some("application/json"), b"{}"), Err(12300));
        assert_eq!(read(CONTEXT, None, b"<Response/>"), Err(12300));
        assert_eq!(read(CONTEXT, Some("text/xml"), b""), Err(11770));
    }
}
