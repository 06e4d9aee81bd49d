//! The table of tools.

use jiff::civil;

use super::*;

#[test]
fn schemas_are_strict() {
    for spec in specs() {
        let schema = &spec.parameters;
        assert_eq!(schema["additionalProperties"], false, "{}", spec.name);
        let properties: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
        assert_eq!(json!(properties), json!(required), "{}", spec.name);
        assert!(!properties.iter().any(|name| name.contains("phone")), "{}", spec.name);
    }
}

#[test]
fn a_booking_is_read() {
    let call = parse(
        "book_slot",
        r#"{"date":"2026-02-11","time":"2pm","repair_type":"screen","device":null,
            "customer_name":" Ann ","phone":"+15550001111"}"#,
    );
    let expected = ToolCall::BookSlot {
        slot: Slot::new(civil::date(2026, 2, 11), SlotTime::hour_of_day(14)),
        repair: Repair::parse("screen").unwrap(),
        device: label::UNKNOWN_DEVICE.to_owned(),
        customer_name: Some("Ann".to_owned()),
        address: None,
    };
    assert_eq!(call.unwrap(), expected);
}

#[test]
fn a_range_of_dates_is_read() {
    let check = |arguments| parse("check_availability", arguments);
    let date = civil::date(2026, 2, 16);
    for one in [
        r#"{"date":"2026-02-16"}"#,
        r#"{"date":"2026-02-16","until_date":null}"#,
        r#"{"date":"2026-02-16","until_date":"2026-02-16"}"#,
    ] {
        let expected = ToolCall::CheckAvailability { date, until: None, repair: None };
        assert_eq!(check(one).unwrap(), expected, "{one}");
    }
    let range = check(r#"{"date":"2026-02-16","until_date":"2026-02-21"}"#).unwrap();
    let until = Some(civil::date(2026, 2, 21));
    assert_eq!(range, ToolCall::CheckAvailability { date, until, repair: None });
    let backwards = check(r#"{"date":"2026-02-16","until_date":"2026-02-15"}"#);
    assert!(matches!(backwards, Err(ToolError::EmptyRange)));
    let word = check(r#"{"date":"2026-02-16","until_date":"friday"}"#);
    assert!(matches!(word, Err(ToolError::Date(_))));
}

#[test]
fn bad_calls_are_told_apart() {
    let error = |name, arguments| parse(name, arguments).unwrap_err();
    assert!(matches!(error("fly", "{}"), ToolError::UnknownTool));
    assert!(matches!(error("check_availability", "{\"date\":"), ToolError::Malformed(_)));
    assert!(matches!(error("check_availability", "{}"), ToolError::Malformed(_)));
    assert!(matches!(error("check_availability", r#"{"date":"tomorrow"}"#), ToolError::Date(_)));
    assert!(matches!(error("cancel_booking", r#"{"lead_id":"it"}"#), ToolError::Lead(_)));
    assert!(matches!(
        error("authorize_discount", r#"{"discount_percent":-5,"reason":""}"#),
        ToolError::Percent(_)
    ));
    assert!(matches!(
        error("log_upsell", r#"{"upsell_item":"car","accepted":true}"#),
        ToolError::Upsell(_)
    ));
    assert_eq!(parse("list_bookings", "").unwrap(), ToolCall::ListBookings);
    assert_eq!(parse("stop_texting", "{}").unwrap(), ToolCall::StopTexting);
}
