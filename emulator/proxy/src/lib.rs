//! A proxy for clients that cannot be given a base URL: it answers for the hosts of Twilio, OpenAI and
//! AWS with the fakes of a world, over TLS, and refuses every other host. Nothing that comes here leaves
//! this machine.
//!
//! A client asks for a tunnel (`CONNECT api.twilio.com:443`). The proxy ends the TLS itself, with a
//! certificate for that host, and passes each request on to a fake over HTTP, byte by byte as it comes.
//! The certificate is signed by an authority that is made with the proxy; whoever calls must trust
//! [`Proxy::certificate_pem`]. The authority's key is in memory alone.
//!
//! ```no_run
//! use rehearse_proxy::{Proxy, Upstreams};
//! use tokio::net::TcpListener;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let upstreams = Upstreams {
//!     twilio: "127.0.0.1:4010".parse()?,
//!     openai: "127.0.0.1:4020".parse()?,
//!     dynamodb: "127.0.0.1:4030".parse()?,
//!     lambda: "127.0.0.1:4060".parse()?,
//!     gateway: None,
//! };
//! let proxy = Proxy::start(listener, upstreams)?;
//! std::fs::write("authority.pem", proxy.certificate_pem())?;
//! println!("HTTPS_PROXY={}", proxy.url());
//! # Ok(())
//! # }
//! ```

mod authority;
mod connection;
mod forward;
mod hosts;
mod refusals;
mod trust_store;

use std::{fmt, io, sync::Arc};

use tokio::{net::TcpListener, runtime::Handle};

use self::{authority::Authority, refusals::Refusals};
pub use self::{
    authority::AuthorityError,
    hosts::{HOSTS, Upstreams},
    refusals::Refusal,
};
use rehearse_core::serve::Serving;

/// What must not go through the proxy, as `NO_PROXY` has it: this machine.
pub const DIRECT: &str = "localhost,.localhost,127.0.0.1,::1";

/// Why a proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its certificates could not be made.
    #[error("failed to make the proxy's certificate authority")]
    Authority(#[from] AuthorityError),
    /// Its listener could not be used.
    #[error("failed to serve the proxy")]
    Serve(#[from] io::Error),
}

/// A proxy that is serving. Dropping it closes its listener and every connection.
pub struct Proxy {
    serving: Serving,
    shared: Arc<Shared>,
}

/// What all connections of a proxy share.
struct Shared {
    authority: Authority,
    upstreams: Upstreams,
    refusals: Refusals,
}

impl Proxy {
    /// Makes an authority and serves `listener` on the current tokio runtime.
    ///
    /// # Errors
    /// The certificates cannot be made, the caller is not inside a tokio runtime, or the listener has no
    /// local address.
    pub fn start(listener: TcpListener, upstreams: Upstreams) -> Result<Self, StartError> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            authority: Authority::new()?,
            upstreams,
            refusals: Refusals::default(),
        });
        let served = Arc::clone(&shared);
        let connection = move |stream, _| connection::serve(stream, Arc::clone(&served));
        let serving = Serving::start(listener, &runtime, connection)?;
        Ok(Self { serving, shared })
    }

    /// Its URL, `http://127.0.0.1:4070`, for `HTTPS_PROXY` and `HTTP_PROXY`.
    pub fn url(&self) -> String {
        self.serving.url()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.serving.address().port()
    }

    /// The authority's certificate in PEM, which clients must trust. It is valid from 1975 to 2100, since
    /// a client's clock may be set to any time.
    pub fn certificate_pem(&self) -> &str {
        self.shared.authority.certificate_pem()
    }

    /// The authority's certificate as a trust store that Java reads: PKCS#12, without a password.
    pub fn trust_store(&self) -> Vec<u8> {
        trust_store::pkcs12(self.shared.authority.certificate_der())
    }

    /// What was refused so far, by host and port.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.shared.refusals.all()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url()).finish_non_exhaustive()
    }
}
