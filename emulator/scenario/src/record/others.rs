//! Turns that are left out of a recording.

use std::{collections::HashSet, ops::Range};

use super::{happenings::Happening, rows};
use rehearse_core::{
    journal::{Exchange, ExchangeDetail},
    table::TableSpec,
};

/// The exchanges of a part of the journal: those that are recorded, and those of other texts and
/// requests, which are left out or began before the part. What no known turn has is recorded.
pub(super) fn split(
    exchanges: Vec<Exchange>,
    part: Range<u64>,
    recorded: &[Happening],
) -> (Vec<Exchange>, Vec<Exchange>) {
    let roots: HashSet<u64> = exchanges
        .iter()
        .filter(|exchange| {
            matches!(
                exchange.detail,
                ExchangeDetail::SmsReceived { .. } | ExchangeDetail::Http { .. }
            )
        })
        .map(|exchange| exchange.seq)
        .collect();
    let is_recorded = |exchange: &Exchange| match exchange.turn {
        Some(turn) if turn < part.start => false,
        Some(turn) if roots.contains(&turn) => recorded.iter().any(|one| one.seq == turn),
        _ => true,
    };
    exchanges
        .into_iter()
        .filter(|exchange| part.contains(&exchange.seq))
        .partition(|exchange| is_recorded(exchange))
}

/// The position of a call of others that wrote a row which the recorded turns read or wrote.
pub(super) fn entangled(
    recorded: &[Exchange],
    others: &[Exchange],
    tables: &[TableSpec],
) -> Option<u64> {
    let touched = rows::touched(recorded, tables);
    let writes = |exchange: &&Exchange| !rows::written([*exchange], tables).is_disjoint(&touched);
    others.iter().find(writes).map(|exchange| exchange.seq)
}
