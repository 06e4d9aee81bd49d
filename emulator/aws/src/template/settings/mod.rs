//! `rehearse.toml`: what the emulator needs to know of a backend and its template does not say.

mod values;

use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

use rehearse_core::journal::Limits;
use serde::Deserialize;

pub use self::values::{Phone, RoutePath, TextTemplate};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("failed to read the settings {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The settings are wrong.
    #[error("{path}: {report}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong, with its line and a caret.
        report: String,
    },
}

/// The settings of a project.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The template, relative to this file's folder.
    #[serde(default = "default_template")]
    pub template: PathBuf,
    /// Values of the template's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The backend's number and account at the fake Twilio.
    pub twilio: Twilio,
    /// The fake OpenAI.
    #[serde(default)]
    pub openai: OpenAi,
    /// Where texts are delivered. A backend with a URL of its own needs none.
    pub webhook: Option<Webhook>,
    /// Names and numbers that every scenario knows.
    pub people: BTreeMap<String, Phone>,
    /// Fixed ports of `rehearse up`.
    #[serde(default)]
    pub ports: Ports,
    /// How much the journal of `rehearse up` keeps.
    #[serde(default)]
    pub journal: Journal,
    /// Folders and files.
    #[serde(default)]
    pub paths: Paths,
    /// What scenarios need not say.
    #[serde(default)]
    pub defaults: Defaults,
    /// Values of the stores of secrets, by name.
    #[serde(default)]
    pub secrets: BTreeMap<String, TextTemplate>,
    /// Variables for SDKs in a shell, and for scenarios as `env.NAME`. Functions do not get them.
    #[serde(default)]
    pub exports: BTreeMap<String, TextTemplate>,
    /// What `rehearse doctor` checks of a deployed stage.
    #[serde(default)]
    pub doctor: Doctor,
    /// Variables of every function, which go before those of the template.
    #[serde(default)]
    pub environment: BTreeMap<String, TextTemplate>,
}

/// The backend's account at the fake Twilio.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// The number that customers text.
    pub number: Phone,
    /// Account, `AC` and 32 hexadecimal digits.
    #[serde(deserialize_with = "values::account_sid")]
    pub account_sid: String,
    /// The key that signs webhooks and authenticates calls.
    pub auth_token: String,
    /// API keys, `SK` and 32 hexadecimal digits, and their secrets, which authenticate calls as well.
    #[serde(default)]
    pub api_keys: BTreeMap<String, String>,
    /// The account's other numbers.
    #[serde(default)]
    pub numbers: Vec<OtherNumber>,
    /// What Lookup says of numbers' lines; the others are mobile. Landlines take no texts.
    #[serde(default)]
    pub line_types: BTreeMap<String, LineType>,
}

/// One of the account's other numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherNumber {
    /// The number.
    pub number: Phone,
    /// The route that texts to it are posted to; that of `[webhook]` when left out.
    pub route: Option<RoutePath>,
}

/// What kind of line a number has, in Lookup's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineType {
    /// A mobile phone.
    Mobile,
    /// A line in a house.
    Landline,
    /// A number of a service, with a line in a house behind it.
    FixedVoip,
    /// A number of a service.
    NonFixedVoip,
    /// A number such as +1 800.
    TollFree,
}

/// The fake OpenAI.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenAi {
    /// The API key that it accepts.
    pub api_key: String,
    /// Models that it knows besides OpenAI's own.
    #[serde(deserialize_with = "values::models")]
    pub models: Vec<String>,
}

/// How the number's webhook is configured at Twilio.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The route that texts are posted to.
    pub route: RoutePath,
    /// A custom domain of the route's API, or the host at which Twilio would reach a backend that is
    /// started separately. Twilio then calls and signs the domain's URL.
    pub domain: Option<String>,
    /// Connection overrides, `#rc=2&rp=ct,5xx`.
    #[serde(default)]
    pub overrides: String,
    /// The route of the fallback URL.
    pub fallback: Option<RoutePath>,
    /// URL of the webhook of a backend that is started separately, for the command line's default
    /// target: `http://127.0.0.1:3000/sms`.
    pub url: Option<String>,
}

/// Ports of `rehearse up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ports {
    /// API Gateway.
    pub gateway: u16,
    /// Twilio.
    pub twilio: u16,
    /// OpenAI.
    pub openai: u16,
    /// DynamoDB.
    pub dynamodb: u16,
    /// Control API.
    pub control: u16,
    /// The secrets extension.
    pub secrets: u16,
    /// Lambda's Invoke API.
    pub lambda: u16,
}

