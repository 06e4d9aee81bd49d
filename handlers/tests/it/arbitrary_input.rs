//! Arbitrary input is handled without a panic.

use handlers::{
    app::scheduler::{FormFields, FormRequest},
    domain::{
        calendar::Calendar,
        catalogue::{Repair, Upsell},
        changed_by::ChangedBy,
        label,
        lead::LeadId,
        opt_out::keyword,
        owner::{OwnerPatch, OwnerState},
        phone::Phone,
        prompt::instructions,
        slot::{Slot, SlotTime},
        text,
    },
    tools,
};
use jiff::{Timestamp, civil};
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    dispatcher::{shop, webhook},
    events::request,
};

/// JSON of any shape, up to a depth of three.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(2026-02-[0-3][0-9]|[0-9]{1,2}:00 (AM|PM)|LEAD-[0-9-]{0,20}|screen)".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(
                "(date|time|lead_id|repair_type|device|customer_name|discount_percent|reason|upsell_item|accepted|status|notes|max_discount|[a-z]{1,4})",
                inner,
                0..6
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Any `Timestamp`.
fn any_time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        (first..=last).prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

fn any_date() -> impl Strategy<Value = civil::Date> {
    prop_oneof![
        Just(civil::Date::MIN),
        Just(civil::Date::MAX),
        (-9999i16..=9999, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| civil::date(y, m, d)),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #[test]
    fn any_call_of_a_tool_is_read_or_refused(
        name in prop_oneof![
            proptest::sample::select(tools::specs().iter().map(|t| t.name.to_owned()).collect::<Vec<_>>()),
            ".{0,12}".prop_map(String::from),
        ],
        arguments in prop_oneof![any_json().prop_map(|json| json.to_string()), any::<String>()],
    ) {
        if let Err(error) = tools::parse(&name, &arguments) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_change_of_the_state_is_read_or_refused(json in any_json(), now in any_time()) {
        if let Some(fields) = json.as_object()
            && let Ok(patch) = OwnerPatch::from_json(fields)
        {
            let owner = OwnerState { version: u64::MAX, ..OwnerState::default() }.merge(&patch, ChangedBy::Api, now);
            prop_assert!(owner.max_discount <= 25);
        }
    }

    #[test]
    fn any_text_is_a_domain_value_or_none(any in any::<String>()) {
        let _ = (Phone::parse(&any), Phone::from_e164(&any), LeadId::parse(&any), label::parse(&any));
        let _ = (Repair::parse(&any), Repair::from_row(&any).slug(), Upsell::parse(&any), keyword(&any));
        let own = text::find_lead_ids(&any);
        prop_assert_eq!(text::remove_foreign_lead_ids(&any, &own), any.clone());
        prop_assert_eq!(text::remove_foreign_lead_clauses(&any, &own), any.clone());
        for part in text::split_into_messages(&text::to_gsm7(&any)) {
            prop_assert!(part.encode_utf16().count() <= text::MAX_MESSAGE_UNITS);
        }
        let fields = FormFields {
            phone: Some(any.clone()),
            date: Some(any.clone()),
            time: Some(any.clone()),
            repair_type: Some(any.clone()),
            device: Some(any.clone()),
            customer_name: Some(any.clone()),
            address: Some(any),
        };
        prop_assert!(FormRequest::parse(&fields).is_err());
    }

    #[test]
    fn phones_are_digits_and_masked(phone in "[+]?[0-9 ()./-]{0,24}") {
        if let Ok(phone) = Phone::parse(&phone) {
            prop_assert!(phone.as_str().starts_with('+') && (9..=16).contains(&phone.as_str().len()));
            prop_assert_eq!(phone.masked().len(), 5);
            prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
        }
    }

    #[test]
    fn a_calendar_holds_to_the_ends_of_time(now in any_time(), date in any_date(), hour in 0u8..24) {
        for zone in ["America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC"] {
            let calendar = Calendar::new(zone).unwrap();
            let slot = Slot::new(date, SlotTime::hour_of_day(hour));
            let offered = calendar.bookable_slots(date, &Default::default(), Default::default(), now);
            prop_assert_eq!(offered.contains(&slot.time()), calendar.unbookable_reason(slot, Default::default(), now).is_none());
            let _ = (slot.to_string(), slot.wall_clock(), calendar.local(now));
            prop_assert!(instructions(&OwnerState::default(), &calendar, now).contains("status: available"));
        }
        let _ = LeadId::derive(now, &["SM1", "0"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_form_and_any_json_are_answered(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        json in any_json(),
        query in "[ -~]{0,60}",
    ) {
        runtime().block_on(async {
            let (router, _, _) = shop("Hello", &[]);
            for media_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
                let post = request("POST", "/dispatcher").body(media_type, body.clone());
                let signed = post.header("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
                let status = signed.send(&router).await.status.as_u16();
                assert!([403, 415].contains(&status), "{status}");
            }
            let scheduler = crate::scheduler::router().0;
            let confirming = crate::scheduler::confirming_router().0;
            let state = crate::state::router().0;
            let query = query.replace(['#', '"', '<', '>', '`', '{', '}', '\\', '^', '|', ' '], "%");
            let calls = [
                (request("POST", "/scheduler").body("application/json", body.clone()), &scheduler),
                (request("POST", "/scheduler").json(&json), &scheduler),
                (request("GET", "/scheduler").query(&query), &scheduler),
                (request("POST", "/scheduler").json(&json), &confirming),
                (request("POST", "/scheduler/confirm").json(&json), &confirming),
                (request("POST", "/state").header("authorization", "Bearer s3cret").json(&json), &state),
            ];
            for (call, router) in calls {
                let answer = call.send(router).await;
                assert!(answer.status.as_u16() < 500, "{}", answer.text);
                answer.assert_cors();
            }
        });
    }

    /// Whatever Twilio sends beside them. A field that says who writes what to whom is there once:
    /// with two values the request is none of Twilio's.
    #[test]
    fn any_authentic_text_is_answered_200(
        text in any::<String>(),
        fields in proptest::collection::vec(
            ("[A-Za-z0-9]{1,8}|From|Body|MessageSid|AccountSid|To", any::<String>()),
            0..6,
        ),
    ) {
        runtime().block_on(async {
            let (router, _, _) = shop("Hello", &[]);
            let once = [
                ("From", "+19042520927"),
                ("Body", text.as_str()),
                ("MessageSid", "SM00000000000000000000000000000001"),
                ("AccountSid", "AC1"),
                ("To", "+19045550100"),
            ];
            let is_ambiguous = fields.iter().any(|(name, value)| {
                once.iter().any(|(field, first)| field == name && first != value)
            });
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(once).extend_pairs(&fields);
            let answer = webhook(&form.finish()).send(&router).await;
            assert_eq!(answer.status, if is_ambiguous { 403 } else { 200 }, "{fields:?}");
        });
    }
}

/// Business time comes from the gateway, so any value is possible.
#[tokio::test]
async fn any_time_of_the_gateway_is_a_time_or_an_error() {
    let (router, _) = crate::scheduler::router();
    for time in [i64::MIN, -1, 0, 1, 253_402_207_200_000, 253_402_300_799_999, i64::MAX] {
        for query in ["date=9999-12-31", "date=0000-01-01", "date=1970-01-01"] {
            let call = request("GET", "/scheduler").query(query).time_epoch(Some(time));
            let status = call.send(&router).await.status.as_u16();
            assert!([200, 500].contains(&status), "{time} {query}: {status}");
        }
    }
}

/// 64 KiB of form fields must be handled quickly.
#[tokio::test]
async fn many_fields_are_read_within_five_seconds() {
    let (router, _) = crate::scheduler::router();
    let mut form = String::new();
    for n in 0.. {
        let field = format!("{n:x}&");
        if form.len() + field.len() > 64 * 1024 {
            break;
        }
        form.push_str(&field);
    }
    let answer = request("POST", "/scheduler").form(&form).send(&router);
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), answer).await.unwrap();
    assert_eq!(answer.error(), "Missing required field: phone");
}
