//! A gateway for tests that need nothing else of AWS.

use std::io;

use axum::Router;
use rehearse_core::{clock::Clock, journal::Journal};
use tokio::net::TcpListener;

use super::{FunctionCode, Gateway};
use crate::template::Template;

/// An HTTP API in front of routers, on a free port of 127.0.0.1. Dropping it stops it.
///
/// Each request becomes an event of payload format 2.0 and the response is read from the function's
/// result, as on AWS, so a router behind it meets what it meets in production.
///
/// ```
/// use axum::{Router, routing::get};
/// use rehearse_aws::gateway::FakeGateway;
///
/// # async fn example() -> std::io::Result<()> {
/// let router = Router::new().route("/leads", get(|| async { "none" }));
/// let gateway = FakeGateway::start(router).await?;
/// // Send requests to `gateway.url()`, and see in the journal what came and what went.
/// assert_eq!(gateway.journal().mark(), 0);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(example())?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FakeGateway {
    gateway: Gateway,
    journal: Journal,
}

/// Configures a [`FakeGateway`].
#[derive(Debug)]
pub struct FakeGatewayBuilder {
    template: Template,
    routers: Vec<(String, Router)>,
    clock: Clock,
}

impl FakeGateway {
    /// Starts a gateway that gives every request to one function, `Function`.
    ///
    /// # Errors
    /// When no port is free.
    ///
    /// # Panics
    /// Outside a tokio runtime that has network and time.
    pub async fn start(router: Router) -> io::Result<Self> {
        Self::builder().function("Function", router).start().await
    }

    /// A gateway without functions, on the machine's clock.
    pub fn builder() -> FakeGatewayBuilder {
        FakeGatewayBuilder {
            template: Template::default(),
            routers: Vec::new(),
            clock: Clock::running(),
        }
    }

    /// Its base URL without a slash at the end, `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        self.gateway.url()
    }

    /// Every request with its response, and the errors of functions.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl FakeGatewayBuilder {
    /// Adds a function that gets every request: `ANY /` and `ANY /{proxy+}`.
    #[must_use]
    pub fn function(mut self, id: &str, router: Router) -> Self {
        self.template = self.template.with_function(id);
        self.routers.push((id.to_owned(), router));
        self
    }

    /// Adds a function with these routes, each a method (`GET`, or `ANY`) and a path (`/leads`,
    /// `/leads/{id}`, `/{proxy+}` or `$default`). Any other request gets a 404.
    #[must_use]
    pub fn function_at(mut self, id: &str, routes: &[(&str, &str)], router: Router) -> Self {
        self.template = self.template.with_routes(id, routes);
        self.routers.push((id.to_owned(), router));
        self
    }

    /// Sets the clock from which events and the journal have their times.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the gateway on the current tokio runtime.
    ///
    /// # Errors
    /// When no port is free.
    ///
    /// # Panics
    /// Outside a tokio runtime that has network and time.
    pub async fn start(self) -> io::Result<FakeGateway> {
        let Self { template, mut routers, clock } = self;
        let journal = Journal::new(clock.clone());
        let functions = template.functions.into_iter().filter_map(|function| {
            // Of two routers for one function the last one counts.
            let at = routers.iter().rposition(|(id, _)| *id == function.id)?;
            Some((function, FunctionCode::Router(routers.swap_remove(at).1)))
        });
        let functions = functions.collect();
        let listener = TcpListener::bind("127.0.0.1:0").await?.into_std()?;
        let gateway = Gateway::start(listener, &template.apis, functions, journal.clone(), clock)?;
        Ok(FakeGateway { gateway, journal })
    }
}
