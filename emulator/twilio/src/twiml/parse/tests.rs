//! Documents, well formed and not.

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
