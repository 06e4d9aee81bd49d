//! The functions' configuration: environment variables, read once and typed.
//!
//! One constructor per function, because each needs different variables: the state manager has no
//! OpenAI key. A constructor reports everything that is missing or invalid at once. Nothing here
//! reads the process's environment: the binaries pass it, the emulator passes a map of its own.

mod book_page;
mod limits;
mod secret_source;
mod values;
mod var_reader;

use std::{collections::BTreeMap, time::Duration};

pub use self::{
    book_page::BookPageConfig,
    secret_source::{SecretSource, SecretStore, StoredSecret},
    var_reader::{ConfigError, InvalidVariable},
};
use self::{limits::turn_limits, var_reader::VarReader};
pub use crate::domain::secret::Secret;
use crate::domain::{
    calendar::Calendar, form_hold::FormConfirmation, pace::TurnLimits, phone::Phone,
    usage::FormLimits,
};

/// Environment variables by name.
pub type Vars = BTreeMap<String, String>;

/// Twilio waits 15 seconds; the rest is for the network and a cold start.
const DEFAULT_DEADLINE_MS: &str = "11500";
/// Lambda ends these functions after 10 seconds.
const DEFAULT_REQUEST_DEADLINE_MS: &str = "8000";
/// After a crash Twilio repeats the webhook at once, and the repeat waits for the rest of the
/// lease.
const DEFAULT_LEASE_MS: &str = "3600";

/// Configuration of the dispatcher.
#[derive(Debug, Clone)]
pub struct DispatcherConfig {
    /// What answering texts needs.
    pub reply: ReplyConfig,
    /// The function that sends the outbox and finishes late turns. Without it the dispatcher sends
    /// texts itself, and a turn that is not answered in time ends with a callback.
    pub worker: Option<WorkerConfig>,
}

/// A function that works outside of requests.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Its name or ARN.
    pub function: String,
    /// Overrides Lambda's own endpoint.
    pub endpoint: Option<String>,
}

/// What answering texts needs; all that the function needs that sends the outbox and finishes late
/// turns.
#[derive(Debug, Clone)]
pub struct ReplyConfig {
    /// The database.
    pub dynamodb: DynamoDbConfig,
    /// The language model.
    pub openai: OpenAiConfig,
    /// Twilio.
    pub twilio: TwilioConfig,
    /// URLs of the webhook that Twilio may have signed, exactly as they are configured at Twilio but
    /// without fragment. When empty, the request's own URL is used, which is right on a developer's
    /// machine only. Beside the first, Twilio reports what became of a confirmation that the REST
    /// API sent.
    pub public_urls: Vec<String>,
    /// The shop's opening hours.
    pub calendar: Calendar,
    /// Receives alerts; without it there are none.
    pub owner_phone: Option<Phone>,
    /// Time for a whole turn.
    pub reply_deadline: Duration,
    /// How much one customer may cost.
    pub turn_limits: TurnLimits,
    /// Time for which a claim on a turn holds without renewal. A repeat after a crash waits that
    /// long.
    pub turn_lease: Duration,
}

/// Configuration of the state manager.
#[derive(Debug, Clone)]
pub struct StateConfig {
    /// The database.
    pub dynamodb: DynamoDbConfig,
    /// The shop's opening hours, whose time zone says which bookings are over.
    pub calendar: Calendar,
    /// Secret of the callers; without it every call is refused.
    pub admin_token: Option<SecretSource>,
    /// The function that sends the outbox. Without it, it is sent when that function's schedule
    /// comes.
    pub worker: Option<WorkerConfig>,
    /// Time for a request, secrets included.
    pub request_deadline: Duration,
}

/// Configuration of the scheduler.
#[derive(Debug, Clone)]
pub struct SchedulerConfig {
    /// The database.
    pub dynamodb: DynamoDbConfig,
    /// The shop's opening hours.
    pub calendar: Calendar,
    /// Hears of bookings; without it nobody does.
    pub owner_phone: Option<Phone>,
    /// The function that sends the outbox. Without it, it is sent when that function's schedule
    /// comes.
    pub worker: Option<WorkerConfig>,
    /// Time for a request.
    pub request_deadline: Duration,
    /// How much one address may book.
    pub limits: FormLimits,
    /// What the form asks for before it books.
    pub confirmation: FormConfirmation,
    /// The page with the form.
    pub page: BookPageConfig,
}

/// The database and its tables.
#[derive(Debug, Clone)]
pub struct DynamoDbConfig {
    /// Overrides AWS's own endpoint.
    pub endpoint: Option<String>,
    /// AWS region.
    pub region: String,
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// AWS session token. A Lambda function always has one.
    pub session_token: Option<Secret>,
    /// Names of the tables.
    pub tables: Tables,
}

