//! A function as the extension knows it, and how long its values are cached.

use std::{collections::BTreeMap, time::Duration};

use super::request::Store;

/// How long both stores' values are cached, unless the environment says otherwise; also the most.
const TTL: Duration = Duration::from_secs(300);

/// A function's session with its extension's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Logical id.
    pub function: String,
    ttl_of_parameters: Duration,
    ttl_of_secrets: Duration,
}

impl Session {
    /// The session of a function with this environment.
    ///
    /// It reads `SSM_PARAMETER_STORE_TTL` and `SECRETS_MANAGER_TTL` (seconds, 300 at most and by
    /// default), and `PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED` and `..._CACHE_SIZE`, which can turn
    /// the cache off.
    pub fn new(function: &str, environment: &BTreeMap<String, String>) -> Self {
        let value = |name: &str| environment.get(name).map(|value| value.trim());
        let is_off = value("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED")
            .is_some_and(|enabled| enabled.eq_ignore_ascii_case("false"))
            || value("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE") == Some("0");
        let ttl = |name: &str| {
            if is_off {
                return Duration::ZERO;
            }
            let seconds = value(name).and_then(|seconds| seconds.parse().ok());
            seconds.map_or(TTL, Duration::from_secs).min(TTL)
        };
        Self {
            function: function.to_owned(),
            ttl_of_parameters: ttl("SSM_PARAMETER_STORE_TTL"),
            ttl_of_secrets: ttl("SECRETS_MANAGER_TTL"),
        }
    }

    /// The session token of a function, as in its `AWS_SESSION_TOKEN`.
    pub fn token(function: &str) -> String {
        format!("rehearse-session-{function}")
    }

    /// Whether a layer is the extension, by its name in the ARN or in the name of a parameter.
    pub fn is_extension(layer: &str) -> bool {
        layer.to_ascii_lowercase().contains("aws-parameters-and-secrets-lambda-extension")
    }

    pub(super) fn ttl(&self, store: Store) -> Duration {
        match store {
            Store::Parameters => self.ttl_of_parameters,
            Store::SecretsManager => self.ttl_of_secrets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_for_five_minutes_unless_the_environment_says_otherwise() {
        let ttl = |pairs: &[(&str, &str)], store| {
            let vars = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
            Session::new("F", &vars).ttl(store).as_secs()
        };
        assert_eq!(ttl(&[], Store::Parameters), 300);
        assert_eq!(ttl(&[("SSM_PARAMETER_STORE_TTL", "7")], Store::Parameters), 7);
        assert_eq!(ttl(&[("SSM_PARAMETER_STORE_TTL", "7")], Store::SecretsManager), 300);
        assert_eq!(ttl(&[("SECRETS_MANAGER_TTL", "9999")], Store::SecretsManager), 300);
        for off in [
            ("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "FALSE"),
            ("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "0"),
        ] {
            assert_eq!(ttl(&[off], Store::Parameters), 0);
        }
    }
}
