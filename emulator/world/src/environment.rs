//! The environment of functions, and of those that run as processes before the settings' own variables.
//!
//! A function that runs as processes finds the fakes without a word in `rehearse.toml`: it gets the variables that SDKs
//! read, under those of its template. AWS is the exception, where the template's values do not count:
//! nothing in a world may reach it.

use std::collections::BTreeMap;

use rehearse_aws::{
    gateway::FunctionEnvironment,
    secrets::Session,
    template::{Endpoints, Function, Settings},
};

use super::Backend;

/// Files with somebody's keys, and the place of the machine's own: a function finds none of them.
const NO_OTHER_KEYS: [(&str, &str); 3] = [
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// What the template may say of AWS and a function does not get: where AWS is, and whose keys to use.
const OURS: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// The variables that lead to the fakes of OpenAI and Twilio.
const FAKES: [&str; 6] = [
    "OPENAI_BASE_URL",
    // The older name of the same, which several libraries still read.
    "OPENAI_API_BASE",
    "OPENAI_API_KEY",
    // No Twilio SDK reads it; the backend must.
    "TWILIO_API_BASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
];

/// The variables of a function's instances: the template's, the emulator's, the `[services]` and those of `rehearse.toml` with
/// the endpoints that know the instance, and the world's own.
pub(super) fn environment_of(
    backend: &Backend,
    function: &Function,
    endpoints: &Endpoints,
    (is_process, secrets_port, environment): (bool, u16, &BTreeMap<String, String>),
) -> FunctionEnvironment {
    let (backend, function) = (backend.clone(), function.clone());
    let (endpoints, environment) = (endpoints.clone(), environment.clone());
    FunctionEnvironment::new(move |path| {
        let (settings, endpoints) = (backend.settings(), endpoints.with_path(path));
        let mut variables = match is_process {
            true => of_process(&function, settings, &endpoints),
            false => function.env.clone(),
        };
        variables.insert("AWS_SESSION_TOKEN".into(), Session::token(&function.id));
        if function.layers.iter().any(|layer| Session::is_extension(layer)) {
            let name = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
            variables.insert(name.into(), secrets_port.to_string());
        }
        variables.extend(settings.services.variables());
        variables.extend(settings.environment(&endpoints, &function.id));
        variables.extend(environment.clone());
        variables
    })
}

/// The variables of a function: the fakes' addresses and keys, those of the template, and the way to
/// the emulated AWS.
fn of_process(
    function: &Function,
    settings: &Settings,
    endpoints: &Endpoints,
) -> BTreeMap<String, String> {
    // A parameter of a secret is often empty by default: that is no value.
    let is_made_up = |name: &str| function.unresolved.iter().any(|u| u.variable == name);
    let template = |name: &str| {
        function.env.get(name).is_some_and(|value| counts(name, value)) && !is_made_up(name)
    };
    // A function that is told where a secret is kept (`OPENAI_API_KEY_PARAMETER`) gets no plain one,
    // which many a backend would prefer.
    let is_kept = |name: &str| {
        let mut names = function.env.keys().chain(settings.environment.keys());
        names.any(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')))
    };
    let mut all: BTreeMap<String, String> = FAKES
        .into_iter()
        .zip(fakes(settings, endpoints))
        .filter(|(name, _)| !template(name) && !is_kept(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for (name, value) in function.env.iter().filter(|(name, _)| !is_ours(name)) {
        if template(name) || !all.contains_key(name) {
            all.insert(name.clone(), value.clone());
        }
    }
    all.extend(aws(endpoints, &function.id).map(|(name, value)| (name.to_owned(), value)));
    all
}

/// Whether a value of the template is one: it is not empty, and no address of the real providers, which a
/// template has for production.
fn counts(name: &str, value: &str) -> bool {
    const ADDRESSES: [&str; 3] = ["OPENAI_BASE_URL", "OPENAI_API_BASE", "TWILIO_API_BASE_URL"];
    let is_local = || {
        url::Url::parse(value).is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    };
    !value.is_empty() && (!ADDRESSES.contains(&name) || is_local())
}

/// Whether a function that runs as processes gets this variable without a value in template or settings.
pub(super) fn is_given(name: &str) -> bool {
    FAKES.contains(&name) || is_ours(name)
}

fn is_ours(name: &str) -> bool {
    OURS.contains(&name) || name.starts_with("AWS_ENDPOINT_URL")
}

/// The values of [`FAKES`]: where they are, and what they accept.
fn fakes(settings: &Settings, endpoints: &Endpoints) -> [String; FAKES.len()] {
    let model = format!("{}/v1", endpoints.openai);
    [
        model.clone(),
        model,
        settings.openai.api_key.clone(),
        endpoints.twilio.clone(),
        settings.twilio.account_sid.clone(),
        settings.twilio.auth_token.clone(),
    ]
}

/// The endpoints of AWS as a function calls them. Whatever has none of its own is refused at the
/// database's, by name.
fn aws(endpoints: &Endpoints, function: &str) -> impl Iterator<Item = (&'static str, String)> {
    let dynamodb = format!("{}/fn/{function}", endpoints.dynamodb);
    let fixed = NO_OTHER_KEYS.iter().map(|(name, value)| (*name, (*value).to_owned()));
    fixed.chain([
        ("AWS_ENDPOINT_URL", dynamodb.clone()),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_LAMBDA", format!("{}/fn/{function}", endpoints.lambda)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &[(&str, &str)]) -> BTreeMap<String, String> {
        let env = template.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let function = Function { env, ..Function::new("Sms") };
        let endpoints = Endpoints {
            gateway: "http://g".into(),
            twilio: "http://t".into(),
            openai: "http://o".into(),
            dynamodb: "http://d".into(),
            secrets: "http://s".into(),
            lambda: "http://l".into(),
        };
        of_process(&function, &Settings::default(), &endpoints)
    }

    #[test]
    fn a_template_that_names_no_variable_leads_to_the_fakes() {
        let all = of(&[]);
        for (name, value) in [
            ("AWS_ENDPOINT_URL", "http://d/fn/Sms"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://d/fn/Sms"),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://l/fn/Sms"),
            ("OPENAI_BASE_URL", "http://o/v1"),
            ("OPENAI_API_BASE", "http://o/v1"),
            ("OPENAI_API_KEY", "sk-rehearse"),
            ("TWILIO_API_BASE_URL", "http://t"),
        ] {
            assert_eq!(all[name], value, "{name}");
        }
        assert_eq!(all["TWILIO_ACCOUNT_SID"].len(), 34);
        assert_eq!(all["AWS_SHARED_CREDENTIALS_FILE"], "/dev/null");
    }

    #[test]
    fn the_templates_values_go_before_but_never_lead_to_aws() {
        let all = of(&[
            ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"),
            ("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.us-east-1.amazonaws.com"),
            ("AWS_ACCESS_KEY_ID", "AKIAREAL"),
            ("AWS_PROFILE", "production"),
            ("TABLE", "bookings"),
        ]);
        assert_eq!(all["OPENAI_BASE_URL"], "http://127.0.0.1:1/v1");
        assert_eq!(all["TABLE"], "bookings");
        assert_eq!(all["AWS_ENDPOINT_URL_DYNAMODB"], "http://d/fn/Sms");
        for gone in ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"] {
            assert!(!all.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn the_real_providers_addresses_in_a_template_do_not_count() {
        let all = of(&[
            ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            ("TWILIO_API_BASE_URL", "https://api.twilio.com"),
        ]);
        assert_eq!(all["OPENAI_BASE_URL"], "http://o/v1");
        assert_eq!(all["TWILIO_API_BASE_URL"], "http://t");
    }

    #[test]
    fn an_empty_value_of_the_template_is_none() {
        let all = of(&[("OPENAI_API_KEY", ""), ("GREETING", "")]);
        assert_eq!(all["OPENAI_API_KEY"], "sk-rehearse");
        assert_eq!(all["GREETING"], "");
    }

    #[test]
    fn a_secret_whose_place_is_named_is_not_given_plainly() {
        let all = of(&[("OPENAI_API_KEY_PARAMETER", "/shop/key")]);
        assert!(!all.contains_key("OPENAI_API_KEY"));
        assert!(all.contains_key("TWILIO_AUTH_TOKEN"));
    }
}
