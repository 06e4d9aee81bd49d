//! Calls of the model's tools, with anything for arguments.

use handlers::{domain::turn::ConversationItem, tools};
use memory_ports::{ANN, World, say, text};

/// The first byte chooses the tool, the rest is its arguments. The call is read or refused, and the
/// customer is answered.
pub(crate) fn tool_arguments(bytes: &[u8]) {
    let Some((first, arguments)) = bytes.split_first() else { return };
    let specs = tools::specs();
    let at = usize::from(*first) % (specs.len() + 1);
    let name = specs.get(at).map_or("no_such_tool", |tool| tool.name);
    let arguments = String::from_utf8_lossy(arguments).into_owned();
    if let Err(error) = tools::parse(name, &arguments) {
        let told = error.to_string();
        assert!(!told.is_empty() && told.len() < 500, "{told}");
    }
    let world = World::new();
    world.model.then([ConversationItem::Call {
        id: "fc_1".to_owned(),
        call_id: "call_1".to_owned(),
        name: name.to_owned(),
        arguments,
    }]);
    for _ in 0..8 {
        world.model.then([say("Let me know what suits you.")]);
    }
    let answer = world.answer(&text("SM00000000000000000000000000000001", "Hello"));
    let is_silent = name == "stop_texting";
    assert!(is_silent || answer.iter().any(|part| !part.is_empty()), "no answer: {answer:?}");
    for lead in world.store.leads() {
        assert_eq!(lead.phone.as_str(), ANN, "a booking of somebody else");
    }
}