/// Names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Leads: `lead_id` S, `timestamp` N.
    pub leads: String,
    /// The owner's state: `state_id` S.
    pub owner: String,
    /// Slots: `schedule_date` S, `slot_time` S.
    pub schedule: String,
    /// Turns, memory, queues, the outbox, unanswered texts, late turns, versions of dates, discounts,
    /// the form's records and holds, what addresses have done lately: `conversation_id` S, `item_id` S.
    pub conversations: String,
    /// A customer's open bookings: `phone` S, `start` S.
    pub bookings: String,
    /// Opt-outs: `phone` S.
    pub opt_outs: String,
}

/// The language model.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// API key.
    pub api_key: SecretSource,
    /// Base URL, including `/v1`.
    pub base_url: String,
    /// Name of the model.
    pub model: String,
    /// Attempts after the first one.
    pub retries: u32,
}

/// Twilio.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// Account, `AC...`.
    pub account_sid: String,
    /// Verifies webhooks and authenticates requests to Twilio.
    pub auth_token: SecretSource,
    /// The shop's number.
    pub phone_number: Phone,
    /// Base URL of the REST API.
    pub base_url: String,
}

impl DispatcherConfig {
    /// Reads the dispatcher's variables.
    ///
    /// # Errors
    /// When variables are missing or invalid. The error names all of them.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let mut reader = VarReader::new(vars);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let reply = ReplyConfig::read(reader);
        let worker = worker(reader);
        Some(Self { reply: reply?, worker })
    }
}

impl ReplyConfig {
    /// Reads the variables of the function that sends the outbox and finishes late turns.
    ///
    /// # Errors
    /// When variables are missing or invalid. The error names all of them.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let mut reader = VarReader::new(vars);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let dynamodb = DynamoDbConfig::read(reader);
        let openai = OpenAiConfig::read(reader);
        let twilio = TwilioConfig::read(reader);
        let public_urls = public_urls(reader);
        let calendar = calendar(reader);
        let owner_phone = reader.optional("OWNER_PHONE_NUMBER", values::phone);
        let reply_deadline =
            reader.with_default("REPLY_DEADLINE_MS", DEFAULT_DEADLINE_MS, values::deadline);
        let turn_lease = reader.with_default("TURN_LEASE_MS", DEFAULT_LEASE_MS, values::deadline);
        let turn_limits = turn_limits(reader);
        Some(Self {
            dynamodb: dynamodb?,
            openai: openai?,
            twilio: twilio?,
            public_urls: public_urls?,
            calendar: calendar?,
            owner_phone,
            reply_deadline: reply_deadline?,
            turn_limits: turn_limits?,
            turn_lease: turn_lease?,
        })
    }
}

impl StateConfig {
    /// Reads the state manager's variables.
    ///
    /// # Errors
    /// When variables are missing or invalid. The error names all of them.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let mut reader = VarReader::new(vars);
        let dynamodb = DynamoDbConfig::read(&mut reader);
        let calendar = calendar(&mut reader);
        let admin_token = secret_source::optional(&mut reader, secret_source::ADMIN_TOKEN);
        let worker = worker(&mut reader);
        let request_deadline = request_deadline(&mut reader);
        let required = dynamodb.zip(calendar).zip(request_deadline);
        let config = required.map(|((dynamodb, calendar), request_deadline)| Self {
            dynamodb,
            calendar,
            admin_token,
            worker,
            request_deadline,
        });
        reader.finish(config)
    }
}

impl SchedulerConfig {
    /// Reads the scheduler's variables.
    ///
    /// # Errors
    /// When variables are missing or invalid. The error names all of them.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let mut reader = VarReader::new(vars);
        let dynamodb = DynamoDbConfig::read(&mut reader);
        let calendar = calendar(&mut reader);
        let owner_phone = reader.optional("OWNER_PHONE_NUMBER", values::phone);
        let worker = worker(&mut reader);
        let request_deadline = request_deadline(&mut reader);
        let limits = form_limits(&mut reader);
        let confirmation =
            reader.with_default("FORM_CONFIRMATION", "none", values::form_confirmation);
        let page = BookPageConfig::read(&mut reader);
        let form = limits.zip(confirmation).zip(page);
        let required = dynamodb.zip(calendar).zip(request_deadline).zip(form);
        let config = required.map(|(((dynamodb, calendar), request_deadline), form)| Self {
            dynamodb,
            calendar,
            owner_phone,
            worker,
            request_deadline,
            limits: form.0.0,
            confirmation: form.0.1,
            page: form.1,
        });
        reader.finish(config)
    }
}

