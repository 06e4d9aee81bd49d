//! Tells a refused write from a failed one.

use std::{error::Error, future::Future, time::Duration};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
    },
    types::error::ConditionalCheckFailedException,
};

use super::row::Row;
use crate::ports::StoreError;

/// Waits before a write that met somebody else's transaction is tried again.
pub(super) const CONTENTION_DELAYS: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(60), Duration::from_millis(140)];

/// A failure of the database, or of building a request for it.
pub(super) fn unavailable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Sends, and sends again while another transaction holds the row: the SDK does not.
async fn retry_on_conflict<T, E, F, S>(mut send: S) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
    S: FnMut() -> F,
{
    for wait in CONTENTION_DELAYS {
        match send().await {
            Err(error) if error.code() == Some("TransactionConflictException") => {
                tokio::time::sleep(wait).await;
            }
            answer => return answer,
        }
    }
    send().await
}

/// An error that may be a failed condition.
pub(super) trait Conditional {
    /// The exception, when the condition failed.
    fn failed(&self) -> Option<&ConditionalCheckFailedException>;
}

impl Conditional for PutItemError {
    fn failed(&self) -> Option<&ConditionalCheckFailedException> {
        match self {
            Self::ConditionalCheckFailedException(error) => Some(error),
            _ => None,
        }
    }
}

impl Conditional for UpdateItemError {
    fn failed(&self) -> Option<&ConditionalCheckFailedException> {
        match self {
            Self::ConditionalCheckFailedException(error) => Some(error),
            _ => None,
        }
    }
}

impl Conditional for DeleteItemError {
    fn failed(&self) -> Option<&ConditionalCheckFailedException> {
        match self {
            Self::ConditionalCheckFailedException(error) => Some(error),
            _ => None,
        }
    }
}

/// What a conditional write met.
#[derive(Debug)]
pub(super) enum ConditionalWrite<T> {
    /// The condition held.
    Written(T),
    /// It did not; the row as it was, when it was asked for and exists.
    Rejected(Option<Row>),
}

/// Sends a conditional write as often as [`retry_on_conflict`] does.
///
/// # Errors
/// [`StoreError::Unavailable`] for every failure but a failed condition.
pub(super) async fn conditional_with_retries<T, E, F, S>(
    send: S,
) -> Result<ConditionalWrite<T>, StoreError>
where
    E: Conditional + ProvideErrorMetadata + Error + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E>>>,
    S: FnMut() -> F,
{
    conditional(retry_on_conflict(send).await)
}

/// Splits the answer of a conditional write.
pub(super) fn conditional<T, E>(
    answer: Result<T, SdkError<E>>,
) -> Result<ConditionalWrite<T>, StoreError>
where
    E: Conditional + Error + Send + Sync + 'static,
{
    let error = match answer {
        Ok(output) => return Ok(ConditionalWrite::Written(output)),
        Err(error) => error,
    };
    match error.as_service_error().and_then(Conditional::failed) {
        Some(exception) => Ok(ConditionalWrite::Rejected(exception.item().cloned())),
        None => Err(unavailable(error)),
    }
}
