//! `Messages/{sid}/Media`: the files of messages.

use http::header;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    ApiResponse,
    error::ApiError,
    messages::{self, rfc2822},
    page::{PageLinks, PageRequest},
    request::Params,
};
use crate::{Sid, account::Account, media::MediaFile};

#[derive(Debug, Serialize)]
pub(super) struct MediaPage {
    media_list: Vec<Value>,
    #[serde(flatten)]
    links: PageLinks,
}

/// The files of a message, in pages.
///
/// # Errors
/// 20007, the page size is too large; 20404, there is no such message; 21481, the page token is not valid.
pub(super) fn list(
    account: &Account,
    message: Option<Sid>,
    path: &str,
    query: &Params,
) -> Result<MediaPage, ApiError> {
    let message = messages::fetch(account, message, path)?.sid;
    let asked = PageRequest::read(query)?;
    let state = account.state();
    let files: Vec<&MediaFile> = state.media.of(message).collect();
    let sids: Vec<&str> = files.iter().map(|file| file.sid.as_str()).collect();
    let part = asked.part(&sids)?;
    let page = files.get(part.records).unwrap_or_default();
    let is_filter = |key: &str| key.starts_with("DateCreated");
    Ok(MediaPage {
        links: asked.links(path, query, is_filter, page.len(), (part.next, part.previous)),
        media_list: page.iter().map(|file| resource(account, file)).collect(),
    })
}

/// # Errors
/// 20404, the message has no such file.
pub(super) fn fetch(
    account: &Account,
    message: Option<Sid>,
    sid: &str,
    path: &str,
) -> Result<Value, ApiError> {
    let state = account.state();
    let file = state.media.get(sid).filter(|file| Some(file.message) == message);
    file.map(|file| resource(account, file)).ok_or_else(|| ApiError::not_found(path))
}

/// Leads to the file itself, which Twilio keeps elsewhere.
///
/// # Errors
/// 20404, the message has no such file.
pub(super) fn redirect(
    account: &Account,
    base: &str,
    message: Option<Sid>,
    sid: &str,
    path: &str,
) -> Result<ApiResponse, ApiError> {
    fetch(account, message, sid, path)?;
    let to = format!("{base}/media/{}/{sid}", account.options.account_sid);
    Ok(ApiResponse {
        status: 307,
        body: Vec::new(),
        journaled: Value::Null,
        headers: vec![(header::LOCATION, to)],
    })
}

/// The file itself.
///
/// # Errors
/// 20404, there is no such file.
pub(super) fn download(account: &Account, sid: &str, path: &str) -> Result<ApiResponse, ApiError> {
    let state = account.state();
    let file = state.media.get(sid).ok_or_else(|| ApiError::not_found(path))?;
    Ok(ApiResponse {
        status: 200,
        body: file.bytes.to_vec(),
        journaled: json!({ "content_type": file.content_type, "bytes": file.bytes.len() }),
        headers: vec![(header::CONTENT_TYPE, file.content_type.clone())],
    })
}

/// # Errors
/// 20404, the message has no such file.
pub(super) fn delete(
    account: &Account,
    message: Option<Sid>,
    sid: &str,
    path: &str,
) -> Result<(), ApiError> {
    let is_gone = message.is_some_and(|message| account.state().media.remove(message, sid));
    if is_gone { Ok(()) } else { Err(ApiError::not_found(path)) }
}

/// A file as the API shows it.
fn resource(account: &Account, file: &MediaFile) -> Value {
    let account_sid = &account.options.account_sid;
    let created = rfc2822(file.created);
    let (sid, message) = (&file.sid, file.message.to_string());
    json!({
        "sid": sid,
        "account_sid": account_sid,
        "parent_sid": message,
        "content_type": file.content_type,
        "date_created": created,
        "date_updated": created,
        "uri": format!("/2010-04-01/Accounts/{account_sid}/Messages/{message}/Media/{sid}.json"),
    })
}
