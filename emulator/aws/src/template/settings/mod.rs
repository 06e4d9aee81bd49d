//! `rehearse.toml`: what the emulator needs to know of a backend and its template does not say.

mod check;
mod read;
mod services;
mod twilio;
mod values;

use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

use rehearse_core::journal::Limits;
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::{
    services::Services,
    twilio::{LineType, MessagingService, OtherNumber, Twilio},
    values::{Phone, RoutePath, TextTemplate},
};

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
        /// Everything that is wrong, what stands in the file with its line and a caret.
        report: String,
    },
}

/// The settings of a project.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The template, relative to this file's folder.
    #[serde(default = "default_template")]
    pub template: PathBuf,
    /// Values of the template's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The backend's number and account at the fake Twilio.
    #[serde(default)]
    pub twilio: Twilio,
    /// The fake OpenAI.
    #[serde(default)]
    pub openai: OpenAi,
    /// Where texts are delivered. A backend with a URL of its own needs none.
    pub webhook: Option<Webhook>,
    /// Names and numbers that every scenario knows. `customer` is who texts unless a step says
    /// otherwise; `owner` is needed by nobody but backends that have one.
    #[serde(default = "one_customer")]
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
    /// What runs functions that the template does not describe well enough, by logical id.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionSettings>,
    /// AWS services that another emulator on this machine gives the functions.
    #[serde(default)]
    pub services: Services,
    /// Variables of every function, which go before those of the template.
    #[serde(default)]
    pub environment: BTreeMap<String, TextTemplate>,
}

/// The fake OpenAI.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenAi {
    /// The API key that it accepts.
    pub api_key: String,
    /// Models that it knows besides OpenAI's own.
    #[serde(deserialize_with = "values::models")]
    pub models: Vec<String>,
}

/// How the number's webhook is configured at Twilio.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
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

/// What runs a function as processes, where the template alone does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionSettings {
    /// A program, a folder or zip with `bootstrap`, or a command that speaks the Runtime API.
    pub command: Option<String>,
    /// The folder of its code, in place of the template's `CodeUri`.
    pub folder: Option<PathBuf>,
    /// Words for a shell that build it, in this file's folder, before it is started.
    pub build: Option<String>,
    /// Which time a handler in Python or Node sees.
    pub clock: FunctionClock,
}

/// Which time a handler in Python or Node sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FunctionClock {
    /// The scenario's, by libfaketime, where that is installed.
    #[default]
    World,
    /// The machine's.
    Machine,
}

/// Ports of `rehearse up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Business time at the start, as a scenario's `now`: `2026-02-10T15:10:00-05:00`.
    pub now: Option<String>,
    /// Files of rows, as a scenario's `given.fixtures`.
    pub fixtures: Vec<String>,
}

/// What `rehearse doctor` checks of this backend, besides what it checks of every backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Doctor {
    /// Headers that web pages send: a preflight response must allow each by its name.
    pub headers: Vec<String>,
    /// Requests that change nothing, with the responses that they must get.
    pub checks: Vec<Check>,
}

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
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

impl Endpoints {
    /// The same endpoints with a path before that of each call, by which a caller is known; the gateway
    /// and the secrets extension, which are called by everybody alike, stay as they are.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        let with = |url: &str| format!("{url}{path}");
        Self {
            gateway: self.gateway.clone(),
            twilio: with(&self.twilio),
            openai: with(&self.openai),
            dynamodb: with(&self.dynamodb),
            secrets: self.secrets.clone(),
            lambda: with(&self.lambda),
        }
    }
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
            functions: BTreeMap::new(),
            services: Services::default(),
            environment: BTreeMap::new(),
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
        read::all(text).map_err(|errors| invalid(errors.join("\n")))
    }

    /// The JSON schema of the file, for editors.
    pub fn schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Self).to_value();
        schema["title"] = "rehearse.toml".into();
        schema
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

    /// The values of the stores of secrets that depend on no world: those without the address of one of its parts.
    pub fn fixed_secrets(&self) -> BTreeMap<String, String> {
        const ADDRESSES: [&str; 6] =
            ["{gateway}", "{twilio}", "{openai}", "{dynamodb}", "{lambda}", "{function}"];
        let nowhere = Endpoints {
            gateway: String::new(),
            twilio: String::new(),
            openai: String::new(),
            dynamodb: String::new(),
            secrets: String::new(),
            lambda: String::new(),
        };
        let mut fixed = self.secrets.clone();
        fixed.retain(|_, text| !ADDRESSES.iter().any(|address| text.contains(address)));
        self.fill(&fixed, &nowhere, "")
    }

    fn fill(
        &self,
        patterns: &BTreeMap<String, TextTemplate>,
        endpoints: &Endpoints,
        function: &str,
    ) -> BTreeMap<String, String> {
        let messaging_service =
            self.twilio.services.first().map(MessagingService::sid).unwrap_or_default();
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
            "messaging_service_sid" => &messaging_service,
            "api_key" => &self.openai.api_key,
            // Reading refuses every other name.
            _ => "",
        };
        patterns.iter().map(|(name, p)| (name.clone(), p.fill(value))).collect()
    }
}

/// The people of a file that names none.
fn one_customer() -> BTreeMap<String, Phone> {
    BTreeMap::from([("customer".to_owned(), Phone::fixed("+19042520927"))])
}

fn default_template() -> PathBuf {
    "template.yaml".into()
}
