//! Every operation of the API: the one table from which both its router and its OpenAPI document are
//! made, so that neither has what the other lacks.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    routing::{MethodFilter, on},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    ArmedFault, ArmedFaults, ClockRequest, ClockResponse, DeleteItems, DeletedItems, Disarmed,
    Endpoints, EventsQuery, FaultRequest, Faults, Fixtures, HoldRequest, Items, JournalPage,
    JournalQuery, LoadedFixture, Message, Messages, ModelState, People, PutItems, Ready, Reset,
    Rows, ScriptReport, Scripts, SmsRequest, SmsResponse, SnapshotInfo, SnapshotRequest, Snapshots,
    StatusRequest, Tables, WaitRequest, Written, openapi,
    routes::{events, faults, journal, model, rows, scenarios, scripts, snapshots, texts, world},
    server::ApiState,
};
use rehearse_core::journal::Exchange;
use rehearse_openai::Round;
use rehearse_scenario::{
    FaultEntry, FaultsStep, ModelScript,
    record::{RecordRequest, RecordedScenario},
};
use rehearse_twilio::DeliveryPlan;

/// Limit of a batch of rows in bytes: DynamoDB's own.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// Describes a type; the description of what it consists of is left with the generator.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// One method of one path.
pub(super) struct Operation {
    pub method: Method,
    /// The path, with `{name}` for each part that varies.
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    pub summary: &'static str,
    /// The query, as an object.
    pub query: Option<Describe>,
    pub request: Option<Request>,
    /// Status of success.
    pub status: u16,
    pub response: Response,
    /// Statuses of errors that it has besides those that every operation has.
    pub errors: &'static [u16],
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// The body of a request.
pub(super) struct Request {
    /// Each is a form that the body may have.
    pub forms: Vec<Describe>,
    /// Whether it may be YAML.
    pub yaml: bool,
    /// Whether it may be left out.
    pub optional: bool,
}

/// The body of a response.
pub(super) enum Response {
    Json(Describe),
    /// Any JSON object.
    Object,
    /// Server-sent events, whose data is described so.
    Events(Describe),
}

/// A router and the operations that it has.
pub(super) struct Operations {
    pub router: Router<Arc<ApiState>>,
    pub list: Vec<Operation>,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

fn part<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Its properties and not only a reference to them.
fn whole<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

impl Operation {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        let (query, request, status, response) = (None, None, 200, Response::Object);
        Self { method, path, id, summary, query, request, status, response, errors: &[] }
    }

    fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(whole::<T>), ..self }
    }

    fn takes<T: JsonSchema>(self) -> Self {
        let request = Request { forms: vec![part::<T>], yaml: false, optional: false };
        Self { request: Some(request), ..self }
    }

    fn takes_yaml(self, forms: Vec<Describe>) -> Self {
        Self { request: Some(Request { forms, yaml: true, optional: false }), ..self }
    }

    fn optional(mut self) -> Self {
        if let Some(request) = &mut self.request {
            request.optional = true;
        }
        self
    }

    fn gives<T: JsonSchema>(self) -> Self {
        Self { response: Response::Json(part::<T>), ..self }
    }

    fn creates<T: JsonSchema>(self) -> Self {
        Self { status: 201, ..self.gives::<T>() }
    }

    fn streams<T: JsonSchema>(self) -> Self {
        Self { response: Response::Events(part::<T>), ..self }
    }

    fn fails(self, errors: &'static [u16]) -> Self {
        Self { errors, ..self }
    }
}

