//! What a request asks for: its route and its form parameters.

use http::Method;

use crate::Sid;

/// The operation that a method and a path ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    CreateMessage,
    ListMessages,
    // `None` is a sid that is not valid, which no message has.
    FetchMessage(Option<Sid>),
    UpdateMessage(Option<Sid>),
    DeleteMessage(Option<Sid>),
    ListMedia(Option<Sid>),
    FetchMedia(Option<Sid>, &'a str),
    /// The file, by a redirect to [`Route::Download`].
    MediaFile(Option<Sid>, &'a str),
    Download(&'a str),
    DeleteMedia(Option<Sid>, &'a str),
    ListNumbers,
    CreateNumber,
    FetchNumber(&'a str),
    UpdateNumber(&'a str),
    FetchAccount,
    CreateService,
    ListServices,
    FetchService(&'a str),
    UpdateService(&'a str),
    DeleteService(&'a str),
    // The numbers of a service, and then one of them.
    AddToPool(&'a str),
    ListPool(&'a str),
    FetchOfPool(&'a str, &'a str),
    RemoveFromPool(&'a str, &'a str),
    /// Lookup v2.
    LookUp(&'a str),
    /// A known path with a method that it does not have.
    MethodNotAllowed,
    Unknown,
}

impl<'a> Route<'a> {
    pub fn of(method: &Method, path: &'a str, account_sid: &str) -> Self {
        if let Some(number) = path.strip_prefix("/v2/PhoneNumbers/") {
            return match method.as_str() {
                _ if number.is_empty() || number.contains('/') => Self::Unknown,
                "GET" => Self::LookUp(number),
                _ => Self::MethodNotAllowed,
            };
        }
        if let Some(rest) = path.strip_prefix("/v1/Services") {
            return Self::of_services(method, rest);
        }
        if let Some((account, file)) = path.strip_prefix("/media/").and_then(|p| p.split_once('/'))
        {
            return match method.as_str() {
                _ if account != account_sid || file.contains('/') => Self::Unknown,
                "GET" | "HEAD" => Self::Download(file),
                _ => Self::MethodNotAllowed,
            };
        }
        let Some(rest) = path.strip_prefix("/2010-04-01/Accounts/") else { return Self::Unknown };
        let Some(rest) = rest.strip_prefix(account_sid) else { return Self::Unknown };
        if matches!(rest, "" | ".json") {
            return if method == Method::GET { Self::FetchAccount } else { Self::MethodNotAllowed };
        }
        let Some(rest) = rest.strip_prefix('/') else { return Self::Unknown };
        let (rest, is_json) = match rest.strip_suffix(".json") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let below = rest.strip_prefix("Messages/").and_then(|rest| rest.split_once("/Media"));
        if let Some((message, file)) = below {
            let message = message.parse().ok();
            return match (file.strip_prefix('/'), method.as_str()) {
                (None, _) if !file.is_empty() => Self::Unknown,
                (None, "GET") => Self::ListMedia(message),
                (Some(file), _) if file.is_empty() || file.contains('/') => Self::Unknown,
                (Some(file), "GET") if is_json => Self::FetchMedia(message, file),
                (Some(file), "GET" | "HEAD") => Self::MediaFile(message, file),
                (Some(file), "DELETE") => Self::DeleteMedia(message, file),
                _ => Self::MethodNotAllowed,
            };
        }
        let (collection, item) = match rest.split_once('/') {
            Some((collection, item)) => (collection, Some(item)),
            None => (rest, None),
        };
        match (collection, item, method.as_str()) {
            (_, Some(item), _) if item.contains('/') || item.is_empty() => Self::Unknown,
            ("Messages", None, "POST") => Self::CreateMessage,
            ("Messages", None, "GET") => Self::ListMessages,
            ("Messages", Some(sid), "GET") => Self::FetchMessage(sid.parse().ok()),
            ("Messages", Some(sid), "POST") => Self::UpdateMessage(sid.parse().ok()),
            ("Messages", Some(sid), "DELETE") => Self::DeleteMessage(sid.parse().ok()),
            ("IncomingPhoneNumbers", None, "GET") => Self::ListNumbers,
            ("IncomingPhoneNumbers", None, "POST") => Self::CreateNumber,
            ("IncomingPhoneNumbers", Some(sid), "GET") => Self::FetchNumber(sid),
            ("IncomingPhoneNumbers", Some(sid), "POST") => Self::UpdateNumber(sid),
            ("Messages" | "IncomingPhoneNumbers", ..) => Self::MethodNotAllowed,
            _ => Self::Unknown,
        }
    }

    /// The operation on Messaging Services that the part of a path behind `/v1/Services` asks for.
    fn of_services(method: &Method, rest: &'a str) -> Self {
        let mut parts = rest.strip_prefix('/').unwrap_or(rest).split('/');
        let parts = (parts.next().unwrap_or_default(), parts.next(), parts.next(), parts.next());
        match (parts, method.as_str()) {
            ((_, _, _, Some(_)), _) => Self::Unknown,
            _ if !rest.is_empty() && !rest.starts_with('/') => Self::Unknown,
            (("", None, ..), "POST") => Self::CreateService,
            (("", None, ..), "GET") => Self::ListServices,
            (("", Some(_), ..), _) => Self::Unknown,
            ((sid, None, ..), "GET") => Self::FetchService(sid),
            ((sid, None, ..), "POST") => Self::UpdateService(sid),
            ((sid, None, ..), "DELETE") => Self::DeleteService(sid),
            ((sid, Some("PhoneNumbers"), None, _), "POST") => Self::AddToPool(sid),
            ((sid, Some("PhoneNumbers"), None, _), "GET") => Self::ListPool(sid),
            ((service, Some("PhoneNumbers"), Some(sid), _), "GET") => {
                Self::FetchOfPool(service, sid)
            }
            ((service, Some("PhoneNumbers"), Some(sid), _), "DELETE") => {
                Self::RemoveFromPool(service, sid)
            }
            ((_, None | Some("PhoneNumbers"), ..), _) => Self::MethodNotAllowed,
            _ => Self::Unknown,
        }
    }

    /// The exchange's name in the journal, by which faults are armed.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateMessage => "twilio.messages.create",
            Self::ListMessages => "twilio.messages.list",
            Self::FetchMessage(_) => "twilio.messages.fetch",
            Self::UpdateMessage(_) => "twilio.messages.update",
            Self::DeleteMessage(_) => "twilio.messages.delete",
            Self::ListMedia(_) => "twilio.media.list",
            Self::FetchMedia(..) => "twilio.media.fetch",
            Self::MediaFile(..) => "twilio.media.download",
            Self::Download(_) => "twilio.media.file",
            Self::DeleteMedia(..) => "twilio.media.delete",
            Self::ListNumbers => "twilio.numbers.list",
            Self::CreateNumber => "twilio.numbers.create",
            Self::FetchNumber(_) => "twilio.numbers.fetch",
            Self::UpdateNumber(_) => "twilio.numbers.update",
            Self::FetchAccount => "twilio.accounts.fetch",
            Self::CreateService => "twilio.services.create",
            Self::ListServices => "twilio.services.list",
            Self::FetchService(_) => "twilio.services.fetch",
            Self::UpdateService(_) => "twilio.services.update",
            Self::DeleteService(_) => "twilio.services.delete",
            Self::AddToPool(_) => "twilio.pool.create",
            Self::ListPool(_) => "twilio.pool.list",
            Self::FetchOfPool(..) => "twilio.pool.fetch",
            Self::RemoveFromPool(..) => "twilio.pool.delete",
            Self::LookUp(_) => "twilio.lookups.fetch",
            Self::MethodNotAllowed | Self::Unknown => "twilio.unknown",
        }
    }
}

/// Form parameters in the order in which they were sent. A key may occur several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of a key; `None` when it is empty or missing.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.given(key).filter(|value| !value.is_empty())
    }

    /// The first value of a key, which may be empty.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of a key.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
