//! `GET Accounts/{sid}.json`: the account itself.

use serde_json::{Map, Value, json};

use super::messages::rfc2822;
use crate::account::Account;

/// The lists below an account, which the response links to.
const LISTS: [&str; 4] = ["Applications", "IncomingPhoneNumbers", "Keys", "Messages"];

/// The account as the API shows it.
pub(super) fn fetch(account: &Account) -> Value {
    let sid = &account.options.account_sid;
    let base = format!("/2010-04-01/Accounts/{sid}");
    let started = rfc2822(account.started);
    let below = |name: &str| {
        let uri = format!("{base}/{name}.json");
        let key: String = name
            .chars()
            .enumerate()
            .flat_map(|(at, c)| {
                let underscore = (at > 0 && c.is_uppercase()).then_some('_');
                underscore.into_iter().chain(c.to_lowercase())
            })
            .collect();
        (key, Value::String(uri))
    };
    let lists: Map<String, Value> = LISTS.into_iter().map(below).collect();
    json!({
        "status": "active",
        "date_updated": started,
        "auth_token": account.state().auth_token,
        "friendly_name": "rehearse",
        "owner_account_sid": sid,
        "uri": format!("{base}.json"),
        "sid": sid,
        "date_created": started,
        "type": "Full",
        "subresource_uris": lists,
    })
}
