//! `[services]`: AWS services that another emulator on this machine gives the functions.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use url::{Host, Url};

use rehearse_core::names::nearest;

/// Services by their names in the AWS CLI, with the service's id as the SDKs write it in the names of variables: in
/// capitals, with `_` for each space.
const SERVICES: [(&str, &str); 36] = [
    ("apigatewaymanagementapi", "APIGATEWAYMANAGEMENTAPI"),
    ("appconfigdata", "APPCONFIGDATA"),
    ("athena", "ATHENA"),
    ("bedrock-runtime", "BEDROCK_RUNTIME"),
    ("cloudformation", "CLOUDFORMATION"),
    ("cloudwatch", "CLOUDWATCH"),
    ("cognito-identity", "COGNITO_IDENTITY"),
    ("cognito-idp", "COGNITO_IDENTITY_PROVIDER"),
    ("comprehend", "COMPREHEND"),
    ("dynamodbstreams", "DYNAMODB_STREAMS"),
    ("ec2", "EC2"),
    ("ecs", "ECS"),
    ("events", "EVENTBRIDGE"),
    ("firehose", "FIREHOSE"),
    ("glue", "GLUE"),
    ("iam", "IAM"),
    ("kinesis", "KINESIS"),
    ("kms", "KMS"),
    ("logs", "CLOUDWATCH_LOGS"),
    ("polly", "POLLY"),
    ("rds-data", "RDS_DATA"),
    ("rekognition", "REKOGNITION"),
    ("route53", "ROUTE_53"),
    ("s3", "S3"),
    ("scheduler", "SCHEDULER"),
    ("secretsmanager", "SECRETS_MANAGER"),
    ("ses", "SES"),
    ("sesv2", "SESV2"),
    ("sns", "SNS"),
    ("sqs", "SQS"),
    ("ssm", "SSM"),
    ("stepfunctions", "SFN"),
    ("sts", "STS"),
    ("textract", "TEXTRACT"),
    ("transcribe", "TRANSCRIBE"),
    ("translate", "TRANSLATE"),
];

/// Services by name, with the URL of what stands in for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Services(BTreeMap<ServiceName, ServiceUrl>);

/// The name of a service in the AWS CLI, `stepfunctions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct ServiceName(String);

/// A URL on this machine, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ServiceUrl(String);

impl Services {
    /// The variables by which the SDKs find them: `AWS_ENDPOINT_URL_SFN`.
    pub fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().filter_map(|(ServiceName(name), ServiceUrl(url))| {
            let (_, id) = SERVICES.iter().find(|(known, _)| known == name)?;
            Some((format!("AWS_ENDPOINT_URL_{id}"), url.clone()))
        })
    }
}

impl TryFrom<String> for ServiceName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if SERVICES.iter().any(|(known, _)| *known == name) {
            return Ok(Self(name));
        }
        let advice = match name.as_str() {
            "dynamodb" => {
                "rehearse emulates DynamoDB itself: for another server use `--dynamodb docker` or `--dynamodb URL`"
                    .to_owned()
            }
            "lambda" => "rehearse invokes the template's functions itself: AWS_ENDPOINT_URL_LAMBDA under \
                         [environment] names another Lambda"
                .to_owned(),
            _ => {
                // Also by the id in the variable's name, and by the spellings of other tools.
                let spelt: String =
                    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
                let by_id = SERVICES.iter().find(|(known, id)| {
                    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
                    plain(id) == spelt || plain(known) == spelt
                });
                let meant = by_id.map(|(known, _)| *known);
                match meant.or_else(|| nearest(&name, SERVICES.iter().map(|(known, _)| *known))) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "AWS_ENDPOINT_URL_<SERVICE_ID> under [environment] names a service that is not known here"
                        .to_owned(),
                }
            }
        };
        Err(format!("`{name}` is not a service for [services]; {advice}"))
    }
}

impl TryFrom<String> for ServiceUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` {why}, such as http://127.0.0.1:4566");
        let url = Url::parse(&text).map_err(|_| wrong("is not a URL"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(wrong("is not a URL"));
        }
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if !is_loopback {
            return Err(wrong(
                "is not on this machine: nothing in a world may leave it. Give a loopback address",
            ));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong("has more than an address"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl JsonSchema for Services {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Services".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let url = serde_json::json!({ "type": "string", "format": "uri" });
        let names = SERVICES.iter().map(|(name, _)| ((*name).to_owned(), url.clone()));
        json_schema!({
            "description": "URLs on this machine of what stands in for AWS services, by their names in the AWS CLI",
            "type": "object",
            "properties": names.collect::<serde_json::Map<_, _>>(),
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn error(line: &str) -> String {
        Settings::parse("rehearse.toml", &format!("[services]\n{line}\n")).unwrap_err().to_string()
    }

    #[test]
    fn services_are_found_by_the_ids_of_the_sdks() {
        let text = "[services]\ns3 = \"http://127.0.0.1:4566/\"\nsqs = \"http://localhost:4567\"\n\
                    stepfunctions = \"http://[::1]:4566\"\ncognito-idp = \"https://a.localhost:1\"\n";
        let settings = Settings::parse("rehearse.toml", text).unwrap();
        let found: Vec<(String, String)> = settings.services.variables().collect();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            found,
            [
                ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "https://a.localhost:1"),
                ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4566"),
                ("AWS_ENDPOINT_URL_SQS", "http://localhost:4567"),
                ("AWS_ENDPOINT_URL_SFN", "http://[::1]:4566"),
            ]
        );
    }

    #[test]
    fn names_and_addresses_that_are_wrong_are_pointed_at() {
        for (line, says) in [
            ("s33 = \"http://127.0.0.1:1\"", "did you mean `s3`?"),
            ("sfn = \"http://127.0.0.1:1\"", "did you mean `stepfunctions`?"),
            ("step_functions = \"http://127.0.0.1:1\"", "did you mean `stepfunctions`?"),
            ("eventbridge = \"http://127.0.0.1:1\"", "did you mean `events`?"),
            ("quantumledgerdatabase = \"http://127.0.0.1:1\"", "AWS_ENDPOINT_URL_<SERVICE_ID>"),
            ("dynamodb = \"http://127.0.0.1:1\"", "`--dynamodb URL`"),
            ("lambda = \"http://127.0.0.1:1\"", "AWS_ENDPOINT_URL_LAMBDA"),
            ("s3 = \"https://s3.amazonaws.com\"", "is not on this machine"),
            ("s3 = \"http://10.0.0.1:4566\"", "is not on this machine"),
            ("s3 = \"http://localhost.example.com:1\"", "is not on this machine"),
            ("s3 = \"127.0.0.1:4566\"", "is not a URL"),
            ("s3 = \"http://127.0.0.1:1/?a=b\"", "has more than an address"),
        ] {
            let found = error(line);
            assert!(found.contains(says) && found.contains('^'), "{line}: {found}");
        }
    }
}
