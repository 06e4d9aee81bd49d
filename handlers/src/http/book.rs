//! `/book`: the page on which customers book.
//!
//! The server writes every state of the page, so it works without scripts. `book.js` sends the same
//! forms without a reload and puts the server's answer in.

mod assets;
mod code_step;
mod done;
mod draft;
mod form;
mod ics;
mod layout;
mod problems;
mod texts;

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};

use self::{draft::Draft, form::FormView, problems::Problem, texts::Texts};
use super::{
    body::{self, ParsedBody},
    error::ApiError,
    layers::{RequestTime, SourceAddress},
    page::{self, Html},
    routing,
    scheduler::{SchedulerState, status_of},
};
use crate::{
    app::{
        error_chain::ErrorChain,
        scheduler::{FormAnswer, FormRequest, Scheduler, SchedulerError},
    },
    domain::phone::Phone,
};

/// What the page is told besides the calendar.
#[derive(Debug, Clone)]
pub struct BookPage {
    /// Which pages may embed it: the sources of the directive `frame-ancestors`.
    pub frame_ancestors: String,
    /// The shop's number, for whoever wants to change a booking.
    pub shop_phone: Option<Phone>,
}

impl Default for BookPage {
    fn default() -> Self {
        Self { frame_ancestors: "'none'".into(), shop_phone: None }
    }
}

/// The page and its files.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<SchedulerState>)> {
    let mut routes = vec![
        ("/book", get(show).post(submit).fallback(routing::method_not_allowed)),
        ("/book/ics", post(ics::calendar_file).fallback(routing::method_not_allowed)),
    ];
    routes.extend(assets::routes());
    routes
}

/// What every answer of the page needs.
struct Visit {
    scheduler: Scheduler,
    page: Arc<BookPage>,
    texts: &'static Texts,
    now: jiff::Timestamp,
    address: String,
}

async fn show(
    State(scheduler): State<Scheduler>,
    State(page): State<Arc<BookPage>>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = body::pairs(query.unwrap_or_default().as_bytes());
    let draft = Draft { key: scheduler.new_key(), ..Draft::from_query(query) };
    let texts = Texts::for_customer(&headers);
    let visit = Visit { scheduler, page, texts, now, address: String::new() };
    visit.form(StatusCode::OK, draft, Vec::new()).await
}

async fn submit(
    State(scheduler): State<Scheduler>,
    State(page): State<Arc<BookPage>>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fields = body::read(body).await.and_then(|body| body::parse(&headers, &body));
    let pairs = match fields {
        Ok(ParsedBody::Form(pairs)) => pairs,
        Ok(ParsedBody::Json(_)) => {
            let message = "The page takes forms; programs use /scheduler";
            return ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response();
        }
        Err(error) => return error.into_response(),
    };
    let texts = Texts::for_customer(&headers);
    let visit = Visit { scheduler, page, texts, now, address };
    let value =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let (hold, code, shows) = (value("hold_id"), value("code"), value("show").is_some());
    let draft = Draft::from_form(pairs);
    match hold {
        _ if shows => visit.form(StatusCode::OK, draft, Vec::new()).await,
        Some(hold) => visit.confirm(draft, &hold, code.as_deref()).await,
        None => visit.book(draft).await,
    }
}

impl Visit {
    async fn book(&self, draft: Draft) -> Response {
        let fields = draft.fields();
        let wrong = FormRequest::problems(&fields);
        if !wrong.is_empty() {
            let asks = self.scheduler.asks_for_confirmation();
            let wrong = wrong.iter().map(|error| Problem::of(error, self.texts, asks)).collect();
            return self.form(StatusCode::BAD_REQUEST, draft, wrong).await;
        }
        let key = Some(draft.key.as_str()).filter(|key| !key.is_empty());
        match self.scheduler.submit(&fields, key, &self.address, self.now).await {
            Ok(FormAnswer::Booked(booking)) => {
                self.answer(StatusCode::CREATED, done::content(&booking, &self.page, self.texts))
            }
            Ok(FormAnswer::Pending { id, .. }) => {
                let content = code_step::content(&draft, &id.to_string(), self.texts, &[]);
                self.answer(StatusCode::ACCEPTED, content)
            }
            Err(error) => self.refused(draft, &error).await,
        }
    }

    /// The code step. A hold that has ended leads back to the form.
    async fn confirm(&self, draft: Draft, hold: &str, code: Option<&str>) -> Response {
        let confirmed = self.scheduler.confirm(Some(hold), code, &self.address, self.now).await;
        let error = match confirmed {
            Ok(booking) => {
                let content = done::content(&booking, &self.page, self.texts);
                return self.answer(StatusCode::CREATED, content);
            }
            Err(error) => error,
        };
        let may_try_again = match &error {
            SchedulerError::WrongCode { attempts_left } => *attempts_left > 0,
            SchedulerError::Missing(field) | SchedulerError::Invalid { field, .. } => {
                *field == "code"
            }
            SchedulerError::Contended | SchedulerError::Store(_) => true,
            _ => false,
        };
        if !may_try_again {
            return self.refused(draft, &error).await;
        }
        log(&error);
        let problem = Problem::of(&error, self.texts, true);
        let content = code_step::content(&draft, hold, self.texts, &[problem]);
        self.answer(status_of(&error), content)
    }

    /// The form again, with what was typed and what to do.
    async fn refused(&self, mut draft: Draft, error: &SchedulerError) -> Response {
        log(error);
        let asks = self.scheduler.asks_for_confirmation();
        let problem = Problem::of(error, self.texts, asks);
        match error {
            // What follows is another request.
            SchedulerError::KeyReused | SchedulerError::InvalidKey => {
                draft.key = self.scheduler.new_key();
            }
            SchedulerError::Taken { .. } => draft.wants_nearest = true,
            _ => {}
        }
        self.form(status_of(error), draft, vec![problem]).await
    }

    async fn form(&self, status: StatusCode, draft: Draft, problems: Vec<Problem>) -> Response {
        let (from, repair) = (draft.first_date(), draft.repair());
        let days = self.scheduler.days(from, repair.as_ref(), self.now).await;
        let (days, status, problems) = match days {
            Ok(days) => (Some(days), status, problems),
            Err(error) => {
                log(&error);
                let unread = Problem::of(&error, self.texts, false);
                let problems = match problems.is_empty() {
                    true => vec![unread],
                    false => problems,
                };
                (None, StatusCode::SERVICE_UNAVAILABLE, problems)
            }
        };
        let view = FormView {
            texts: self.texts,
            page: &self.page,
            today: days.as_ref().map(|days| days.calendar.today(self.now)),
            days,
            draft,
            problems,
            asks_for_code: self.scheduler.asks_for_confirmation(),
        };
        self.answer(status, view.content())
    }

    fn answer(&self, status: StatusCode, content: Html) -> Response {
        let html = layout::document(self.texts, content);
        page::page(status, html, self.texts.language, &self.page.frame_ancestors)
    }
}

fn log(error: &SchedulerError) {
    if status_of(error).is_server_error() {
        tracing::error!(error = %ErrorChain(error), "the booking page failed");
    }
}
