//! The files of messages: fetched, shown, downloaded and deleted.

use http::{StatusCode, header};
use serde_json::json;

use super::{harness::*, spec::check};
use crate::{Inbound, Media, Status};
use rehearse_core::journal::{CAUSE_HEADER, Cause};

/// A response with a file.
fn file(content_type: &'static str, bytes: Vec<u8>) -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, content_type)], bytes)
}

impl Harness {
    /// Sends a message with these files and returns its sid.
    async fn send_media(&self, urls: &[&str]) -> String {
        let mut params = vec![("To", PERSON), ("From", NUMBER)];
        params.extend(urls.iter().map(|url| ("MediaUrl", *url)));
        let (status, json) = self.create(&params).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        self.settled().await;
        json["sid"].as_str().unwrap().to_owned()
    }

    fn outcome(&self, sid: &str) -> (Status, Option<u32>) {
        let message = self.server.message(sid.parse().unwrap()).unwrap();
        (message.status, message.error_code)
    }

    async fn download(&self, url: &str) -> (StatusCode, String, Vec<u8>) {
        let response = self.web.get(url).send().await.unwrap();
        let status = response.status();
        let to =
            response.headers().get(header::LOCATION).or(response.headers().get("content-type"));
        let to = to.map_or(String::new(), |to| to.to_str().unwrap().to_owned());
        (status, to, response.bytes().await.unwrap().to_vec())
    }
}