/// How much the journal of `rehearse up` keeps: when one of the limits is exceeded, it drops the oldest
/// exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Most exchanges; at least 1.
    #[serde(deserialize_with = "values::at_least_one")]
    pub exchanges: usize,
    /// Most memory, in megabytes; at least 1.
    #[serde(deserialize_with = "values::at_least_one")]
    pub megabytes: usize,
}

/// Folders and files, relative to this file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// Scenarios.
    pub scenarios: PathBuf,
    /// Files of rows.
    pub fixtures: PathBuf,
    /// The persona that answers model requests in `up` and `chat`.
    pub persona: PathBuf,
    /// What must hold whatever fails, for `run --sweep`.
    pub always: PathBuf,
}

/// What holds for scenarios that do not say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Business time at the start, as a scenario's `now`: `2026-02-10T15:10:00-05:00`.
    pub now: Option<String>,
    /// Files of rows, as a scenario's `given.fixtures`.
    pub fixtures: Vec<String>,
}

/// What `rehearse doctor` checks of this backend, besides what it checks of every backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Doctor {
    /// Headers that web pages send: a preflight response must allow each by its name.
    pub headers: Vec<String>,
    /// Requests that change nothing, with the responses that they must get.
    pub checks: Vec<Check>,
}

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What a pass proves.
    pub name: String,
    /// Path and query of a GET. `{tomorrow}` is tomorrow's date. With `{day}` the request is sent
    /// for each of the next seven days in turn, until one response is as expected: a backend may
    /// be closed on some days.
    pub get: String,
    /// The status of the response.
    pub status: u16,
    /// Text in the response's body.
    pub contains: Option<String>,
}

/// Base URLs of a world's parts, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// API Gateway.
    pub gateway: String,
    /// Twilio.
    pub twilio: String,
    /// OpenAI.
    pub openai: String,
    /// DynamoDB.
    pub dynamodb: String,
    /// The secrets extension.
    pub secrets: String,
    /// Lambda's Invoke API.
    pub lambda: String,
}

impl Webhook {
    /// A webhook at this route, and nothing else.
    pub fn to(route: RoutePath) -> Self {
        Self { route, domain: None, overrides: String::new(), fallback: None, url: None }
    }
}

impl Default for Settings {
    /// Settings that need no file: a fake Twilio account with the number `+19045550100`, the people
    /// `customer` (`+19042520927`) and `owner` (`+19045550199`), and no webhook.
    fn default() -> Self {
        Self {
            template: default_template(),
            parameters: BTreeMap::new(),
            twilio: Twilio::default(),
            openai: OpenAi::default(),
            webhook: None,
            people: BTreeMap::from([
                ("customer".to_owned(), Phone::fixed("+19042520927")),
                ("owner".to_owned(), Phone::fixed("+19045550199")),
            ]),
            ports: Ports::default(),
            journal: Journal::default(),
            paths: Paths::default(),
            defaults: Defaults::default(),
            secrets: BTreeMap::new(),
            exports: BTreeMap::new(),
            doctor: Doctor::default(),
            environment: BTreeMap::new(),
        }
    }
}

impl Default for Twilio {
    /// An account and a number that are nobody's.
    fn default() -> Self {
        Self {
            number: Phone::fixed("+19045550100"),
            account_sid: format!("AC{}", "0".repeat(32)),
            auth_token: "0".repeat(32),
            api_keys: BTreeMap::new(),
            numbers: Vec::new(),
            line_types: BTreeMap::new(),
        }
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            gateway: 4000,
            twilio: 4010,
            openai: 4020,
            dynamodb: 4030,
            control: 4040,
            secrets: 4050,
            lambda: 4060,
        }
    }
}

const MEGABYTE: usize = 1_000_000;

impl Journal {
    /// The limits as the journal takes them.
    pub fn limits(self) -> Limits {
        Limits { exchanges: self.exchanges, bytes: self.megabytes.saturating_mul(MEGABYTE) }
    }
}

impl Default for Journal {
    fn default() -> Self {
        let Limits { exchanges, bytes } = Limits::default();
        Self { exchanges, megabytes: bytes / MEGABYTE }
    }
}

impl Default for OpenAi {
    fn default() -> Self {
        Self { api_key: "sk-rehearse".into(), models: Vec::new() }
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            scenarios: "scenarios".into(),
            fixtures: "fixtures/dynamodb".into(),
            persona: "fixtures/openai/persona.yaml".into(),
            always: "always.yaml".into(),
        }
    }
}

