//! Documents and their instructions, without a server.

use proptest::prelude::*;

use super::*;

/// The number is `+15550100000`.
fn context(numbers: &[String]) -> DocumentContext<'_> {
    let url = "http://shop.test:4000/dispatcher?x=1";
    DocumentContext { url, numbers, sender: "+15550123456", number: "+15550100000", replies: 0 }
}

fn read_here(content_type: Option<&str>, body: &[u8]) -> Result<Instructions, u32> {
    read(context(&["+15550100000".to_owned()]), content_type, body)
}

fn xml(inner: &str) -> Instructions {
    let xml = format!("<Response>{inner}</Response>");
    read_here(Some("text/xml; charset=utf-8"), xml.as_bytes()).unwrap()
}

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
    let page =
        xml("<Message action='status?a=1' method='get'><Media>/a.png</Media></Message><Redirect/>");
    assert_eq!(page.replies[0].media, ["http://shop.test:4000/a.png"]);
    let endpoint = |url: &str, method| Some(Endpoint { url: url.to_owned(), method });
    let callback = endpoint("http://shop.test:4000/status?a=1", Method::Get);
    assert_eq!(page.replies[0].status_callback, callback);
    assert_eq!(page.redirect, endpoint("http://shop.test:4000/dispatcher?x=1", Method::Post));
    let verbatim = xml("<Redirect>https://A.test:443?q</Redirect>").redirect.unwrap().url;
    assert_eq!(verbatim, "https://A.test:443?q");
}

#[test]
fn ten_replies_and_no_more() {
    let page = xml(&"<Message>a</Message>".repeat(12));
    assert_eq!((page.replies.len(), page.warnings), (10, vec![14109]));
    let numbers = ["+15550100000".to_owned()];
    let later = DocumentContext { replies: 9, ..context(&numbers) };
    let two = b"<Response><Message>a</Message><Message>b</Message></Response>";
    assert_eq!(read(later, Some("text/xml"), two).unwrap().replies.len(), 1);
}

#[test]
fn content_types() {
    let plain = read_here(Some("text/plain"), b" hi\n").unwrap();
    assert_eq!(plain.replies[0].body, "hi");
    assert_eq!(read_here(Some("TEXT/HTML"), b"<Response/>"), Ok(Instructions::default()));
    assert_eq!(read_here(Some("application/json"), b"{}"), Err(12300));
    assert_eq!(read_here(None, b"<Response/>"), Err(12300));
    assert_eq!(read_here(Some("text/xml"), b""), Err(11770));
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
