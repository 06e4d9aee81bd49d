//! `rehearse send`

use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
    twilio,
};
use rehearse_control::{Client, SmsRequest};
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
    /// The text, which may be empty.
    text: String,
    /// Who sends it: a number or a name of rehearse.toml.
    #[arg(long, value_name = "NUMBER|NAME", default_value = "customer")]
    from: String,
    /// Which of the account's numbers is texted; the first one when left out.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// URL of a picture, or a name such as screen.jpg, for which the fake serves a small file; can be repeated.
    #[arg(long, value_name = "URL|NAME", value_parser = picture)]
    media: Vec<String>,
    /// Print the delivery and the replies as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn send(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let request =
        SmsRequest { from: Some(args.from), to: args.to, body: args.text, media: args.media };
    let sent = app.block_on(async { client.sms(&request).await })??;
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
        for line in twilio::notes(&sent) {
            app.ui.note(paint(DIM, line));
        }
    }
    if let Some(failure) = &sent.failure {
        let why = twilio::failure(failure, sent.attempts.last());
        return Err(CommandError {
            exit: Exit::Failed,
            ..CommandError::environment(format!("the backend did not take the text: {why}"))
        }
        .help(format!("`{}` shows what happened", app.command("log"))));
    }
    if sent.replies.is_empty() && !args.json {
        app.ui.note(paint(DIM, "(no reply)"));
    }
    Ok(Exit::Passed)
}

/// The URL of a picture, or the name of a file that the fake serves.
fn picture(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let is_name = text.contains('.') && !text.contains(['/', ':', ' ']);
    (url.is_some() || is_name).then(|| text.to_owned()).ok_or_else(|| {
        "a URL is such as https://example.com/screen.jpg, a name such as screen.jpg".into()
    })
}
