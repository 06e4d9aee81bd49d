//! `rehearse send`

use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
};
use rehearse_control::{Attempt, Client, SmsRequest};
use rehearse_scenario::report::{
    style::{DIM, paint},
    text::{visible, wrap},
};

/// Send a text to a running world and print the replies
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse send \"Do you fix iPhone screens?\"
  rehearse send \"I am back\" --from owner
  rehearse send \"\" --media https://example.com/screen.jpg")]
pub(crate) struct Args {
    /// The text.
    text: String,
    /// Who sends it: a number or a name of rehearse.toml.
    #[arg(long, value_name = "NUMBER|NAME", default_value = "customer")]
    from: String,
    /// URL of a picture; can be repeated.
    #[arg(long, value_name = "URL")]
    media: Vec<String>,
    /// Print the delivery and the replies as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn send(args: Args, app: &App) -> Result<Exit, CommandError> {
    if args.text.is_empty() && args.media.is_empty() {
        return Err(CommandError::wrong("a text needs words or a picture").help("add --media URL"));
    }
    let client = Client::new(&args.control.url(app)?)?;
    let request = SmsRequest { from: Some(args.from), body: args.text, media: args.media };
    let sent = app.block_on(async { client.sms(&request).await })??;
    let failed = sent.attempts.last().is_some_and(|attempt| !delivered(attempt));
    if args.json {
        let text = serde_json::to_string(&sent)
            .map_err(|e| CommandError::environment("failed to write JSON").because(e))?;
        app.ui.line(text)?;
    } else {
        for reply in &sent.replies {
            app.ui.line(wrap(&visible(&reply.body), app.ui.width()).join("\n"))?;
            for url in &reply.media {
                app.ui.line(paint(DIM, url))?;
            }
        }
    }
    if failed {
        let last = sent.attempts.last().map(describe).unwrap_or_default();
        return Err(CommandError {
            exit: Exit::Failed,
            ..CommandError::environment(format!("the backend did not take the text: {last}"))
        }
        .help(format!("`{}` shows what happened", app.command("log"))));
    }
    if sent.replies.is_empty() && !args.json {
        app.ui.note(paint(DIM, "(no reply)"));
    }
    Ok(Exit::Passed)
}

fn delivered(attempt: &Attempt) -> bool {
    attempt.error.is_none() && attempt.status.is_some_and(|s| (200..300).contains(&s))
}

fn describe(attempt: &Attempt) -> String {
    let status = attempt.status.map_or_else(|| "no answer".into(), |s| format!("status {s}"));
    match &attempt.error {
        Some(error) => format!("{status}, Twilio error {error}, from {}", attempt.url),
        None => format!("{status} from {}", attempt.url),
    }
}
