//! A load generator: the same request again and again over kept connections.
//!
//! It parses only where a response ends, since a full HTTP client would cost more than the server.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use rehearse_core::threads;

/// A request, and how its answers look.
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    pub(crate) status: u16,
}

/// What is sent.
pub(crate) enum Body {
    /// The same again and again.
    Same(String),
    /// Another one for each number, which is never used twice.
    Each(Box<dyn Fn(u64) -> String + Send + Sync>),
}

/// The measured responses.
pub(crate) struct Measurement {
    /// How long each took, sorted.
    pub(crate) took: Vec<Duration>,
}

impl Load {
    /// How long the responses took that came over so many connections in so much time. The
    /// load is made on a thread of its own: the server's has enough to do.
    pub(crate) async fn run(self, connections: usize, time: Duration) -> io::Result<Measurement> {
        let load = move || threads::block_on(self.on_this_thread(connections, time));
        tokio::task::spawn_blocking(load).await??
    }

    async fn on_this_thread(self, connections: usize, time: Duration) -> io::Result<Measurement> {
        let rest = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {host}\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let requests = Arc::new(match self.body {
            Body::Same(body) => Requests::Same(whole(&head, &body)),
            Body::Each(body) => Requests::Each { head, body },
        });
        let end = Instant::now() + time;
        let mut clients = JoinSet::new();
        for number in 0..connections {
            let stream = TcpStream::connect(host).await?;
            stream.set_nodelay(true)?;
            let requests = Arc::clone(&requests);
            let client = Client { stream, requests, status: self.status, number: number as u64 };
            clients.spawn(client.until(end));
        }
        let mut took = Vec::new();
        while let Some(client) = clients.join_next().await {
            took.extend(client??);
        }
        took.sort();
        Ok(Measurement { took })
    }
}

enum Requests {
    Same(Vec<u8>),
    Each { head: String, body: Box<dyn Fn(u64) -> String + Send + Sync> },
}

fn whole(head: &str, body: &str) -> Vec<u8> {
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

struct Client {
    stream: TcpStream,
    requests: Arc<Requests>,
    status: u16,
    number: u64,
}

impl Client {
    /// How long the answers took that came until then.
    async fn until(mut self, end: Instant) -> io::Result<Vec<Duration>> {
        let mut took = Vec::new();
        // The end of the time is the only good end.
        match timeout_at(end, self.ask(&mut took)).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Ok(took),
        }
    }

    async fn ask(&mut self, took: &mut Vec<Duration>) -> io::Result<()> {
        let status_line = format!("HTTP/1.1 {} ", self.status);
        let mut buffer = Vec::with_capacity(64 << 10);
        // No client has more than 2^32 answers in its time.
        for number in (self.number << 32).. {
            let made;
            let request = match self.requests.as_ref() {
                Requests::Same(request) => request,
                Requests::Each { head, body } => {
                    made = whole(head, &body(number));
                    &made
                }
            };
            let asked = Instant::now();
            self.stream.write_all(request).await?;
            buffer.clear();
            while !is_whole(&buffer) {
                if self.stream.read_buf(&mut buffer).await? == 0 {
                    let closed = "the connection was closed";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed));
                }
            }
            if !buffer.starts_with(status_line.as_bytes()) {
                let text = String::from_utf8_lossy(&buffer).into_owned();
                return Err(io::Error::other(format!("unexpected answer: {text}")));
            }
            took.push(asked.elapsed());
        }
        Ok(())
    }
}

/// Whether the buffer holds a whole answer: as long as its head says, or up to
/// an empty chunk. Requests are not pipelined, so nothing follows it.
fn is_whole(buffer: &[u8]) -> bool {
    let Some(head) = find(buffer, b"\r\n\r\n") else { return false };
    let length = find(&buffer[..head], b"content-length: ").and_then(|at| {
        let digits = buffer[at + 16..].iter().take_while(|b| b.is_ascii_digit());
        let digits: Vec<u8> = digits.copied().collect();
        String::from_utf8(digits).ok()?.parse::<usize>().ok()
    });
    match length {
        Some(length) => buffer.len() >= head + 4 + length,
        None => buffer.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_or_its_chunks_say() {
        let sized = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert!(is_whole(sized));
        assert!(!is_whole(&sized[..sized.len() - 1]));
        let chunks = b"HTTP/1.1 200 OK\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert!(is_whole(chunks));
        assert!(!is_whole(&chunks[..chunks.len() - 1]));
    }
}
