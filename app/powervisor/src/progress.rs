//! Progress on standard error: a bar on a terminal, nothing else elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that follows the stages of a long action.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar; hidden when standard error is not a terminal or `quiet`.
    pub fn new(quiet: bool) -> Progress {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let style = ProgressStyle::with_template("{msg:<40} {wide_bar} {bytes:>10}/{total_bytes:<10} {eta:>4}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress { bar }
    }

    /// Stage number `done` of `total`, named `stage`.
    pub fn stage(&self, stage: &str, done: u64, total: u64) {
        if let Ok(style) = ProgressStyle::with_template("{msg:<40} {wide_bar} {elapsed:>4}") {
            self.bar.set_style(style);
        }
        self.bar.set_message(stage.to_owned());
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.enable_steady_tick(Duration::from_millis(500));
    }

    /// `done` of `total` bytes of `stage`.
    pub fn report(&self, stage: &str, done: u64, total: Option<u64>) {
        self.bar.set_message(stage.to_owned());
        self.bar.set_length(total.unwrap_or(done));
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