#[tokio::test]
async fn files_on_this_machine_are_fetched_and_kept() {
    let harness = Harness::start().await;
    let moved = [(header::LOCATION, "/b.png?x=1")];
    harness.backend.respond((StatusCode::FOUND, moved)).respond(file("image/png; a=b", vec![7; 3]));
    let with_password = harness.url.replace("http://", "http://ann:p%40ss@");
    let url = format!("{with_password}/a.png");
    let sid = harness.send_media(&[&url, "https://example.com/c.gif"]).await;
    assert_eq!(harness.outcome(&sid), (Status::Delivered, None));
    let got = harness.backend.requests();
    assert_eq!(
        got.iter().map(|got| got.uri.as_str()).collect::<Vec<_>>(),
        ["/a.png", "/b.png?x=1"]
    );
    assert_eq!(got[0].header("authorization"), "Basic YW5uOnBAc3M=");
    let list = harness.url_of(&format!("Messages/{sid}/Media.json"));
    let (_, json) = harness.get(&list).await;
    check("/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media.json", &json);
    let files = json["media_list"].as_array().unwrap();
    let types: Vec<_> = files.iter().map(|file| file["content_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["image/png", "image/gif"]);
    let one = format!("{}{}", harness.server.url(), files[0]["uri"].as_str().unwrap());
    let (_, json) = harness.get(&one).await;
    check("/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json", &json);
    assert_eq!((&json, &json["parent_sid"]), (&files[0], &json!(sid)));
    // Without its ending it is the file, which is elsewhere.
    let (status, to, _) = harness.download(one.trim_end_matches(".json")).await;
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(harness.download(&to).await, (StatusCode::OK, "image/png".into(), vec![7; 3]));
    let once = ["twilio.media.download", "twilio.media.file"];
    assert_eq!(once.map(|name| harness.exchanges(name).len()), [1, 1]);
    assert_eq!(
        harness.download(&one).await.0,
        StatusCode::UNAUTHORIZED,
        "the JSON needs the token"
    );
    let wrong = harness.web.get(one.trim_end_matches(".json")).basic_auth("AC", Some("no"));
    assert_eq!(wrong.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(harness.delete(&one).await.0, StatusCode::NO_CONTENT);
    assert_eq!(harness.delete(&one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(harness.download(&to).await.0, StatusCode::NOT_FOUND);
    assert_eq!(harness.get(&list).await.1["media_list"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_is_fetched_for_the_request_that_created_the_message() {
    let harness = Harness::start_with(|options, url| {
        options.hosts = [("shop.test".to_owned(), url.to_owned())].into();
        options.gateway = Some(url.to_owned());
    })
    .await;
    let png = || file("image/png", vec![7; 3]);
    harness.backend.respond(png()).respond(png());
    for url in ["https://shop.test/a.png", &format!("{}/a.png", harness.url)] {
        harness.send_media(&[url]).await;
        let created = harness.exchanges("twilio.messages.create").pop().unwrap();
        let sent = harness.exchanges("sms.sent").pop().unwrap();
        assert_eq!((sent.caused_by, sent.turn), (Some(created.seq), Some(created.seq)), "{url}");
        let got = harness.backend.requests().pop().unwrap();
        let cause = Cause::parse(got.header(CAUSE_HEADER)).expect(url);
        assert_eq!(cause.seq(), created.seq, "{url}");
        let is_public = url.starts_with("https");
        assert_eq!(got.header("x-forwarded-proto"), if is_public { "https" } else { "" });
    }
    // What is not the gateway is told nothing of ours.
    let elsewhere = Harness::start().await;
    elsewhere.backend.respond(png());
    elsewhere.send_media(&[&format!("{}/a.png", elsewhere.url)]).await;
    assert_eq!(elsewhere.backend.requests()[0].header(CAUSE_HEADER), "");
}

#[tokio::test]
async fn links_to_files_stay_here_and_with_their_caller() {
    let harness = Harness::start().await;
    let sid = harness.send_media(&["https://example.com/a.png"]).await;
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}/Media.json"))).await;
    let path = json["media_list"][0]["uri"].as_str().unwrap().trim_end_matches(".json");
    for caller in ["", "/caller/Front-1"] {
        let here = format!("{}{caller}", harness.server.url());
        let request = harness.web.get(format!("{here}{path}"));
        let response = request.header(header::HOST, "api.twilio.com").send().await.unwrap();
        let to = response.headers()[header::LOCATION].to_str().unwrap();
        assert!(to.starts_with(&format!("{here}/media/")), "{to}");
        assert_eq!(harness.download(to).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_message_whose_file_cannot_be_had_fails() {
    let harness = Harness::start().await;
    let away = [(header::LOCATION, "https://example.com/b.png")];
    harness
        .backend
        .respond(StatusCode::NOT_FOUND)
        .respond(file("text/html", b"<p>".to_vec()))
        .respond(file("image/jpeg", vec![0; 5_000_001]))
        .respond((StatusCode::FOUND, away));
    let url = format!("{}/a.png", harness.url);
    for code in [11200, 12300, 11751, 11216] {
        let sid = harness.send_media(&[&url]).await;
        assert_eq!(harness.outcome(&sid), (Status::Failed, Some(code)));
        let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}/Media.json"))).await;
        assert_eq!(json["media_list"], json!([]));
    }
    let (socket, refusing) = refusing_url();
    let sid = harness.send_media(&[&refusing]).await;
    assert_eq!(harness.outcome(&sid), (Status::Failed, Some(11205)));
    drop(socket);
    // Two files are too large together.
    let half = || file("image/jpeg", vec![0; 3_000_000]);
    harness.backend.respond(half()).respond(half());
    let sid = harness.send_media(&[&url, &url]).await;
    assert_eq!(harness.outcome(&sid), (Status::Failed, Some(11751)));
}

#[tokio::test]
async fn files_of_each_of_many_texts_can_be_fetched() {
    let harness = Harness::start().await;
    let media = |at| Media { url: format!("{at}.png"), content_type: "image/png".into() };
    for _ in 0..7 {
        harness.backend.respond(xml("<Message>Thanks</Message>"));
        harness.server.receive(Inbound { media: (0..10).map(media).collect(), ..text("") }).await;
    }
    for (number, got) in harness.backend.requests().iter().enumerate() {
        for file in 0..10 {
            let url = got.param(&format!("MediaUrl{file}")).unwrap();
            let status = harness.download(&url).await.0;
            assert_eq!(status, StatusCode::TEMPORARY_REDIRECT, "text {number}, file {file}");
        }
    }
}

#[tokio::test]
async fn what_people_send_can_be_fetched() {
    let harness = Harness::start().await;
    let media = |url: &str| Media { url: url.into(), content_type: "image/png".into() };
    let files = ["screen.JPG", "contact.vcf", "https://example.com/a.png"].map(media).to_vec();
    let sid = harness.server.receive(Inbound { media: files, ..text("") }).await.sid;
    let got = &harness.backend.requests()[0];
    let types = [0, 1, 2].map(|at| got.param(&format!("MediaContentType{at}")).unwrap());
    assert_eq!(types, ["image/jpeg", "text/vcard", "image/png"]);
    assert_eq!(got.param("MediaUrl2").as_deref(), Some("https://example.com/a.png"));
    let url = got.param("MediaUrl0").unwrap();
    let begins =
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME", harness.server.url());
    assert!(url.starts_with(&begins), "{url}");
    let (status, to, _) = harness.download(&url).await;
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    let (status, content_type, bytes) = harness.download(&to).await;
    assert_eq!((status, content_type.as_str()), (StatusCode::OK, "image/jpeg"));
    assert!(bytes.starts_with(b"\xff\xd8\xff"), "a JPEG");
    let by_token = harness.web.get(&url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(by_token.status(), StatusCode::TEMPORARY_REDIRECT);
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}/Media.json"))).await;
    assert_eq!(json["media_list"].as_array().unwrap().len(), 3);
    harness.server.reset();
    assert_eq!(harness.download(&to).await.0, StatusCode::NOT_FOUND);
}
