//! The list of messages: order, filters and pages.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::Value;

use super::harness::*;

fn bodies(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap()).collect()
}

async fn page(harness: &Harness, uri: &str) -> Value {
    let (status, json) = harness.get(&format!("{}{uri}", harness.server.url())).await;
    assert_eq!(status, StatusCode::OK, "{json}");
    json
}

async fn query(harness: &Harness, query: &str) -> Value {
    page(harness, &format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json{query}")).await
}

#[tokio::test]
async fn an_empty_list_has_every_field() {
    let harness = Harness::start().await;
    let json = query(&harness, "").await;
    let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=50&Page=0");
    let expected = serde_json::json!({
        "messages": [], "start": 0, "end": 0, "page": 0, "page_size": 50, "uri": uri,
        "first_page_uri": uri, "next_page_uri": null, "previous_page_uri": null,
    });
    assert_eq!(json, expected);
}

#[tokio::test]
async fn pages_follow_each_other_both_ways_newest_first() {
    let harness = Harness::start().await;
    for n in 0..5 {
        harness.send(&n.to_string()).await;
    }
    let first = query(&harness, "?PageSize=2").await;
    assert_eq!((bodies(&first), first["end"].as_u64()), (vec!["4", "3"], Some(1)));
    assert_eq!(first["previous_page_uri"], Value::Null);
    let next = first["next_page_uri"].as_str().unwrap();
    let token = format!("PageToken=PA{}", first["messages"][1]["sid"].as_str().unwrap());
    assert!(next.ends_with(&format!("?PageSize=2&Page=1&{token}")), "{next}");
    // A message that is created in between does not move the pages.
    harness.send("new").await;
    let second = page(&harness, next).await;
    assert_eq!(
        (bodies(&second), second["start"].as_u64(), second["end"].as_u64()),
        (vec!["2", "1"], Some(2), Some(3))
    );
    let third = page(&harness, second["next_page_uri"].as_str().unwrap()).await;
    assert_eq!((bodies(&third), &third["next_page_uri"]), (vec!["0"], &Value::Null));
    let back = page(&harness, third["previous_page_uri"].as_str().unwrap()).await;
    assert_eq!((bodies(&back), back["page"].as_u64()), (vec!["2", "1"], Some(1)));
    assert_eq!(bodies(&query(&harness, "?PageSize=2&Page=2").await), ["1", "0"]);
    // The token of a deleted message still works.
    harness.clock.advance(SignedDuration::from_mins(1));
    let sid = first["messages"][1]["sid"].as_str().unwrap();
    harness.delete(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!(bodies(&page(&harness, next).await), ["2", "1"]);
}

#[tokio::test]
async fn messages_are_filtered_and_pages_keep_the_filter() {
    let harness = Harness::start().await;
    for n in 0..3 {
        harness.send(&n.to_string()).await;
        harness.server.receive(text("in")).await;
        harness.clock.advance(SignedDuration::from_hours(24));
    }
    let to = query(&harness, "?To=%2B15550123456&PageSize=2").await;
    assert_eq!(bodies(&to), ["2", "1"]);
    let next = to["next_page_uri"].as_str().unwrap();
    assert!(next.contains("?To=%2B15550123456&PageSize=2&"), "{next}");
    assert_eq!(bodies(&page(&harness, next).await), ["0"]);
    assert_eq!(bodies(&query(&harness, "?From=%2B15550123456").await), ["in"; 3]);
    let both = "?To=%2B15550123456&From=%2B15550100000&DateSent=2026-02-11";
    assert_eq!(bodies(&query(&harness, both).await), ["1"]);
    let out = |filter: &str| format!("?From=%2B15550100000&{filter}");
    assert_eq!(bodies(&query(&harness, &out("DateSent%3C=2026-02-11")).await), ["1", "0"]);
    assert_eq!(bodies(&query(&harness, &out("DateSent%3E=2026-02-11")).await), ["2", "1"]);
    // The SDKs send a day as its midnight.
    for (filter, found) in [
        ("DateSent=2026-02-11T00%3A00%3A00Z", vec!["1"]),
        ("DateSent%3C=2026-02-11T00%3A00%3A00Z", vec!["1", "0"]),
        ("DateSent%3E=2026-02-11T00%3A00%3A00Z", vec!["2", "1"]),
        ("DateSent=%3E%3D2026-02-11", vec!["2", "1"]),
        ("DateSent%3E=2026-02-11&DateSent%3C=2026-02-11", vec!["1"]),
        ("DateSent=2026-02-11T20%3A10%3A00Z", vec!["1"]),
        ("DateSent=2026-02-11T20%3A11%3A00Z", vec![]),
    ] {
        assert_eq!(bodies(&query(&harness, &out(filter)).await), found, "{filter}");
    }
    let moment = out("DateSent%3E=2026-02-11T20%3A10%3A01Z");
    assert_eq!(bodies(&query(&harness, &moment).await), ["2"]);
    let between = out("DateSent%3E=2026-02-11T00%3A00%3A00Z&DateSent%3C=2026-02-11T20%3A10%3A00Z");
    assert_eq!(bodies(&query(&harness, &between).await), ["1"]);
}

#[tokio::test]
async fn invalid_filters_and_pages_are_refused() {
    let harness = Harness::start().await;
    for (query, code) in [
        ("?PageSize=1001", 20007),
        ("?PageToken=nonsense", 21481),
        ("?PageToken=PASM00000000000000000000000000000000", 21481),
        ("?DateSent=yesterday", 20001),
    ] {
        let (status, json) = harness.get(&format!("{}{query}", harness.messages_url())).await;
        assert_eq!(
            (status, json["code"].as_u64()),
            (StatusCode::BAD_REQUEST, Some(code)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_page_size_of_0_is_the_default_and_a_page_behind_the_last_is_empty() {
    let harness = Harness::start().await;
    harness.send("a").await;
    assert_eq!(bodies(&query(&harness, "?PageSize=0&Page=-1").await), ["a"]);
    assert_eq!(bodies(&query(&harness, "?Page=18446744073709551615").await), [""; 0]);
}

#[tokio::test]
async fn the_largest_page_number_stays_the_same_on_the_next_page() {
    let harness = Harness::start().await;
    let sids = [harness.send("a").await, harness.send("b").await, harness.send("c").await];
    let token = format!("?PageSize=1&Page=18446744073709551615&PageToken=PA{}", sids[2]);
    let page = query(&harness, &token).await;
    assert_eq!(bodies(&page), ["b"]);
    let next = page["next_page_uri"].as_str().unwrap();
    assert!(next.contains("&Page=18446744073709551615&"), "{next}");
}
