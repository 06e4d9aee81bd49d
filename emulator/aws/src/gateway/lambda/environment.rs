//! The environment variables of a process, as Lambda sets them.

use std::{collections::BTreeMap, net::SocketAddr};

use jiff::Timestamp;
use uuid::Uuid;

use super::config::LambdaConfig;
use crate::{function::Executable, gateway::event::REGION};

/// The variables of a new process: Lambda's defaults, then those of the template and the world, and
/// last the variables that Lambda reserves.
///
/// None of the developer's environment is among them: a variable that the template does not set is
/// missing on AWS too.
pub(super) fn variables(
    lambda: &LambdaConfig,
    executable: &Executable,
    instance: &str,
    runtime: SocketAddr,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let name = &lambda.name;
    let folder = executable.folder.display().to_string();
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    set("AWS_REGION", REGION.into());
    set("AWS_DEFAULT_REGION", REGION.into());
    set("AWS_ACCESS_KEY_ID", "rehearse".into());
    set("AWS_SECRET_ACCESS_KEY", "rehearse".into());
    set("AWS_SESSION_TOKEN", "rehearse".into());
    set("LANG", "en_US.UTF-8".into());
    // In Lambda's own spelling: the time zone of a POSIX string, not of a file.
    set("TZ", ":UTC".into());
    set("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".into());
    for (name, value) in lambda.environment.of_instance(instance) {
        set(&name, value);
    }
    set("AWS_LAMBDA_FUNCTION_NAME", name.clone());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", lambda.memory.to_string());
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into());
    set("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"));
    let stream = Uuid::new_v4().simple();
    let day = now.strftime("%Y/%m/%d");
    set("AWS_LAMBDA_LOG_STREAM_NAME", format!("{day}/[$LATEST]{stream}"));
    set("AWS_LAMBDA_RUNTIME_API", runtime.to_string());
    set("LAMBDA_RUNTIME_DIR", "/var/runtime".into());
    set("LAMBDA_TASK_ROOT", folder);
    set("_HANDLER", lambda.handler.clone());
    all
}
