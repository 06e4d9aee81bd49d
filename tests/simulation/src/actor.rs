//! Somebody who asks, and how often and by whom what they ask for is delivered.

use std::{rc::Rc, time::Duration};

use futures::{StreamExt as _, channel::mpsc};
use handlers::{domain::lead::LeadId, ports::Timer as _};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{
    chance::Rates,
    events::What,
    executor::{NewTask, Spawner},
    plan::{Operation, Way, Wish},
    shop::Shop,
};

/// How long somebody waits for an answer before they go on.
const PATIENCE: Duration = Duration::from_secs(40);

/// Somebody who asks for one thing after the other.
pub(crate) struct Actor {
    pub shop: Rc<Shop>,
    pub spawner: Spawner,
    pub rates: Rates,
    pub random: ChaCha8Rng,
}

impl Actor {
    /// Asks for each, in order.
    pub async fn ask_all(mut self, operations: Vec<Operation>) {
        let shop = self.shop.clone();
        for operation in operations {
            self.wait_for_its_time(&operation).await;
            let lead = match operation.wish {
                Wish::Cancel(booking) | Wish::Move(booking, _) => shop.lead_of(booking),
                Wish::Book(_) => None,
            };
            let Some(words) = shop.words(&operation) else { continue };
            shop.log.note(What::Asked(operation));
            let (answered, mut answers) = mpsc::unbounded();
            self.deliver(operation, &words, lead.as_ref(), 0, &answered);
            // Who has an answer of the form sends it no second time.
            if self.percent(self.rates.duplicates) && operation.way == Way::Text {
                let delay = self.random.random_range(0..3_000);
                self.deliver(operation, &words, lead.as_ref(), delay, &answered);
            }
            drop(answered);
            // Impatient ones go on at once.
            if self.percent(80) {
                let patience = shop.timer.sleep(PATIENCE);
                futures::future::select(answers.next(), patience).await;
            }
        }
    }

    /// Waits a while, and for the booking that is to be changed: nobody changes what is not there.
    async fn wait_for_its_time(&mut self, operation: &Operation) {
        let timer = self.shop.timer.clone();
        if self.random.random() {
            timer.sleep(Duration::from_millis(self.random.random_range(0..2_000))).await;
        }
        let (Wish::Cancel(booking) | Wish::Move(booking, _)) = operation.wish else { return };
        let mut waited = Duration::ZERO;
        while self.shop.lead_of(booking).is_none() && waited < PATIENCE {
            let step = Duration::from_millis(self.random.random_range(1..1_000));
            timer.sleep(step).await;
            waited += step;
        }
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// Has an operation delivered after a time, and once more when that crashes.
    fn deliver(
        &mut self,
        operation: Operation,
        words: &str,
        lead: Option<&LeadId>,
        delay_ms: i64,
        answered: &mpsc::UnboundedSender<()>,
    ) {
        let crashes = self.percent(self.rates.crashes);
        let crash_after = crashes.then(|| self.random.random_range(0..50));
        let again_after_ms = self.random.random_range(0..5_000);
        let machine = self.random.random_range(0..self.shop.replies.len());
        let start_ms = self.shop.timer.unix_ms() + delay_ms;
        let work = |is_again: bool| {
            let (shop, answered) = (self.shop.clone(), answered.clone());
            let (words, lead) = (words.to_owned(), lead.cloned());
            async move {
                if is_again {
                    shop.log.note(What::DeliveredAgain(operation.id));
                }
                let told = match (operation.way, &lead) {
                    (Way::Text, _) => shop.text(machine, &operation, &words).await,
                    (Way::Form, _) => shop.form(&operation).await,
                    (Way::Owner, Some(lead)) => shop.owner(&operation, lead).await,
                    (Way::Owner, None) => Err("there is nothing to change".into()),
                };
                shop.log.answered(&operation, told);
                // Whoever has gone on does not listen.
                let _ = answered.unbounded_send(());
            }
        };
        let again = work(true);
        let (shop, spawner) = (self.shop.clone(), self.spawner.clone());
        let is_repeated = operation.way != Way::Owner;
        self.spawner.spawn(NewTask {
            of: operation.id,
            start_ms,
            crash_after,
            work: Box::pin(work(delay_ms > 0)),
            crashed: Box::new(move || {
                shop.log.note(What::Crashed(operation.id));
                let last = shop.chance.last_call_of(operation.id).unwrap_or("nothing");
                shop.log.crashes.borrow_mut().entry(operation.id).or_insert(last);
                if is_repeated {
                    spawner.spawn(NewTask {
                        of: operation.id,
                        start_ms: shop.timer.unix_ms() + again_after_ms,
                        crash_after: None,
                        work: Box::pin(again),
                        crashed: Box::new(|| {}),
                    });
                }
            }),
        });
    }
}
