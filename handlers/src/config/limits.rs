//! Limits on what one customer may cost.

use super::{VarReader, limit, values};
use crate::domain::pace::{TurnLimits, WindowLimits};

pub(super) fn turn_limits(reader: &mut VarReader<'_>) -> Option<TurnLimits> {
    let TurnLimits { hour, day } = TurnLimits::default();
    let names = ["TURNS_PER_HOUR", "MODEL_CALLS_PER_HOUR", "SEGMENTS_PER_HOUR"];
    let hour = window_limits(reader, names, hour);
    let names = ["TURNS_PER_DAY", "MODEL_CALLS_PER_DAY", "SEGMENTS_PER_DAY"];
    let day = window_limits(reader, names, day);
    Some(TurnLimits { hour: hour?, day: day? })
}

fn window_limits(
    reader: &mut VarReader<'_>,
    [turns, model_calls, segments]: [&'static str; 3],
    default: WindowLimits,
) -> Option<WindowLimits> {
    let turns = limit(reader, turns, default.turns);
    // A turn takes several of these.
    let mut cost =
        |name, default: usize| reader.with_default(name, &default.to_string(), values::large_count);
    let model_calls = cost(model_calls, default.model_calls);
    let segments = cost(segments, default.segments);
    Some(WindowLimits { turns: turns?, model_calls: model_calls?, segments: segments? })
}
