//! Twilio signs the URL that is configured, and what reaches the dispatcher need
//! not be that URL: stages, custom domains and their mappings stand between.

use crate::process::{Finished, rehearse};
use crate::support::project;

const DOMAIN: &str = "sms.shop.example";

/// A way to the dispatcher.
#[derive(Default)]
struct Way {
    /// Properties of the API.
    api: Vec<String>,
    /// Called by the domain.
    domain: bool,
    /// What the template says instead of what it says.
    instead: Vec<(&'static str, &'static str)>,
    /// The URLs that the dispatcher believes.
    public_urls: Option<&'static str>,
}

impl Way {
    fn staged(stage: &str) -> Self {
        Self { api: vec![format!("StageName: {stage}")], ..Self::default() }
    }

    fn through(base_path: &str) -> Self {
        Self::default().and_through(base_path)
    }

    fn and_through(mut self, base_path: &str) -> Self {
        self.api.push(format!("Domain: {{ DomainName: {DOMAIN}, BasePath: [{base_path}] }}"));
        Self { domain: true, ..self }
    }

    fn instead(mut self, these: &[(&'static str, &'static str)]) -> Self {
        self.instead.extend_from_slice(these);
        self
    }

    fn believing(self, url: &'static str) -> Self {
        Self { public_urls: Some(url), ..self }
    }

    /// Sends a signed text this way.
    fn text(&self) -> Finished {
        let folder = project();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let template = with_properties(&read("template.yaml"), &self.api);
        let template = self.instead.iter().fold(template, |text, (from, to)| {
            assert!(text.contains(from), "the template has no `{from}`");
            text.replace(from, to)
        });
        folder.write("template.yaml", template);
        if self.domain {
            let settings = read("rehearse.toml");
            let domain = format!("[webhook]\ndomain = \"{DOMAIN}\"\n");
            folder.write("rehearse.toml", settings.replace("[webhook]\n", &domain));
        }
        let given =
            self.public_urls.map(|url| format!("given: {{ env: {{ PUBLIC_URLS: \"{url}\" }} }}\n"));
        let scenario = format!(
            "name: A text\n{}steps:\n  - customer: Hello?\n    model: [{{ say: Here. }}]\n    reply: Here.\n",
            given.unwrap_or_default()
        );
        folder.write("scenarios/a.yaml", scenario);
        rehearse(folder.path(), &["run"])
    }

    #[track_caller]
    fn is_heard(&self) {
        let ran = self.text();
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }

    /// Refused as what it must be: a signature over another URL.
    #[track_caller]
    fn is_refused(&self) {
        let ran = self.text();
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("403"), "{}{}", ran.out, ran.err);
    }
}

/// The template with these properties of its API.
pub fn with_properties(template: &str, properties: &[String]) -> String {
    let kind = "    Type: AWS::Serverless::HttpApi\n";
    let (before, after) = template.split_once(kind).expect("the template has an HTTP API");
    let after = after.strip_prefix("    Properties:\n").unwrap_or(after);
    let mut lines: String = properties.iter().map(|line| format!("      {line}\n")).collect();
    if after.starts_with("      ") || !properties.is_empty() {
        lines.insert_str(0, "    Properties:\n");
    }
    format!("{before}{kind}{lines}{after}")
}

#[test]
fn a_named_stage_needs_no_public_url() {
    Way::staged("prod").is_heard();
    Way::staged("prod").believing("https://elsewhere.example/prod/dispatcher").is_refused();
}

#[test]
fn a_custom_domain_is_believed_when_it_is_named() {
    let url = "https://sms.shop.example/v1/dispatcher";
    Way::through("v1").believing(url).is_heard();
    Way::staged("prod").and_through("v1").believing(url).is_heard();
    // The mapping is in no field of the event, so nobody could rebuild it.
    Way::through("v1").is_refused();
    Way::through("v1").believing("https://sms.shop.example/dispatcher").is_refused();
}

#[test]
fn a_domain_without_a_mapping_can_be_rebuilt() {
    Way::through("/").is_heard();
    // But not the absence of a stage, which the event has.
    Way::staged("prod").and_through("/").is_refused();
}

#[test]
fn events_of_format_1_have_the_mapping_in_their_path() {
    let format_1 = [("Path: /dispatcher }", "Path: /dispatcher, PayloadFormatVersion: '1.0' }")];
    Way::through("v1").instead(&format_1).is_heard();
}

#[test]
fn a_rest_api_in_the_place_of_the_http_api() {
    let rest = [
        ("Type: AWS::Serverless::HttpApi", "Type: AWS::Serverless::Api"),
        ("Type: HttpApi", "Type: Api"),
        ("ApiId:", "RestApiId:"),
    ];
    Way::staged("Prod").instead(&rest).is_heard();
    let url = "https://sms.shop.example/dispatcher";
    Way::staged("Prod").and_through("/").instead(&rest).believing(url).is_heard();
}

#[test]
fn a_domain_that_the_api_does_not_have_is_an_error() {
    let ran = Way { domain: true, ..Way::default() }.text();
    assert_eq!(ran.code, 3, "{ran:?}");
    let says = "the API of /dispatcher has no domain sms.shop.example, which [webhook] names";
    assert!(ran.err.contains(says), "{ran:?}");
}
