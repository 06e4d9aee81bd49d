//! The backend's routers on ports in memory. Nothing waits: time is the test's.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use handlers::{
    adapters::secrets::StaticCredential,
    app::{
        customers::CustomerService, owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService,
    },
    domain::form_hold::FormConfirmation,
    http::{self, BookPage, WebhookAuthentication},
};
use memory_ports::{Idle, SequentialIdGenerator, World, calendar, phone, say};
use tower::ServiceExt as _;

/// The token that signs webhooks.
pub(crate) const TOKEN: &str = "12345";
/// The admin token.
pub(crate) const ADMIN: &str = "s3cret";
/// What no answer may have: names of this program's parts, and words of the libraries that it stands on.
const INTERNAL: [&str; 7] =
    ["panicked", ".rs:", "handlers::", "StoreError", "Utf8Error", "Error { ", "serde"];

/// Builds a router.
pub(crate) type Build = fn(&World) -> Router;

/// The function that answers Twilio. Its model has something to say as often as it can be asked.
pub(crate) fn dispatcher(world: &World) -> Router {
    for _ in 0..16 {
        world.model.then([say("We open at 9:00 AM.")]);
    }
    let authentication = WebhookAuthentication {
        auth_token: Arc::new(StaticCredential::new(TOKEN)),
        public_urls: Vec::new(),
        account_sid: "AC1".to_owned(),
        number: phone("+19045550100"),
    };
    http::dispatcher(world.reply(), authentication)
}

/// The function of the booking form, with codes and without.
pub(crate) fn scheduler(world: &World) -> Router {
    http::scheduler(world.scheduler(), BookPage::default())
}

/// The same with bookings that are confirmed by a code.
pub(crate) fn confirming_scheduler(world: &World) -> Router {
    let scheduler = world.scheduler().with_confirmation(FormConfirmation::Sms);
    http::scheduler(scheduler, BookPage::default())
}

/// The owner's function.
pub(crate) fn state_manager(world: &World) -> Router {
    let store = &world.store;
    let ids = Arc::new(SequentialIdGenerator::default());
    http::state(
        world.owner_state(),
        OwnerCalendarService::new(store.clone(), calendar()),
        CustomerService::new(store.clone(), calendar()),
        OwnerPageService::new(store.clone(), ids, Arc::new(Idle), calendar()),
        Some(Arc::new(StaticCredential::new(ADMIN))),
    )
}

/// The function that works outside of requests.
pub(crate) fn late_reply(world: &World) -> Router {
    http::background(world.reply(), world.outbox())
}

/// Sends a request to a router on empty tables.
///
/// # Panics
/// When it answers 5xx or tells something internal.
pub(crate) fn send<B>(build: Build, request: Request<B>) -> StatusCode
where
    B: Into<Body>,
{
    let world = World::new();
    let router = build(&world);
    let (parts, body) = request.into_parts();
    let asked = format!("{} {}", parts.method, parts.uri);
    let request = Request::from_parts(parts, body.into());
    world.run(async {
        let Ok(response) = router.oneshot(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
        let text = String::from_utf8_lossy(&body);
        assert!(!status.is_server_error(), "{asked}: {status} {text}");
        // What is refused is not repeated, so these words are not the caller's.
        if status.is_client_error() {
            for internal in INTERNAL {
                assert!(!text.contains(internal), "{asked}: {internal} in {text}");
            }
        }
        status
    })
}
