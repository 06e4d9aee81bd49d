//! The report for a browser: one file, opened from disk, with every scenario, those that failed first.
//! What is written into it is escaped by the template's name, and its script knows nothing of a run.

use std::time::Duration;

use minijinja::Environment;
use serde_json::{Value, json};

use super::{
    conversation::{ConversationLine, Detail, Reader, Tone},
    json::outcome,
    text::visible,
    time,
    view::{Run, ScenarioReport},
};
use crate::{Problem, Status};
use rehearse_core::journal::{Exchange, ExchangeDetail};

/// Most exchanges of a scenario in its timeline.
const MOST: usize = 400;

/// The report's text. The timelines and the conversations of what passed are made of the journals, so
/// they are there when the run has kept them.
///
/// # Errors
/// When the template cannot be rendered, which is a bug.
pub fn html(run: &Run) -> Result<String, minijinja::Error> {
    let counts = run.counts();
    let mut scenarios: Vec<&ScenarioReport> = run.scenarios.iter().collect();
    // The order of files stays, within each group.
    scenarios.sort_by_key(|report| !report.result.status.is_failure());
    let mut words: Vec<&str> = scenarios.iter().map(|report| report.result.status.word()).collect();
    words.sort_unstable();
    words.dedup();
    let parts: Vec<String> = [
        (counts.failed, "failed"),
        (counts.broken, "broken"),
        (counts.errors, "could not run"),
        (counts.passed, "passed"),
        (counts.skipped, "skipped"),
        (counts.interrupted, "interrupted"),
        (counts.not_run, "not run"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let page = json!({
        "outcome": outcome(run),
        "total": run.scenarios.len(),
        "counts": { "failed_all": counts.failed + counts.broken + counts.errors },
        "parts": parts,
        "took": time::duration(run.took),
        "started": run.started.to_string(),
        "seed": run.seed,
        "errors": run.load_errors(),
        "words": words,
        "scenarios": scenarios.into_iter().map(scenario).collect::<Vec<_>>(),
    });
    let mut environment = Environment::new();
    // Names that end in `.html` are escaped.
    environment.add_template("report.html", include_str!("report.html"))?;
    let page = minijinja::Value::from(minijinja::value::Serde(&page));
    environment.get_template("report.html")?.render(page)
}

fn scenario(report: &ScenarioReport) -> Value {
    let result = &report.result;
    let lines = if report.conversation.is_empty() {
        Reader::new(result.people.clone(), Detail::Story).lines(&result.journal)
    } else {
        report.conversation.clone()
    };
    json!({
        "name": report.name,
        "file": report.file,
        "line": result.line,
        "tags": result.tags,
        "outcome": result.status.word(),
        "failed": result.status.is_failure(),
        "took": match result.status {
            Status::NotRun | Status::Skipped => String::new(),
            _ => time::duration(result.took),
        },
        "step": result.step,
        "problems": result.problems.iter().map(problem).collect::<Vec<_>>(),
        "lines": talk(&lines, report),
        "timeline": timeline(&result.journal),
        "replay": result.replay,
    })
}

fn problem(problem: &Problem) -> Value {
    let differences: Vec<Value> = problem
        .differences()
        .into_iter()
        .map(|difference| {
            let (expected, actual) = (visible(&difference.expected), visible(&difference.actual));
            json!({ "path": difference.path, "expected": expected, "actual": actual })
        })
        .collect();
    json!({
        "summary": visible(&problem.summary),
        "place": problem.location.as_ref().map(ToString::to_string),
        "differences": differences,
        "nearest": problem.nearest,
        "notes": problem.notes,
    })
}

/// The lines of a conversation, the day above the first of each.
fn talk(lines: &[ConversationLine], report: &ScenarioReport) -> Vec<Value> {
    let zone = &report.result.zone;
    let mut day = None;
    let line = |line: &ConversationLine| {
        let spoken = matches!(line.tone, Tone::Person | Tone::Shop);
        let today = time::day(line.at, zone);
        let new = spoken && day.as_ref() != Some(&today);
        if new {
            day = Some(today.clone());
        }
        let kind = match line.tone {
            Tone::Person => "person",
            Tone::Shop => "shop",
            Tone::Quiet => "quiet",
            Tone::Trouble => "trouble",
        };
        json!({
            "day": new.then_some(today),
            "at": time::clock(line.at, zone),
            "label": line.label,
            "text": line.text,
            "kind": kind,
            "spoken": spoken,
        })
    };
    lines.iter().map(line).collect()
}

/// When each exchange began and how long it took, as parts of the whole.
fn timeline(journal: &[Exchange]) -> Vec<Value> {
    let is_call = |exchange: &&Exchange| {
        !matches!(
            exchange.detail,
            ExchangeDetail::Log { .. } | ExchangeDetail::Rows { .. } | ExchangeDetail::Step { .. }
        )
    };
    let calls: Vec<&Exchange> = journal.iter().filter(is_call).take(MOST).collect();
    let start = calls.iter().map(|call| call.started_us).min().unwrap_or(0);
    let end = calls.iter().map(|call| call.started_us + call.took_us.unwrap_or(0)).max();
    let whole = end.unwrap_or(0).saturating_sub(start).max(1) as f64;
    let percent = |us: u64| format!("{:.2}", us as f64 * 100.0 / whole);
    let row = |call: &&Exchange| {
        let outcome = call.outcome.as_ref();
        let status = outcome.and_then(|outcome| outcome.status).map(|status| status.to_string());
        let error = outcome.and_then(|outcome| outcome.error.clone());
        let bad = error.is_some()
            || outcome.is_none()
            || outcome.and_then(|outcome| outcome.status).is_some_and(|status| status >= 400);
        let ended: Vec<String> = match outcome {
            None => vec!["did not end".into()],
            Some(_) => status.into_iter().chain(error).collect(),
        };
        json!({
            "name": call.name,
            "left": percent(call.started_us - start),
            "width": percent(call.took_us.unwrap_or(0)),
            "took": call.took_us.map(|took| time::duration(Duration::from_micros(took))).unwrap_or_default(),
            "ended": ended.join(" "),
            "injected": call.injected,
            "bad": bad,
        })
    };
    calls.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;
    use crate::report::samples;
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };

    fn texts(page: &str, selector: &str) -> Vec<String> {
        let page = Html::parse_document(page);
        let selector = Selector::parse(selector).unwrap();
        page.select(&selector).map(|found| found.text().collect::<String>()).collect()
    }

    #[test]
    fn failures_come_first_open_and_with_both_sides() {
        let page = html(&samples::run()).unwrap();
        let names = texts(&page, "summary .name");
        assert_eq!(names, ["Two customers, one slot", "A customer books tomorrow"]);
        assert_eq!(texts(&page, "details[open] summary .name"), ["Two customers, one slot"]);
        let sides = texts(&page, ".sides pre");
        assert!(sides.contains(&"\"Confirmed: Wed Feb 11, 3:00 PM.\"".to_owned()), "{sides:?}");
        let bubbles = texts(&page, ".bubble.person");
        assert!(bubbles[0].contains("Can I come tomorrow?"), "{bubbles:?}");
        assert_eq!(texts(&page, ".day"), ["Tue Feb 10 2026"]);
        assert!(texts(&page, "#outcome option").contains(&"failed".to_owned()));
    }

    #[test]
    fn nothing_of_a_run_is_markup_and_nothing_is_loaded() {
        let mut run = samples::run();
        let evil = "</script><script>alert(1)</script><img src=x onerror=y> \"' &amp; {{ 7*7 }}";
        run.scenarios[0].name = evil.into();
        run.scenarios[1].name = evil.into();
        run.scenarios[1].file = evil.into();
        run.scenarios[1].conversation[0].text = evil.into();
        run.scenarios[1].conversation[0].label = evil.into();
        run.scenarios[1].result.tags = vec![evil.into()];
        run.scenarios[1].result.problems[0].summary = evil.into();
        run.scenarios[1].result.problems[0].mismatches[0].actual = evil.into();
        run.scenarios[1].result.replay = evil.into();
        let page = html(&run).unwrap();
        assert_eq!(texts(&page, "script").len(), 1, "only its own");
        assert!(texts(&page, "img").is_empty());
        assert_eq!(texts(&page, "summary .name"), [evil, evil]);
        for word in ["http://", "https://", "src=", "href=", "url(", "@import"] {
            let own = page.replace(&escaped(evil), "");
            assert!(!own.contains(word), "{word}");
        }
    }

    fn escaped(text: &str) -> String {
        let mut environment = Environment::new();
        environment.add_template("a.html", "{{ text }}").unwrap();
        let template = environment.get_template("a.html").unwrap();
        let context = minijinja::Value::from(minijinja::value::Serde(&json!({ "text": text })));
        template.render(context).unwrap()
    }

    #[test]
    fn exchanges_are_a_timeline_with_what_failed_and_what_was_injected() {
        let journal = Journal::new(Clock::running());
        let detail = || ExchangeDetail::Twilio {
            method: "POST".into(),
            path: "/".into(),
            params: Vec::new(),
        };
        journal.begin("twilio.messages.create", detail()).end(Outcome::status(201, Value::Null));
        let failed = journal.begin("twilio.messages.create", detail());
        failed.injected(&"503");
        failed.end(Outcome::status(503, Value::Null));
        let mut run = samples::run();
        run.scenarios[0].result.journal = journal.since(0);
        let page = html(&run).unwrap();
        assert_eq!(texts(&page, "table tr").len(), 2);
        let bad = texts(&page, "tr.bad");
        assert_eq!(bad.len(), 1);
        assert!(bad[0].contains("503") && bad[0].contains("injected: 503"), "{bad:?}");
    }
}
