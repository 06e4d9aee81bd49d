//! The keys with which calls to Lambda are signed.

use std::collections::BTreeMap;

use rehearse_aws::events::Credentials;

/// The keys that are valid at Lambda: each function's, and a shell's.
pub(super) fn keys(environments: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<Credentials> {
    let of = |environment: &BTreeMap<String, String>, function: Option<&String>| {
        let value = |name: &str| environment.get(name).map_or("rehearse", String::as_str);
        Credentials {
            function: function.cloned(),
            access_key_id: value("AWS_ACCESS_KEY_ID").to_owned(),
            secret_access_key: value("AWS_SECRET_ACCESS_KEY").to_owned(),
            session_token: function.and(environment.get("AWS_SESSION_TOKEN")).cloned(),
        }
    };
    let functions = environments.iter().filter(|(id, _)| !id.is_empty());
    let mut all: Vec<_> = functions.map(|(id, of_it)| of(of_it, Some(id))).collect();
    // A shell has the keys that all functions share.
    for environment in environments.values() {
        let shell = of(environment, None);
        if !all.contains(&shell) {
            all.push(shell);
        }
    }
    all
}
