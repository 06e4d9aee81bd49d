//! Opting out and in.

use std::time::Duration;

use handlers::{
    app::reply::InboundText,
    domain::{opt_out::Keyword, owner::OwnerState, text::OPT_OUT_REPLY},
    ports::{ModelError, Timer as _},
};
use serde_json::json;

use super::with_booking;
use memory_ports::{ANN, OWNER, World, call, phone, say, text};

const SILENCE: [&str; 0] = [];

#[test]
fn stop_is_silence_until_start() {
    let world = World::new();
    assert_eq!(world.answer(&text("SM1", " Stop ")), SILENCE);
    assert!(world.store.is_opted_out(&phone(ANN)));
    assert_eq!(world.answer(&text("SM2", "Are you there?")), SILENCE);
    assert_eq!(world.answer(&text("SM2", "Are you there?")), SILENCE, "nor a repeat");
    assert_eq!(world.answer(&text("SM3", "YES")), SILENCE, "Twilio answers to that");
    assert!(!world.store.is_opted_out(&phone(ANN)));
    world.model.then([say("Hi again!")]);
    assert_eq!(world.answer(&text("SM4", "Hi")), ["Hi again!"]);
    assert!(world.sms.sent().is_empty());
}

#[test]
fn cancel_keeps_the_booking_and_tells_the_owner_once() {
    let (world, id) = with_booking();
    assert_eq!(world.answer(&text("SM1", "CANCEL")), SILENCE);
    assert_eq!(world.answer(&text("SM1", "CANCEL")), SILENCE);
    assert_eq!(world.store.open_bookings().len(), 1);
    let body = format!(
        "{ANN} wants no more texts. The booking stands: Wed Feb 11, 2:00 PM, iPhone screen. Ref {id}"
    );
    let booked = world.sms.sent().remove(0).1;
    assert!(booked.starts_with("Booked: "), "{booked}");
    assert_eq!(world.sms.sent()[1..], [(OWNER.to_owned(), body)]);
}

#[test]
fn a_repeat_of_start_is_no_answer_to_a_question() {
    let world = World::new();
    world.answer(&text("SM1", "STOP"));
    assert_eq!(world.answer(&text("SM2", "YES")), SILENCE);
    // The test would fail if the model were called.
    assert_eq!(world.answer(&text("SM2", "YES")), SILENCE);
    assert!(!world.store.is_opted_out(&phone(ANN)));
}

#[test]
fn a_crash_within_start_is_made_good_by_the_repeat() {
    for operation in ["claim_turn", "finish_turn", "set_opted_out"] {
        let world = World::new();
        world.answer(&text("SM1", "STOP"));
        world.store.hang_after(operation);
        world.crash(world.reply().answer(&text("SM2", "START")));
        world.timer.advance(Duration::from_secs(16));
        assert_eq!(world.answer(&text("SM2", "START")), SILENCE, "{operation}");
        assert!(!world.store.is_opted_out(&phone(ANN)), "{operation}");
    }
}

#[test]
fn a_stop_while_the_owner_is_told_is_obeyed() {
    let world = World::new();
    world.store.set_owner(OwnerState { ai_answers_sms: false, ..OwnerState::default() });
    let (forwards, stops) = (world.reply(), world.reply());
    let (hello, stop) = (text("SM1", "Hello"), text("SM2", "STOP"));
    let (answer, _) =
        world.run(async { futures::join!(forwards.answer(&hello), stops.answer(&stop)) });
    assert_eq!(answer, SILENCE);
}

#[test]
fn a_stop_while_another_attempt_is_waited_for_is_obeyed() {
    let world = World::new();
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&text("SM1", "Hello?")));
    world.store.never_expire();
    let (waits, stops) = (world.reply(), world.reply());
    let (hello, stop) = (text("SM1", "Hello?"), text("SM2", "STOP"));
    let (answer, _) = world.run(async {
        let later = async {
            world.timer.sleep(Duration::from_secs(1)).await;
            stops.answer(&stop).await
        };
        futures::join!(waits.answer(&hello), later)
    });
    assert_eq!(answer, SILENCE);
}

