//! Bodies that are right but for one value.

use serde_json::{Value, json};

use super::routes::{Caller, Route};

/// Bodies of a route's method that are taken, as JSON and as fields of a form.
pub struct RightBodies {
    pub json: Vec<Value>,
    pub forms: Vec<Value>,
}

/// The right bodies of a method; none where a body is not read.
pub fn right(route: Route, method: &str) -> RightBodies {
    let only_json = |json: Value| RightBodies { json: vec![json], forms: Vec::new() };
    let only_form = |form: Value| RightBodies { json: Vec::new(), forms: vec![form] };
    let both = |body: Value| RightBodies { json: vec![body.clone()], forms: vec![body] };
    let changes = ["POST", "PUT"].contains(&method);
    match (route.path.strip_prefix("/owner/api").unwrap_or(route.path), method) {
        ("/scheduler", "POST") => both(appointment()),
        ("/book", "POST") => {
            let mut form = appointment();
            form["visit"] = "1".into();
            only_form(form)
        }
        ("/scheduler/confirm", "POST") => both(json!({
            "hold_id": "0123456789abcdef0123456789abcdef", "code": "735104",
        })),
        ("/book/ics", "POST") => only_form(json!({
            "reference": "LEAD-20260210-201000-1a2b3c", "date": "2026-02-12", "time": "2:00 PM",
            "minutes": "60", "repair_type": "screen",
        })),
        ("/owner/session", "POST") => only_json(json!({ "token": "s3cret" })),
        ("/state", _) if changes => both(json!({
            "status": "gym", "until": "2026-02-10T18:00", "location": "Main Street",
            "notes": "Back soon", "special_info": "Knock", "assistant_name": "Linda",
            "greeting": "Hi", "max_discount": 10, "ai_answers_sms": true, "auto_upsell": false,
            "voice": "alto", "ai_answers_calls": false,
        })),
        ("/calendar", _) if changes => only_json(json!({
            "hours": { "monday": ["09:00-12:00", "13:00-17:00"], "sunday": [] },
            "closed_dates": ["2026-12-25"], "slot_interval_minutes": 30,
            "repair_minutes": { "screen": 90 }, "travel_minutes": 30, "notice_minutes": 60,
            "horizon_days": 30, "booking_texts": true, "quiet_hours": "22:00-07:00", "version": 0,
        })),
        ("/calendar/time-off", "POST" | "DELETE") => {
            both(json!({ "date": "2026-02-12", "part": "14:00-16:00" }))
        }
        ("/bookings/{lead_id}/cancel", _) => only_json(json!({ "tell_customer": true })),
        ("/bookings/{lead_id}/move", _) => only_json(json!({
            "date": "2026-02-12", "time": "3:00 PM", "tell_customer": false,
        })),
        ("/events", _) => RightBodies {
            json: vec![
                json!({
                    "task": "finish_turn", "phone": "+19042520928", "now_ms": 1_770_754_200_000_i64,
                    "sid": "SM00000000000000000000000000000002",
                }),
                json!({
                    "task": "send_texts", "ids": ["callback#SM9#0"],
                    "now_ms": 1_770_754_200_000_i64,
                }),
            ],
            forms: Vec::new(),
        },
        _ => RightBodies { json: Vec::new(), forms: Vec::new() },
    }
}

/// Whether a right body is taken on the tables of these tests, and not refused for what they lack.
pub fn are_taken(route: Route) -> bool {
    route.path != "/scheduler/confirm" && route.caller != Caller::Twilio
}

fn appointment() -> Value {
    json!({
        "phone": "(904) 252-0930", "date": "2026-02-12", "time": "2:00 PM",
        "repair_type": "on_site_screen", "device": "iPhone 12",
        "customer_name": "Zora", "address": "1 Main Street",
    })
}

/// A body with one value that is wrong or odd, and whether it must be refused.
pub struct Changed {
    pub name: String,
    pub body: Value,
    pub must_be_refused: bool,
}

/// Each value of a JSON body, at any depth, replaced by what is of another kind or odd.
pub fn changed_json(right: &Value) -> Vec<Changed> {
    let mut all = Vec::new();
    for (name, value) in places(right) {
        for (wrong, must_be_refused) in instead_of(&value) {
            let mut body = right.clone();
            if let Some(place) = body.pointer_mut(&name) {
                *place = wrong.clone();
            }
            all.push(Changed { name: format!("{name} {wrong:.40}"), body, must_be_refused });
        }
    }
    all
}

/// Each value of a form replaced by an odd one.
pub fn changed_forms(right: &Value) -> Vec<Changed> {
    let mut all = Vec::new();
    for (name, _) in places(right) {
        for odd in odd_texts() {
            let mut body = right.clone();
            body[&name[1..]] = odd.clone().into();
            let name = format!("{name} {odd:.40?}");
            all.push(Changed { name, body, must_be_refused: false });
        }
    }
    all
}

/// A form as it is sent.
pub fn encoded(form: &Value) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in form.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        encoded.append_pair(name, &text);
    }
    encoded.finish()
}

/// The JSON pointers of the values inside a value, with these values.
fn places(value: &Value) -> Vec<(String, Value)> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (format!("/{name}"), value)).collect()
        }
        Value::Array(values) => {
            values.iter().enumerate().map(|(at, value)| (format!("/{at}"), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (name, value) in inner {
        all.push((name.clone(), value.clone()));
        all.extend(places(value).into_iter().map(|(below, value)| (name.clone() + &below, value)));
    }
    all
}

/// What stands in a value's place, and whether nobody can mean it.
fn instead_of(value: &Value) -> Vec<(Value, bool)> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let (is_list, is_object) = (value.is_array(), value.is_object());
    let mut all = vec![
        (json!(["a", { "b": [] }]), true),
        (json!({ "a": { "b": [] } }), true),
        (deep, true),
        (json!([]), !is_list),
        (json!({}), !is_object),
        (json!(7), is_list || is_object),
        (json!(-1.5), is_list || is_object),
        (json!(u64::MAX), is_list || is_object),
        (json!(true), is_list || is_object),
        (Value::Null, false),
    ];
    all.extend(odd_texts().into_iter().map(|text| (text.into(), is_list || is_object)));
    all
}

/// Texts that are no date, no time and no number, or not as a person types it.
pub fn odd_texts() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " \t\r\n",
        "\0",
        "a\0b",
        "\u{202e}\u{200f}\u{2066}x",
        "\u{fffd}\u{fffe}\u{10ffff}",
        "a\u{301}\u{301}\u{301}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{ff12}\u{ff10}\u{ff12}\u{ff16}-02-12",
        "2026-02-30",
        "9999-12-31",
        "-9999-01-01",
        "25:61 PM",
        "24:00-00:00",
        "-1",
        "1e309",
        "NaN",
        "99999999999999999999999999",
        "x\r\nset-cookie: a=b",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "${jndi:ldap://a}",
        "{{7*7}}",
        "..%2f..%2fetc%2fpasswd",
        "%00%ff",
        "__proto__",
    ]
    .map(str::to_owned)
    .into();
    all.extend(["a".repeat(60_000), "\u{1f600}".repeat(2_000), "9".repeat(400)]);
    all
}
