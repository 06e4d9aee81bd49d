//! The files of a message, which are fetched before it is sent.

use super::Outbox;
use crate::{
    Sid,
    media::{self, Fetched, Fetcher, MAX_MEDIA_BYTES},
};

impl Outbox {
    /// The files of a message, in order.
    ///
    /// # Errors
    /// Twilio's code of why one of them cannot be had, or all are too large together.
    pub(super) async fn fetch_media(&self, urls: &[String]) -> Result<Vec<Fetched>, u32> {
        let options = &self.account.options;
        let fetcher = Fetcher {
            web: self.webhooks.web(),
            hosts: &options.hosts,
            gateway: options.gateway.as_deref(),
        };
        let mut files: Vec<Fetched> = Vec::new();
        let mut left = MAX_MEDIA_BYTES;
        for url in urls {
            let file = if media::is_here(url, &options.hosts) {
                fetcher.fetch(url, left).await?
            } else {
                media::stand_in(url)
            };
            left = left.saturating_sub(file.bytes.len());
            files.push(file);
        }
        Ok(files)
    }

    pub(super) fn keep_media(&self, sid: Sid, files: Vec<Fetched>) {
        if !files.is_empty() {
            let now = self.account.clock.now();
            self.account.state().keep_media(sid, files, now);
        }
    }
}
