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
            "[[twilio.services]]\nname = \"a\"\nsid = \"MG1\"\n[people]",
            "a Messaging Service's SID is `MG` and 32",
        ),
        (
            "[people]",
            "[[twilio.services]]\nname = \"a\"\nvalidity_period = 0\n[people]",
            "a validity period is 1 to 36000 seconds",
        ),
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
        ("customer", "client", "needs `customer`"),
        (
            "[people]",
            "[[twilio.numbers]]\nnumber = \"+19045550100\"\n[people]",
            "the number +19045550100 twice",
        ),
        (
            "[people]",
            "[[twilio.services]]\nname = \"a\"\n[[twilio.services]]\nname = \"a\"\n[people]",
            "`a` and `a` are the same one",
        ),
        (
            "[people]",
            "[[twilio.services]]\nname = \"a\"\nnumbers = [\"+19045550177\"]\n[people]",
            "+19045550177 of `a` is none of the account's numbers",
        ),
        (
            "[people]",
            "[[twilio.services]]\nname = \"a\"\nnumbers = [\"+19045550100\"]\n[[twilio.services]]\nname = \"b\"\nnumbers = [\"+19045550100\"]\n[people]",
            "+19045550100 belongs to `a` and `b`",
        ),
        ("[people]", "[twilio.contents]\nHX1 = \"a\"\n[people]", "`HX1` is not a content template"),
        (
            "auth_token = \"t\"",
            "auth_token = \"t\"\nwhatsapp = [\"+19045550177\"]",
            "whatsapp: +19045550177 is none of the account's numbers",
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
fn a_messaging_service_has_a_sid_that_its_name_decides() {
    let with = |service: &str| {
        let text =
            SETTINGS.replacen("[people]", &format!("[[twilio.services]]\n{service}\n[people]"), 1);
        let text =
            text.replacen("[environment]", "[environment]\nS = \"{messaging_service_sid}\"", 1);
        Settings::parse("rehearse.toml", &text).unwrap()
    };
    let settings = with("name = \"Reminders\"\nnumbers = [\"+19045550100\"]");
    let service = &settings.twilio.services[0];
    let sid = service.sid();
    assert_eq!((sid.len(), &sid[..2]), (34, "MG"));
    assert_eq!(sid, with("name = \"Reminders\"").twilio.services[0].sid());
    assert_ne!(sid, with("name = \"reminders\"").twilio.services[0].sid());
    assert!(service.sticky_sender && service.smart_encoding && service.area_code_geomatch);
    assert_eq!((service.validity_period, service.use_inbound_webhook_on_number), (36_000, None));
    let own = format!("MG{}", "a".repeat(32));
    let settings = with(&format!("name = \"Reminders\"\nsid = \"{own}\""));
    assert_eq!(settings.twilio.services[0].sid(), own);
    let endpoints = Endpoints {
        gateway: String::new(),
        twilio: String::new(),
        openai: String::new(),
        dynamodb: String::new(),
        secrets: String::new(),
        lambda: String::new(),
    };
    assert_eq!(settings.environment(&endpoints, "F")["S"], own);
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
fn everything_that_is_wrong_is_told_at_once() {
    let text = "\
template = 7
[twilio]
number = \"904\"
acount_sid = \"x\"
[webhook]
rout = \"/sms\"
[ports]
gateway = \"a\"
twilio = 4020
[people]
customer = \"+19045550101\"
owner = \"+19045550101\"
[surprise]
a = 1
";
    let error = Settings::parse("rehearse.toml", text).unwrap_err().to_string();
    for part in [
        "line 1,",
        "not a number in E.164 form",
        "unknown field `acount_sid`",
        "unknown field `rout`",
        "line 8,",
        "unknown field `surprise`",
        "twilio and openai are both 4020",
        "customer and owner have the same number",
    ] {
        let part = part.replace("customer and owner", "owner and customer");
        assert!(error.contains(&part), "no '{part}' in:\n{error}");
    }
    assert!(!error.contains("missing field"), "what is wrong is there: {error}");
}

#[test]
fn a_file_needs_nothing_and_a_backend_no_owner() {
    let settings = Settings::parse("rehearse.toml", "").unwrap();
    assert_eq!(settings.people.keys().collect::<Vec<_>>(), ["customer"]);
    assert_eq!(settings.twilio, Twilio::default());
    let own = Settings::parse("rehearse.toml", "[twilio]\nauth_token = \"t\"\n").unwrap();
    assert_eq!((own.twilio.auth_token.as_str(), own.twilio.number.as_str()), ("t", "+19045550100"));
}

#[test]
fn functions_have_a_command_a_folder_and_a_build() {
    let text = "[functions.Sms]\ncommand = \"./sms\"\nfolder = \"out\"\nbuild = \"make\"\n";
    let settings = Settings::parse("rehearse.toml", text).unwrap();
    assert_eq!(settings.functions["Sms"].build.as_deref(), Some("make"));
    let error = Settings::parse("r", "[functions.Sms]\ncomand = \"x\"\n").unwrap_err().to_string();
    assert!(error.contains("unknown field `comand`"), "{error}");
}

/// The page says every key that the schema has.
#[test]
fn the_page_of_rehearse_toml_says_every_key() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rehearse-toml.md");
    let page = std::fs::read_to_string(page).unwrap();
    let schema = Settings::schema();
    let mut keys = Vec::new();
    collect_keys(&schema, &mut keys);
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        assert!(page.contains(&format!("`{key}`")), "docs/rehearse-toml.md does not say `{key}`");
    }
}

fn collect_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(map) = schema.as_object() {
        for (name, value) in map {
            if name == "properties"
                && let Some(properties) = value.as_object()
            {
                keys.extend(properties.keys().cloned());
            }
            collect_keys(value, keys);
        }
    } else if let Some(list) = schema.as_array() {
        list.iter().for_each(|item| collect_keys(item, keys));
    }
}

#[test]
fn a_number_that_is_too_large_is_told_in_plain_words() {
    let error = Settings::parse("r", "[ports]\ngateway = 70000\n").unwrap_err().to_string();
    assert!(error.contains("expected a whole number from 0 to 65535"), "{error}");
}
