//! The form of a status callback.

use super::{Message, Status, course::StatusChange};

/// The form parameters of a status callback, in the order in which Twilio sends them.
pub(crate) fn callback_params(
    message: &Message,
    told: StatusChange,
    account_sid: &str,
) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::with_capacity(11);
    let mut add = |key: &str, value: &str| params.push((key.to_owned(), value.to_owned()));
    let (sid, status) = (message.sid.to_string(), told.status.as_str());
    if let Some(code) = told.error {
        add("ErrorCode", &code.to_string());
    }
    if matches!(told.status, Status::Delivered | Status::Undelivered) {
        add("RawDlrDoneDate", &message.updated.strftime("%y%m%d%H%M").to_string());
    }
    add("SmsSid", &sid);
    add("SmsStatus", status);
    add("MessageStatus", status);
    add("To", &message.to);
    add("MessageSid", &sid);
    add("AccountSid", account_sid);
    if let Some(service) = &message.service {
        add("MessagingServiceSid", service);
    }
    add("From", message.from.as_deref().unwrap_or_default());
    add("ApiVersion", "2010-04-01");
    params
}
