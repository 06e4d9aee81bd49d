//! The console's files: what they are served with, and that they are all there is.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;

use super::support::Running;
use crate::{
    console::{ASSETS, gzip},
    loopback_client,
};

/// The most that the page may transfer in bytes, compressed as it is.
const MOST: usize = 75 * 1024;

#[tokio::test]
async fn every_file_is_served_and_the_page_with_a_policy_without_inline_scripts() {
    let running = Running::start().await;
    let web = loopback_client().unwrap();
    for (path, kind, content) in ASSETS {
        let url = format!("{}{path}", running.server.url());
        let response = web.get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), *kind, "{path}");
        if *path == "/" {
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
        }
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(response.text().await.unwrap(), *content, "{path}");
        let packed = web.get(&url).header("accept-encoding", "br, gzip").send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(packed.bytes().await.unwrap(), gzip(content).unwrap(), "{path}");
        let strange = web.get(&url).header("host", "rehearse.example").send().await.unwrap();
        assert_eq!(strange.status(), 403, "{path}");
    }
}

#[test]
fn every_file_of_the_folder_is_served_and_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/assets");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let there: BTreeSet<String> = names.map(|name| name.into_string().unwrap()).collect();
    let name = |path: &str| match path.rsplit('/').next() {
        Some("") | None => "index.html".to_owned(),
        Some(name) => name.to_owned(),
    };
    let served: BTreeSet<String> = ASSETS.iter().map(|(path, ..)| name(path)).collect();
    assert_eq!(there, served);
    let packed = |content: &str| gzip(content).unwrap().len();
    let bytes: usize = ASSETS.iter().map(|(.., content)| packed(content)).sum();
    assert!(bytes <= MOST, "the page has {bytes} bytes");
}

/// A text of a customer that becomes markup would run with the page's rights; and the page works
/// without a network.
#[test]
fn no_script_writes_markup_and_no_file_names_another_host() {
    let writes =
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("];
    for (path, _, content) in ASSETS {
        for word in writes {
            assert!(!content.contains(word), "{path} has {word}");
        }
        for (at, _) in content.match_indices("://") {
            let host = &content[at + 3..content.len().min(at + 16)];
            let local = ["127.0.0.1", "localhost", "www.w3.org", "${", "'", "\""];
            assert!(local.iter().any(|known| host.starts_with(known)), "{path}: ...://{host}");
        }
    }
}

#[tokio::test]
async fn rows_are_deleted_and_another_world_has_another_instance() {
    let (running, other) = (Running::start().await, Running::start().await);
    let rows = [json!({ "id": "L1", "n": 1 }), json!({ "id": "L2" })];
    running.world.database().put_rows("Leads", &rows).await.unwrap();
    // A whole row is as good as its key.
    let items = running.client.items("Leads").await.unwrap().items;
    let deleted = running.client.delete_items("Leads", &items[..1]).await.unwrap();
    assert_eq!((deleted.table.as_str(), deleted.deleted), ("Leads", 1));
    assert_eq!(running.world.database().rows("Leads").await.unwrap(), rows[1..]);
    let (_, error) = running.raw("DELETE", "/tables/Leads/items", r#"{"keys": [{}]}"#).await;
    assert!(error.error.contains("key attribute `id`"), "{error:?}");

    let (one, another) =
        (running.client.ready().await.unwrap(), other.client.ready().await.unwrap());
    assert_ne!(one.instance, another.instance);
    assert_eq!(one.instance, running.client.ready().await.unwrap().instance);
}
