//! Bookings that a number confirms by the code that it was texted.
//!
//! Until then nothing is told of the number: the same request gets the same answer, whatever the
//! number has booked and whether it wants texts.

use jiff::Timestamp;

use super::{
    ATTEMPTS, FormBooking, FormFields, FormRequest, RepeatKey, Scheduler, SchedulerError,
    give_back, is_for_its_time, request,
    writing::{is_in_the_way, lead},
};
use crate::{
    app::{
        bookings::{BookingError, BookingService},
        error_chain::ErrorChain,
        rate_limit::RateLimit,
    },
    domain::{
        booking::{Booking, IdempotencyRecord, RecordWrite},
        digest::sha256_hex,
        form_hold::{
            CODES_FROM_ADDRESS, CODES_IN_ALL, CODES_TO_NUMBER, FormCode, FormConfirmation,
            FormHold, HoldId,
        },
        lead::{LeadId, LeadStatus},
        phone::Phone,
    },
};

/// What a filled-in form leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormAnswer {
    /// It is booked.
    Booked(FormBooking),
    /// Its time is held, and a code is under way to the number.
    Pending {
        /// The hold, for its confirmation.
        id: HoldId,
        /// When it ends.
        until: Timestamp,
    },
}

/// What there is for a request already.
enum Standing {
    /// A booking, or a hold that can be confirmed.
    Answered(FormAnswer),
    /// Nothing but perhaps a hold that has ended.
    Open(Option<HoldId>),
}

impl Scheduler {
    /// Whether bookings must be confirmed.
    pub fn asks_for_confirmation(&self) -> bool {
        self.confirmation == FormConfirmation::Sms
    }

    /// Books a slot, or holds it until it is confirmed. The same request leads to the same booking or
    /// hold; a hold that has ended is none.
    ///
    /// # Errors
    /// As for [`Scheduler::book`], but for [`SchedulerError::TooMany`] with confirmation.
    pub async fn submit(
        &self,
        fields: &FormFields,
        key: Option<&str>,
        address: &str,
        now: Timestamp,
    ) -> Result<FormAnswer, SchedulerError> {
        match self.confirmation {
            FormConfirmation::None => {
                self.book(fields, key, address, now).await.map(FormAnswer::Booked)
            }
            FormConfirmation::Sms => self.hold(fields, key, address, now).await,
        }
    }

    /// Books what a hold is for. The right code leads to the same booking, however often.
    ///
    /// # Errors
    /// Every [`SchedulerError`] but [`SchedulerError::InvalidKey`].
    pub async fn confirm(
        &self,
        hold_id: Option<&str>,
        code: Option<&str>,
        address: &str,
        now: Timestamp,
    ) -> Result<FormBooking, SchedulerError> {
        let id = request::required("hold_id", hold_id)?;
        let code = FormCode::parse(request::required("code", code)?)
            .map_err(|error| request::invalid("code", &error))?;
        let id = HoldId::parse(id).ok_or(SchedulerError::HoldEnded)?;
        let hold = self.store.form_hold(id.key_hash()).await?.filter(|hold| hold.id == id);
        let hold = hold.ok_or(SchedulerError::HoldEnded)?;
        if let Some(booking) = self.confirmed(&hold, &code).await? {
            return Ok(booking);
        }
        if hold.until <= now {
            return Err(SchedulerError::HoldEnded);
        }
        let attempt = self.ids.generate();
        let Some(attempts_left) = self.store.count_code_try(&hold.id, &attempt).await? else {
            // The last try may have been the right one.
            if let Some(booking) = self.confirmed(&hold, &code).await? {
                return Ok(booking);
            }
            self.release(&hold, now).await;
            return Err(SchedulerError::HoldEnded);
        };
        if !hold.is_right(&code) {
            if attempts_left == 0 {
                self.release(&hold, now).await;
            }
            return Err(SchedulerError::WrongCode { attempts_left });
        }
        let limit = self.booking_limit(address);
        let same = sha256_hex(&[hold.id.key_hash(), &hold.fingerprint]);
        let use_id = format!("{same}-{}", hold.id.nonce());
        let booked = if limit.take(&use_id, now).await? {
            self.book_held(&hold, now).await
        } else {
            Err(SchedulerError::AddressLimit)
        };
        if booked.as_ref().is_err_and(is_for_its_time) {
            give_back(&[limit], &use_id, now).await;
        }
        // Nobody can confirm it any more. What may have been written is left alone.
        let is_over = attempts_left == 0
            && matches!(&booked, Err(error) if !matches!(error, SchedulerError::Store(_)));
        if is_over {
            self.release(&hold, now).await;
        }
        booked
    }

