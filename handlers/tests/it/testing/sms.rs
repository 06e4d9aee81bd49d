//! A carrier that records the texts it is given.

use std::sync::Mutex;

use async_trait::async_trait;
use handlers::{
    domain::phone::Phone,
    ports::{Sms, SmsError},
};

use super::executor::pass;

#[derive(Default)]
pub struct FakeSms {
    sent: Mutex<Vec<(String, String)>>,
    refuses: Mutex<bool>,
    hangs: Mutex<bool>,
}

impl FakeSms {
    /// Number and text of everything given so far, including what was refused.
    pub fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap().clone()
    }

    /// From now on every recipient has opted out.
    pub fn refuse(&self) {
        *self.refuses.lock().unwrap() = true;
    }

    /// From now on no call returns.
    pub fn hang(&self) {
        *self.hangs.lock().unwrap() = true;
    }
}

#[async_trait]
impl Sms for FakeSms {
    async fn send(&self, to: &Phone, body: &str) -> Result<(), SmsError> {
        pass().await;
        let hangs = *self.hangs.lock().unwrap();
        if hangs {
            std::future::pending::<()>().await;
        }
        self.sent.lock().unwrap().push((to.as_str().to_owned(), body.to_owned()));
        if *self.refuses.lock().unwrap() { Err(SmsError::OptedOut) } else { Ok(()) }
    }
}
