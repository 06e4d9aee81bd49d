//! Where a secret comes from: a variable, or a store of AWS.
//!
//! The secret `X` is the value of the variable `X`; or the parameter of Parameter Store that
//! `X_PARAMETER` names; or the secret of Secrets Manager that `X_SECRET` names. The plain value
//! takes precedence; it is for developers' machines.

use super::{Secret, values, var_reader::VarReader};

/// Default port of the secrets extension.
const DEFAULT_PORT: &str = "2773";

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The value itself.
    Plain(Secret),
    /// A name in a store.
    Stored(StoredSecret),
}

/// A secret in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// The variable that it stands for, such as `OPENAI_API_KEY`.
    pub variable: &'static str,
    /// The store that holds it.
    pub store: SecretStore,
    /// Its name in the store, or its ARN.
    pub name: String,
    /// Port of the secrets extension on localhost.
    pub port: u16,
    /// The function's session token, which the extension requires.
    pub session_token: Secret,
}

/// A store of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretStore {
    /// Parameter Store of Systems Manager.
    ParameterStore,
    /// Secrets Manager.
    SecretsManager,
}

/// The three variables of a secret: its value, its parameter's name, its secret's name.
pub(super) type SecretVariables = [&'static str; 3];

pub(super) const OPENAI_API_KEY: SecretVariables =
    ["OPENAI_API_KEY", "OPENAI_API_KEY_PARAMETER", "OPENAI_API_KEY_SECRET"];
pub(super) const TWILIO_AUTH_TOKEN: SecretVariables =
    ["TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_PARAMETER", "TWILIO_AUTH_TOKEN_SECRET"];
pub(super) const ADMIN_TOKEN: SecretVariables =
    ["ADMIN_TOKEN", "ADMIN_TOKEN_PARAMETER", "ADMIN_TOKEN_SECRET"];

/// Reads a required secret.
pub(super) fn required(reader: &mut VarReader<'_>, names: SecretVariables) -> Option<SecretSource> {
    if !names.iter().any(|name| reader.is_set(name)) {
        reader.missing(names[0]);
    }
    optional(reader, names)
}

/// Reads an optional secret.
pub(super) fn optional(reader: &mut VarReader<'_>, names: SecretVariables) -> Option<SecretSource> {
    let [value, parameter, secret] = names;
    if reader.is_set(value) {
        return reader.optional(value, values::secret).map(SecretSource::Plain);
    }
    let (store, name) = match (reader.is_set(parameter), reader.is_set(secret)) {
        (false, false) => return None,
        (true, true) => {
            reader.invalid(secret, "left out where a parameter is named too");
            return None;
        }
        (true, false) => (SecretStore::ParameterStore, parameter),
        (false, true) => (SecretStore::SecretsManager, secret),
    };
    let name = reader.optional(name, values::text);
    let port =
        reader.with_default("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", DEFAULT_PORT, values::port);
    let session_token = reader.required("AWS_SESSION_TOKEN", values::header_secret);
    Some(SecretSource::Stored(StoredSecret {
        variable: value,
        store,
        name: name?,
        port: port?,
        session_token: session_token?,
    }))
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigError, StateConfig, Vars};

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<SecretSource>, ConfigError> {
        let aws = [("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")];
        let vars: Vars = aws.iter().chain(pairs).map(|(n, v)| ((*n).into(), (*v).into())).collect();
        StateConfig::from_vars(&vars).map(|config| config.admin_token)
    }

    #[test]
    fn a_name_needs_the_functions_session_and_has_the_extensions_usual_port() {
        let named = ("ADMIN_TOKEN_PARAMETER", "/rehearse/admin-token");
        assert_eq!(read(&[named]).unwrap_err().missing, ["AWS_SESSION_TOKEN"]);
        let session = ("AWS_SESSION_TOKEN", "session");
        let stored = |store, name: &str, port| {
            SecretSource::Stored(StoredSecret {
                variable: "ADMIN_TOKEN",
                store,
                name: name.into(),
                port,
                session_token: Secret::new("session"),
            })
        };
        let parameter = stored(SecretStore::ParameterStore, "/rehearse/admin-token", 2773);
        assert_eq!(read(&[named, session]).unwrap(), Some(parameter));
        let port = ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "4050");
        let secret = stored(SecretStore::SecretsManager, "admin", 4050);
        assert_eq!(read(&[("ADMIN_TOKEN_SECRET", "admin"), session, port]).unwrap(), Some(secret));
    }

    #[test]
    fn a_plain_value_goes_first_and_two_names_are_one_too_many() {
        let parameter = ("ADMIN_TOKEN_PARAMETER", "a");
        let plain = read(&[("ADMIN_TOKEN", "s3cret"), parameter]).unwrap();
        assert_eq!(plain, Some(SecretSource::Plain(Secret::new("s3cret"))));
        let error = read(&[parameter, ("ADMIN_TOKEN_SECRET", "b")]).unwrap_err();
        assert_eq!(error.invalid[0].name, "ADMIN_TOKEN_SECRET");
        let port = ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "70000");
        let error = read(&[parameter, port, ("AWS_SESSION_TOKEN", "s")]).unwrap_err();
        assert_eq!(error.invalid[0].expected, "a port");
        assert_eq!(read(&[]).unwrap(), None);
    }
}
