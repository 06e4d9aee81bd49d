//! The fake Twilio of a world: starting it, and what a scenario does with it.

use std::{collections::BTreeSet, fmt, io, ops::Deref, sync::Arc};

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::{
    Delivery, DeliveryPlan, Inbound, InvalidPlan, Message, NumberConfig, Options, ServiceConfig,
    Sid, Status,
    account::Account,
    inbox::Inbox,
    outbox::Outbox,
    rest::{self, RestApi},
    webhook::WebhookClient,
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal, serve::Serving};

/// A handle on a fake Twilio. Clones share it; it stays usable when the [`Server`] is dropped, but
/// serves no more requests then.
#[derive(Clone)]
pub struct Twilio(Arc<Parts>);

/// Keeps the fake serving. Dropping it closes the listener and every connection, and stops the
/// status callbacks under way.
pub struct Server {
    twilio: Twilio,
    _serving: Serving,
}

struct Parts {
    url: String,
    account: Arc<Account>,
    webhooks: Arc<WebhookClient>,
    outbox: Arc<Outbox>,
    inbox: Arc<Inbox>,
}

impl Twilio {
    /// Serves the REST API on `listener` until the result is dropped.
    ///
    /// `web` calls the backend's URLs; make it with [`webhook_client`](super::webhook_client). Several
    /// fakes may share one.
    ///
    /// # Errors
    /// When the caller is not inside a tokio runtime, or the listener has no local address.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
        web: reqwest::Client,
    ) -> io::Result<Server> {
        let account = Arc::new(Account::new(options, journal, clock, faults));
        let webhooks = Arc::new(WebhookClient::new(Arc::clone(&account), web));
        let outbox = Arc::new(Outbox::new(Arc::clone(&account), Arc::clone(&webhooks)));
        let inbox =
            Arc::new(Inbox::new(Arc::clone(&account), Arc::clone(&webhooks), Arc::clone(&outbox)));
        let api = RestApi {
            account: Arc::clone(&account),
            outbox: Arc::clone(&outbox),
            inbox: Arc::clone(&inbox),
        };
        let serving = Serving::router(listener, rest::router(api))?;
        // It is set here alone.
        let _ = account.url.set(serving.url());
        let parts = Parts { url: serving.url(), account, webhooks, outbox, inbox };
        Ok(Server { twilio: Self(Arc::new(parts)), _serving: serving })
    }

    /// The base URL of the REST API: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The account's sid, which is also the user name of the REST API.
    pub fn account_sid(&self) -> &str {
        &self.0.account.options.account_sid
    }

    /// The account's auth token, which signs webhooks and is the password of the REST API.
    pub fn auth_token(&self) -> String {
        self.0.account.state().auth_token.clone()
    }

    /// The account's first number, in E.164 format.
    pub fn number(&self) -> &str {
        &self.0.account.options.number
    }

    /// The account's numbers, in E.164 format, the first one first.
    pub fn numbers(&self) -> Vec<String> {
        self.0.account.state().numbers().map(|number| number.phone.clone()).collect()
    }

    /// Whether a number of the account, in E.164 format, takes and sends WhatsApp messages.
    pub fn is_whatsapp_sender(&self, number: &str) -> bool {
        self.0.account.options.whatsapp.contains(number)
    }

    /// Changes the configuration of the first number. The REST API shows the change.
    pub fn configure(&self, change: impl FnOnce(&mut NumberConfig)) {
        change(&mut self.0.account.state().first.config);
    }

    /// Changes the Messaging Service of the first number; does nothing when it is in none that has settings.
    /// The REST API shows the change.
    pub fn configure_service(&self, change: impl FnOnce(&mut ServiceConfig)) {
        let mut state = self.0.account.state();
        let sid = state.first.config.messaging_service_sid.clone();
        let service =
            state.services.iter_mut().find(|service| Some(service.sid()) == sid.as_deref());
        if let Some(service) = service {
            change(&mut service.config);
        }
    }

    /// The configuration of the first number.
    pub fn config(&self) -> NumberConfig {
        self.0.account.state().first.config.clone()
    }

    /// Replaces the account's auth token, as promoting a new one in Twilio's console does. Webhooks
    /// are signed with the new one, and the REST API refuses the old one.
    pub fn rotate_auth_token(&self, auth_token: &str) {
        auth_token.clone_into(&mut self.0.account.state().auth_token);
    }

    /// A person texts the number: records the text, acts on an opt-out keyword, calls the webhook with
    /// retries and fallback, and sends the replies. Resolves when the last document was read; status
    /// callbacks may still be under way, see [`Twilio::settled`].
    pub async fn receive(&self, text: Inbound) -> Delivery {
        let sid = self.accept(text);
        self.redeliver(sid).await
    }

    /// The first half of [`Twilio::receive`]: records the text and acts on an opt-out keyword.
    /// [`Twilio::redeliver`] is the other half.
    pub fn accept(&self, text: Inbound) -> Sid {
        self.0.outbox.release_due();
        self.0.inbox.accept(text)
    }

    /// Delivers a received text, once more if it was delivered before, as Twilio does when a response
    /// is lost: the sid, the parameters and the idempotency token are the same each time. Error 20404
    /// when no text with this sid was received.
    pub async fn redeliver(&self, sid: Sid) -> Delivery {
        let _activity = self.0.account.activity.begin();
        Box::pin(self.0.inbox.deliver(sid)).await
    }

    /// Decides what becomes of messages that are sent from now on. Of several plans for a message the
    /// first one counts, until it was used for as many messages as it says. A plan goes before a
    /// fault on `twilio.delivery`.
    ///
    /// # Errors
    /// The plan cannot be carried out; the error says why.
    pub fn steer(&self, plan: DeliveryPlan) -> Result<(), InvalidPlan> {
        plan.check()?;
        self.0.account.state().add_plan(plan);
        Ok(())
    }

    /// Removes all plans of [`Twilio::steer`].
    pub fn stop_steering(&self) {
        self.0.account.state().clear_plans();
    }

    /// The next business time until `until` at which a scheduled message is sent, or something that a
    /// plan put off happens.
    pub fn next_due(&self, until: Timestamp) -> Option<Timestamp> {
        self.0.outbox.next_due(until)
    }

    /// Has scheduled messages sent as time passes, and has happen what plans put off, if the clock runs by
    /// itself. Whoever lets a clock run that stood still calls this.
    ///
    /// # Panics
    /// Outside a tokio runtime, if the clock runs.
    pub fn follow_running_clock(&self) {
        self.0.outbox.follow_running_clock();
    }

    /// Waits until no delivery, REST call or status callback is under way. Scheduled messages whose
    /// time has come are sent first.
    pub async fn settled(&self) {
        self.0.outbox.release_due();
        self.0.account.activity.idle().await;
    }

    /// How many deliveries, REST calls and status callbacks there have been; `None` while one is under
    /// way. Scheduled messages whose time has come are sent first.
    pub fn begun_if_idle(&self) -> Option<u64> {
        self.0.outbox.release_due();
        self.0.account.activity.begun_if_idle()
    }

    /// All messages of the account, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.0.outbox.release_due();
        self.0.account.state().messages.iter().cloned().collect()
    }

    /// The message with this sid.
    pub fn message(&self, sid: Sid) -> Option<Message> {
        self.0.account.state().messages.get(sid).cloned()
    }

    /// Gives a message that was sent another status, as a late report of the carrier does, and calls
    /// its status callback if it has one. Resolves when the callback was answered. `None` when no
    /// message that was sent has this sid.
    pub async fn report(&self, sid: Sid, status: Status, error: Option<u32>) -> Option<Message> {
        self.0.outbox.report(sid, status, error).await
    }

    /// Who has opted out: from which of the account's numbers, or which Messaging Service, and the person.
    pub fn opt_outs(&self) -> BTreeSet<(String, String)> {
        self.0.account.state().opt_outs()
    }

    /// Replaces who has opted out.
    pub fn set_opt_outs(&self, opt_outs: BTreeSet<(String, String)>) {
        self.0.account.state().set_opt_outs(opt_outs);
    }

    /// Drops scheduled messages, which are canceled, and what was put off: those messages get the last status
    /// that was still to come. No callback is called.
    pub fn forget_due(&self) {
        self.0.outbox.forget_due();
    }

    /// Configures the numbers as they were at the start.
    pub fn restore_numbers(&self) {
        self.0.account.restore_numbers();
    }

    /// Removes messages, scheduled ones too, opt-outs, cookies, plans and what they put off, stops status
    /// callbacks under way, and restores the first auth token. The numbers stay as they were configured.
    /// Sids are not reused: a backend may remember those that it has seen.
    pub fn reset(&self) {
        self.0.outbox.reset();
        self.0.inbox.reset();
        self.0.webhooks.reset();
        self.0.account.reset();
    }

    /// The messages that were created after a message, oldest first; empty when no message has this
    /// sid.
    pub(crate) fn messages_after(&self, sid: Sid) -> Vec<Message> {
        let state = self.0.account.state();
        state.messages.after(sid).map(|messages| messages.cloned().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn account(&self) -> &Account {
        &self.0.account
    }
}

impl Server {
    /// A handle that may outlive the server.
    pub fn handle(&self) -> Twilio {
        self.twilio.clone()
    }
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").field("url", &self.0.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.twilio).finish()
    }
}

impl Deref for Server {
    type Target = Twilio;

    fn deref(&self) -> &Twilio {
        &self.twilio
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.twilio.0.outbox.stop();
    }
}
