//! What is asked for, and what it looks like on the wire.

use serde_json::{Value, json};

use rehearse_core::faults::Failure;

/// What keeps a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Store {
    Parameters,
    SecretsManager,
}

/// A question: which secret of which store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretRequest {
    pub(super) store: Store,
    /// Name, as it was asked for.
    pub(super) name: String,
    /// Whether the value is to be readable; always so for Secrets Manager.
    pub(super) decrypted: bool,
}

impl SecretRequest {
    /// Reads a path and its query; the error is for the caller.
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
    pub(super) fn exchange_detail(&self) -> String {
        let service = match self.store {
            Store::Parameters => "ssm",
            Store::SecretsManager => "secretsmanager",
        };
        format!("{service}.{}", self.operation())
    }

    /// The operation of the store that the extension calls.
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

    /// The error of the store when it has no such name.
    pub(super) fn not_found(&self) -> &'static str {
        match self.store {
            Store::Parameters => "ParameterNotFound",
            Store::SecretsManager => "ResourceNotFoundException",
        }
    }

    /// The answer with a value.
    pub(super) fn answer(&self, value: &str) -> Value {
        let name = &self.name;
        match self.store {
            Store::Parameters => {
                // Without decryption a SecureString is what the key made of it.
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

/// How a failure that was armed looks: status and error code.
pub(super) fn failure(failure: &Failure) -> Option<(u16, String)> {
    let status = failure.status.or_else(|| failure.code.as_ref().map(|_| 400))?;
    let code = failure.code.clone().unwrap_or_else(|| match status {
        400..=499 => "ThrottlingException".into(),
        _ => "InternalServerError".into(),
    });
    Some((status, code))
}
