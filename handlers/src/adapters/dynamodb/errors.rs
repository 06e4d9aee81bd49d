//! Tells a write whose condition failed from one that failed for another reason.

use std::{error::Error, future::Future, time::Duration};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
    },
    types::error::ConditionalCheckFailedException,
};

use super::{DynamoDb, row::Row};
use crate::ports::{StoreError, Timer};

/// Delays before the retries of a write that conflicted with another transaction.
pub(super) const CONTENTION_DELAYS: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(60), Duration::from_millis(140)];

/// Wraps a failure of the database, or of building a request for it.
pub(super) fn unavailable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Sends a write and repeats it while another transaction holds the row, which the SDK does not do.
async fn retry_on_conflict<T, E, F, S>(timer: &dyn Timer, mut send: S) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
    S: FnMut() -> F,
{
    for delay in CONTENTION_DELAYS {
        match send().await {
            Err(error) if error.code() == Some("TransactionConflictException") => {
                timer.sleep(delay).await;
            }
            result => return result,
        }
    }
    send().await
}

/// An error that may stand for a failed condition.
pub(super) trait Conditional {
    /// The exception, if the condition failed.
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

/// The result of a conditional write.
#[derive(Debug)]
pub(super) enum ConditionalWrite<T> {
    /// The condition was met and the row is written.
    Written(T),
    /// The condition was not met. Holds the row as it was, if the request asked for it and it
    /// exists.
    Rejected(Option<Row>),
}

impl DynamoDb {
    /// Sends a conditional write and repeats it while another transaction holds the row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for every failure except a condition that was not met.
    pub(super) async fn write_conditionally<T, E, F, S>(
        &self,
        send: S,
    ) -> Result<ConditionalWrite<T>, StoreError>
    where
        E: Conditional + ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
        S: FnMut() -> F,
    {
        let error = match retry_on_conflict(self.timer.as_ref(), send).await {
            Ok(output) => return Ok(ConditionalWrite::Written(output)),
            Err(error) => error,
        };
        match error.as_service_error().and_then(Conditional::failed) {
            Some(exception) => Ok(ConditionalWrite::Rejected(exception.item().cloned())),
            None => Err(unavailable(error)),
        }
    }
}