impl Ports {
    /// The ports by name.
    pub fn by_name(&self) -> [(&'static str, u16); 7] {
        [
            ("gateway", self.gateway),
            ("twilio", self.twilio),
            ("openai", self.openai),
            ("dynamodb", self.dynamodb),
            ("control", self.control),
            ("secrets", self.secrets),
            ("lambda", self.lambda),
        ]
    }
}

impl Twilio {
    fn check(&self) -> Result<(), String> {
        for key in self.api_keys.keys() {
            let digits = key.strip_prefix("SK").unwrap_or_default();
            if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!(
                    "[twilio.api_keys] `{key}` is not an API key: SK and 32 hexadecimal digits"
                ));
            }
        }
        for number in self.line_types.keys() {
            Phone::try_from(number.clone()).map_err(|why| format!("[twilio.line_types] {why}"))?;
        }
        let mut known = vec![&self.number];
        for other in &self.numbers {
            if known.contains(&&other.number) {
                return Err(format!("[twilio] has the number {} twice", other.number));
            }
            known.push(&other.number);
        }
        Ok(())
    }
}

impl Settings {
    /// Reads settings from a file.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has a key or a value that is wrong, or lacks one
    /// that is needed.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| SettingsError::Read { path: name.clone(), source })?;
        Self::parse(&name, &text)
    }

    /// Reads settings from text; `name` is the file that errors point at.
    ///
    /// # Errors
    /// When the text is not TOML, has a key or a value that is wrong, or lacks one that is needed.
    pub fn parse(name: &str, text: &str) -> Result<Self, SettingsError> {
        let invalid = |report: String| SettingsError::Invalid { path: name.to_owned(), report };
        let settings: Self =
            toml::from_str(text).map_err(|error| invalid(values::explained(&error, text)))?;
        settings.check().map_err(invalid)?;
        Ok(settings)
    }

    /// The route that texts are posted to; empty if there is no webhook.
    pub fn webhook_route(&self) -> &str {
        self.webhook.as_ref().map_or("", |webhook| webhook.route.as_str())
    }

    /// The variables that these settings give a function, with placeholders filled in.
    pub fn environment(&self, endpoints: &Endpoints, function: &str) -> BTreeMap<String, String> {
        self.fill(&self.environment, endpoints, function)
    }

    /// The variables for a shell and for scenarios, with placeholders filled in.
    pub fn exports(&self, endpoints: &Endpoints) -> BTreeMap<String, String> {
        self.fill(&self.exports, endpoints, "")
    }

    /// The values of the stores of secrets, with placeholders filled in.
    pub fn secrets(&self, endpoints: &Endpoints) -> BTreeMap<String, String> {
        self.fill(&self.secrets, endpoints, "")
    }

    fn fill(
        &self,
        patterns: &BTreeMap<String, TextTemplate>,
        endpoints: &Endpoints,
        function: &str,
    ) -> BTreeMap<String, String> {
        let value = |name: &str| match name {
            "gateway" => endpoints.gateway.as_str(),
            "twilio" => endpoints.twilio.as_str(),
            "openai" => endpoints.openai.as_str(),
            "dynamodb" => endpoints.dynamodb.as_str(),
            "function" => function,
            "lambda" => endpoints.lambda.as_str(),
            "webhook" => self.webhook_route(),
            "number" => self.twilio.number.as_str(),
            "account_sid" => &self.twilio.account_sid,
            "auth_token" => &self.twilio.auth_token,
            "api_key" => &self.openai.api_key,
            // Reading refuses every other name.
            _ => "",
        };
        patterns.iter().map(|(name, p)| (name.clone(), p.fill(value))).collect()
    }

    fn check(&self) -> Result<(), String> {
        let ports = self.ports.by_name();
        for (at, (name, port)) in ports.iter().enumerate() {
            if let Some((other, _)) = ports[..at].iter().find(|(_, other)| other == port) {
                return Err(format!("[ports] {other} and {name} are both {port}"));
            }
        }
        self.twilio.check()?;
        for needed in ["customer", "owner"] {
            if !self.people.contains_key(needed) {
                return Err(format!("[people] needs `{needed}`: every scenario knows that person"));
            }
        }
        let mut owners = BTreeMap::from([(self.twilio.number.as_str(), "the shop")]);
        for (name, number) in &self.people {
            if let Some(other) = owners.insert(number.as_str(), name) {
                return Err(format!("[people] {name} and {other} have the same number {number}"));
            }
        }
        Ok(())
    }
}

fn default_template() -> PathBuf {
    "template.yaml".into()
}