#[test]
fn yes_is_an_ordinary_answer() {
    let world = World::new();
    world.model.then([say("Booked? Not yet.")]);
    assert_eq!(world.answer(&text("SM1", "Yes")), ["Booked? Not yet."]);
}

#[test]
fn twilios_opt_out_type_counts() {
    let world = World::new();
    let stop = InboundText { opt_out_type: Some(Keyword::Stop), ..text("SM1", "no thanks") };
    assert_eq!(world.answer(&stop), SILENCE);
    assert!(world.store.is_opted_out(&phone(ANN)));
    let start = InboundText { opt_out_type: Some(Keyword::Start), ..text("SM2", "yes") };
    assert_eq!(world.answer(&start), SILENCE);
    assert!(!world.store.is_opted_out(&phone(ANN)));
    let help = InboundText { opt_out_type: Some(Keyword::Help), ..text("SM3", "what") };
    assert_eq!(world.answer(&help), SILENCE);
    assert_eq!(world.answer(&text("SM4", "INFO")), SILENCE);
}

#[test]
fn a_stop_while_the_model_thinks_is_obeyed() {
    let world = World::new();
    world.model.after(Duration::from_secs(2), Ok(vec![say("Shall I book it?")]));
    let (thinks, stops) = (world.reply(), world.reply());
    let (hello, stop) = (text("SM1", "Hello"), text("SM2", "STOP"));
    let (answer, silence) =
        world.run(async { futures::join!(thinks.answer(&hello), stops.answer(&stop)) });
    assert_eq!((answer, silence), (Vec::new(), Vec::new()));
}

#[test]
fn a_stop_that_cannot_be_recorded_is_silent_and_the_owner_is_told() {
    let world = World::new();
    world.store.fail("set_opted_out");
    assert_eq!(world.answer(&text("SM1", "STOP")), SILENCE);
    assert_eq!(world.sms.sent().len(), 1);
}

#[test]
fn a_stop_is_silent_even_if_the_tables_hang() {
    let world = World::new();
    world.store.hang_before("set_opted_out");
    assert_eq!(world.answer(&text("SM1", "STOP")), SILENCE);
}

#[test]
fn a_stop_before_the_fallback_is_obeyed() {
    let world = World::new();
    let failure = Err(ModelError::Refused);
    world.model.after(Duration::from_secs(2), failure);
    let (thinks, stops) = (world.reply(), world.reply());
    let (hello, stop) = (text("SM1", "Hello"), text("SM2", "STOP"));
    let (answer, _) =
        world.run(async { futures::join!(thinks.answer(&hello), stops.answer(&stop)) });
    assert_eq!(answer, SILENCE);
    world.answer(&text("SM3", "START"));
    assert_eq!(world.answer(&hello), SILENCE, "what was not sent then is not sent later");
}

#[test]
fn opting_out_in_ones_own_words_gets_one_last_text() {
    let world = World::new();
    world.model.then([call("stop_texting", json!({}))]);
    assert_eq!(world.answer(&text("SM1", "Please don't text me any more")), [OPT_OUT_REPLY]);
    assert!(world.store.is_opted_out(&phone(ANN)));
    assert_eq!(world.answer(&text("SM2", "Hello")), SILENCE);
}

/// Twilio has the customer's START and does not repeat it.
#[test]
fn an_opt_in_that_cannot_be_recorded_is_told_to_the_owner() {
    let world = World::new();
    world.answer(&text("SM1", "STOP"));
    let before = world.sms.sent().len();
    world.store.fail_from_now_on("set_opted_out");
    assert_eq!(world.answer(&text("SM2", "START")), SILENCE);
    let sent = world.sms.sent();
    assert_eq!(sent.len(), before + 1, "{sent:?}");
    assert!(sent[before].1.contains("wants texts again"), "{sent:?}");
}
