//! What `check` prints of a template: its routes, and what of it is not emulated.

use crate::project::by_kind;
use rehearse_aws::template::{Api, ApiKind, Route, Template};

/// A line for each route, in columns: method, path as a client calls it, function, API.
pub(super) fn table(template: &Template) -> Vec<String> {
    let only_urls = template.apis.iter().all(|api| api.is_function_url);
    let mut rows = Vec::new();
    for api in &template.apis {
        let before = match api.is_function_url && !only_urls {
            true => api.function_url_path(),
            false => api.stage_path(),
        };
        for function in &template.functions {
            for route in function.routes.iter().filter(|route| route.api == api.id) {
                rows.push([
                    route.method.clone(),
                    path(&before, route),
                    function.id.clone(),
                    format!("{} ({})", api.id, kind(api)),
                ]);
            }
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [methods, paths, functions] = [0, 1, 2].map(width);
    let line = |[method, path, function, api]: &[String; 4]| {
        format!("{method:<methods$}  {path:<paths$}  {function:<functions$}  {api}")
    };
    rows.iter().map(line).collect()
}

/// What of a template is not emulated, in one line: each type with the number of its resources.
pub(super) fn not_emulated(template: &Template) -> Option<String> {
    let kinds = by_kind(&template.ignored);
    let kinds = kinds.iter().map(|(kind, of_kind)| match of_kind.as_slice() {
        [one] => format!("{kind} ({}, line {})", one.id, one.line),
        more => format!("{} {kind}", more.len()),
    });
    let kinds: Vec<String> = kinds.collect();
    (!kinds.is_empty()).then(|| format!("not emulated: {}", kinds.join(", ")))
}

/// The path as a client calls it, with the stage.
fn path(before: &str, route: &Route) -> String {
    match route.path.as_str() {
        "$default" => format!("{before}/... ($default)"),
        "/" if !before.is_empty() => before.to_owned(),
        path => format!("{before}{path}"),
    }
}

fn kind(api: &Api) -> &'static str {
    match api.kind {
        _ if api.is_function_url => "function URL",
        ApiKind::Http => "HTTP API",
        ApiKind::Rest => "REST API",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_core::yaml::Source;

    #[test]
    fn routes_stand_in_columns_and_the_rest_is_counted() {
        let text = "Resources:
  Sms:
    Type: AWS::Serverless::Function
    Properties:
      FunctionUrlConfig: { AuthType: NONE }
      Events:
        Text: { Type: HttpApi, Properties: { Path: /sms, Method: post } }
        All: { Type: HttpApi }
        Old: { Type: Api, Properties: { Path: /, Method: any } }
  A: { Type: AWS::SQS::Queue }
  B: { Type: AWS::SQS::Queue }
  C: { Type: AWS::SNS::Topic }
";
        let template = Template::parse(&Source::new("template.yaml", text)).unwrap();
        assert_eq!(
            table(&template),
            [
                "POST  /sms                         Sms  ServerlessHttpApi (HTTP API)",
                "ANY   /... ($default)              Sms  ServerlessHttpApi (HTTP API)",
                "ANY   /Prod                        Sms  ServerlessRestApi (REST API)",
                "ANY   /_url/SmsUrl/... ($default)  Sms  SmsUrl (function URL)",
            ]
        );
        let not_emulated = not_emulated(&template).unwrap();
        assert_eq!(not_emulated, "not emulated: 2 AWS::SQS::Queue, AWS::SNS::Topic (C, line 12)");
        assert_eq!(super::not_emulated(&Template::default()), None);
    }
}
