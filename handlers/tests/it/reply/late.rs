//! Turns that take longer than Twilio waits.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    app::reply::{InboundText, ReplyService},
    domain::{
        background::BackgroundTask,
        text::{FALLBACK_REPLY, HOLDING_REPLY},
        turn::TurnKey,
    },
    ports::{BackgroundWorker, BoxError, ModelError, Timer as _},
};
use jiff::Timestamp;

use super::book;
use crate::logs::logged;
use memory_ports::{ANN, FakeStore, OWNER, World, phone, say, text};

/// Keeps what it is asked to do.
#[derive(Default)]
struct Recorder(Mutex<Vec<BackgroundTask>>);

#[async_trait]
impl BackgroundWorker for Recorder {
    async fn start(&self, task: &BackgroundTask) -> Result<(), BoxError> {
        self.0.lock().unwrap().push(task.clone());
        Ok(())
    }
}

struct Late {
    world: World,
    recorder: Arc<Recorder>,
    reply: ReplyService,
}

impl Late {
    fn new() -> Self {
        let world = World::new();
        let recorder = Arc::new(Recorder::default());
        let reply = world.reply_with_late_replies(recorder.clone());
        Self { world, recorder, reply }
    }

    fn answer(&self, text: &InboundText) -> Vec<String> {
        self.world.run(self.reply.answer(text))
    }

    /// What the function does that finishes late turns; it sends texts itself.
    fn finish(&self, sid: &str, now: Timestamp) -> bool {
        let key = TurnKey { phone: phone(ANN), sid: sid.into() };
        let service = self.world.reply_with_late_replies(Arc::new(self.world.outbox()));
        self.world.run(service.finish_late_turn(&key, now)).is_ok()
    }

    fn to_ann(&self) -> Vec<String> {
        let sent = self.world.sms.sent().into_iter();
        sent.filter(|(to, _)| to == ANN).map(|(_, body)| body).collect()
    }
}

fn now() -> Timestamp {
    text("SM1", "").now
}

fn slow(late: &Late) {
    late.world.model.after(Duration::from_secs(20), Ok(vec![say("never heard")]));
}

#[test]
fn the_customer_gets_one_holding_text_and_later_the_answer() {
    let late = Late::new();
    slow(&late);
    assert_eq!(late.answer(&text("SM1", "Do you fix iPhone screens?")), [HOLDING_REPLY]);
    let key = TurnKey { phone: phone(ANN), sid: "SM1".into() };
    assert_eq!(*late.recorder.0.lock().unwrap(), [BackgroundTask::FinishTurn { key, now: now() }]);
    assert!(late.world.sms.sent().is_empty(), "the owner is not bothered");
    late.world.model.then([say("Yes, for $79.")]);
    assert!(late.finish("SM1", now()));
    assert_eq!(late.to_ann(), ["Yes, for $79."]);
    let memory = late.world.store.memory_of(&phone(ANN));
    assert_eq!(memory.turns[0].user, "Do you fix iPhone screens?");
    assert_eq!(memory.turns[0].assistant, "Yes, for $79.");
    let hour = memory.pace.hour;
    assert_eq!((hour.turns, hour.model_calls, hour.segments), (1, 1, 1));
    assert!(late.world.store.queue_of(&phone(ANN)).is_empty());
    assert!(late.finish("SM1", now()), "another invocation finds it finished");
    assert_eq!(late.to_ann().len(), 1);
    assert_eq!(
        late.answer(&text("SM1", "Do you fix iPhone screens?")),
        [HOLDING_REPLY],
        "a repeat"
    );
}

#[test]
fn a_booking_that_exists_at_the_deadline_is_confirmed_at_once() {
    let late = Late::new();
    late.world.model.then([book()]);
    slow(&late);
    let messages = late.answer(&text("SM1", "Tomorrow at two"));
    assert!(messages[0].starts_with("Confirmed: Wed Feb 11, 2:00 PM"), "{messages:?}");
    let tasks = late.recorder.0.lock().unwrap();
    assert!(matches!(&tasks[..], [BackgroundTask::SendTexts { .. }]), "{tasks:?}");
}

#[test]
fn a_late_turn_resumes_from_its_stored_rounds() {
    for hang in [FakeStore::hang_before as fn(&_, _), FakeStore::hang_after] {
        let late = Late::new();
        late.world.model.then([book()]);
        hang(&late.world.store, "book");
        late.world.store.hang_from_now_on("lead");
        assert_eq!(late.answer(&text("SM1", "Tomorrow at two")), [HOLDING_REPLY]);
        late.world.model.then([say("Done!")]);
        assert!(late.finish("SM1", now()));
        let sent = late.to_ann();
        assert!(sent[0].contains("Confirmed: Wed Feb 11, 2:00 PM"), "{sent:?}");
        assert_eq!(late.world.store.leads().len(), 1);
    }
}

