//! A Lambda function for tests, which does what the path of its event says: rightly, wrongly, or not at all.
//!
//! It speaks the Runtime API over a plain socket, so that no SDK stands between a test and the
//! protocol. `INIT` says how it fails to start; `ANSWER` is what it answers to any other path.

#![expect(clippy::panic, reason = "a function that panics is what one test is about")]

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{self, Command},
    thread,
};

fn main() -> io::Result<()> {
    let mut api = Api::connect()?;
    match env::var("INIT").as_deref() {
        Ok("exit") => {
            eprintln!("there is no table");
            process::exit(7);
        }
        Ok("error") => {
            eprintln!("there is no table");
            api.post("init/error", r#"{"errorType":"NoTable","errorMessage":"tell me its name"}"#)?;
            hang();
        }
        Ok("hang") => {
            eprintln!("there is no table");
            hang();
        }
        // Hangs unless a file is there, and writes it: so the next start goes on.
        Ok("hang-once") => {
            let file = env::var("FILE").unwrap_or_default();
            if std::fs::File::create_new(file).is_ok() {
                hang();
            }
        }
        Ok("panic") => panic!("there is no table"),
        _ => {}
    }
    loop {
        let event = api.call("GET", "invocation/next", "")?;
        eprintln!("doing {}", event.member("rawPath"));
        act(&mut api, &event)?;
    }
}

fn act(api: &mut Api, event: &Message) -> io::Result<()> {
    let id = event.header("lambda-runtime-aws-request-id");
    let argument = event.member("rawQueryString");
    match event.member("rawPath") {
        "/headers" => {
            let headers: Vec<_> =
                event.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            api.answer(id, &headers.join("\n"))
        }
        "/environment" => {
            let mut all: Vec<_> =
                env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            all.sort();
            api.answer(id, &all.join("\n"))
        }
        "/error" => {
            let error = r#"{"errorType":"Boom","errorMessage":"on purpose"}"#;
            api.post(&format!("invocation/{id}/error"), error).map(drop)
        }
        "/panic" => panic!("the handler fell over"),
        "/exit" => process::exit(argument.parse().unwrap_or_default()),
        "/abort" => process::abort(),
        "/hang" => hang(),
        "/large" => api.answer(id, &"x".repeat(7 << 20)),
        "/not-json" => api.post(&format!("invocation/{id}/response"), "no JSON").map(drop),
        "/without-answer" => Ok(()),
        "/twice" => {
            api.answer(id, "first")?;
            let second = api.post(&format!("invocation/{id}/response"), "\"second\"")?;
            println!("the second answer: {} {}", second.status, second.body);
            Ok(())
        }
        "/unknown-id" => {
            let other = "00000000-0000-0000-0000-000000000000";
            let refused = api.post(&format!("invocation/{other}/response"), "{}")?;
            api.answer(id, &format!("{} {}", refused.status, refused.body))
        }
        "/unknown-call" => {
            let refused = api.post("invocation/what", "{}")?;
            api.answer(id, &format!("{} {}", refused.status, refused.body))
        }
        "/loud" => {
            io::stdout().write_all(&vec![b'x'; 1 << 20])?;
            io::stdout().flush()?;
            api.answer(id, "said")
        }
        "/child" => {
            let child = Command::new("sleep").arg("600").spawn()?;
            api.answer(id, &child.id().to_string())
        }
        "/meet" => {
            meet(argument)?;
            api.answer(id, "met")
        }
        // Answers, and then works on without asking for more.
        "/work-on" => {
            meet(argument)?;
            api.answer(id, "and then")?;
            hang();
        }
        // Hangs up while it works.
        "/break" => {
            *api = Api::connect()?;
            api.answer(id, "on another connection")
        }
        // Hangs up while it waits, and asks again when the test has heard of it.
        "/hang-up" => {
            api.answer(id, "soon")?;
            api.send("GET", "invocation/next", "")?;
            *api = Api::connect()?;
            meet(argument)
        }
        // Hangs up while it waits, for good.
        "/go-away" => {
            api.answer(id, "for the last time")?;
            api.send("GET", "invocation/next", "")?;
            *api = Api::connect()?;
            meet(argument)?;
            hang();
        }
        _ => match env::var("ANSWER") {
            Ok(answer) => api.post(&format!("invocation/{id}/response"), &answer).map(drop),
            Err(_) => api.answer(id, event.member("body")),
        },
    }
}

fn hang() -> ! {
    loop {
        thread::park();
    }
}

/// Tells the test at this port that it is here, and waits until the test hangs up.
fn meet(port: &str) -> io::Result<()> {
    let port: u16 = port.parse().map_err(io::Error::other)?;
    TcpStream::connect(("127.0.0.1", port))?.read_to_end(&mut Vec::new()).map(drop)
}

struct Api {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Api {
    fn connect() -> io::Result<Self> {
        let address = env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
        let stream = BufReader::new(TcpStream::connect(&address)?);
        Ok(Self { address, stream })
    }

    /// Answers with a text, and with the number of this process.
    fn answer(&mut self, id: &str, text: &str) -> io::Result<()> {
        let (text, pid) = (escaped(text), process::id());
        let answer = format!(
            r#"{{"statusCode":200,"headers":{{"content-type":"text/plain","x-pid":"{pid}"}},"body":"{text}"}}"#
        );
        self.post(&format!("invocation/{id}/response"), &answer).map(drop)
    }

    fn post(&mut self, path: &str, body: &str) -> io::Result<Message> {
        self.call("POST", path, body)
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> io::Result<Message> {
        self.send(method, path, body)?;
        Message::read(&mut self.stream)
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let (host, length) = (&self.address, body.len());
        let text = format!(
            "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(text.as_bytes())
    }
}

struct Message {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut status = String::new();
        if stream.read_line(&mut status)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = status.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut message = Self { status, headers: Vec::new(), body: String::new() };
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            message.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = message.header("content-length").parse().map_err(io::Error::other)?;
        stream.take(length).read_to_string(&mut message.body)?;
        Ok(message)
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    /// A text of the event as it stands there; these tests send nothing that is escaped.
    fn member(&self, name: &str) -> &str {
        let from = self.body.split_once(&format!("\"{name}\":\"")).map_or("", |(_, from)| from);
        from.split('"').next().unwrap_or_default()
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
