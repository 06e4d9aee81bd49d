//! A load generator: the same request again and again over kept connections.
//!
//! It reads no more of an answer than where it ends; a full HTTP client would
//! measure itself.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::threads;

/// A request, and how its answers look.
pub(super) struct Load {
    pub(super) url: String,
    pub(super) authorization: String,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) status: u16,
}

impl Load {
    /// How many answers come over so many connections in so much time. The
    /// load is made on a thread of its own: the server's has enough to do.
    pub(super) async fn run(self, connections: usize, time: Duration) -> io::Result<usize> {
        let load = move || threads::block_on(self.on_this_thread(connections, time));
        tokio::task::spawn_blocking(load).await??
    }

    async fn on_this_thread(&self, connections: usize, time: Duration) -> io::Result<usize> {
        let rest = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let request = format!(
            "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {}\r\ncontent-type: {}\r\n\
             content-length: {}\r\n\r\n{}",
            self.authorization,
            self.content_type,
            self.body.len(),
            self.body
        );
        let request: Arc<[u8]> = request.into_bytes().into();
        let answers = Arc::new(AtomicUsize::new(0));
        let end = Instant::now() + time;
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(host).await?;
            stream.set_nodelay(true)?;
            let (request, answers) = (Arc::clone(&request), Arc::clone(&answers));
            let status_line = format!("HTTP/1.1 {} ", self.status);
            let work = client(stream, request, status_line, answers);
            clients.spawn(timeout_at(end, work));
        }
        while let Some(client) = clients.join_next().await {
            // The end of the time is the only good end.
            if let Ok(Ok(result)) = client {
                result?;
            }
        }
        Ok(answers.load(Ordering::Relaxed))
    }
}

async fn client(
    mut stream: TcpStream,
    request: Arc<[u8]>,
    status_line: String,
    answers: Arc<AtomicUsize>,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(64 << 10);
    loop {
        stream.write_all(&request).await?;
        buffer.clear();
        while !is_whole(&buffer) {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection was closed",
                ));
            }
        }
        if !buffer.starts_with(status_line.as_bytes()) {
            let text = String::from_utf8_lossy(&buffer).into_owned();
            return Err(io::Error::other(format!("unexpected answer: {text}")));
        }
        answers.fetch_add(1, Ordering::Relaxed);
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