impl DynamoDbConfig {
    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let endpoint = reader.optional("AWS_ENDPOINT_URL_DYNAMODB", values::base_url);
        let region = reader.with_default("DYNAMODB_REGION", "us-east-1", values::text);
        let access_key_id = reader.required("AWS_ACCESS_KEY_ID", values::text);
        let secret_access_key = reader.required("AWS_SECRET_ACCESS_KEY", values::secret);
        let session_token = reader.optional("AWS_SESSION_TOKEN", values::secret);
        let tables = Tables::read(reader);
        Some(Self {
            endpoint,
            region: region?,
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
            session_token,
            tables: tables?,
        })
    }
}

impl Tables {
    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let mut table = |name, default| reader.with_default(name, default, values::text);
        let leads = table("REPAIRS_LEAD_LOG_TABLE", "Repairs_Lead_Log");
        let owner = table("BRANDON_STATE_LOG_TABLE", "Brandon_State_Log");
        let schedule = table("SCHEDULE_TABLE", "Repairs_Schedule");
        let conversations = table("CONVERSATIONS_TABLE", "Repairs_Conversations");
        let bookings = table("CUSTOMER_BOOKINGS_TABLE", "Repairs_Customer_Bookings");
        let opt_outs = table("OPT_OUTS_TABLE", "Repairs_Opt_Outs");
        Some(Self {
            leads: leads?,
            owner: owner?,
            schedule: schedule?,
            conversations: conversations?,
            bookings: bookings?,
            opt_outs: opt_outs?,
        })
    }
}

impl OpenAiConfig {
    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let api_key = secret_source::required(reader, secret_source::OPENAI_API_KEY);
        let base_url =
            reader.with_default("OPENAI_BASE_URL", "https://api.openai.com/v1", values::base_url);
        let model = reader.with_default("OPENAI_MODEL", "gpt-6-luna", values::text);
        let retries = reader.with_default("OPENAI_MAX_RETRIES", "2", values::retries);
        Some(Self { api_key: api_key?, base_url: base_url?, model: model?, retries: retries? })
    }
}

impl TwilioConfig {
    fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let account_sid = reader.required("TWILIO_ACCOUNT_SID", values::account_sid);
        let auth_token = secret_source::required(reader, secret_source::TWILIO_AUTH_TOKEN);
        let phone_number = reader.required("TWILIO_PHONE_NUMBER", values::phone);
        let base_url =
            reader.with_default("TWILIO_API_BASE_URL", "https://api.twilio.com", values::base_url);
        Some(Self {
            account_sid: account_sid?,
            auth_token: auth_token?,
            phone_number: phone_number?,
            base_url: base_url?,
        })
    }
}

fn calendar(reader: &mut VarReader<'_>) -> Option<Calendar> {
    let hours = reader.with_default("SHOP_TIMEZONE", "America/New_York", values::shop_calendar);
    let closed = reader.with_default("SHOP_CLOSED_DAYS", "Sunday", values::weekdays);
    Some(hours?.with_closed_days(&closed?))
}

fn request_deadline(reader: &mut VarReader<'_>) -> Option<Duration> {
    reader.with_default(
        "REQUEST_DEADLINE_MS",
        DEFAULT_REQUEST_DEADLINE_MS,
        values::request_deadline,
    )
}

fn form_limits(reader: &mut VarReader<'_>) -> Option<FormLimits> {
    let FormLimits { per_hour, per_day } = FormLimits::default();
    let per_hour = limit(reader, "FORM_BOOKINGS_PER_HOUR", per_hour);
    let per_day = limit(reader, "FORM_BOOKINGS_PER_DAY", per_day);
    Some(FormLimits { per_hour: per_hour?, per_day: per_day? })
}

fn limit(reader: &mut VarReader<'_>, name: &'static str, default: usize) -> Option<usize> {
    reader.with_default(name, &default.to_string(), values::count)
}

fn worker(reader: &mut VarReader<'_>) -> Option<WorkerConfig> {
    let endpoint = reader.optional("AWS_ENDPOINT_URL_LAMBDA", values::base_url);
    let function = reader.optional("LATE_REPLY_FUNCTION", values::text)?;
    Some(WorkerConfig { function, endpoint })
}

/// A deployed function must not trust the request's own URL, which the caller chooses, so the list
/// is required. It is not when `TWILIO_API_BASE_URL` shows that Twilio is emulated.
fn public_urls(reader: &mut VarReader<'_>) -> Option<Vec<String>> {
    let deployed =
        reader.is_set("AWS_LAMBDA_FUNCTION_NAME") && !reader.is_set("TWILIO_API_BASE_URL");
    if deployed {
        reader.required("PUBLIC_URLS", values::urls)
    } else {
        Some(reader.optional("PUBLIC_URLS", values::urls).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
