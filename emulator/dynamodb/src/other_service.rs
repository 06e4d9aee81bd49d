//! Calls of other AWS services, which are refused.
//!
//! `AWS_ENDPOINT_URL` is where an SDK sends the calls of every service that has no endpoint of its own.
//! In a world it leads here, so that nothing reaches AWS. Which service a call is for stands in the
//! credential scope of its signature: `20260101/us-east-1/s3/aws4_request`.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::wire::EngineResponse;
use rehearse_core::journal::{ExchangeDetail, Outcome, PendingExchange};

/// The code of the error.
const CODE: &str = "NotEmulated";

/// Not one that SDKs send a call again for.
const STATUS: StatusCode = StatusCode::NOT_IMPLEMENTED;

/// Services by their names in credential scopes: what they are called, and how the SDKs spell them in
/// the names of variables (`AWS_ENDPOINT_URL_S3`).
const SERVICES: [(&str, &str, &str); 16] = [
    ("bedrock", "Amazon Bedrock", "BEDROCK_RUNTIME"),
    ("cognito-idp", "Amazon Cognito", "COGNITO_IDENTITY_PROVIDER"),
    ("email", "Amazon SES", "SES"),
    ("events", "Amazon EventBridge", "EVENTBRIDGE"),
    ("execute-api", "Amazon API Gateway", "APIGATEWAYMANAGEMENTAPI"),
    ("firehose", "Amazon Data Firehose", "FIREHOSE"),
    ("kinesis", "Amazon Kinesis", "KINESIS"),
    ("kms", "AWS KMS", "KMS"),
    ("lambda", "AWS Lambda", "LAMBDA"),
    ("logs", "Amazon CloudWatch Logs", "CLOUDWATCH_LOGS"),
    ("monitoring", "Amazon CloudWatch", "CLOUDWATCH"),
    ("s3", "Amazon S3", "S3"),
    ("sns", "Amazon SNS", "SNS"),
    ("sqs", "Amazon SQS", "SQS"),
    ("states", "AWS Step Functions", "SFN"),
    ("sts", "AWS STS", "STS"),
];

/// Stores of secrets, which the emulated extension serves.
const STORES: [(&str, &str, &str); 2] = [
    ("secretsmanager", "AWS Secrets Manager", "SECRETS_MANAGER"),
    ("ssm", "AWS Systems Manager", "SSM"),
];

/// A call of another service.
#[derive(Debug)]
pub(super) struct OtherCall {
    service: String,
    method: String,
    path: String,
    operation: Option<String>,
    format: ErrorFormat,
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorFormat {
    Json,
    Query,
    S3,
}

impl OtherCall {
    /// The call of another service that a request is; `None` for one of DynamoDB, and for one without
    /// a signature.
    pub(super) fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<Self> {
        let service = service(headers, uri)?;
        if service.eq_ignore_ascii_case("dynamodb") {
            return None;
        }
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let is_form = text(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let target = text(header::HeaderName::from_static("x-amz-target"));
        let operation = match target {
            Some(target) => target.rsplit('.').next().map(str::to_owned),
            None if is_form => std::str::from_utf8(body).ok().and_then(action),
            None => None,
        };
        let format = match service.as_str() {
            "s3" => ErrorFormat::S3,
            _ if is_form => ErrorFormat::Query,
            _ => ErrorFormat::Json,
        };
        let (method, path) = (method.to_string(), uri.path().to_owned());
        Some(Self { service, method, path, operation, format })
    }

    /// Its name in the journal.
    pub(super) fn name(&self) -> String {
        format!("aws.{}", self.service)
    }

    pub(super) fn detail(&self, function: Option<&str>) -> ExchangeDetail {
        ExchangeDetail::OtherService {
            function: function.map(str::to_owned),
            service: self.service.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            operation: self.operation.clone(),
        }
    }

    /// Refuses it: records the refusal and returns it as the service would write it.
    pub(super) fn refuse(&self, exchange: PendingExchange) -> EngineResponse {
        let message = self.message();
        exchange.span().in_scope(|| tracing::warn!(message, "a call of AWS was refused"));
        let response = Value::String(message.clone());
        exchange.end(Outcome::status(STATUS.as_u16(), response).with_error(CODE));
        let (kind, body) = match self.format {
            ErrorFormat::Json => {
                let body = json!({ "__type": CODE, "message": message });
                ("application/json", body.to_string())
            }
            ErrorFormat::S3 => {
                let message = escape(&message);
                let body =
                    format!("<Error><Code>{CODE}</Code><Message>{message}</Message></Error>");
                ("application/xml", body)
            }
            ErrorFormat::Query => {
                let message = escape(&message);
                let body = format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{CODE}</Code>\
                     <Message>{message}</Message></Error></ErrorResponse>"
                );
                ("text/xml", body)
            }
        };
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = STATUS;
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        parts.headers.insert("x-amzn-errortype", HeaderValue::from_static(CODE));
        (parts, Bytes::from(body))
    }

