//! The configuration read from maps of variables.

use jiff::civil::Weekday;

use super::*;
use crate::domain::pace::WindowLimits;

fn vars(pairs: &[(&str, &str)]) -> Vars {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn complete() -> Vars {
    vars(&[
        ("OPENAI_API_KEY", "sk-very-secret"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "token-very-secret"),
        ("TWILIO_PHONE_NUMBER", "+19045550100"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "key-very-secret"),
    ])
}

#[test]
fn all_missing_variables_are_named_at_once() {
    let error = DispatcherConfig::from_vars(&Vars::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration is unusable; missing: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, \
         OPENAI_API_KEY, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER"
    );
}

#[test]
fn missing_and_invalid_are_reported_together_and_without_values() {
    let mut vars = complete();
    vars.remove("OPENAI_API_KEY");
    vars.insert("SHOP_TIMEZONE".into(), "America/Atlantis".into());
    vars.insert("REPLY_DEADLINE_MS".into(), "soon".into());
    vars.insert("OPENAI_MAX_RETRIES".into(), "6".into());
    let error = DispatcherConfig::from_vars(&vars).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration is unusable; missing: OPENAI_API_KEY; invalid: \
         OPENAI_MAX_RETRIES (must be a number from 0 to 5), \
         SHOP_TIMEZONE (must be a time zone such as America/New_York), \
         REPLY_DEADLINE_MS (must be milliseconds from 1 to 12000)"
    );
}

#[test]
fn defaults_are_those_of_the_deployment_it_replaces() {
    let config = DispatcherConfig::from_vars(&complete()).unwrap();
    assert_eq!(config.reply.dynamodb.tables.leads, "Repairs_Lead_Log");
    assert_eq!(config.reply.dynamodb.tables.owner, "Brandon_State_Log");
    assert_eq!(config.reply.dynamodb.region, "us-east-1");
    assert_eq!(config.reply.dynamodb.endpoint, None);
    assert_eq!(config.reply.openai.model, "gpt-6-luna");
    assert_eq!(config.reply.openai.retries, 2);
    assert_eq!(config.reply.openai.base_url, "https://api.openai.com/v1");
    assert_eq!(config.reply.reply_deadline, Duration::from_millis(11_500));
    assert_eq!(config.reply.turn_lease, Duration::from_millis(3_600));
    assert_eq!(config.reply.calendar.zone_name(), "America/New_York");
    assert_eq!(config.reply.calendar.closed_days(), [Weekday::Sunday]);
    assert!(config.reply.public_urls.is_empty());
    assert!(config.reply.owner_phone.is_none());
}

#[test]
fn a_request_is_over_before_its_function_is() {
    for (millis, valid) in [("9500", true), ("9501", false), ("0", false)] {
        let vars = vars(&[
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("REQUEST_DEADLINE_MS", millis),
        ]);
        let read =
            (SchedulerConfig::from_vars(&vars).is_ok(), StateConfig::from_vars(&vars).is_ok());
        assert_eq!(read, (valid, valid), "{millis}");
    }
}

#[test]
fn the_form_asks_for_a_confirmation_only_when_it_is_told_to() {
    for (value, expected) in [
        (None, Some(FormConfirmation::None)),
        (Some("none"), Some(FormConfirmation::None)),
        (Some("sms"), Some(FormConfirmation::Sms)),
        (Some("SMS"), None),
    ] {
        let mut vars = vars(&[("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
        vars.extend(value.map(|value| ("FORM_CONFIRMATION".to_owned(), value.to_owned())));
        let config = SchedulerConfig::from_vars(&vars);
        assert_eq!(config.ok().map(|config| config.confirmation), expected, "{value:?}");
    }
}

#[test]
fn each_function_asks_only_for_its_own() {
    let aws = vars(&[("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
    assert!(SchedulerConfig::from_vars(&aws).is_ok());
    let state = StateConfig::from_vars(&aws).unwrap();
    assert_eq!(state.admin_token, None);
}

#[test]
fn an_empty_variable_is_a_missing_one() {
    let mut vars = complete();
    vars.insert("TWILIO_AUTH_TOKEN".into(), "  ".into());
    vars.insert("ADMIN_TOKEN".into(), String::new());
    let error = DispatcherConfig::from_vars(&vars).unwrap_err();
    assert_eq!(error.missing, ["TWILIO_AUTH_TOKEN"]);
    assert_eq!(StateConfig::from_vars(&vars).unwrap().admin_token, None);
}

#[test]
fn the_public_urls_are_required_on_lambda_but_not_under_an_emulator() {
    let mut vars = complete();
    vars.insert("AWS_LAMBDA_FUNCTION_NAME".into(), "Dispatcher".into());
    let error = DispatcherConfig::from_vars(&vars).unwrap_err();
    assert_eq!(error.missing, ["PUBLIC_URLS"]);

    vars.insert("TWILIO_API_BASE_URL".into(), "http://127.0.0.1:4010".into());
    assert!(DispatcherConfig::from_vars(&vars).is_ok());

    vars.insert("PUBLIC_URLS".into(), "https://a.example/sms, https://b.example/sms".into());
    let config = DispatcherConfig::from_vars(&vars).unwrap();
    assert_eq!(config.reply.public_urls.len(), 2);

    vars.insert("PUBLIC_URLS".into(), "https://a.example/sms, ftp://b.example".into());
    let error = DispatcherConfig::from_vars(&vars).unwrap_err();
    assert_eq!(error.invalid[0].name, "PUBLIC_URLS");
}

#[test]
fn each_limit_on_a_customer_has_a_variable_of_its_own() {
    let mut vars = complete();
    let read = |vars: &Vars| DispatcherConfig::from_vars(vars).map(|read| read.reply.turn_limits);
    assert_eq!(read(&vars).unwrap(), TurnLimits::default());
    let names = [
        "TURNS_PER_HOUR",
        "MODEL_CALLS_PER_HOUR",
        "SEGMENTS_PER_HOUR",
        "TURNS_PER_DAY",
        "MODEL_CALLS_PER_DAY",
        "SEGMENTS_PER_DAY",
    ];
    for (name, value) in names.into_iter().zip(1..) {
        vars.insert(name.into(), value.to_string());
    }
    let expected = TurnLimits {
        hour: WindowLimits { turns: 1, model_calls: 2, segments: 3 },
        day: WindowLimits { turns: 4, model_calls: 5, segments: 6 },
    };
    assert_eq!(read(&vars).unwrap(), expected);
    for name in names {
        let mut vars = vars.clone();
        vars.insert(name.into(), "0".into());
        let invalid = read(&vars).unwrap_err().invalid;
        let most = if name.starts_with("TURNS") { 1_000 } else { 10_000 };
        assert_eq!((invalid.len(), invalid[0].name), (1, name));
        assert_eq!(invalid[0].expected, format!("a number from 1 to {most}"));
    }
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?}", DispatcherConfig::from_vars(&complete()).unwrap());
    assert!(!printed.contains("very-secret"), "{printed}");
}

#[test]
fn closed_days_may_be_none_or_several() {
    let days = |value: &str| {
        let mut vars = complete();
        vars.insert("SHOP_CLOSED_DAYS".into(), value.into());
        DispatcherConfig::from_vars(&vars).map(|config| config.reply.calendar.closed_days())
    };
    assert_eq!(days("none").unwrap(), []);
    assert_eq!(days("Sunday, monday").unwrap(), [Weekday::Monday, Weekday::Sunday]);
    assert!(days("Caturday").is_err());
}
