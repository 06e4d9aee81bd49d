//! The template grants exactly what the scenarios use.

use crate::process::rehearse;
use crate::suite;
use crate::support::{project, root};

/// The journals of every scenario.
fn report() -> String {
    suite::in_process().0.display().to_string()
}

#[test]
fn none_is_missing_and_none_is_more_and_both_would_be_told() {
    let folder = project();
    let report = report();
    let template = folder.path().join("template.yaml");
    let text = std::fs::read_to_string(&template).unwrap();
    let iam = || rehearse(folder.path(), &["iam", "--report", &report]);

    let ran = iam();
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("each granted and used"), "{}", ran.out);

    let statement = "              Action: [dynamodb:GetItem, dynamodb:UpdateItem]\n";
    assert!(text.contains(statement), "the statement of StateManager has moved");
    for (planted, says) in [
        (
            "              Action: [dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:Scan]\n",
            "StateManager may dynamodb:Scan on table/Repairs_Conversations, which no scenario uses",
        ),
        (
            "              Action: [dynamodb:GetItem]\n",
            "StateManager uses dynamodb:UpdateItem on table/Repairs_Conversations, which nothing grants",
        ),
        (
            "              Action: ['dynamodb:*']\n",
            "StateManager may dynamodb:* on table/Repairs_Conversations, which no scenario uses",
        ),
    ] {
        std::fs::write(&template, text.replacen(statement, planted, 1)).unwrap();
        let ran = iam();
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(says), "{}", ran.out);
    }
    let secret = "                - !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${TwilioAuthTokenParameter}\n";
    assert!(text.contains(secret));
    std::fs::write(&template, text.replacen(secret, "", 1)).unwrap();
    let ran = iam();
    let says = "Dispatcher uses ssm:GetParameter on parameter/rehearse/twilio-auth-token, which nothing grants";
    assert!(ran.code == 1 && ran.out.contains(says), "{}", ran.out);
    // Who asks for the policies is told as well, beside them.
    let ran = rehearse(folder.path(), &["iam", "--json", "--report", &report]);
    assert!(ran.code == 1 && ran.err.contains(says) && !ran.out.contains(says), "{ran:?}");
    serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
    std::fs::write(
        &template,
        text.replacen(
            "      Policies:\n",
            "      Policies:\n        - DynamoDBCrudPolicy: { TableName: !Ref LeadsTable }\n",
            1,
        ),
    )
    .unwrap();
    let ran = iam();
    let says = "Dispatcher has DynamoDBCrudPolicy: write its statements into the template";
    assert!(ran.code == 1 && ran.out.contains(says), "{}", ran.out);
}

#[test]
fn the_grants_hold_for_tables_that_exist_already() {
    let folder = project();
    let report = report();
    let settings = folder.path().join("rehearse.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let parameters = "[parameters]\nExistingTables = \"all\"\n\n[twilio]\n";
    std::fs::write(&settings, text.replacen("[twilio]\n", parameters, 1)).unwrap();
    let ran = rehearse(folder.path(), &["iam", "--report", &report]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn the_minimal_policy_names_no_wildcard_but_region_and_account() {
    let report = report();
    let ran = rehearse(&root(), &["iam", "--json", "--report", &report]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let policies: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let statements = policies["StateManager"]["Statement"].as_array().unwrap();
    let state = "arn:aws:dynamodb:*:*:table/Brandon_State_Log";
    let of_state = statements.iter().find(|s| s["Resource"] == state).unwrap();
    let used = ["ConditionCheckItem", "GetItem", "PutItem", "UpdateItem"];
    assert_eq!(
        of_state["Action"],
        serde_json::json!(used.map(|action| format!("dynamodb:{action}")))
    );
    assert!(!ran.out.contains("table/*"), "{}", ran.out);
}
