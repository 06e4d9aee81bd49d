//! The project's own files.

use super::*;

#[test]
fn the_projects_own_template_has_its_functions_routes_and_tables() {
    let template = Template::read(&root().join("template.yaml")).unwrap();
    let mut kinds: Vec<_> = template.ignored.iter().map(|i| i.kind.as_str()).collect();
    kinds.dedup();
    let expected = [
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::SNS::Topic",
        "AWS::CloudWatch::Alarm",
    ];
    assert_eq!(kinds, expected);
    let shape: Vec<_> = template
        .functions
        .iter()
        .map(|f| {
            let routes: Vec<_> =
                f.routes.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
            (f.id.as_str(), f.timeout.as_secs(), f.memory, routes.join(", "))
        })
        .collect();
    assert_eq!(
        shape,
        [
            (
                "Dispatcher",
                15,
                256,
                "POST /dispatcher, GET /dispatcher, POST /message-status".to_owned()
            ),
            ("LateReply", 90, 256, String::new()),
            (
                "StateManager",
                10,
                256,
                "GET /state, POST /state, PUT /state, DELETE /state, OPTIONS /state, GET /calendar, \
                 POST /calendar, PUT /calendar, DELETE /calendar, OPTIONS /calendar, GET /calendar/time-off, \
                 POST /calendar/time-off, DELETE /calendar/time-off, OPTIONS /calendar/time-off, GET /customers/{phone}, \
                 DELETE /customers/{phone}, OPTIONS /customers/{phone}, GET /owner, ANY /owner/{proxy+}".to_owned()
            ),
            (
                "Scheduler",
                10,
                256,
                "GET /scheduler, POST /scheduler, OPTIONS /scheduler, POST /scheduler/confirm, \
                 OPTIONS /scheduler/confirm, GET /book, POST /book, POST /book/ics, \
                 GET /book/book.js, GET /book/book.css, GET /book/embed.js".to_owned()
            ),
        ]
    );
    let dispatcher = template.function("Dispatcher").unwrap();
    assert_eq!(dispatcher.env["REPAIRS_LEAD_LOG_TABLE"], "Repairs_Lead_Log");
    assert_eq!(dispatcher.env["DYNAMODB_REGION"], "us-east-1");
    // An update asks pages that know no codes for none.
    assert_eq!(template.function("Scheduler").unwrap().env["FORM_CONFIRMATION"], "none");
    // No owner, no variable; what only the operator knows has no value on the laptop, and that is said.
    assert!(!dispatcher.env.contains_key("OWNER_PHONE_NUMBER"));
    assert!(dispatcher.unresolved.iter().any(|u| u.variable == "TWILIO_ACCOUNT_SID" && u.line > 0));

    // A turn counts alike wherever it ends.
    for id in ["Dispatcher", "LateReply"] {
        let env = &template.function(id).unwrap().env;
        for (name, value) in [
            ("TURNS_PER_HOUR", "40"),
            ("TURNS_PER_DAY", "150"),
            ("MODEL_CALLS_PER_HOUR", "120"),
            ("MODEL_CALLS_PER_DAY", "400"),
            ("SEGMENTS_PER_HOUR", "2000"),
            ("SEGMENTS_PER_DAY", "4000"),
        ] {
            assert_eq!(env[name], value, "{id}");
        }
    }

    let tables: Vec<_> = template.tables.iter().map(|t| (t.id.as_str(), t.name.as_str())).collect();
    assert_eq!(
        tables,
        [
            ("Leads", "Repairs_Lead_Log"),
            ("OwnerState", "Brandon_State_Log"),
            ("Schedule", "Repairs_Schedule"),
            ("Conversations", "Repairs_Conversations"),
            ("CustomerBookings", "Repairs_Customer_Bookings"),
            ("OptOuts", "Repairs_Opt_Outs"),
        ]
    );
    let leads = &template.tables[0];
    assert_eq!(leads.key.range.as_ref().unwrap().kind, AttributeKind::Number);
    assert_eq!(template.tables[3].ttl.as_deref(), Some("expires_at"));
}

#[test]
fn the_projects_own_settings_cover_every_variable_that_the_template_cannot_give() {
    let settings = Settings::read(&root().join("rehearse.toml")).unwrap();
    let template = Template::read(&root().join(&settings.template)).unwrap();
    let endpoints = Endpoints {
        gateway: "http://127.0.0.1:4000".into(),
        twilio: "http://127.0.0.1:4010".into(),
        openai: "http://127.0.0.1:4020".into(),
        dynamodb: "http://127.0.0.1:4030".into(),
        secrets: "http://127.0.0.1:4050".into(),
        lambda: "http://127.0.0.1:4060".into(),
    };
    for function in &template.functions {
        let environment = settings.environment(&endpoints, &function.id);
        for missing in &function.unresolved {
            assert!(environment.contains_key(&missing.variable), "{missing:?}");
        }
    }
    let environment = settings.environment(&endpoints, "Scheduler");
    assert_eq!(environment["OPENAI_BASE_URL"], "http://127.0.0.1:4020/v1");
    assert_eq!(environment["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:4030/fn/Scheduler");
    assert_eq!(environment["TWILIO_PHONE_NUMBER"], "+19045550100");
    let paths: Vec<_> = template.functions[0].routes.iter().map(|r| r.path.as_str()).collect();
    assert!(paths.contains(&settings.webhook_route()));
}

#[test]
fn the_projects_own_fixtures_fit_its_tables() {
    let template = Template::read(&root().join("template.yaml")).unwrap();
    let files = fs::read_dir(root().join("fixtures/dynamodb")).unwrap();
    let mut read = 0;
    for file in files {
        let path = file.unwrap().path();
        if let Err(error) = fixture::read(&path, &template.tables) {
            panic!("{error}");
        }
        read += 1;
    }
    assert!(read > 5, "{read}");
}
