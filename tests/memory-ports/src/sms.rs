//! A carrier that records the texts it is given.

use std::sync::Mutex;

use async_trait::async_trait;
use handlers::{
    domain::phone::Phone,
    ports::{Sms, SmsError},
};

use jiff::Timestamp;

use super::executor::pass;

/// A carrier that keeps what it is given, and fails on demand.
#[derive(Default)]
pub struct FakeSms {
    sent: Mutex<Vec<(String, String)>>,
    opted_out: Mutex<bool>,
    refused: Mutex<Option<(String, u32)>>,
    hangs: Mutex<bool>,
    failures: Mutex<Vec<SendFailure>>,
}

/// How one send fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendFailure {
    /// Nothing is sent, and the caller does not know that.
    LostBefore,
    /// The text is sent, and the caller does not know that.
    LostAfter,
}

impl FakeSms {
    /// Number and text of everything given so far, including what was refused.
    pub fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap().clone()
    }

    /// From now on every recipient has opted out.
    pub fn opt_out(&self) {
        *self.opted_out.lock().unwrap() = true;
    }

    /// From now on every text to this number is refused with this code.
    pub fn refuse(&self, to: &str, code: u32) {
        *self.refused.lock().unwrap() = Some((to.to_owned(), code));
    }

    /// The next sends fail like this, one each.
    pub fn fail(&self, failures: &[SendFailure]) {
        self.failures.lock().unwrap().extend(failures);
    }

    /// From now on no call returns.
    pub fn hang(&self) {
        *self.hangs.lock().unwrap() = true;
    }
}

#[async_trait]
impl Sms for FakeSms {
    async fn send(&self, to: &Phone, body: &str, _report: bool) -> Result<(), SmsError> {
        pass().await;
        let hangs = *self.hangs.lock().unwrap();
        if hangs {
            std::future::pending::<()>().await;
        }
        let failure = {
            let mut failures = self.failures.lock().unwrap();
            (!failures.is_empty()).then(|| failures.remove(0))
        };
        if failure == Some(SendFailure::LostBefore) {
            return Err(SmsError::Unknown("lost before".into()));
        }
        if let Some((number, code)) = &*self.refused.lock().unwrap()
            && number == to.as_str()
        {
            return Err(SmsError::Refused { code: Some(*code) });
        }
        self.sent.lock().unwrap().push((to.as_str().to_owned(), body.to_owned()));
        if failure == Some(SendFailure::LostAfter) {
            return Err(SmsError::Unknown("lost after".into()));
        }
        if *self.opted_out.lock().unwrap() { Err(SmsError::OptedOut) } else { Ok(()) }
    }

    async fn was_sent(&self, to: &Phone, body: &str, _since: Timestamp) -> Result<bool, SmsError> {
        pass().await;
        let hangs = *self.hangs.lock().unwrap();
        if hangs {
            std::future::pending::<()>().await;
        }
        let sent = self.sent.lock().unwrap();
        Ok(sent.iter().any(|(number, text)| number == to.as_str() && text == body))
    }
}
