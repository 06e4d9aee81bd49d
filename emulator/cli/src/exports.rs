//! How a backend's SDKs find a world: the environment variables that they read, and a line of code
//! for SDKs that read none.

use std::{collections::BTreeMap, fmt::Write as _};

use rehearse_aws::template::{Endpoints, Ports, Settings};

/// Variables by name.
pub(crate) type Environment = BTreeMap<String, String>;

/// Where the fake Twilio is. No Twilio SDK reads it; [`notes`] says what to write instead.
pub(crate) const TWILIO_URL: &str = "TWILIO_API_BASE_URL";
/// Where the control API is, for `send`, `log`, `reset`, `ready` and `env`.
pub(crate) const CONTROL: &str = "REHEARSE_CONTROL";

/// The environment of a shell, a test suite or a backend that is started separately.
pub(crate) fn environment(settings: &Settings, endpoints: &Endpoints) -> Environment {
    // What every SDK understands; the project's own variables go before.
    let twilio = &settings.twilio;
    let mut environment: Environment = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb.as_str()),
        ("AWS_ENDPOINT_URL_LAMBDA", endpoints.lambda.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "rehearse"),
        ("AWS_SECRET_ACCESS_KEY", "rehearse"),
        ("OPENAI_BASE_URL", &format!("{}/v1", endpoints.openai)),
        ("OPENAI_API_BASE", &format!("{}/v1", endpoints.openai)),
        ("OPENAI_API_KEY", &settings.openai.api_key),
        ("TWILIO_ACCOUNT_SID", &twilio.account_sid),
        ("TWILIO_AUTH_TOKEN", &twilio.auth_token),
        ("TWILIO_PHONE_NUMBER", twilio.number.as_str()),
        (TWILIO_URL, &endpoints.twilio),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    environment.extend(settings.services.variables());
    // A shell is no function: its calls go to the plain endpoint.
    let plain = [&endpoints.dynamodb, &endpoints.lambda];
    environment.extend(settings.environment(endpoints, "").into_iter().map(|(name, value)| {
        let plain = plain.iter().find(|url| value == format!("{url}/fn/"));
        (name, plain.map_or(value, |url| (*url).clone()))
    }));
    environment.extend(settings.exports(endpoints));
    // The AWS CLI and boto3 read this name alone; the other SDKs read AWS_REGION.
    if let Some(region) = environment.get("AWS_REGION").cloned() {
        environment.entry("AWS_DEFAULT_REGION".into()).or_insert(region);
    }
    // So that no AWS command reaches the real cloud by mistake.
    environment.insert("AWS_ENDPOINT_URL".into(), endpoints.dynamodb.clone());
    environment
}

/// Where a world on these ports is, with the backend at `gateway`.
pub(crate) fn endpoints(ports: &Ports, gateway: String) -> Endpoints {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    Endpoints {
        gateway,
        twilio: url(ports.twilio),
        openai: url(ports.openai),
        dynamodb: url(ports.dynamodb),
        secrets: url(ports.secrets),
        lambda: url(ports.lambda),
    }
}

/// What each official SDK needs besides the environment, as shell comments.
pub(crate) fn notes() -> String {
    let mut text = String::from(
        "# AWS SDKs and CLI: AWS_ENDPOINT_URL_DYNAMODB and the keys are read; nothing to write.\n\
         # OpenAI SDKs: OPENAI_BASE_URL and OPENAI_API_KEY are read; nothing to write.\n\
         # Twilio SDKs read no URL; write, once the client is made:\n",
    );
    for (language, line) in [
        ("Python", format!("client.api.base_url = os.environ[\"{TWILIO_URL}\"]")),
        ("Node", format!("client.api.baseUrl = process.env.{TWILIO_URL};")),
        (
            "Rust",
            format!(
                "configuration.base_path = std::env::var(\"{TWILIO_URL}\")?; // twilio-openapi"
            ),
        ),
    ] {
        let _ = writeln!(text, "#   {language:<7} {line}");
    }
    text
}

/// `export NAME=value`, quoted where a shell would read something else.
pub(crate) fn export(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        format!("export {name}={value}")
    } else {
        format!("export {name}='{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_testutils::{SETTINGS, settings};

    fn of(own: &str) -> Environment {
        let endpoints = endpoints(&Ports::default(), "http://127.0.0.1:3000".into());
        environment(&settings(&format!("{SETTINGS}[environment]\n{own}")), &endpoints)
    }

    #[test]
    fn a_project_that_names_no_variable_has_those_of_the_sdks() {
        let found = of("");
        assert_eq!(found["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:4030");
        assert_eq!(found["AWS_ENDPOINT_URL_LAMBDA"], "http://127.0.0.1:4060");
        assert_eq!(found["OPENAI_BASE_URL"], "http://127.0.0.1:4020/v1");
        assert_eq!(found["AWS_DEFAULT_REGION"], found["AWS_REGION"]);
        assert_eq!(found["TWILIO_API_BASE_URL"], "http://127.0.0.1:4010");
    }

    #[test]
    fn a_projects_own_variables_go_before() {
        let found = of("AWS_REGION = \"eu-west-1\"\nURL = \"{gateway}{webhook}\"\n\
                        AWS_ENDPOINT_URL_DYNAMODB = \"{dynamodb}/fn/{function}\"\n\
                        AWS_ENDPOINT_URL_LAMBDA = \"{lambda}/fn/{function}\"\n");
        assert_eq!(found["AWS_DEFAULT_REGION"], "eu-west-1");
        assert_eq!(found["URL"], "http://127.0.0.1:3000/sms");
        assert_eq!(found["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:4030");
        assert_eq!(found["AWS_ENDPOINT_URL_LAMBDA"], "http://127.0.0.1:4060");
    }

    #[test]
    fn services_of_another_emulator_are_among_them_and_the_projects_variables_go_before() {
        let endpoints = endpoints(&Ports::default(), String::new());
        let own = "[services]\ns3 = \"http://127.0.0.1:4566\"\nsqs = \"http://127.0.0.1:4566\"\n\
                   [environment]\nAWS_ENDPOINT_URL_SQS = \"http://127.0.0.1:9\"\n";
        let found = environment(&settings(&format!("{SETTINGS}{own}")), &endpoints);
        assert_eq!(found["AWS_ENDPOINT_URL_S3"], "http://127.0.0.1:4566");
        assert_eq!(found["AWS_ENDPOINT_URL_SQS"], "http://127.0.0.1:9");
    }

    #[test]
    fn notes_do_nothing_in_a_shell() {
        assert!(notes().lines().all(|line| line.starts_with('#')));
    }
}
