//! Requests for a secret, and their responses.

use serde_json::{Value, json};

use rehearse_core::faults::Failure;

/// The stores of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Store {
    Parameters,
    SecretsManager,
}

/// A request for a secret of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretRequest {
    pub(super) store: Store,
    /// The name as it was requested, perhaps an ARN.
    pub(super) name: String,
    /// Whether the value is decrypted; always so for Secrets Manager.
    pub(super) decrypted: bool,
}

impl SecretRequest {
    /// Reads a path and its query.
    ///
    /// # Errors
    /// What is wrong with them, as text for the client.
    pub(super) fn read(path: &str, query: &str) -> Result<Self, String> {
        let (store, key) = match path.trim_end_matches('/') {
            "/systemsmanager/parameters/get" => (Store::Parameters, "name"),
            "/secretsmanager/get" => (Store::SecretsManager, "secretId"),
            _ => return Err(format!("there is no {path}")),
        };
        let mut name = None;
        let mut decrypted = store == Store::SecretsManager;
        for (given, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*given {
                given if given == key => name = Some(value.into_owned()),
                "withDecryption" => decrypted = value == "true",
                // Versions: there is only the current one.
                "version" | "label" | "versionId" | "versionStage" => {}
                other => return Err(format!("unknown parameter {other}")),
            }
        }
        let name = name.filter(|name| !name.is_empty()).ok_or(format!("{key} is missing"))?;
        Ok(Self { store, name, decrypted })
    }

    /// The exchange's name in the journal.
    pub(super) fn exchange_name(&self) -> String {
        let service = match self.store {
            Store::Parameters => "ssm",
            Store::SecretsManager => "secretsmanager",
        };
        format!("{service}.{}", self.operation())
    }

    /// The store's operation that the extension calls.
    pub(super) fn operation(&self) -> &'static str {
        match self.store {
            Store::Parameters => "GetParameter",
            Store::SecretsManager => "GetSecretValue",
        }
    }

    /// The name without an ARN around it.
    pub(super) fn plain_name(&self) -> &str {
        let name = match self.store {
            Store::Parameters => self.name.split_once(":parameter").map(|(_, name)| name),
            Store::SecretsManager => self.name.split_once(":secret:").map(|(_, name)| name),
        };
        name.unwrap_or(&self.name)
    }

    /// The store's error for a name that it does not have.
    pub(super) fn not_found(&self) -> &'static str {
        match self.store {
            Store::Parameters => "ParameterNotFound",
            Store::SecretsManager => "ResourceNotFoundException",
        }
    }

    /// The response with a value.
    pub(super) fn response(&self, value: &str) -> Value {
        let name = &self.name;
        match self.store {
            Store::Parameters => {
                // Without decryption a SecureString is its encrypted form.
                let value = if self.decrypted { value } else { "AQICAHencrypted" };
                json!({
                    "Parameter": {
                        "Name": name,
                        "Type": "SecureString",
                        "Value": value,
                        "Version": 1,
                        "DataType": "text",
                    },
                    "ResultMetadata": {},
                })
            }
            Store::SecretsManager => json!({
                "Name": name,
                "SecretString": value,
                "VersionStages": ["AWSCURRENT"],
                "ResultMetadata": {},
            }),
        }
    }
}

/// The status and the error code of an armed failure; `None` if it has neither.
pub(super) fn failure(failure: &Failure) -> Option<(u16, String)> {
    let status = failure.status.or_else(|| failure.code.as_ref().map(|_| 400))?;
    let code = failure.code.clone().unwrap_or_else(|| match status {
        400..=499 => "ThrottlingException".into(),
        _ => "InternalServerError".into(),
    });
    Some((status, code))
}
