//! What a function finds: its environment and the headers of its events.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;

#[tokio::test]
async fn the_environment_is_lambdas_and_the_templates_and_nothing_else() {
    let lambda = with(&[
        ("TABLE", "Leads"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "a name that nobody may give"),
    ]);
    let gateway = TestGateway::of(lambda, FOREVER);
    let all = gateway.get("/environment").await.body;
    let all: BTreeMap<&str, &str> = all.lines().filter_map(|line| line.split_once('=')).collect();
    let (stream, runtime) = (all["AWS_LAMBDA_LOG_STREAM_NAME"], all["AWS_LAMBDA_RUNTIME_API"]);
    let folder = executable("runtime_client").folder.display().to_string();
    let expected = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", "rehearse"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_NAME", "F-on-aws"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/F-on-aws"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_SECRET_ACCESS_KEY", "rehearse"),
        ("AWS_SESSION_TOKEN", "rehearse"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", &folder),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("TABLE", "Leads"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ]);
    assert_eq!(all, expected);
    assert!(stream.starts_with("1970/01/01/[$LATEST]"), "business time: {stream}");
    assert!(runtime.starts_with("127.0.0.1:"), "{runtime}");
}

#[tokio::test]
async fn the_headers_of_an_event_tell_the_truth() {
    let timeout = Duration::from_secs(25);
    let gateway = TestGateway::of(lambda("runtime_client"), timeout);
    let deadline = || (SystemTime::now() + timeout).duration_since(UNIX_EPOCH).unwrap().as_millis();
    let earliest = deadline();
    let all = gateway.get("/headers").await.body;
    let latest = deadline();
    let all: BTreeMap<&str, &str> = all.lines().filter_map(|line| line.split_once(": ")).collect();
    let told: u128 = all["lambda-runtime-deadline-ms"].parse().unwrap();
    assert!((earliest..=latest).contains(&told), "{earliest} <= {told} <= {latest}");
    assert_eq!(
        all["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:123456789012:function:F-on-aws"
    );
    assert!(all["lambda-runtime-trace-id"].starts_with("Root=1-"), "{all:?}");
    let (id, _) = gateway.lines().into_iter().find(|(_, line)| line == "doing /headers").unwrap();
    assert_eq!(Some(all["lambda-runtime-aws-request-id"]), id.as_deref());
}