    /// Frees the time of a hold that has ended before its time. A failure leaves it until then.
    async fn release(&self, hold: &FormHold, now: Timestamp) {
        if let Err(error) = self.store.release_slot(hold, now).await {
            tracing::warn!(error = %ErrorChain(&error), "a hold keeps its time until its end");
        }
    }

    /// The booking that a hold led to, for whoever has its code. For anybody else the hold has ended.
    async fn confirmed(
        &self,
        hold: &FormHold,
        code: &FormCode,
    ) -> Result<Option<FormBooking>, SchedulerError> {
        match self.store.lead(&hold.lead.id).await? {
            None => Ok(None),
            Some(lead) if lead.phone == hold.lead.phone && hold.is_right(code) => {
                Ok(Some(FormBooking::from(&lead)))
            }
            Some(_) => Err(SchedulerError::HoldEnded),
        }
    }

    async fn hold(
        &self,
        fields: &FormFields,
        key: Option<&str>,
        address: &str,
        now: Timestamp,
    ) -> Result<FormAnswer, SchedulerError> {
        let request = FormRequest::parse(fields)?;
        // Texts to other countries cost many times as much. The shop's country is the one whose
        // numbers need no `+` in the form: nothing else says which one it is.
        if !request.phone.is_domestic() {
            return Err(request::invalid("phone", &"Invalid phone: codes go to +1 numbers only"));
        }
        let key = RepeatKey::of(key, &request, address, now)?;
        let calendar = self.current_calendar().await?;
        let bookings = self.bookings(&calendar, now);
        for _ in 0..ATTEMPTS {
            let ended = match self.standing(&key, &request, now).await? {
                Standing::Answered(answer) => return Ok(answer),
                Standing::Open(ended) => ended,
            };
            // What is plainly refused is neither counted nor leaves a row.
            if let Err(error) = bookings.looks_free(request.slot, &request.repair).await {
                return self.standing_or_refusal(error, &key, &request, bookings).await;
            }
            // Before anything is known of the number. A repeat of the same request counts once, and
            // again when its hold has ended.
            let same = sha256_hex(&[&key.hash, &request.fingerprint()]);
            let use_id = match &ended {
                None => same.clone(),
                Some(ended) => format!("{same}-{}", ended.nonce()),
            };
            let limits = self.code_limits(&request.phone, address);
            // Nobody shall confirm what is refused then. A booking counts when it is confirmed.
            let may_book = self.booking_limit(address).allows(&use_id, now).await?;
            if !may_book || !take_all(&limits, &use_id, now).await? {
                return Err(SchedulerError::AddressLimit);
            }
            match self.place(&request, &key, ended.as_ref(), bookings).await {
                Ok(hold) => return Ok(FormAnswer::Pending { id: hold.id, until: hold.until }),
                // The same request has another hold meanwhile.
                Err(BookingError::RecordExists) => {}
                Err(error) => {
                    let answer = self.standing_or_refusal(error, &key, &request, bookings).await;
                    if answer.as_ref().is_err_and(is_for_its_time) {
                        give_back(&limits, &use_id, now).await;
                    }
                    return answer;
                }
            }
        }
        Err(SchedulerError::Contended)
    }

    /// What there is for a request already.
    async fn standing(
        &self,
        key: &RepeatKey,
        request: &FormRequest,
        now: Timestamp,
    ) -> Result<Standing, SchedulerError> {
        if let Some(booking) = self.earlier(key, request).await? {
            return Ok(Standing::Answered(FormAnswer::Booked(booking)));
        }
        let Some(hold) = self.store.form_hold(&key.hash).await? else {
            return Ok(Standing::Open(None));
        };
        if hold.until <= now {
            return Ok(Standing::Open(Some(hold.id)));
        }
        if hold.fingerprint != request.fingerprint() {
            return Err(SchedulerError::KeyReused);
        }
        let answer = match self.store.lead(&hold.lead.id).await? {
            Some(lead) => FormAnswer::Booked(FormBooking::from(&lead)),
            None if hold.stands(now) => FormAnswer::Pending { id: hold.id, until: hold.until },
            None => return Ok(Standing::Open(Some(hold.id))),
        };
        Ok(Standing::Answered(answer))
    }