    /// What is wrong, and what to do.
    fn message(&self) -> String {
        let Self { service, method, path, operation, .. } = self;
        let what = operation.clone().unwrap_or_else(|| format!("{method} {path}"));
        let known = |table: &[(&'static str, &'static str, &'static str)]| {
            table.iter().find(|(scope, ..)| scope == service).copied()
        };
        if let Some((_, title, variable)) = known(&STORES) {
            return format!(
                "rehearse does not emulate {title} itself ({service}: {what}): give the function the \
                 value under [environment] in rehearse.toml, let it ask the AWS Parameters and Secrets \
                 Extension, which serves what is under [secrets], or name a stand-in of yours as \
                 AWS_ENDPOINT_URL_{variable} under [environment]"
            );
        }
        let variable = known(&SERVICES).map_or("<SERVICE>", |(_, _, variable)| variable);
        let title = known(&SERVICES).map_or(service.as_str(), |(_, title, _)| title);
        format!(
            "rehearse does not emulate {title} ({service}: {what}): name another emulator's address under \
             [services] in rehearse.toml (the function finds it as AWS_ENDPOINT_URL_{variable}), or let the \
             backend do without it there"
        )
    }
}

/// The service in the credential scope of a request: in its `Authorization` header, or in the query of
/// a URL that was signed beforehand.
fn service(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let by_header = header.and_then(|header| {
        let (_, credential) = header.split_once("Credential=")?;
        of_scope(credential.split([',', ' ']).next()?, '/')
    });
    by_header.or_else(|| {
        let query = uri.query()?.to_ascii_lowercase();
        let (_, credential) = query.split_once("x-amz-credential=")?;
        let credential = credential.split('&').next()?.replace("%2f", "/");
        of_scope(&credential, '/')
    })
}

/// `KEY/20260101/us-east-1/s3/aws4_request`: the fourth part. A key may contain slashes.
fn of_scope(credential: &str, slash: char) -> Option<String> {
    let mut parts = credential.rsplit(slash);
    let (end, service) = (parts.next()?, parts.next()?);
    let is_scope = end == "aws4_request" && parts.count() >= 3 && !service.is_empty();
    is_scope.then(|| service.to_ascii_lowercase())
}

/// The operation of a form: `Action=SendMessage`.
fn action(body: &str) -> Option<String> {
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    Some(action.to_owned())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/SERVICE/aws4_request, \
                          SignedHeaders=host, Signature=0";

    fn read(
        service: &str,
        uri: &str,
        more: &[(&'static str, &str)],
        body: &str,
    ) -> Option<OtherCall> {
        let mut headers = HeaderMap::new();
        let signed = SIGNED.replace("SERVICE", service);
        if !service.is_empty() {
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(signed).unwrap());
        }
        for (name, value) in more {
            headers.insert(*name, HeaderValue::try_from(*value).unwrap());
        }
        OtherCall::read(&Method::PUT, &uri.parse().unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn the_service_is_the_one_of_the_signature() {
        assert!(read("dynamodb", "/", &[], "").is_none());
        assert!(read("", "/health", &[], "").is_none(), "nothing is signed");
        let put = read("s3", "/photos/a.png?x-id=PutObject", &[], "").unwrap();
        assert_eq!((put.name(), put.format), ("aws.s3".into(), ErrorFormat::S3));
        assert!(put.message().contains("Amazon S3 (s3: PUT /photos/a.png)"), "{}", put.message());
        assert!(put.message().contains("AWS_ENDPOINT_URL_S3"), "{}", put.message());
        let signed =
            "/a?X-Amz-Credential=k%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=1";
        assert_eq!(read("", signed, &[], "").unwrap().service, "s3");
    }

    #[test]
    fn the_operation_is_named_where_the_protocol_does_and_secrets_have_a_way() {
        let send = read("sqs", "/", &[("x-amz-target", "AmazonSQS.SendMessage")], "{}").unwrap();
        assert_eq!(send.operation.as_deref(), Some("SendMessage"));
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let publish = read("sns", "/", &form, "Action=Publish&Message=x").unwrap();
        assert_eq!(publish.operation.as_deref(), Some("Publish"));
        assert_eq!(publish.format, ErrorFormat::Query);
        let get = read("ssm", "/", &[("x-amz-target", "AmazonSSM.GetParameter")], "{}").unwrap();
        assert!(get.message().contains("[secrets]"), "{}", get.message());
        let unknown = read("polly", "/v1/speech", &[], "").unwrap();
        assert!(unknown.message().contains("polly"), "{}", unknown.message());
    }
}
