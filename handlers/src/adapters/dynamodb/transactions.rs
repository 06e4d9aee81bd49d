//! Sends a transaction and reports which of its conditions failed.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update},
};

use super::{
    DynamoDb,
    errors::{CONTENTION_DELAYS, unavailable},
};
use crate::ports::StoreError;

/// The outcome of a transaction.
#[derive(Debug)]
pub(super) enum TransactionOutcome {
    /// Everything was written.
    Written,
    /// Nothing was written, because conditions failed.
    Rejected(FailedConditions),
    /// It is unknown whether it was written, now or later.
    Unknown(StoreError),
}

/// For each item of a transaction, whether its condition failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FailedConditions(Vec<bool>);

impl FailedConditions {
    /// Whether the condition of the item at `index` failed.
    pub(super) fn at(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// Whether the condition of the item at `index` failed and no other one.
    pub(super) fn only(&self, index: usize) -> bool {
        self.at(index) && self.0.iter().filter(|failed| **failed).count() == 1
    }
}

impl DynamoDb {
    /// Sends the items, and repeats them after conflicts with other transactions and after
    /// throttling.
    ///
    /// With a token, a repeat after a lost acknowledgement changes nothing. Without one the SDK
    /// makes a token of its own, which covers its own repeats only.
    pub(super) async fn transact(
        &self,
        token: Option<&str>,
        items: Vec<TransactWriteItem>,
    ) -> TransactionOutcome {
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .set_client_request_token(token.map(str::to_owned));
        let mut delays = CONTENTION_DELAYS.into_iter();
        loop {
            let Err(error) = request.clone().send().await else {
                return TransactionOutcome::Written;
            };
            match cancellation_cause(&error) {
                CancellationCause::ConditionFailed(failed) => {
                    return TransactionOutcome::Rejected(failed);
                }
                CancellationCause::Contended => {
                    let Some(delay) = delays.next() else {
                        return TransactionOutcome::Unknown(unavailable(error));
                    };
                    self.timer.sleep(delay).await;
                }
                CancellationCause::None => return TransactionOutcome::Unknown(unavailable(error)),
            }
        }
    }
}

/// Why DynamoDB cancelled a transaction.
#[derive(Debug, PartialEq, Eq)]
enum CancellationCause {
    ConditionFailed(FailedConditions),
    Contended,
    None,
}

fn cancellation_cause(error: &SdkError<TransactWriteItemsError>) -> CancellationCause {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            classify_reasons(canceled.cancellation_reasons())
        }
        _ => CancellationCause::None,
    }
}

/// A failed condition takes precedence over a conflict reported beside it.
fn classify_reasons(reasons: &[CancellationReason]) -> CancellationCause {
    let code_is = |reason: &CancellationReason, codes: &[&str]| {
        reason.code().is_some_and(|code| codes.contains(&code))
    };
    let failed: Vec<bool> =
        reasons.iter().map(|reason| code_is(reason, &["ConditionalCheckFailed"])).collect();
    if failed.contains(&true) {
        return CancellationCause::ConditionFailed(FailedConditions(failed));
    }
    let contention = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if reasons.iter().any(|reason| code_is(reason, &contention)) {
        CancellationCause::Contended
    } else {
        CancellationCause::None
    }
}

pub(super) fn put(put: Put) -> TransactWriteItem {
    TransactWriteItem::builder().put(put).build()
}

pub(super) fn update(update: Update) -> TransactWriteItem {
    TransactWriteItem::builder().update(update).build()
}

pub(super) fn condition_check(check: ConditionCheck) -> TransactWriteItem {
    TransactWriteItem::builder().condition_check(check).build()
}

pub(super) fn delete(delete: Delete) -> TransactWriteItem {
    TransactWriteItem::builder().delete(delete).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> CancellationCause {
        let reasons: Vec<_> =
            codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        classify_reasons(&reasons)
    }

    #[test]
    fn a_failed_condition_wins_over_a_conflict() {
        let CancellationCause::ConditionFailed(failed) =
            reasons(&["TransactionConflict", "ConditionalCheckFailed", "None"])
        else {
            panic!("not refused")
        };
        assert!(!failed.at(0) && failed.at(1) && !failed.at(2) && !failed.at(9));
        assert!(failed.only(1));
    }

    #[test]
    fn conflicts_and_throttles_are_worth_another_try() {
        assert_eq!(reasons(&["None", "TransactionConflict"]), CancellationCause::Contended);
        assert_eq!(reasons(&["ThrottlingError"]), CancellationCause::Contended);
    }

    #[test]
    fn anything_else_is_a_failure() {
        assert_eq!(reasons(&["ValidationError", "None"]), CancellationCause::None);
        assert_eq!(reasons(&[]), CancellationCause::None);
    }
}