#[test]
fn a_text_that_waits_behind_another_is_answered_without_a_holding_text() {
    let late = Late::new();
    let slow_answer = |seconds| Duration::from_secs(seconds);
    late.world.model.after(slow_answer(8), Ok(vec![say("Hello one")]));
    late.world.model.after(slow_answer(8), Ok(vec![say("Hello two")]));
    let (one, two) = (text("SM1", "Hi"), text("SM2", "Are you there?"));
    let other = late.world.reply_with_late_replies(late.recorder.clone());
    let (first, second) =
        late.world.run(async { futures::join!(late.reply.answer(&one), other.answer(&two)) });
    assert_eq!(first, ["Hello one"]);
    assert!(second.is_empty(), "the first was answered meanwhile");
    let third = text("SM3", "Hello?");
    assert!(late.answer(&third).is_empty(), "it waits behind the second");
    late.world.model.then([say("Hello two")]).then([say("Hello three")]);
    assert!(late.finish("SM2", now()));
    assert!(late.finish("SM3", now()));
    assert_eq!(late.to_ann(), ["Hello two", "Hello three"]);
}

#[test]
fn a_late_booking_is_confirmed_although_the_model_says_nothing_more() {
    let late = Late::new();
    late.world.model.then([book()]);
    late.world.store.hang_before("book");
    assert_eq!(late.answer(&text("SM1", "Tomorrow at two")), [HOLDING_REPLY]);
    late.world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert!(late.finish("SM1", now()));
    let sent = late.to_ann();
    assert!(sent[0].starts_with("Confirmed: Wed Feb 11, 2:00 PM"), "{sent:?}");
    assert!(late.world.store.unanswered().is_empty());
}

#[test]
fn who_opts_out_meanwhile_hears_nothing() {
    let late = Late::new();
    slow(&late);
    late.answer(&text("SM1", "Hello?"));
    late.answer(&text("SM2", "STOP"));
    late.world.model.then([say("Hi!")]);
    assert!(late.finish("SM1", now()));
    assert!(late.to_ann().is_empty());
}

#[test]
fn a_turn_that_cannot_be_finished_ends_with_a_callback() {
    let late = Late::new();
    slow(&late);
    late.answer(&text("SM1", "Hello?"));
    late.world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert!(!late.finish("SM1", now()), "the first failure is tried again");
    late.world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert!(late.finish("SM1", now() + jiff::SignedDuration::from_mins(1)));
    assert_eq!(late.to_ann(), [FALLBACK_REPLY]);
    let owner = late.world.sms.sent().into_iter().filter(|(to, _)| to == OWNER).count();
    assert_eq!(owner, 1);
    assert_eq!(late.world.store.unanswered()[0].words, "Hello?");
    let memory = late.world.store.memory_of(&phone(ANN));
    assert_eq!((memory.pace.hour.turns, memory.turns.len()), (1, 0), "counted, not remembered");
    assert_eq!((memory.pace.hour.model_calls, memory.pace.hour.segments), (1, 1));
}

