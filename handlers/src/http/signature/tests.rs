//! The test vectors of Twilio's official libraries, and signatures that must be refused.

use super::*;

const TOKEN: &str = "12345";
const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const PUBLISHED: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn form() -> Vec<(String, String)> {
    owned(&[
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ])
}

fn check(signature: &str, url: &str, signed: SignedContent<'_>) -> bool {
    is_valid_signature(TOKEN, signature, &[url.to_owned()], signed)
}

#[test]
fn published_vector() {
    assert!(check(PUBLISHED, URL, SignedContent::Form(&form())));
}

#[test]
fn published_vector_signed_with_the_default_port() {
    let signature = "kvajT1Ptam85bY51eRf/AJRuM3w=";
    assert!(check(signature, URL, SignedContent::Form(&form())));
}

#[test]
fn published_vector_signed_without_the_port() {
    let url = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
    assert!(check(PUBLISHED, url, SignedContent::Form(&form())));
}

#[test]
fn published_vector_with_another_port() {
    let url = "http://mycompany.com:1234/myapp.php?foo=1&bar=2";
    let signature = "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=";
    assert!(check(signature, url, SignedContent::Form(&form())));
}

#[test]
fn published_vector_of_a_json_body() {
    let signature = "a9nBmqA0ju/hNViExpshrM61xv4=";
    let body = br#"{"property": "value", "boolean": true}"#;
    let digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let url = format!("{URL}&bodySHA256={digest}");
    assert!(check(signature, &url, SignedContent::Json(body)));
    assert!(!check(signature, &url, SignedContent::Json(b"{}")));
    assert!(!check(signature, URL, SignedContent::Json(body)));
}

#[test]
fn signatures_of_anything_else_are_refused() {
    let mut changed = form();
    changed[2].1.push('5');
    assert!(!check(PUBLISHED, URL, SignedContent::Form(&changed)));
    assert!(!check(PUBLISHED, URL, SignedContent::Query));
    let elsewhere = "https://mycompany.com/other";
    assert!(!check(PUBLISHED, elsewhere, SignedContent::Form(&form())));
    assert!(!check("", URL, SignedContent::Form(&form())));
    assert!(!check("not base64!", URL, SignedContent::Form(&form())));
    let urls = [URL.to_owned()];
    assert!(!is_valid_signature("12346", PUBLISHED, &urls, SignedContent::Form(&form())));
    assert!(!is_valid_signature(TOKEN, PUBLISHED, &[], SignedContent::Form(&form())));
}

#[test]
fn any_candidate_may_be_the_one_that_was_signed() {
    let urls = ["https://old.example/sms", URL, "https://new.example/sms"].map(str::to_owned);
    assert!(is_valid_signature(TOKEN, PUBLISHED, &urls, SignedContent::Form(&form())));
}

#[test]
fn a_repeated_pair_counts_once_and_values_are_sorted_untrimmed() {
    let once = owned(&[("a", "2"), ("a", "1"), ("B", " x ")]);
    let twice = owned(&[("a", "1"), ("B", " x "), ("a", "2"), ("a", "1")]);
    assert_eq!(parameters(SignedContent::Form(&once)), "B x a1a2");
    assert_eq!(parameters(SignedContent::Form(&twice)), "B x a1a2");
}

#[test]
fn port_variants_keep_user_path_and_query() {
    assert_eq!(
        with_port_variants("https://u:p@[::1]:8443/a?b=c:d"),
        ["https://u:p@[::1]:8443/a?b=c:d", "https://u:p@[::1]/a?b=c:d"]
    );
    assert_eq!(
        with_port_variants("http://host?b=c:d"),
        ["http://host?b=c:d", "http://host:80?b=c:d"]
    );
}
