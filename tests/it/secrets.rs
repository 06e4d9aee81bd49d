//! Secrets through the extension, from the webhook to the store and back.

use std::path::Path;

use handlers::compose::Clients;
use rehearse_aws::{
    Function,
    template::{Settings, Template},
};
use rehearse_core::{
    clock::Clock,
    journal::{Exchange, ExchangeDetail},
};
use rehearse_twilio::Inbound;
use rehearse_world::{Backend, World, WorldConfig};
use reqwest::StatusCode;

use crate::support::root;

const TOKEN: &str = "/rehearse/twilio-auth-token";
const ADMIN: &str = "/rehearse/admin-token";

fn backend(template: &Template) -> Backend {
    let clients = Clients::plain().unwrap();
    let functions = handlers::functions().map(|function| {
        let clients = clients.clone();
        Function::new(function.id, move |vars| Ok((function.build)(vars, &clients)?))
    });
    let settings = Settings::read(&root().join("rehearse.toml")).unwrap();
    Backend::new(functions.into(), template.clone(), settings, &root()).unwrap()
}

fn template(path: &Path) -> Template {
    Template::read(path).unwrap()
}

async fn world() -> World {
    start(&template(&root().join("template.yaml"))).await
}

async fn start(template: &Template) -> World {
    let clock = Clock::stopped("2026-02-10T20:10:00Z".parse().unwrap());
    World::start(WorldConfig::new(backend(template), clock)).await.unwrap()
}

/// A text that needs no model; the status of each attempt of its webhook.
async fn text(world: &World) -> Vec<u16> {
    let text = Inbound { from: "+19042520927".into(), body: "HELP".into(), ..Inbound::default() };
    world.twilio().receive(text).await;
    let statuses = world.journal().since(0).into_iter().filter(|e| e.name == "webhook.sms");
    statuses.filter_map(|entry| entry.outcome?.status).collect()
}

async fn forged(world: &World) -> StatusCode {
    let url = format!("{}/dispatcher", world.endpoints().gateway);
    let forged = reqwest::Client::new().post(url).header("x-twilio-signature", "Zm9yZ2Vk").form(&[
        ("From", "+19042520927"),
        ("Body", "Hi"),
        ("MessageSid", "SM1"),
    ]);
    forged.send().await.unwrap().status()
}

async fn state(world: &World, token: &str) -> StatusCode {
    let url = format!("{}/state", world.endpoints().gateway);
    reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap().status()
}

/// How often a secret was asked for.
fn asked(world: &World, secret: &str) -> usize {
    let is = |entry: &Exchange| matches!(&entry.detail, ExchangeDetail::Secret { name, .. } if name == secret);
    world.journal().since(0).iter().filter(|entry| is(entry)).count()
}

#[tokio::test]
async fn the_first_webhook_after_a_rotation_passes() {
    let world = world().await;
    assert_eq!(text(&world).await, [200]);
    assert_eq!(asked(&world, TOKEN), 1);
    world.secrets().put(TOKEN, "rotated");
    world.twilio().rotate_auth_token("rotated");
    assert_eq!(text(&world).await, [200, 200]);
    assert_eq!(asked(&world, TOKEN), 2);
    assert_eq!(text(&world).await, [200, 200, 200]);
    assert_eq!(asked(&world, TOKEN), 2, "the new token is kept");
}

#[tokio::test]
async fn forged_webhooks_are_refused_and_make_one_question_within_a_minute() {
    let world = world().await;
    assert_eq!(text(&world).await, [200]);
    for _ in 0..10 {
        assert_eq!(forged(&world).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(asked(&world, TOKEN), 2, "at the start, and once more");
    assert_eq!(text(&world).await, [200, 200]);
}

#[tokio::test]
async fn without_the_extension_nobody_gets_in_and_twilio_tries_again() {
    let world = world().await;
    world.secrets().stop().await;
    // Retried as the number is configured, then the fallback; each is told to come back.
    let statuses = text(&world).await;
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert_eq!(forged(&world).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(state(&world, "rehearse-admin-token").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_extension_that_goes_away_leaves_the_old_token_in_use() {
    let world = world().await;
    assert_eq!(text(&world).await, [200]);
    world.secrets().stop().await;
    assert_eq!(forged(&world).await, StatusCode::FORBIDDEN);
    assert_eq!(text(&world).await, [200, 200]);
    world.twilio().rotate_auth_token("rotated");
    assert_eq!(text(&world).await, [200, 200, 403], "never open");
}

#[tokio::test]
async fn the_admin_token_is_rotated_alike() {
    let world = world().await;
    assert_eq!(state(&world, "rehearse-admin-token").await, StatusCode::OK);
    world.secrets().put(ADMIN, "n3w");
    assert_eq!(state(&world, "n3w").await, StatusCode::OK);
    assert_eq!(state(&world, "rehearse-admin-token").await, StatusCode::UNAUTHORIZED);
    assert_eq!(asked(&world, ADMIN), 2);
}

/// As on AWS: an extension that keeps values hides a rotation, and without the layer there is none.
#[tokio::test]
async fn the_template_has_the_layer_and_lets_the_extension_keep_nothing() {
    let text = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let with = async |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let path = folder.path().join("template.yaml");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        start(&template(&path)).await
    };
    let keeping =
        with("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED: \"FALSE\"", "OTHER: \"1\"").await;
    assert_eq!(state(&keeping, "rehearse-admin-token").await, StatusCode::OK);
    keeping.secrets().put(ADMIN, "n3w");
    assert_eq!(state(&keeping, "n3w").await, StatusCode::UNAUTHORIZED);
    let without = with("Layers: [!Ref SecretsExtension]", "Tracing: Active").await;
    assert_eq!(state(&without, "rehearse-admin-token").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn no_secret_reaches_the_journal() {
    let world = world().await;
    text(&world).await;
    state(&world, "rehearse-admin-token").await;
    let journal = serde_json::to_string(&world.journal().since(0)).unwrap();
    assert!(journal.contains(TOKEN) && journal.contains(ADMIN));
    for secret in ["rehearse-admin-token", "00000000000000000000000000000000\"", "sk-rehearse"] {
        let value = format!("\"{secret}");
        assert!(!journal.contains(&value), "{secret}");
    }
}
