//! Pages of the journal, one exchange, and the stream of all.

use serde_json::{Value, json};

use super::{
    log_lines,
    support::{CUSTOMER, Running},
};
use rehearse_core::journal::{ExchangeDetail, Limits, Outcome};
use rehearse_testutils::{self as testing, until};

#[tokio::test]
async fn pages_are_limited_filtered_by_name_and_go_on_where_they_ended() {
    let running = Running::start().await;
    for _ in 0..3 {
        running.hello().await;
    }
    let seqs = |page: &Value| -> Vec<u64> {
        page["entries"].as_array().unwrap().iter().map(|e| e["seq"].as_u64().unwrap()).collect()
    };
    let all = running.ok("GET", "/journal", "").await;
    let (mut since, mut read) = (json!(0), Vec::new());
    loop {
        let page = running.ok("GET", &format!("/journal?limit=2&since={since}"), "").await;
        read.extend(seqs(&page));
        since = page["next"].clone();
        if page["more"] == json!(false) {
            break;
        }
    }
    assert_eq!(read, seqs(&all));
    assert_eq!(since, all["next"]);
    let webhooks = running.ok("GET", "/journal?name=webhook.*&limit=2", "").await;
    assert!(webhooks["entries"].as_array().unwrap().iter().all(|e| e["name"] == "webhook.sms"));
    assert_eq!((seqs(&webhooks).len(), &webhooks["more"]), (2, &json!(true)));
    let after = seqs(&webhooks)[1];
    let rest = running.ok("GET", &format!("/journal?name=webhook.sms&after={after}"), "").await;
    assert_eq!(seqs(&rest).len(), 1);
    let phone = running.ok("GET", "/journal?phone=customer&name=sms.sent&limit=1", "").await;
    assert_eq!(phone["entries"][0]["crossing"]["to"], CUSTOMER);
    for wrong in ["limit=0", "since=1&after=1", "limit=x", "nmae=a"] {
        assert_eq!(running.raw("GET", &format!("/journal?{wrong}"), "").await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn one_exchange_goes_by_its_number() {
    let limits = Limits { exchanges: 5, ..Limits::default() };
    let running = Running::with(testing::hello(), Some(limits)).await;
    log_lines(&running.world, 12);
    assert_eq!(running.ok("GET", "/journal/9", "").await["seq"], json!(9));
    assert_eq!(running.raw("GET", "/journal/12", "").await.0, 404);
    let (status, error) = running.raw("GET", "/journal/3", "").await;
    assert_eq!((status, error.first), (410, Some(7)));
    assert_eq!(running.raw("GET", "/journal/-1", "").await.0, 400);
}

/// A reader of server-sent events.
struct Events {
    response: reqwest::Response,
    text: String,
}

/// One event.
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Events {
    async fn open(running: &Running, query: &str, last: Option<&str>) -> Self {
        let url = format!("{}/journal/events{query}", running.server.url());
        let mut request = crate::loopback_client().unwrap().get(url);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = until("the stream", request.send()).await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The next event. A stream that is only kept alive brings none in time.
    async fn next(&mut self) -> Event {
        until("an event", self.read()).await
    }

    async fn read(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                let (name, id, data) = (field("event:"), field("id:"), field("data:"));
                self.text = rest.to_owned();
                if !name.is_empty() {
                    return Event { name, id, data: serde_json::from_str(&data).unwrap() };
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn the_stream_tells_beginnings_and_ends_and_is_resumed_where_it_broke() {
    let running = Running::start().await;
    let journal = running.world.journal().clone();
    let line = |text: &str| ExchangeDetail::Log {
        function: "F".into(),
        request_id: None,
        line: text.into(),
    };
    journal.note("a", line("first"));
    let mut events = Events::open(&running, "", None).await;
    let first = events.next().await;
    assert_eq!((first.name.as_str(), first.id.as_str()), ("ended", "0-1"));
    assert_eq!(first.data["crossing"]["line"], "first");
    let slow = journal.begin("slow", line("slow"));
    let began = events.next().await;
    assert_eq!((began.name.as_str(), began.id.as_str()), ("began", "0-1"));
    journal.note("a", line("third"));
    let third = events.next().await;
    // The slow one is still to be told of.
    assert_eq!((third.name.as_str(), third.id.as_str()), ("ended", "0-1"));
    drop(events);
    slow.end(Outcome::default());

    let mut resumed = Events::open(&running, "", Some(&third.id)).await;
    let told = [resumed.next().await, resumed.next().await];
    assert_eq!(told.each_ref().map(|e| e.data["seq"].as_u64()), [Some(1), Some(2)]);
    assert_eq!(told[1].id, "0-3");
    let mut named = Events::open(&running, "?name=slow", None).await;
    assert_eq!(named.next().await.data["name"], "slow");
    let mut after = Events::open(&running, "?after=1", None).await;
    assert_eq!(after.next().await.data["seq"], 2);

    running.client.reset().await.unwrap();
    let reset = resumed.next().await;
    assert_eq!((reset.name.as_str(), &reset.data["resets"]), ("reset", &json!(1)));
    journal.note("a", line("anew"));
    assert_eq!(resumed.next().await.data["crossing"]["line"], "anew");
    // Whoever comes again with an id of before hears of the reset first.
    let mut late = Events::open(&running, "", Some("0-3")).await;
    assert_eq!(late.next().await.name, "reset");
    assert_eq!(late.next().await.data["crossing"]["line"], "anew");
}

#[tokio::test]
async fn a_reader_who_is_behind_hears_what_was_dropped() {
    let limits = Limits { exchanges: 5, ..Limits::default() };
    let running = Running::with(testing::hello(), Some(limits)).await;
    log_lines(&running.world, 12);
    let mut events = Events::open(&running, "", Some("0-3")).await;
    let dropped = events.next().await;
    assert_eq!((dropped.name.as_str(), &dropped.data["first"]), ("dropped", &json!(7)));
    assert_eq!(events.next().await.data["seq"], 7);
}

#[tokio::test]
async fn what_is_wanted_comes_however_much_else_stands_before_it() {
    let running = Running::start().await;
    log_lines(&running.world, 600);
    running.world.journal().note(
        "wanted",
        ExchangeDetail::Log { function: "F".into(), request_id: None, line: "here".into() },
    );
    let mut events = Events::open(&running, "?name=wanted", None).await;
    assert_eq!(events.next().await.data["crossing"]["line"], "here");
}

#[tokio::test]
async fn a_long_journal_is_streamed_whole_and_in_order() {
    let running = Running::start().await;
    log_lines(&running.world, 2000);
    let mut events = Events::open(&running, "", None).await;
    for seq in 0..2000 {
        assert_eq!(events.next().await.data["seq"], json!(seq));
    }
    for wrong in ["x", "1-", "1-2-3"] {
        let url = format!("{}/journal/events", running.server.url());
        let request = crate::loopback_client().unwrap().get(url).header("last-event-id", wrong);
        assert_eq!(request.send().await.unwrap().status(), 400, "{wrong}");
    }
}