impl Operations {
    fn with<H, T>(self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<ApiState>>,
        T: 'static,
    {
        self.within(None, operation, handler)
    }

    /// `limit` is the most bytes of a request's body, if it is not that of all operations.
    fn within<H, T>(mut self, limit: Option<usize>, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<ApiState>>,
        T: 'static,
    {
        let mut method = on(operation.method.filter(), handler);
        if let Some(limit) = limit {
            method = method.layer(DefaultBodyLimit::max(limit));
        }
        self.router = self.router.route(operation.path, method);
        self.list.push(operation);
        self
    }

    /// All of the API.
    pub fn all() -> Self {
        use Method::{Delete, Get, Post, Put};
        let op = Operation::new;
        Self { router: Router::new(), list: Vec::new() }
            .with(op(Get, "/openapi.json", "openapi", "This document"), openapi::openapi)
            .with(
                op(Get, "/ready", "ready", "Says that every part answers").gives::<Ready>(),
                world::ready,
            )
            .with(
                op(Get, "/endpoints", "endpoints", "Where every part listens, and what to export")
                    .gives::<Endpoints>(),
                world::endpoints,
            )
            .with(
                op(Get, "/people", "people", "Who texts, by name").gives::<People>(),
                world::people,
            )
            .with(
                op(Get, "/clock", "clock", "Business time").gives::<ClockResponse>(),
                world::clock,
            )
            .with(
                op(Post, "/clock", "moveClock", "Moves business time, and lets happen what is due")
                    .takes::<ClockRequest>()
                    .gives::<ClockResponse>()
                    .fails(&[400, 413, 500]),
                world::move_clock,
            )
            .with(
                op(Post, "/reset", "reset", "Puts the world back to its start")
                    .gives::<Reset>()
                    .fails(&[500]),
                world::reset,
            )
            .with(
                op(Post, "/sms", "sms", "Sends a person's text and waits for its delivery")
                    .takes::<SmsRequest>()
                    .gives::<SmsResponse>()
                    .fails(&[400, 413, 500]),
                texts::sms,
            )
            .with(
                op(Get, "/messages", "messages", "Every text that the journal still has")
                    .gives::<Messages>(),
                texts::messages,
            )
            .with(
                op(Post, "/messages/wait", "waitForMessage", "Waits for a text that matches")
                    .takes_yaml(vec![part::<WaitRequest>])
                    .gives::<Message>()
                    .fails(&[400, 408, 413]),
                texts::wait,
            )
            .with(
                op(Get, "/messages/{sid}", "message", "A text, with Twilio's status of it")
                    .gives::<Message>()
                    .fails(&[404]),
                texts::message,
            )
            .with(
                op(
                    Post,
                    "/messages/{sid}/redeliver",
                    "redeliver",
                    "Delivers a received text again",
                )
                .gives::<SmsResponse>()
                .fails(&[404, 500]),
                texts::redeliver,
            )
            .with(
                op(Post, "/messages/{sid}/status", "setStatus", "Gives a sent text a status")
                    .takes::<StatusRequest>()
                    .gives::<Message>()
                    .fails(&[400, 404, 413, 500]),
                texts::set_status,
            )
            .with(
                op(
                    Post,
                    "/delivery",
                    "steer",
                    "Decides what becomes of the texts that are sent next",
                )
                .takes::<DeliveryPlan>()
                .fails(&[400, 413]),
                texts::steer,
            )
            .with(
                op(Delete, "/delivery", "stopSteering", "Goes back to delivering every text"),
                texts::stop_steering,
            )
            .with(
                op(Get, "/journal", "journal", "The exchanges; can wait for a change")
                    .query::<JournalQuery>()
                    .gives::<JournalPage>()
                    .fails(&[400, 410]),
                journal::journal,
            )
            .with(
                op(Get, "/journal/events", "journalEvents", "The exchanges as server-sent events")
                    .query::<EventsQuery>()
                    .streams::<Exchange>()
                    .fails(&[400]),
                events::events,
            )
            .with(
                op(Get, "/journal/{seq}", "exchange", "One exchange by its position")
                    .gives::<Exchange>()
                    .fails(&[400, 404, 410]),
                journal::exchange,
            )
            .with(
                op(Get, "/tables", "tables", "The tables").gives::<Tables>().fails(&[500]),
                rows::tables,
            )
            .with(
                op(Get, "/tables/{table}", "rows", "All rows of a table, as plain JSON")
                    .gives::<Rows>()
                    .fails(&[404, 500]),
                rows::table,
            )
            .with(
                op(Get, "/tables/{table}/items", "items", "The same in DynamoDB's own format")
                    .gives::<Items>()
                    .fails(&[404, 500]),
                rows::items,
            )
            .within(
                Some(MAX_BATCH_BYTES),
                op(Put, "/tables/{table}/items", "putItems", "Writes rows, or only checks them")
                    .takes::<PutItems>()
                    .gives::<Written>()
                    .fails(&[400, 404, 413, 500]),
                rows::put_items,
            )
            .within(
                Some(MAX_BATCH_BYTES),
                op(Delete, "/tables/{table}/items", "deleteItems", "Deletes rows by their keys")
                    .takes::<DeleteItems>()
                    .gives::<DeletedItems>()
                    .fails(&[400, 404, 413, 500]),
                rows::delete_items,
            )
            .with(
                op(Get, "/fixtures", "fixtures", "The project's files of rows").gives::<Fixtures>(),
                rows::fixtures,
            )
            .with(
                op(Post, "/fixtures/{name}", "loadFixture", "Writes the rows of a file")
                    .gives::<LoadedFixture>()
                    .fails(&[400, 404, 500]),
                rows::load_fixture,
            )
            .with(
                op(Get, "/faults", "faults", "The armed faults, and how often each struck")
                    .gives::<Faults>(),
                faults::list,
            )
            .with(
                op(Post, "/faults", "armFault", "Arms faults, in the words of scenarios")
                    .takes_yaml(vec![part::<FaultEntry>, part::<FaultsStep>, part::<FaultRequest>])
                    .gives::<ArmedFaults>()
                    .fails(&[400, 409, 413]),
                faults::arm,
            )
            .with(
                op(Delete, "/faults", "disarmFaults", "Disarms all faults").gives::<Disarmed>(),
                faults::disarm_all,
            )
            .with(
                op(Get, "/faults/{id}", "fault", "One fault, and how often it struck")
                    .gives::<ArmedFault>()
                    .fails(&[400, 404]),
                faults::fault_by_id,
            )
            .with(
                op(Delete, "/faults/{id}", "disarmFault", "Disarms one fault")
                    .gives::<ArmedFault>()
                    .fails(&[400, 404]),
                faults::disarm,
            )
            .with(
                op(Get, "/scripts", "scripts", "The scripts of the model, and what is unmet")
                    .gives::<Scripts>(),
                scripts::list,
            )
            .with(
                op(Post, "/scripts", "armScript", "Arms the model's rounds for a text")
                    .takes_yaml(vec![part::<ModelScript>])
                    .creates::<ScriptReport>()
                    .fails(&[400, 409, 413]),
                scripts::arm,
            )
            .with(
                op(Delete, "/scripts", "removeScripts", "Removes all scripts, and tells of them")
                    .gives::<Scripts>(),
                scripts::remove_all,
            )
            .with(
                op(Get, "/scripts/{id}", "script", "One script, and what is unmet of it")
                    .gives::<ScriptReport>()
                    .fails(&[400, 404]),
                scripts::script,
            )
            .with(
                op(Delete, "/scripts/{id}", "removeScript", "Removes a script, and tells of it")
                    .gives::<ScriptReport>()
                    .fails(&[400, 404]),
                scripts::remove,
            )
            .with(
                op(Get, "/model", "model", "The rounds of the model that are held")
                    .gives::<ModelState>(),
                model::state,
            )
            .with(
                op(
                    Put,
                    "/model/hold",
                    "hold",
                    "Holds requests to the model to be answered by hand",
                )
                .takes::<HoldRequest>()
                .optional()
                .gives::<ModelState>()
                .fails(&[400, 413]),
                model::hold,
            )
            .with(
                op(Delete, "/model/hold", "stopHolding", "Holds no more; what is held stays so")
                    .gives::<ModelState>(),
                model::stop_holding,
            )
            .with(
                op(Post, "/model/held/{id}/answer", "answerRound", "Answers a held round by hand")
                    .takes_yaml(vec![part::<Round>])
                    .gives::<ModelState>()
                    .fails(&[400, 404, 413]),
                model::answer,
            )
            .with(
                op(
                    Post,
                    "/model/held/{id}/release",
                    "releaseRound",
                    "Lets a held round go to its script or the persona",
                )
                .gives::<ModelState>()
                .fails(&[400, 404]),
                model::release,
            )
            .with(
                op(Post, "/scenarios", "record", "Writes what happened as a scenario")
                    .takes::<RecordRequest>()
                    .gives::<RecordedScenario>()
                    .fails(&[400, 409, 413, 500]),
                scenarios::record,
            )
            .with(
                op(Get, "/snapshots", "snapshots", "The snapshots that are kept")
                    .gives::<Snapshots>(),
                snapshots::list,
            )
            .with(
                op(Post, "/snapshots", "takeSnapshot", "Remembers rows, time and opt-outs")
                    .takes::<SnapshotRequest>()
                    .optional()
                    .creates::<SnapshotInfo>()
                    .fails(&[400, 409, 413, 500]),
                snapshots::take,
            )
            .with(
                op(Post, "/snapshots/{name}/restore", "restoreSnapshot", "Goes back to a snapshot")
                    .gives::<SnapshotInfo>()
                    .fails(&[404, 409, 500]),
                snapshots::restore,
            )
            .with(
                op(Delete, "/snapshots/{name}", "removeSnapshot", "Forgets a snapshot")
                    .gives::<SnapshotInfo>()
                    .fails(&[404]),
                snapshots::remove,
            )
    }
}
