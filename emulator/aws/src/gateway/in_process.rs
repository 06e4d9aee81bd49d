//! A router of this process as a function, by `lambda_http`'s own conversions. What is
//! `#[doc(hidden)]` in that crate is used in this file alone.

use rehearse_core::errors::panic_message;
use std::{
    panic::AssertUnwindSafe,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::Router;
use futures::{FutureExt, future::BoxFuture};
use lambda_http::{Adapter, Context, LambdaEvent, request::LambdaRequest, tower::Service};
use serde_json::Value;

use super::{
    event::{ACCOUNT, REGION},
    invoke::{Invocation, InvokeError, RunFunction},
};

/// A function's router.
pub(super) struct InProcess {
    id: String,
    router: Router,
}

impl InProcess {
    pub(super) fn new(id: String, router: Router) -> Self {
        Self { id, router }
    }

    async fn run(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let timeout = invocation.timeout;
        // The conversion itself panics on some input, so it is caught as well.
        let call = AssertUnwindSafe(Box::pin(self.call(invocation))).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(InvokeError::Panicked(panic_message(panic.as_ref()))),
            Err(_) => Err(InvokeError::TimedOut(timeout)),
        }
    }

    async fn call(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let failed = |e: serde_json::Error| InvokeError::Failed(e.to_string());
        let payload: LambdaRequest = serde_json::from_str(&invocation.event).map_err(failed)?;
        let mut context = Context::default();
        context.deadline = (SystemTime::now() + invocation.timeout)
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        context.invoked_function_arn =
            format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.id);
        context.request_id = invocation.request_id.to_string();
        context.xray_trace_id = Some(invocation.trace_id);
        // `call`, not `oneshot`, whose future is not `Send`; a router is always ready.
        let call = Adapter::from(self.router.clone()).call(LambdaEvent::new(payload, context));
        let answer = match call.await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        serde_json::to_value(answer).map_err(failed)
    }
}

impl RunFunction for InProcess {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(self.run(invocation))
    }
}
