//! `rehearse.toml`.

use super::*;

const SETTINGS: &str = r#"
[twilio]
number = "+19045550100"
account_sid = "AC00000000000000000000000000000000"
auth_token = "t"
[webhook]
route = "/sms"
[people]
customer = "+19045550101"
owner = "+19045550199"
[environment]
X = "{twilio}/a-{function}"
J = '{"a": {"b": 1}}'
"#;

#[test]
fn settings_have_defaults_and_patterns_leave_json_alone() {
    let settings = Settings::parse("rehearse.toml", SETTINGS).unwrap();
    assert_eq!(settings.ports.control, 4040);
    assert_eq!(
        (settings.openai.api_key.as_str(), settings.openai.models.len()),
        ("sk-rehearse", 0)
    );
    assert_eq!(settings.journal.limits(), rehearse_core::journal::Limits::default());
    let endpoints = Endpoints {
        gateway: "g".into(),
        twilio: "http://t".into(),
        openai: "o".into(),
        dynamodb: "d".into(),
        secrets: "s".into(),
        lambda: "l".into(),
    };
    let environment = settings.environment(&endpoints, "F");
    assert_eq!(environment["X"], "http://t/a-F");
    assert_eq!(environment["J"], r#"{"a": {"b": 1}}"#);
}

#[test]
fn settings_that_are_wrong_are_pointed_at() {
    for (from, to, message) in [
        ("route", "roote", "unknown field `roote`"),
        ("\"/sms\"", "\"sms\"", "`sms` is not a route's path"),
        ("\"+19045550101\"", "\"904-555-0101\"", "not a number in E.164 form"),
        ("\"+19045550101\"", "\"+11235550101\"", "not a valid North American number"),
        ("{twilio}", "{twillio}", "`{twillio}`; did you mean `twilio`?"),
        ("AC0000", "AC", "an account SID is"),
        ("[people]", "[journal]\nexchanges = 0\n[people]", "this must be at least 1"),
        ("[people]", "[journal]\nmegabytes = -1\n[people]", "this must be at least 1"),
        ("[people]", "[journal]\nentries = 5\n[people]", "unknown field `entries`"),
        ("\"t\"", "7", "expected a string"),
        (
            "[people]",
            "[openai]\nmodels = [\"gpt 7\"]\n[people]",
            "`gpt 7` is not the id of a model",
        ),
    ] {
        let error = Settings::parse("rehearse.toml", &SETTINGS.replacen(from, to, 1)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(message), "{error}");
        assert!(error.starts_with("rehearse.toml: TOML parse error at line"), "{error}");
        assert!(error.contains('^'), "{error}");
    }
    for (from, to, message) in [
        ("[people]", "[ports]\ntwilio = 4000\n[people]", "gateway and twilio are both 4000"),
        ("+19045550199", "+19045550101", "have the same number"),
        ("+19045550199", "+19045550100", "the shop have the same number"),
        ("owner", "boss", "needs `owner`"),
        (
            "[people]",
            "[[twilio.numbers]]\nnumber = \"+19045550100\"\n[people]",
            "the number +19045550100 twice",
        ),
        ("[people]", "[twilio.api_keys]\nSK1 = \"s\"\n[people]", "`SK1` is not an API key"),
        (
            "[people]",
            "[twilio.line_types]\n\"555\" = \"landline\"\n[people]",
            "not a number in E.164 form",
        ),
    ] {
        let error = Settings::parse("rehearse.toml", &SETTINGS.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_defaults_are_what_a_file_could_say() {
    let settings = Settings::default();
    assert_eq!(settings.webhook, None);
    for number in settings.people.values().chain([&settings.twilio.number]) {
        assert_eq!(Phone::try_from(number.to_string()).as_ref(), Ok(number));
    }
    let text = format!(
        "[twilio]\nnumber = '{}'\naccount_sid = '{}'\nauth_token = '{}'\n[people]\ncustomer = '{}'\nowner = '{}'\n",
        settings.twilio.number,
        settings.twilio.account_sid,
        settings.twilio.auth_token,
        settings.people["customer"],
        settings.people["owner"],
    );
    assert_eq!(Settings::parse("rehearse.toml", &text).unwrap(), settings);
}

#[test]
fn all_keys_that_are_missing_are_told_at_once_and_numbers_in_plain_words() {
    let of = |text: &str| Settings::parse("rehearse.toml", text).unwrap_err().to_string();
    let error = of("[twilio]\nnumber = \"+19045550100\"\n");
    let says = "these keys are missing: `account_sid`, `auth_token` under [twilio]; `customer`, `owner` under [people]";
    assert!(error.contains(says), "{error}");
    let error = of(&SETTINGS.replacen("auth_token = ", "# auth_token = ", 1));
    assert!(error.contains("missing field `auth_token`") && error.contains('^'), "{error}");
    let error = of(&SETTINGS.replacen("[people]", "[ports]\ngateway = 70000\n[people]", 1));
    assert!(error.contains("expected a whole number from 0 to 65535"), "{error}");
}