#[test]
fn a_crowd_that_is_given_up_later_is_two_texts_to_the_owner() {
    let late = Late::new();
    slow(&late);
    assert_eq!(late.answer(&text("SM1", "Text 1")), [HOLDING_REPLY]);
    for n in 2..=6 {
        let waits = text(&format!("SM{n}"), &format!("Text {n}"));
        assert!(late.answer(&waits).is_empty(), "text {n} waits behind the first");
    }
    let too_late = now() + jiff::SignedDuration::from_mins(4);
    for n in 1..=6 {
        assert!(late.finish(&format!("SM{n}"), too_late), "text {n}");
    }
    let to_owner: Vec<String> =
        late.world.sms.sent().into_iter().filter(|(to, _)| to == OWNER).map(|(_, b)| b).collect();
    assert!(
        matches!(&to_owner[..], [one, other] if one.contains("Text 1") && other.contains("Text 2")),
        "{to_owner:?}"
    );
    assert_eq!(late.to_ann().len(), 6);
    let words: Vec<String> =
        late.world.store.unanswered().into_iter().map(|unanswered| unanswered.words).collect();
    assert_eq!(words, ["Text 1", "Text 2", "Text 3", "Text 4", "Text 5", "Text 6"]);
    assert!(late.world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn an_answer_that_would_be_too_old_is_not_asked_for() {
    let late = Late::new();
    slow(&late);
    late.answer(&text("SM1", "Hello?"));
    // The model would fail the test if it were asked.
    assert!(late.finish("SM1", now() + jiff::SignedDuration::from_mins(4)));
    assert_eq!(late.to_ann(), [FALLBACK_REPLY]);
}

#[test]
fn the_schedule_finds_turns_whose_invocation_was_lost() {
    let late = Late::new();
    slow(&late);
    late.answer(&text("SM1", "Hello?"));
    late.world.model.then([say("Here I am.")]);
    let service = late.world.reply_with_late_replies(Arc::new(late.world.outbox()));
    late.world.run(service.finish_late_turns(now())).unwrap();
    assert_eq!(late.to_ann(), ["Here I am."]);
}

#[test]
fn a_turn_that_cannot_be_handed_over_falls_back() {
    let late = Late::new();
    slow(&late);
    late.world.store.fail("hand_over");
    assert_eq!(late.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert_eq!(late.world.store.unanswered().len(), 1);
    assert!(late.world.store.queue_of(&phone(ANN)).is_empty());
    assert!(late.world.timer.unix_ms() <= 14_500);
}

#[test]
fn a_turn_whose_tables_hang_at_the_deadline_tells_the_owner_before_the_customer() {
    let late = Late::new();
    slow(&late);
    for operation in ["hand_over", "finish_turn", "keep_callback", "leave_queue"] {
        late.world.store.hang_from_now_on(operation);
    }
    // The opt-out was read at the beginning of the turn.
    late.world.store.hang_from_the_second("opted_out");
    assert_eq!(late.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    let sent = late.world.sms.sent();
    assert!(
        matches!(&sent[..], [(to, body)] if to == OWNER && body.contains("Hello?")),
        "{sent:?}"
    );
    assert!(late.world.timer.unix_ms() <= 14_500);
}

#[test]
fn an_answer_that_is_stored_is_given_although_the_deadline_passes_while_texts_are_sent() {
    struct Hanging;
    #[async_trait]
    impl BackgroundWorker for Hanging {
        async fn start(&self, _: &BackgroundTask) -> Result<(), BoxError> {
            std::future::pending().await
        }
    }
    let late = Late::new();
    late.world.model.then([book()]);
    late.world.model.after(Duration::from_millis(11_300), Ok(vec![say("See you then!")]));
    let reply = late.world.reply_with_late_replies(Arc::new(Hanging));
    let answer = late.world.run(reply.answer(&text("SM1", "Tomorrow at two")));
    assert!(answer[0].contains("See you then!"), "{answer:?}");
    assert_eq!(late.world.store.memory_of(&phone(ANN)).turns.len(), 1);
}

/// The alarm counts customers whom only the owner can answer: not those who are answered late.
#[test]
fn what_the_alarm_counts_is_logged_when_only_the_owner_can_answer() {
    let fallbacks = |work: &dyn Fn()| {
        let lines = logged(None, work);
        lines.iter().filter(|line| line["message"] == "the turn failed, falling back").count()
    };
    let late = Late::new();
    slow(&late);
    assert_eq!(fallbacks(&|| drop(late.answer(&text("SM1", "Hello?")))), 0, "handed over");
    late.world.model.then([say("Hi!")]);
    assert_eq!(fallbacks(&|| assert!(late.finish("SM1", now()))), 0, "answered late");
    slow(&late);
    late.answer(&text("SM2", "Hello?"));
    let too_late = now() + jiff::SignedDuration::from_mins(4);
    assert_eq!(fallbacks(&|| assert!(late.finish("SM2", too_late))), 1, "given up");
    late.world.model.then([book()]);
    slow(&late);
    assert_eq!(fallbacks(&|| drop(late.answer(&text("SM3", "Tomorrow at two")))), 0, "confirmed");
    late.world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(fallbacks(&|| drop(late.answer(&text("SM4", "Hello?")))), 1, "refused");
}

#[test]
fn giving_a_late_turn_up_tells_the_owner_that_a_booking_may_have_changed() {
    let late = Late::new();
    late.world.model.then([book()]);
    late.world.store.hang_before("book");
    late.world.store.hang_from_now_on("lead");
    assert_eq!(late.answer(&text("SM1", "Tomorrow at two")), [HOLDING_REPLY]);
    assert!(late.finish("SM1", now() + jiff::SignedDuration::from_mins(4)));
    let sent = late.world.sms.sent();
    let owner = sent.iter().find(|(to, _)| to == OWNER).unwrap();
    assert!(owner.1.contains("booking"), "{owner:?}");
}

#[test]
fn a_crash_while_a_late_turn_is_finished_sends_its_answer_once() {
    for operation in ["claim_late_turn", "finish_turn", "claim_text", "remove_text"] {
        for hang in [FakeStore::hang_before as fn(&_, _), FakeStore::hang_after] {
            let late = Late::new();
            slow(&late);
            late.answer(&text("SM1", "Hello?"));
            late.world.model.then([say("Hi!")]).then([say("Hi!")]);
            hang(&late.world.store, operation);
            let service = late.world.reply_with_late_replies(Arc::new(late.world.outbox()));
            let key = TurnKey { phone: phone(ANN), sid: "SM1".into() };
            late.world.crash(service.finish_late_turn(&key, now()));
            late.world.timer.advance(Duration::from_secs(61));
            assert!(late.finish("SM1", now()), "{operation}");
            late.world.run(late.world.outbox().send_waiting(now())).unwrap();
            assert_eq!(late.to_ann(), ["Hi!"], "{operation}");
        }
    }
}
