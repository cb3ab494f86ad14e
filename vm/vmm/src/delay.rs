//! How long the host kept a thread from running, which its guest may know as stolen time.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Looks at it for the thread that looks first. A host that does not say has kept nobody waiting.
#[derive(Debug, Default)]
pub struct Delay {
    file: Option<Option<File>>,
    /// Nanoseconds in all when that was looked at last.
    seen: u64,
}

impl Delay {
    /// What has been added since the last look; nothing at the first one.
    pub fn passed(&mut self) -> Duration {
        let Some(file) = &self.file else {
            self.file = Some(File::open("/proc/thread-self/schedstat").ok());
            self.seen = self.total().unwrap_or(0);
            return Duration::ZERO;
        };
        let Some(total) = file.is_some().then(|| self.total()).flatten() else { return Duration::ZERO };
        let passed = total.saturating_sub(self.seen);
        self.seen = total;
        Duration::from_nanos(passed)
    }

    /// The second number: time on a run queue without running (proc(5)).
    fn total(&self) -> Option<u64> {
        let mut text = [0; 96];
        let len = self.file.as_ref()?.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..len)?).ok()?;
        text.split_ascii_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_from_nothing() {
        let mut delay = Delay::default();
        assert_eq!(delay.passed(), Duration::ZERO);
        let first = delay.total();
        std::thread::sleep(Duration::from_millis(2));
        assert!(delay.passed() < Duration::from_secs(60));
        assert!(delay.total() >= first);
    }
}
