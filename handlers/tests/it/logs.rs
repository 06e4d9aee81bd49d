//! The format of the log, and that it never holds a phone number, a text, a name or a secret.

use std::{
    io,
    sync::{Arc, Mutex},
};

use handlers::{
    adapters::{secrets::StaticCredential, system::RandomIdGenerator},
    app::{
        customers::CustomerService, owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService, owner_state::OwnerStateService, scheduler::Scheduler,
    },
    config::Vars,
    domain::{calendar::Calendar, form_hold::FormConfirmation},
    http, log,
};
use serde_json::{Value, json};
use tracing::{Dispatch, subscriber::DefaultGuard};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
};

use crate::{
    dispatcher::{shop, webhook},
    events::request,
};
use memory_ports::FakeStore;

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that the subscriber of a function writes while `work` runs.
pub fn logged(level: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
    let lines = LogBuffer::default();
    let writer = lines.clone();
    let vars = level.map(|level| ("LOG_LEVEL".to_owned(), level.to_owned()));
    let vars: Vars = vars.into_iter().collect();
    let subscriber = log::subscriber(&vars, move || writer.clone());
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What this crate logs on this thread at every level, as lines without their time.
pub struct EveryLine {
    lines: LogBuffer,
    _of_this_thread: DefaultGuard,
    _another: Dispatch,
}

impl EveryLine {
    /// Until it is dropped.
    pub fn capture() -> Self {
        let lines = LogBuffer::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().json().without_time();
        let layer = layer.with_writer(move || writer.clone());
        let filter = Targets::new().with_target("handlers", LevelFilter::TRACE);
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        Self {
            lines,
            // While there is one subscriber alone, other threads, which have none, decide for all of
            // them that an event which they come to first interests nobody.
            _another: Dispatch::new(tracing_subscriber::registry()),
            _of_this_thread: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The lines so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn an_event_is_one_line_with_its_request() {
    let lines = logged(None, || {
        let _request = tracing::info_span!("request", request_id = "r-1").entered();
        tracing::info!(status = 200, "answered\nwith care");
        tracing::debug!("not at this level");
    });
    assert_eq!(
        lines,
        [json!({
            "level": "INFO",
            "target": "it::logs",
            "message": "answered\nwith care",
            "status": 200,
            "span": { "name": "request", "request_id": "r-1" },
        })]
    );
}

#[test]
fn clients_are_quiet_at_every_level() {
    let lines = logged(Some("trace"), || {
        tracing::error!(target: "async_openai::error", "failed deserialization of: secret words");
        tracing::trace!(target: "lambda_runtime::layers", body = "secret words", "raw event");
        tracing::trace!(target: "a_new_dependency", "secret words");
        tracing::trace!(target: "handlers::app", "ours");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["message"], "ours");
}

/// Private words in the requests below.
const PRIVATE: [&str; 9] = [
    "2520927",
    "2520928",
    "purple",
    "giraffe",
    "Nightingale",
    "t0ken",
    "12345",
    "walrus",
    "735104",
];

/// Logs everything of this crate at every level, with a working and with a failing database.
#[tokio::test]
async fn no_line_holds_anything_private() {
    let lines = EveryLine::capture();
    for down in [false, true] {
        let (router, _, store) = shop("a giraffe", &[]);
        let texts = Arc::new(FakeStore::default());
        let admin = http::state(
            OwnerStateService::new(texts.clone(), Arc::new(RandomIdGenerator)),
            OwnerCalendarService::new(texts.clone(), Calendar::new("America/New_York").unwrap()),
            CustomerService::new(texts.clone(), Calendar::new("America/New_York").unwrap()),
            OwnerPageService::new(
                texts.clone(),
                Arc::new(RandomIdGenerator),
                Arc::new(memory_ports::Idle),
                Calendar::new("America/New_York").unwrap(),
            ),
            Some(Arc::new(StaticCredential::new("t0ken"))),
        );
        let calendar = Calendar::new("America/New_York").unwrap();
        let ids = Arc::new(RandomIdGenerator);
        let form = Scheduler::new(texts.clone(), ids, Arc::new(memory_ports::Idle), calendar, None);
        let confirmed = http::scheduler(
            form.clone().with_confirmation(FormConfirmation::Sms),
            http::BookPage::default(),
        );
        let form = http::scheduler(form, http::BookPage::default());
        if down {
            store.set_down(true);
            texts.set_down(true);
        }
        for (at, body) in ["purple", "STOP", "purple", "START", "HELP"].iter().enumerate() {
            let text = format!(
                "AccountSid=AC1&To=%2B19045550100&Body={body}&MessageSid=SM{at:032}&From=%2B19042520927&NumMedia=1"
            );
            webhook(&text).send(&router).await;
        }
        webhook("AccountSid=AC1&To=%2B19045550100&Body=purple&MessageSid=SM00000000000000000000000000000001&From=19042520927").send(&router).await;
        let unsigned = "Body=purple&MessageSid=SM1&From=%2B19042520927";
        request("GET", "/dispatcher").query(unsigned).send(&router).await;
        request("POST", "/dispatcher").form(unsigned).send(&router).await;
        request("POST", "/dispatcher")
            .form(unsigned)
            .header("x-twilio-signature", "walrus")
            .send(&router)
            .await;
        let booking = json!({
            "phone": "+19042520928", "date": "2026-02-11", "time": "2:00 PM",
            "repair_type": "screen", "customer_name": "Nightingale", "device": "purple",
        });
        request("POST", "/scheduler")
            .json(&booking)
            .header("idempotency-key", "walrus")
            .send(&form)
            .await;
        request("POST", "/scheduler").json(&booking).send(&form).await;
        request("POST", "/scheduler").json(&json!({ "phone": "2520928 walrus" })).send(&form).await;
        let held = json!({
            "phone": "+19042520928", "date": "2026-02-11", "time": "3:00 PM",
            "repair_type": "screen", "customer_name": "Nightingale", "device": "purple",
        });
        let held = request("POST", "/scheduler").json(&held).send(&confirmed).await.json();
        for hold_id in [held["hold_id"].clone(), json!("walrus")] {
            let code = json!({ "hold_id": hold_id, "code": "735104" });
            request("POST", "/scheduler/confirm").json(&code).send(&confirmed).await;
        }
        for token in ["t0ken", "walrus"] {
            let change = json!({ "notes": "purple", "walrus": 1 });
            let post = request("POST", "/state").json(&change);
            post.header("authorization", format!("Bearer {token}")).send(&admin).await;
            for path in ["/customers/+19042520928", "/prod/customers/2520928"] {
                for method in ["GET", "DELETE"] {
                    let asked = request(method, path);
                    asked.header("authorization", format!("Bearer {token}")).send(&admin).await;
                }
            }
        }
    }
    let logged = lines.text();
    for expected in ["text received", "***27", "opted out", "falling back", "refused", "answered"] {
        assert!(logged.contains(expected), "nothing was logged of {expected:?}: {logged}");
    }
    for line in logged.lines() {
        for private in PRIVATE {
            assert!(!line.contains(private), "{private}: {line}");
        }
    }
}
