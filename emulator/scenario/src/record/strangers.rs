//! Numbers of people whom the project does not know: none of them stands in a file.

use std::collections::BTreeMap;

/// The text with a number that nobody has in place of each that is none of `known`, the same one wherever it
/// stands. Numbers are those in E.164 form; what begins with `+1` and has `55501` after the area code is
/// nobody's already.
pub(super) fn replaced(text: &str, known: &[String]) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut given: BTreeMap<&str, String> = BTreeMap::new();
    let mut rest = text;
    while let Some(at) = rest.find('+') {
        let (before, number) = rest.split_at(at);
        let digits = number[1..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = number.split_at(1 + digits);
        plain.push_str(before);
        let is_number = (8..=15).contains(&digits) && !number.starts_with("+0");
        let is_nobodys = digits == 11 && number.starts_with("+1") && &number[5..10] == "55501";
        if !is_number || is_nobodys || known.iter().any(|known| known == number) {
            plain.push_str(number);
        } else {
            let count = given.len();
            let stand_in = given.entry(number).or_insert_with(|| nobodys(count, text, known));
            plain.push_str(stand_in);
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// A number that nobody has, and that does not stand in the text.
fn nobodys(count: usize, text: &str, known: &[String]) -> String {
    let area_codes = 200 + count / 100;
    let free =
        (area_codes..1000).flat_map(|area| (0..100).map(move |n| format!("+1{area}55501{n:02}")));
    let mut free = free.filter(|number| !text.contains(number.as_str()) && !known.contains(number));
    free.nth(count % 100).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strangers_number_becomes_one_that_nobody_has() {
        let known = ["+19042520927".to_owned(), "+4915112345678".to_owned()];
        let text = "phone: '+15125550923' of +15125550923 and +447911123456, not +19042520927, +4915112345678, \
                    +19045550123, 1+1, +12, +, {{ x }}+";
        let plain = replaced(text, &known);
        let expected = "phone: '+12005550100' of +12005550100 and +12005550101, not +19042520927, \
                        +4915112345678, +19045550123, 1+1, +12, +, {{ x }}+";
        assert_eq!(plain, expected);
        assert_eq!(replaced("no number", &known), "no number");
    }
}
