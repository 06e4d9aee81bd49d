//! The location of a number, for the parameters of webhooks.
//!
//! Twilio looks it up in the tables of carriers; this is a small excerpt. As there, what is not known
//! is an empty string.

/// City, state, ZIP and country of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    pub city: &'static str,
    pub state: &'static str,
    pub zip: &'static str,
    pub country: &'static str,
}

/// Area codes and the location that Twilio commonly gives for them.
const AREA_CODES: &[(&str, &str, &str, &str)] = &[
    ("206", "SEATTLE", "WA", "98101"),
    ("212", "NEW YORK", "NY", "10010"),
    ("213", "LOS ANGELES", "CA", "90012"),
    ("215", "PHILADELPHIA", "PA", "19102"),
    ("305", "MIAMI", "FL", "33128"),
    ("312", "CHICAGO", "IL", "60602"),
    ("404", "ATLANTA", "GA", "30303"),
    ("415", "SAN FRANCISCO", "CA", "94103"),
    ("512", "AUSTIN", "TX", "78701"),
    ("516", "HEMPSTEAD", "NY", "11550"),
    ("602", "PHOENIX", "AZ", "85003"),
    ("617", "BOSTON", "MA", "02108"),
    ("702", "LAS VEGAS", "NV", "89101"),
    ("713", "HOUSTON", "TX", "77002"),
    ("718", "BROOKLYN", "NY", "11201"),
    ("914", "WHITE PLAINS", "NY", "10601"),
];

/// Canadian area codes.
const CANADA: &[&str] = &[
    "204", "226", "236", "249", "250", "289", "306", "343", "403", "416", "418", "431", "437",
    "438", "450", "506", "514", "519", "581", "587", "604", "613", "647", "705", "709", "778",
    "780", "807", "819", "867", "902", "905",
];

/// Country codes.
const COUNTRIES: &[(&str, &str)] = &[
    ("353", "IE"),
    ("33", "FR"),
    ("34", "ES"),
    ("39", "IT"),
    ("44", "GB"),
    ("49", "DE"),
    ("52", "MX"),
    ("55", "BR"),
    ("61", "AU"),
    ("91", "IN"),
];

/// The location of a number in E.164 format; empty for anything else.
pub(super) fn location(number: &str) -> Location {
    let empty = Location { city: "", state: "", zip: "", country: "" };
    let Some(digits) = number.strip_prefix('+') else { return empty };
    let Some(area) = digits.strip_prefix('1').and_then(|national| national.get(..3)) else {
        let found = COUNTRIES.iter().find(|(code, _)| digits.starts_with(code));
        return Location { country: found.map_or("", |(_, country)| country), ..empty };
    };
    if CANADA.contains(&area) {
        return Location { country: "CA", ..empty };
    }
    match AREA_CODES.iter().find(|(code, ..)| *code == area) {
        Some((_, city, state, zip)) => Location { city, state, zip, country: "US" },
        None => Location { country: "US", ..empty },
    }
}

/// Countries of [`COUNTRIES`] to which an alphanumeric sender may send without being registered first.
/// Source: Twilio's page "International support for Alphanumeric Sender ID". Australia, Ireland and Spain have
/// registers by now: Twilio's page 13111723633691, ComReg's SMS Sender ID Registry, and order TDF/149/2025.
const ALPHANUMERIC: &[&str] = &["DE", "FR", "GB", "IT"];

/// Whether the country of a number takes messages from alphanumeric senders.
pub(super) fn takes_alphanumeric_senders(number: &str) -> bool {
    ALPHANUMERIC.contains(&location(number).country)
}

/// The calling code of a number's country; `None` when it is not known.
pub(super) fn calling_code(number: &str) -> Option<&'static str> {
    let digits = number.strip_prefix('+')?;
    if digits.starts_with('1') {
        return Some("1");
    }
    COUNTRIES.iter().map(|(code, _)| *code).find(|code| digits.starts_with(code))
}

/// The calling code of a country such as `GB`, in either case; `None` when it is not known.
pub(super) fn code_of(country: &str) -> Option<&'static str> {
    if ["US", "CA"].iter().any(|known| known.eq_ignore_ascii_case(country)) {
        return Some("1");
    }
    COUNTRIES.iter().find(|(_, known)| known.eq_ignore_ascii_case(country)).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        let boston = Location { city: "BOSTON", state: "MA", zip: "02108", country: "US" };
        assert_eq!(location("+16175551234"), boston);
        assert_eq!(location("+15550100000").country, "US");
        assert_eq!(location("+15550100000").city, "");
        assert_eq!(location("+14165551234").country, "CA");
        assert_eq!(location("+447911123456").country, "GB");
        assert_eq!(location("12345").country, "");
    }
}
