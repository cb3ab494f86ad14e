//! How many times one thing takes as long as another: of the least times of all runs, and run by run.

/// A ratio with its spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// Of the least of all runs.
    pub best: f64,
    /// Of each run.
    pub runs: Vec<f64>,
}

impl Ratio {
    /// `over` to `under`, times of the same runs; `None` where one of them is missing.
    pub fn of(over: &[f64], under: &[f64]) -> Option<Ratio> {
        let runs: Vec<f64> = over.iter().zip(under).map(|(a, b)| a / b).collect();
        Some(Ratio { best: least(over)? / least(under)?, runs })
    }

    /// The geometric mean of several, run by run.
    pub fn mean(ratios: &[Ratio]) -> Option<Ratio> {
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value.ln(), count + 1));
            (count > 0).then(|| (sum / f64::from(count)).exp())
        };
        let runs = ratios.iter().map(|ratio| ratio.runs.len()).min()?;
        let run = |at: usize| mean(&mut ratios.iter().filter_map(|ratio| ratio.runs.get(at).copied()));
        let best = mean(&mut ratios.iter().map(|ratio| ratio.best))?;
        Some(Ratio { best, runs: (0..runs).filter_map(run).collect() })
    }

    /// As in `3.2 (3.0 .. 3.5)`.
    pub fn text(&self) -> String {
        let (low, high) = (least(&self.runs), self.runs.iter().copied().reduce(f64::max));
        match (low, high) {
            (Some(low), Some(high)) if self.runs.len() > 1 => {
                format!("{} ({} .. {})", digits(self.best), digits(low), digits(high))
            }
            _ => digits(self.best),
        }
    }
}

/// The least of some times.
pub fn least(times: &[f64]) -> Option<f64> {
    times.iter().copied().reduce(f64::min)
}

/// With three digits that count.
pub fn digits(value: f64) -> String {
    match value {
        _ if value < 1.0 => format!("{value:.3}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_least() {
        let ratio = Ratio::of(&[6.0, 8.0], &[2.0, 4.0]).unwrap();
        assert_eq!(ratio, Ratio { best: 3.0, runs: vec![3.0, 2.0] });
        assert_eq!(ratio.text(), "3.00 (2.00 .. 3.00)");
        assert_eq!(Ratio::of(&[6.0], &[]), None);
        assert_eq!(Ratio::of(&[120.0], &[1.0]).unwrap().text(), "120");
    }

    #[test]
    fn means_are_geometric() {
        let ratio = |best, run| Ratio { best, runs: vec![run] };
        let mean = Ratio::mean(&[ratio(2.0, 1.0), ratio(8.0, 9.0)]).unwrap();
        assert!((mean.best - 4.0).abs() < 1e-12 && (mean.runs[0] - 3.0).abs() < 1e-12);
        assert_eq!(Ratio::mean(&[]), None);
    }
}
