//! What the shop owes everybody, one thing after the other. [`Minutes`] says when something may begin.

use handlers::domain::{lead::LeadStatus, slot::Slot, time_needed::TimeNeeded};
use jiff::civil::Date;

use super::reference::Minutes;
use super::shops::{Shop, holds};
use super::wishes::{Answer, Booking, Wish};

#[derive(Clone)]
pub struct Model {
    pub shop: Shop,
    pub bookings: Vec<Booking>,
    pub time_off: Vec<(Slot, TimeNeeded)>,
}

impl Model {
    /// What is held on a date, but by one booking.
    pub fn held(&self, date: Date, but_for: Option<usize>) -> Vec<(Slot, TimeNeeded)> {
        let stands = |(at, one): (usize, &Booking)| {
            let counts = Some(at) != but_for && one.status != LeadStatus::Cancelled;
            counts.then_some((one.slot, one.needed))
        };
        let booked = self.bookings.iter().enumerate().filter_map(stands);
        let held = booked.chain(self.time_off.iter().copied());
        held.filter(|(slot, _)| slot.date() == date).collect()
    }

    /// What stands between a customer and a slot: `Done` when nothing does.
    fn obstacle(&self, who: u8, slot: Slot, needed: TimeNeeded, moved: Option<usize>) -> Answer {
        let may = |held| {
            let held = holds(held);
            let minutes = Minutes::of(&self.shop, slot.date(), &held);
            minutes.may_begin(slot.time().minute_of_day(), needed)
        };
        let own = self.bookings.iter().position(|one| one.is_of(who, slot));
        match own {
            _ if !may(Vec::new()) => Answer::Unbookable,
            _ if may(self.held(slot.date(), moved)) => Answer::Done(self.bookings.len()),
            Some(own) => Answer::Own(own),
            None => Answer::Taken,
        }
    }

    /// Does what a customer asks for, or the owner, who may change everybody's bookings.
    pub fn answer(&mut self, who: Option<u8>, wish: &Wish) -> Answer {
        let (customer, clock) = (who.unwrap_or_default(), self.shop.clock());
        let open = |is_it: &dyn Fn(&Booking) -> bool| {
            let is_theirs = |one: &&Booking| one.customer == customer && one.is_open_at(clock);
            self.bookings.iter().filter(is_theirs).filter(|one| is_it(one)).count()
        };
        let is_theirs = |at: usize| who.is_none_or(|who| self.bookings[at].customer == who);
        let is_open = |at: usize| is_theirs(at) && self.bookings[at].is_open_at(clock);
        let was_cancelled = |at: usize| self.bookings[at].status == LeadStatus::Cancelled;
        let form = wish.form();
        if let Some(at) = self.bookings.iter().position(|one| one.has_key_of(form)) {
            let is_same = is_theirs(at) && self.bookings[at].form.as_ref() == form;
            return if is_same { Answer::Done(at) } else { Answer::KeyReused };
        }
        match wish {
            Wish::Book(slot, _) if open(&|one| one.slot != *slot) >= 5 => Answer::TooMany,
            Wish::Book(slot, repair) | Wish::Form(_, slot, repair) => {
                let needed = self.shop.settings.time_needed(repair);
                let is_full = form.is_some() && open(&|one| one.form.is_some()) >= 2;
                match self.obstacle(customer, *slot, needed, None) {
                    // The form tells nobody whose it is.
                    Answer::Own(_) if form.is_some() => Answer::Taken,
                    Answer::Own(at) if self.bookings[at].repair == *repair => Answer::Done(at),
                    Answer::Done(_) if is_full => Answer::TooMany,
                    Answer::Done(at) => {
                        self.bookings.push(Booking::new(customer, form, *slot, needed, repair));
                        Answer::Done(at)
                    }
                    refusal => refusal,
                }
            }
            Wish::Cancel(at) if is_open(*at) => self.end(*at, LeadStatus::Cancelled),
            Wish::Cancel(at) if is_theirs(*at) && was_cancelled(*at) => Answer::Done(*at),
            Wish::Complete(at) if !was_cancelled(*at) => self.end(*at, LeadStatus::Completed),
            Wish::Move(at, to) if is_open(*at) && self.bookings[*at].slot != *to => {
                let Booking { customer, repair, .. } = &self.bookings[*at];
                let needed = self.shop.settings.time_needed(repair);
                let obstacle = self.obstacle(*customer, *to, needed, Some(*at));
                let Answer::Done(_) = obstacle else { return obstacle };
                (self.bookings[*at].slot, self.bookings[*at].needed) = (*to, needed);
                Answer::Done(*at)
            }
            Wish::Move(at, _) if is_open(*at) => Answer::Done(*at),
            _ => Answer::NotOpen,
        }
    }

    fn end(&mut self, at: usize, status: LeadStatus) -> Answer {
        self.bookings[at].status = status;
        Answer::Done(at)
    }
}