    /// A time that is taken may be held for the same request, which came at the same time.
    async fn standing_or_refusal(
        &self,
        error: BookingError,
        key: &RepeatKey,
        request: &FormRequest,
        bookings: BookingService<'_>,
    ) -> Result<FormAnswer, SchedulerError> {
        if is_in_the_way(&error)
            && let Standing::Answered(answer) = self.standing(key, request, bookings.now).await?
        {
            return Ok(answer);
        }
        self.refusal(error, &request.repair, bookings).await.map(FormAnswer::Booked)
    }

    /// The limits on codes. That of all comes last, so that whoever is at another one uses up none
    /// of it.
    fn code_limits<'a>(&'a self, phone: &'a Phone, address: &'a str) -> [RateLimit<'a>; 3] {
        let store = self.store.as_ref();
        [
            RateLimit { store, what: "form code from", limits: &CODES_FROM_ADDRESS, who: address },
            RateLimit {
                store,
                what: "form code to",
                limits: &CODES_TO_NUMBER,
                who: phone.as_str(),
            },
            RateLimit { store, what: "form code", limits: &CODES_IN_ALL, who: "" },
        ]
    }

    /// Holds the time and has the code texted.
    async fn place(
        &self,
        request: &FormRequest,
        key: &RepeatKey,
        ended: Option<&HoldId>,
        bookings: BookingService<'_>,
    ) -> Result<FormHold, BookingError> {
        let now = bookings.now;
        let lead_id = LeadId::derive(now, &["form", &self.ids.generate()]);
        let id = HoldId::new(&key.hash, &self.ids.generate());
        let code = FormCode::from_random(&self.ids.generate());
        let lead = lead(request, lead_id, now);
        let hold = FormHold::new(id, lead, request.fingerprint(), &code);
        // Sent even to a number that wants no texts: the outbox leaves it out, and the answer here
        // is the same.
        let texts = hold.code_text(&code, now);
        bookings.hold(&hold, ended, &texts).await?;
        self.have_sent(&texts, now).await;
        Ok(hold)
    }

    async fn book_held(
        &self,
        hold: &FormHold,
        now: Timestamp,
    ) -> Result<FormBooking, SchedulerError> {
        let calendar = self.current_calendar().await?;
        let bookings = self.bookings(&calendar, now);
        for _ in 0..ATTEMPTS {
            match self.try_book_held(hold, bookings).await {
                Ok(booking) => return Ok(FormBooking { booking, status: LeadStatus::Booked }),
                Err(BookingError::GuardChanged) => {}
                // A later hold of the same key was confirmed.
                Err(BookingError::RecordExists) => return Err(SchedulerError::KeyReused),
                Err(error) => return self.refusal(error, &hold.lead.repair, bookings).await,
            }
        }
        Err(SchedulerError::Contended)
    }

    async fn try_book_held(
        &self,
        hold: &FormHold,
        bookings: BookingService<'_>,
    ) -> Result<Booking, BookingError> {
        let record = IdempotencyRecord {
            key_hash: hold.id.key_hash().to_owned(),
            fingerprint: hold.fingerprint.clone(),
            lead_id: hold.lead.id.clone(),
            now: bookings.now,
        };
        // A booking from before the hold was of another request.
        let record = RecordWrite { record, replace_before: Some(hold.lead.timestamp) };
        // The notice that a booking needs may have begun since.
        let asked = hold.lead.timestamp;
        self.write(hold.lead.clone(), record, bookings, asked).await
    }
}

/// Counts a use for every limit; false when one of them allows no more. Those before it have counted
/// it then.
async fn take_all(
    limits: &[RateLimit<'_>],
    use_id: &str,
    now: Timestamp,
) -> Result<bool, SchedulerError> {
    for limit in limits {
        if !limit.take(use_id, now).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
