//! Starting and stopping the server in front of the APIs.

use std::{fmt, io, net::TcpListener, sync::Arc};

use axum::Router;
use tokio::runtime::Handle;

use super::{
    Instances, Invoker, connection,
    handler::{GatewayFunction, Handler},
    in_process::InProcess,
    lambda::{LambdaConfig, ProcessPool},
    route::Routes,
    stage::{Stage, Stages},
};
use crate::{
    function::Executable,
    template::{self, Function},
};
use rehearse_core::{
    clock::Clock,
    faults::CrashKind,
    journal::Journal,
    serve::{self, Serving},
};

/// A function's code, ready to run.
pub enum FunctionCode {
    /// A router of this process.
    Router(Router),
    /// A function that builds a router of this process for each of its instances.
    Instances(Box<Instances>),
    /// A program that is run as processes of its own.
    Lambda(Box<LambdaConfig>),
}

/// APIs that are served. Dropping it stops the server and every invocation.
pub struct Gateway {
    serving: Serving,
    handler: Arc<Handler>,
}

impl Gateway {
    /// Serves these APIs and their functions on `listener`, on the current tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address, or there is no current tokio runtime.
    pub fn start(
        listener: TcpListener,
        apis: &[template::Api],
        functions: Vec<(Function, FunctionCode)>,
        journal: Journal,
        clock: Clock,
    ) -> io::Result<Self> {
        let stages = stages(apis, functions.iter().map(|(function, _)| function));
        let target = |(function, code): (Function, FunctionCode)| {
            let (arn, id, timeout) = (function.arn(), function.id, function.timeout);
            match code {
                FunctionCode::Router(router) => {
                    GatewayFunction::new(id, timeout, InProcess::new(arn, router))
                }
                FunctionCode::Instances(instances) => {
                    let code = InProcess::of(arn, id.clone(), *instances, journal.clone());
                    GatewayFunction::new(id, timeout, code)
                }
                FunctionCode::Lambda(lambda) => {
                    GatewayFunction::new(id, timeout, ProcessPool::new(*lambda))
                }
            }
        };
        let targets = functions.into_iter().map(target).collect();
        Self::serve(listener, Handler::new(stages, targets, journal, clock))
    }

    pub(super) fn serve(listener: TcpListener, handler: Handler) -> io::Result<Self> {
        let handler = Arc::new(handler);
        let shared = Arc::clone(&handler);
        let serve = move |stream, client| connection::serve(stream, client, Arc::clone(&shared));
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let serving = Serving::start(serve::on_tokio(listener)?, &runtime, serve)?;
        Ok(Self { serving, handler })
    }

    /// A function that crashes the oldest running invocation of the function with a logical id. It
    /// does not keep the gateway alive.
    pub fn crash_handler(&self) -> impl Fn(&str, CrashKind) + Send + Sync + 'static {
        let handler = Arc::downgrade(&self.handler);
        move |function, how| {
            let handler = handler.upgrade();
            if let Some(function) = handler.as_ref().and_then(|handler| handler.function(function))
            {
                function.running.crash_oldest(how);
            }
        }
    }

    /// What runs its functions with events that no API brings. It does not keep the gateway alive.
    pub fn invoker(&self) -> Invoker {
        Invoker::new(Arc::downgrade(&self.handler))
    }

    /// Sends the function's next events to another executable. What runs now runs on to its end.
    pub fn replace_executable(&self, function: &str, executable: Executable) {
        if let Some(function) = self.handler.function(function) {
            function.code.replace_executable(executable);
        }
    }

    /// Its base URL without a slash at the end, `http://127.0.0.1:4000`.
    pub fn url(&self) -> String {
        self.serving.url()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.stop();
        self.handler.stop();
    }
}

/// The APIs with the routes of these functions; a route knows its function by its position.
pub(super) fn stages<'a>(
    apis: &[template::Api],
    functions: impl Iterator<Item = &'a Function> + Clone,
) -> Stages {
    let stage = |api: &template::Api| {
        let mut routes = Routes::new(api.kind);
        for (at, function) in functions.clone().enumerate() {
            for route in function.routes.iter().filter(|route| route.api == api.id) {
                routes.add(route, api.throttling.of_route(route), at);
            }
        }
        Stage { api: api.clone(), routes }
    };
    Stages::new(apis.iter().map(stage).collect())
}
