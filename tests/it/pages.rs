//! The pages behind a stage, which stands before every path: their links and forms name none of it.

use crate::{lambda::lambda, process::rehearse, public_url::with_properties, support::project};

const SCENARIO: &str = r#"
name: Both pages behind a stage
now: 2026-02-10T15:10:00-05:00
steps:
  - request: GET /Prod/book
    response:
      status: 200
      html: { form: { action: book } }
      text: { contains: ['href="book/book.css?v=', 'src="book/book.js?v='] }
    save: { key: html.form.fields.key }
  - request: GET /Prod/book/book.js
    response: { status: 200, headers: { content-type: "text/javascript; charset=utf-8" } }
  - request: POST /Prod/book
    form: { key: "{{ key }}", repair_type: screen, date: "2026-02-11", time: "2:00 PM", phone: (904) 252-0927 }
    response: { status: 201, html: { form: { action: book/ics } } }
  - request: GET /Prod/owner
    response: { status: 200, html: { title: Owner’s page }, text: { contains: 'src="owner/owner.js"' } }
  - request: GET /Prod/owner/owner.js
    response: { status: 200 }
  - request: POST /Prod/owner/session
    headers: { Sec-Fetch-Site: same-origin }
    json: { token: "{{ env.ADMIN_TOKEN }}" }
    response: { status: 200, headers: { set-cookie: { excludes: "Path" } } }
    save: { cookie: headers.set-cookie }
  - request: GET /Prod/owner/api/overview?from=2026-02-11&days=1
    headers: { Cookie: "{{ cookie }}" }
    response: { status: 200, json: { days: [{ entries: [{ time: "2:00 PM" }] }] } }
  - request: PUT /Prod/owner/api/state
    headers: { Cookie: "{{ cookie }}", Sec-Fetch-Site: same-origin }
    json: { status: gym }
    response: { status: 200 }
  - request: GET /book
    response: { status: { one_of: [403, 404] } }
"#;

/// Runs the scenario with the API behind a stage, and what the template says otherwise.
#[track_caller]
fn pass(instead: &[(&str, &str)], target: &[String]) {
    let folder = project();
    let template = std::fs::read_to_string(folder.path().join("template.yaml")).unwrap();
    let template = with_properties(&template, &["StageName: Prod".to_owned()]);
    let template = instead.iter().fold(template, |text, (from, to)| {
        assert!(text.contains(from), "the template has no `{from}`");
        text.replace(from, to)
    });
    folder.write("template.yaml", template);
    folder.write("scenarios/a.yaml", SCENARIO);
    let words: Vec<&str> = ["run"].into_iter().chain(target.iter().map(String::as_str)).collect();
    let ran = rehearse(folder.path(), &words);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn the_pages_work_behind_the_stage_of_an_http_api_on_both_targets() {
    pass(&[], &[]);
    let _lock = crate::suite::lock();
    pass(&[], &lambda(&[]));
}

#[test]
fn the_pages_work_behind_the_stage_of_a_rest_api() {
    let rest = [
        ("Type: AWS::Serverless::HttpApi", "Type: AWS::Serverless::Api"),
        ("Type: HttpApi", "Type: Api"),
        ("ApiId:", "RestApiId:"),
    ];
    pass(&rest, &[]);
}
