//! `--control`: where the control API of a running world is.

/// Where a running world is found.
#[derive(Debug, clap::Args)]
pub(crate) struct ControlArgs {
    /// The world's control API.
    #[arg(
        long,
        env = "REHEARSE_CONTROL",
        value_name = "URL",
        default_value = "http://127.0.0.1:4040",
        value_parser = http_url
    )]
    pub(crate) control: String,
}

fn http_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.has_host());
    url.map(|_| text.to_owned()).ok_or_else(|| "a URL is such as http://127.0.0.1:4040".into())
}
