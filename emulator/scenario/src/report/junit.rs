//! The JUnit report, as CI systems read it: a suite per folder, a case per scenario.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{
    style::plain,
    terminal,
    view::{Run, ScenarioReport},
};
use crate::Status;

/// The report's text.
///
/// # Errors
/// Never in practice: the XML is written to memory.
pub fn junit(run: &Run) -> std::io::Result<String> {
    let mut suites: BTreeMap<&str, Vec<&ScenarioReport>> = BTreeMap::new();
    for ran in &run.scenarios {
        suites.entry(&ran.folder).or_default().push(ran);
    }
    let all: Vec<&ScenarioReport> = run.scenarios.iter().collect();
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = element("testsuites", &[("name", "rehearse")]);
    totals(&mut root, &all, run.took);
    xml.write_event(Event::Start(root))?;
    for (folder, cases) in suites {
        let name = if folder.is_empty() { "scenarios" } else { folder };
        let mut suite = element("testsuite", &[("name", name)]);
        totals(&mut suite, &cases, cases.iter().map(|c| c.result.took).sum());
        suite.push_attribute(("timestamp", run.started.to_string().as_str()));
        xml.write_event(Event::Start(suite))?;
        for case in cases {
            write_case(&mut xml, name, case)?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text)
}

fn totals(element: &mut BytesStart<'_>, cases: &[&ScenarioReport], took: Duration) {
    let of = |statuses: &[Status]| {
        cases.iter().filter(|c| statuses.contains(&c.result.status)).count().to_string()
    };
    element.push_attribute(("tests", cases.len().to_string().as_str()));
    element.push_attribute(("failures", of(&[Status::Failed]).as_str()));
    element.push_attribute(("errors", of(&[Status::Broken, Status::EnvironmentFailed]).as_str()));
    element.push_attribute((
        "skipped",
        of(&[Status::Interrupted, Status::NotRun, Status::Skipped]).as_str(),
    ));
    element.push_attribute(("time", seconds(took).as_str()));
}

fn write_case(xml: &mut Writer<Vec<u8>>, suite: &str, ran: &ScenarioReport) -> std::io::Result<()> {
    let case = element(
        "testcase",
        &[
            ("name", &ran.name),
            ("classname", suite),
            ("file", &ran.file),
            ("line", &ran.line.to_string()),
            ("time", &seconds(ran.result.took)),
        ],
    );
    let tag = match ran.result.status {
        Status::Passed => return xml.write_event(Event::Empty(case)),
        Status::Failed => "failure",
        Status::Broken | Status::EnvironmentFailed => "error",
        Status::Interrupted | Status::NotRun | Status::Skipped => "skipped",
    };
    xml.write_event(Event::Start(case))?;
    if tag == "skipped" {
        let message = match ran.result.status {
            Status::Interrupted => "interrupted",
            Status::Skipped => {
                ran.result.problems.first().map_or("skipped", |f| f.summary.as_str())
            }
            _ => "not run",
        };
        xml.write_event(Event::Empty(element(tag, &[("message", message)])))?;
    } else {
        let message = ran.result.problems.first().map_or("", |f| f.summary.as_str());
        let kind = match ran.result.status {
            Status::Failed => "expectation",
            Status::Broken => "scenario",
            _ => "environment",
        };
        xml.write_event(Event::Start(element(tag, &[("message", message), ("type", kind)])))?;
        let text = plain(&terminal::failure(ran, None));
        xml.write_event(Event::Text(BytesText::new(&legal(&text))))?;
        xml.write_event(Event::End(BytesEnd::new(tag)))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn element<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut element = BytesStart::new(name);
    for (key, value) in attributes {
        element.push_attribute((*key, legal(value).as_ref()));
    }
    element
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// The text without characters that XML 1.0 forbids even when escaped.
fn legal(text: &str) -> Cow<'_, str> {
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(legal) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(|c| if legal(c) { c } else { '\u{FFFD}' }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// Reads the report back; fails when it is not well formed.
    fn attributes(xml: &str, tag: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = quick_xml::Reader::from_str(xml);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return found,
                Event::Start(e) | Event::Empty(e) if e.name().as_ref() == tag => {
                    let pairs = e.attributes().map(|a| {
                        let a = a.unwrap();
                        let key = a.key.as_ref().to_owned();
                        (
                            key,
                            a.normalized_value(quick_xml::XmlVersion::Explicit1_0)
                                .unwrap()
                                .into_owned(),
                        )
                    });
                    found.push(pairs.collect());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_suite_per_folder_and_a_case_per_scenario() {
        let xml = junit(&samples::run()).unwrap();
        insta::assert_snapshot!(xml, @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="rehearse" tests="2" failures="1" errors="0" skipped="0" time="0.612">
          <testsuite name="booking" tests="1" failures="0" errors="0" skipped="0" time="0.012" timestamp="2026-02-10T20:10:00Z">
            <testcase name="A customer books tomorrow" classname="booking" file="scenarios/booking/tomorrow.yaml" line="1" time="0.012"/>
          </testsuite>
          <testsuite name="safety" tests="1" failures="1" errors="0" skipped="0" time="0.012" timestamp="2026-02-10T20:10:00Z">
            <testcase name="Two customers, one slot" classname="safety" file="scenarios/safety/one-slot.yaml" line="1" time="0.012">
              <failure message="no round expects this request" type="expectation">FAIL  Two customers, one slot
          scenarios/safety/one-slot.yaml:17

          Tue Feb 10 2026
          15:10  customer →  Can I come tomorrow?
                      model  check_availability(date: &quot;2026-02-11&quot;)
          15:10  customer ←  2:00 PM is free. Shall I book it?
          15:10  customer →  Yes
                      model  400 unexpected_request

          step 2, customer: &quot;Yes&quot;
          no round expects this request
            instructions
              expected  something with &quot;at the gym&quot;
                  came  &quot;You are Linda. Brandon is working.&quot;
            nearest: step 2, round 1
            the script of step 1 was armed as well

          the reply is not the expected one
            scenarios/safety/one-slot.yaml:20
            expected  &quot;Confirmed: Wed Feb 11, 2:00 PM.&quot;
                came  &quot;Confirmed: Wed Feb 11, 3:00 PM.&quot;

          replay: rehearse run scenarios/safety/one-slot.yaml
        </failure>
            </testcase>
          </testsuite>
        </testsuites>
        "##);
    }

    #[test]
    fn forbidden_characters_and_markup_are_made_harmless() {
        let mut run = samples::run();
        let evil = "a\u{0}b\u{1b}[31m\u{FFFF}<c> \"&]]>";
        run.scenarios[1].name = evil.into();
        run.scenarios[1].result.problems[0].summary = evil.into();
        let xml = junit(&run).unwrap();
        assert!(!xml.contains(['\u{0}', '\u{1b}', '\u{FFFF}']), "{xml}");
        let cases = attributes(&xml, "testcase");
        assert_eq!(cases[1]["name"], "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}<c> \"&]]>");
    }

    #[test]
    fn interrupted_scenarios_are_said_and_not_lost() {
        let mut run = samples::run();
        run.interrupted = true;
        run.scenarios[0].result.status = Status::Interrupted;
        run.scenarios[1].result.status = Status::NotRun;
        let xml = junit(&run).unwrap();
        let messages: Vec<_> =
            attributes(&xml, "skipped").iter().map(|a| a["message"].clone()).collect();
        assert_eq!(messages, ["interrupted", "not run"]);
        assert_eq!(attributes(&xml, "testsuites")[0]["skipped"], "2");
    }
}
