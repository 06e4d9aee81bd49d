//! Building the routers from a map of variables.

use handlers::{compose::Clients, config::Vars, functions};

use crate::events::{request, vars};

fn complete() -> Vars {
    vars(&[
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        // Nothing listens there.
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
        ("OPENAI_API_KEY", "sk-test"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "12345"),
        ("TWILIO_PHONE_NUMBER", "+19045550100"),
    ])
}

#[tokio::test]
async fn each_function_serves_its_route() {
    let clients = Clients::plain().unwrap();
    let routes =
        [("Dispatcher", "/dispatcher"), ("StateManager", "/state"), ("Scheduler", "/scheduler")];
    for (function, (id, path)) in functions().into_iter().zip(routes) {
        assert_eq!(function.id, id);
        let router = (function.build)(&complete(), &clients).unwrap();
        assert_eq!(request("OPTIONS", path).send(&router).await.status, 200);
        assert_eq!(request("PATCH", path).send(&router).await.status, 405, "{id}");
        assert_eq!(request("GET", "/elsewhere").send(&router).await.status, 404);
    }
}

#[test]
fn a_missing_variable_fails_where_it_is_needed_and_is_named() {
    let clients = Clients::plain().unwrap();
    let mut vars = complete();
    vars.remove("OPENAI_API_KEY");
    vars.remove("TWILIO_AUTH_TOKEN");
    let [dispatcher, state_manager, scheduler, _] = functions();
    let error = (dispatcher.build)(&vars, &clients).unwrap_err();
    assert_eq!(error.missing, ["OPENAI_API_KEY", "TWILIO_AUTH_TOKEN"]);
    assert!((state_manager.build)(&vars, &clients).is_ok());
    assert!((scheduler.build)(&vars, &clients).is_ok());
}
