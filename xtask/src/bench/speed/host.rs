//! What is known of the host, and whether it is quiet enough.

use std::fs;
use std::thread;

/// Processes that wanted to run in the last minute, on average.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// How many processors we may use.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What to do about a host that is busy.
pub fn advice(load: f64, processors: usize) -> Option<String> {
    let busy = load > 0.5 * processors as f64;
    busy.then(|| {
        format!(
            "advice: the load of this host was {load} in the last minute, on {processors} processors; the least of \
             many windows bears some of that, but wait for a quiet host before you believe a number"
        )
    })
}

/// What it is, for people.
pub fn name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{}, {} processors", model.map_or("unknown", |(_, name)| name), processors())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_host_is_told() {
        assert_eq!(advice(0.9, 2), None);
        assert!(advice(1.1, 2).is_some_and(|text| text.contains("1.1")));
    }
}
