//! A progress bar, drawn only on a terminal.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how many are done and what runs.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    running: Mutex<BTreeSet<String>>,
}

impl Progress {
    /// A bar for `count` scenarios; hidden unless it is `shown`.
    pub(crate) fn new(count: usize, shown: bool) -> Self {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(count as u64), target);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:20.cyan/dim} {pos}/{len}  {wide_msg:.dim}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar, running: Mutex::default() }
    }

    /// A scenario begins.
    pub(crate) fn began(&self, name: &str) {
        self.change(|running| {
            running.insert(name.to_owned());
        });
    }

    /// A scenario has ended; a failure colours the bar from then on.
    pub(crate) fn ended(&self, name: &str, failed: bool) {
        self.change(|running| {
            running.remove(name);
        });
        if failed
            && let Ok(style) =
                ProgressStyle::with_template("{bar:20.red/dim} {pos}/{len}  {wide_msg:.dim}")
        {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
        self.bar.inc(1);
    }

    /// Writes above the bar.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<String>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        if !self.bar.is_hidden() {
            let names: Vec<&str> = running.iter().map(String::as_str).collect();
            self.bar.set_message(names.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_unless_it_is_shown() {
        let progress = Progress::new(3, false);
        progress.began("a");
        progress.ended("a", true);
        assert!(progress.bar.is_hidden());
        assert_eq!(progress.bar.message(), "");
        let mut written = false;
        progress.above(|| written = true);
        assert!(written);
    }
}
