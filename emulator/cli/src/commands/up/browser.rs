//! Opens a page in the default browser.

use std::process::Stdio;

use tokio::process::Command;

use crate::app::App;

/// Programs that open a URL as the user has set it, in the order in which they are tried.
#[cfg(target_os = "macos")]
const OPENERS: &[&str] = &["open"];
#[cfg(not(target_os = "macos"))]
const OPENERS: &[&str] = &["xdg-open", "wslview", "open"];

/// Has a browser open the page. The URL is printed already, so a failure is only remarked: the world
/// runs without a browser as well.
pub(crate) fn open(url: &str, app: &App) {
    for program in OPENERS {
        let mut command = Command::new(program);
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Such a program hands over to the browser and ends, but may be the browser itself.
        if let Ok(mut child) = command.spawn() {
            tokio::spawn(async move { child.wait().await });
            app.ui.remark(format_args!("opening {url} in the browser"));
            return;
        }
    }
    let tried = OPENERS.join(", ");
    app.ui.remark(format_args!("no program here opens a browser ({tried}): open {url} yourself"));
}
