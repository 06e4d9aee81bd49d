//! `rehearse clock`

use jiff::{Zoned, tz::TimeZone};

use crate::{
    app::App,
    control::{ControlArgs, print_json},
    error::{CommandError, Exit},
};
use rehearse_control::{Client, ClockRequest, ClockResponse};
use rehearse_scenario::{
    Moment,
    report::style::{DIM, paint},
};

/// Show or move the business time of a running world
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is due on the way happens before the command ends: schedules, and repetitions of failed
invocations.

Examples:
  rehearse clock
  rehearse clock +15m
  rehearse clock +1day
  rehearse clock 2026-02-10T15:10:00-05:00")]
pub(crate) struct Args {
    /// Where to move it: forward by a length such as `+15m`, or to a moment with its offset.
    #[arg(value_name = "+LENGTH|MOMENT", value_parser = read)]
    to: Option<Move>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    control: ControlArgs,
}

/// Where to move business time.
#[derive(Debug, Clone)]
pub(crate) enum Move {
    Forward(String),
    To(Box<Zoned>),
}

/// Reads `+15m` or a moment.
pub(crate) fn read(text: &str) -> Result<Move, String> {
    match text.strip_prefix('+') {
        Some(length) if length.trim().is_empty() => {
            Err("a length stands after the +, as in +15m".into())
        }
        Some(length) => Ok(Move::Forward(length.trim().to_owned())),
        None => match Moment::parse(text) {
            Ok(moment) => Ok(Move::To(Box::new(moment))),
            Err(why) => Err(format!("{why}; a length forward begins with +, as in +15m")),
        },
    }
}

pub(crate) fn clock(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let answer = app.block_on(async {
        let request = match args.to {
            None => return client.clock().await,
            Some(Move::Forward(length)) => {
                ClockRequest { advance: Some(length), ..ClockRequest::default() }
            }
            Some(Move::To(moment)) => {
                ClockRequest { now: Some(moment.timestamp()), ..ClockRequest::default() }
            }
        };
        client.move_clock(&request).await
    })??;
    if args.json {
        print_json(app, &answer)?;
    } else {
        app.ui.line(shown(&answer))?;
    }
    Ok(Exit::Passed)
}

/// `Tue 2026-02-10 15:10:00 -05:00  America/New_York, it stands still`.
fn shown(clock: &ClockResponse) -> String {
    let zone = TimeZone::get(&clock.time_zone).unwrap_or(TimeZone::UTC);
    let now = clock.now.to_zoned(zone).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string();
    let runs = if clock.running { "it runs" } else { "it stands still" };
    format!("{now}  {}", paint(DIM, format!("{}, {runs}", clock.time_zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_a_length_forward_or_a_moment() {
        assert!(matches!(read("+15m").unwrap(), Move::Forward(length) if length == "15m"));
        assert!(matches!(read("2026-02-10T15:10:00-05:00").unwrap(), Move::To(_)));
        for wrong in ["15m", "tomorrow", "2026-02-10T15:10:00", "+"] {
            assert!(read(wrong).unwrap_err().contains("+15m"), "{wrong}");
        }
    }
}
