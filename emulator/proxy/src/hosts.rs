//! Which hosts are answered, and by which part of a world.

use std::net::{IpAddr, SocketAddr};

/// The hosts that are answered, as a user reads them.
pub const HOSTS: [&str; 6] = [
    "api.twilio.com",
    "messaging.twilio.com",
    "lookups.twilio.com",
    "api.openai.com",
    "*.amazonaws.com",
    "*.api.aws",
];

/// The parts of a world, by their addresses.
#[derive(Debug, Clone, Copy)]
pub struct Upstreams {
    /// The fake Twilio.
    pub twilio: SocketAddr,
    /// The scripted OpenAI.
    pub openai: SocketAddr,
    /// The database, which also refuses the calls of AWS services that are not emulated, by their names.
    pub dynamodb: SocketAddr,
    /// Lambda's Invoke API.
    pub lambda: SocketAddr,
    /// The API Gateway, for the hosts of its APIs; `None` when the backend is not behind one.
    pub gateway: Option<SocketAddr>,
}

/// Where the requests for a host go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// All of them to one part.
    Part(SocketAddr),
    /// Only those that an AWS SDK has signed: they name the service that they are for, which is not
    /// emulated.
    OtherAws(SocketAddr),
}

/// Where a client wants to go: what stands behind `CONNECT`, or in an absolute URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// In small letters, without a full stop at its end, and without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a destination is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refused {
    /// It is on this machine.
    Loopback,
    /// Nothing emulates this host.
    Host,
    /// The host is emulated, and not on this port.
    Port,
    /// A host of AWS got a request without a signature, so it is for no service that could be named.
    Unsigned,
}

impl Destination {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        Self { host: host.to_ascii_lowercase(), port }
    }

    /// `example.com:443`, `[::1]:443`.
    pub(crate) fn text(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// What answers there.
    pub(crate) fn upstream(&self, upstreams: &Upstreams) -> Result<Upstream, Refused> {
        if self.is_loopback() {
            return Err(Refused::Loopback);
        }
        let upstream = of_host(&self.host, upstreams).ok_or(Refused::Host)?;
        if matches!(self.port, 443 | 80) { Ok(upstream) } else { Err(Refused::Port) }
    }

    fn is_loopback(&self) -> bool {
        let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.host.parse().is_ok_and(is_loopback)
    }
}

fn of_host(host: &str, upstreams: &Upstreams) -> Option<Upstream> {
    match host {
        "api.twilio.com" | "messaging.twilio.com" | "lookups.twilio.com" => {
            return Some(Upstream::Part(upstreams.twilio));
        }
        "api.openai.com" => return Some(Upstream::Part(upstreams.openai)),
        _ => {}
    }
    // China has an ending of its own, and endpoints that have IPv6 as well have another.
    let labels = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .find_map(|ending| host.strip_suffix(ending))?;
    let part = match service(labels) {
        Some("dynamodb" | "dynamodb-fips" | "ddb") => Some(upstreams.dynamodb),
        Some("lambda" | "lambda-fips") => Some(upstreams.lambda),
        Some("execute-api") => upstreams.gateway,
        _ => None,
    };
    Some(part.map_or(Upstream::OtherAws(upstreams.dynamodb), Upstream::Part))
}

/// The service in front of a region: `123456789012.ddb.us-east-1`. Buckets have hosts of their own, so
/// what stands in front of anything else is not a service.
fn service(labels: &str) -> Option<&str> {
    let (before, region) = labels.rsplit_once('.')?;
    let is_region = region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit());
    is_region.then(|| before.rsplit('.').next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams() -> Upstreams {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Upstreams {
            twilio: at(1),
            openai: at(2),
            dynamodb: at(3),
            lambda: at(4),
            gateway: Some(at(5)),
        }
    }

    /// The port of the part that answers a host.
    fn part(host: &str) -> Result<u16, Refused> {
        match Destination::new(host, 443).upstream(&upstreams())? {
            Upstream::Part(address) => Ok(address.port()),
            Upstream::OtherAws(address) => Ok(100 + address.port()),
        }
    }

    #[test]
    fn each_host_is_answered_by_its_part_however_it_is_written() {
        for (host, port) in [
            ("api.twilio.com", 1),
            ("API.Twilio.com.", 1),
            ("messaging.twilio.com", 1),
            ("lookups.twilio.com", 1),
            ("api.openai.com", 2),
            ("dynamodb.us-east-1.amazonaws.com", 3),
            ("123456789012.ddb.us-east-1.amazonaws.com", 3),
            ("streams.dynamodb.eu-west-1.amazonaws.com", 3),
            ("dynamodb-fips.us-gov-west-1.amazonaws.com", 3),
            ("dynamodb.us-east-1.api.aws", 3),
            ("dynamodb.cn-north-1.amazonaws.com.cn", 3),
            ("lambda.us-east-1.amazonaws.com", 4),
            ("shop.execute-api.us-east-1.amazonaws.com", 5),
            ("sqs.us-east-1.amazonaws.com", 103),
            ("sts.amazonaws.com", 103),
            ("photos.s3.us-east-1.amazonaws.com", 103),
            ("dynamodb.s3.amazonaws.com", 103),
        ] {
            assert_eq!(part(host), Ok(port), "{host}");
        }
        let without = Upstreams { gateway: None, ..upstreams() };
        let api = Destination::new("shop.execute-api.us-east-1.amazonaws.com", 443);
        assert!(matches!(api.upstream(&without), Ok(Upstream::OtherAws(_))));
    }

    #[test]
    fn every_other_host_is_refused() {
        for host in [
            "example.com",
            "twilio.com",
            "www.twilio.com",
            "content.twilio.com",
            "api.twilio.com.example.com",
            "xapi.twilio.com",
            "openai.com",
            "amazonaws.com",
            "example-amazonaws.com",
            "93.184.216.34",
            "169.254.169.254",
            "2606:2800:220:1::1",
            "",
        ] {
            assert_eq!(part(host), Err(Refused::Host), "{host}");
        }
        for host in
            ["localhost", "app.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "::ffff:127.0.0.1"]
        {
            assert_eq!(part(host), Err(Refused::Loopback), "{host}");
        }
        for port in [0, 22, 8443] {
            let destination = Destination::new("api.twilio.com", port);
            assert_eq!(destination.upstream(&upstreams()), Err(Refused::Port), "{port}");
        }
    }
}
