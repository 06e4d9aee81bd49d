//! `rehearse exec --proxy`: a proxy for a command whose clients cannot be given a base URL, the files that
//! these need to trust it, and what each runtime reads.

mod environment;

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command};

use crate::{app::App, error::CommandError, target::Target};
use rehearse_proxy::{HOSTS, Proxy, Upstreams};
use rehearse_world::World;

use self::environment::{REMOVED, variables};

/// What makes Node's clients use the proxy, with a word that stands for its URL.
const PRELOAD: &str = include_str!("preload.cjs");
/// The word.
const PROXY_URL: &str = "PROXY_URL";

/// A proxy of a world. Dropping it stops it, and removes its files.
pub(crate) struct WorldProxy {
    proxy: Proxy,
    files: Files,
}

/// The files that a command's runtimes read.
struct Files {
    /// Removes them.
    _folder: TempDir,
    /// The authority's certificate, in PEM.
    certificate: PathBuf,
    /// The same, for Java.
    trust_store: PathBuf,
    preload: PathBuf,
}

impl WorldProxy {
    /// Starts it on a port that is free.
    ///
    /// # Errors
    /// It cannot listen, or its files cannot be written.
    pub(crate) async fn start(world: &World) -> Result<Self, CommandError> {
        let failed =
            |e: io::Error| CommandError::environment("failed to start the proxy").because(e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let upstreams = upstreams(world)?;
        let proxy = Proxy::start(listener, upstreams)
            .map_err(|e| CommandError::environment("failed to start the proxy").because(e))?;
        let files = Files::write(&proxy).map_err(|e| {
            CommandError::environment("failed to write the proxy's files").because(e)
        })?;
        Ok(Self { proxy, files })
    }

    /// Gives a command the environment by which its clients come here, and says what it is, and of the
    /// functions that the world runs as processes that they do not have it.
    pub(crate) fn give(&self, command: &mut Command, target: &Target, app: &App) {
        let given = variables(&self.proxy, &self.files, |name| std::env::var(name).ok());
        app.ui.remark(format_args!(
            "{} are this world, by the proxy {}, which refuses every other host",
            HOSTS.join(", "),
            self.proxy.url()
        ));
        let names: Vec<_> = given.iter().map(|(name, _)| *name).collect();
        app.ui.remark(format_args!(
            "set for it: {}; removed: {}",
            names.join(", "),
            REMOVED.join(", ")
        ));
        if *target == Target::Lambda {
            // Their environment is the template's, as on AWS.
            app.ui.remark(
                "the template's functions do not go through the proxy: they get URLs of this world, and \
                 without those they reach the real hosts",
            );
        }
        command.envs(given);
        for name in REMOVED {
            command.env_remove(name);
        }
    }

    /// Says what was refused.
    pub(crate) fn tell(&self, app: &App) {
        for refusal in self.proxy.refusals() {
            let times =
                if refusal.count == 1 { "once".into() } else { format!("{} times", refusal.count) };
            app.ui.warn(format_args!(
                "refused: {}, {times}: {}",
                refusal.destination, refusal.advice
            ));
        }
    }
}

impl Files {
    /// Writes them into a new folder that others cannot read.
    fn write(proxy: &Proxy) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("rehearse-proxy-").tempdir()?;
        let write = |name: &str, content: &[u8]| -> io::Result<PathBuf> {
            let path = folder.path().join(name);
            fs::File::create_new(&path)?.write_all(content)?;
            Ok(path)
        };
        Ok(Self {
            certificate: write("authority.pem", proxy.certificate_pem().as_bytes())?,
            trust_store: write("authority.p12", &proxy.trust_store())?,
            preload: write("preload.cjs", preload(&proxy.url()).as_bytes())?,
            _folder: folder,
        })
    }
}

/// Where the parts of a world are.
fn upstreams(world: &World) -> Result<Upstreams, CommandError> {
    let endpoints = world.endpoints();
    let address = |url: &str| -> Result<SocketAddr, CommandError> {
        let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
        address.ok_or_else(|| CommandError::environment(format!("{url} is no address of a world")))
    };
    let gateway = world.gateway().map(|_| address(&endpoints.gateway)).transpose()?;
    Ok(Upstreams {
        twilio: address(&endpoints.twilio)?,
        openai: address(&endpoints.openai)?,
        dynamodb: address(&endpoints.dynamodb)?,
        lambda: address(&endpoints.lambda)?,
        gateway,
    })
}

/// The file for Node, for a proxy at this URL. A URL has nothing that would end a text of JavaScript.
fn preload(url: &str) -> String {
    PRELOAD.replace(PROXY_URL, url)
}

/// A path as text; a temporary folder whose name is no text would be of no use in a variable.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
