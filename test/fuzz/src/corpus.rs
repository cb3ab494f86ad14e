//! Inputs that are worth keeping: together they reach all that long runs have reached, each is as short as it can be, and
//! they are examples for new ones.
//!
//! What an input reaches is its target's to say: a call with its answer, for the most part. A file of the folder `corpus` has
//! an input a line, in hexadecimal.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::Target;
use crate::driver::{self, Bound};

/// What was reached: what was asked, and what the answer was.
pub type Reached = BTreeSet<(u64, u64)>;

thread_local! {
    static REACHED: RefCell<Reached> = const { RefCell::new(BTreeSet::new()) };
}

/// Says that the input asked `question` and was answered `answer`.
pub fn reach(question: u64, answer: u64) {
    REACHED.with_borrow_mut(|reached| _ = reached.insert((question, answer)));
}

/// What has been reached on this thread since the last call.
pub fn take() -> Reached {
    REACHED.take()
}

/// The inputs in the text of a file.
pub fn inputs(text: &str) -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.lines().map(|line| line.as_bytes().chunks(2).map_while(byte).collect()).collect()
}

/// The text of a file.
pub fn text(inputs: &[Vec<u8>]) -> String {
    let line = |input: &Vec<u8>| input.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    inputs.iter().map(line).collect()
}

/// Runs the target on inputs made from `seed` and from those found before, and keeps what reaches something new.
///
/// # Errors
/// An input that fails.
pub fn gather(target: &Target, seed: u64, bound: Bound) -> Result<Vec<Vec<u8>>, driver::Failure> {
    let mut found: Vec<(Vec<u8>, Reached)> = Vec::new();
    let mut all = Reached::new();
    let mut reaches = |data: &[u8]| {
        _ = take();
        (target.run)(data);
        take()
    };
    for data in (target.examples)() {
        let reached = reaches(&data);
        all.extend(&reached);
        found.push((data, reached));
    }
    driver::run_on(target, seed, 0, bound, |random, examples| {
        examples.extend(found.get(examples.len()..).unwrap_or_default().iter().map(|(data, _)| data.clone()));
        let data = driver::made(target, examples, random);
        let reached = reaches(&data);
        let new: Reached = reached.difference(&all).copied().collect();
        if !new.is_empty() {
            let (data, reached) = shortened(data, &new, &mut reaches);
            all.extend(&reached);
            found.push((data, reached));
        }
    })?;
    Ok(chosen(found))
}

/// A shorter input that still reaches all of `new`, and what it reaches: pieces are taken out, ever smaller ones, the last
/// first. Smaller ones than a 64th would take too many runs.
fn shortened(mut data: Vec<u8>, new: &Reached, reaches: &mut impl FnMut(&[u8]) -> Reached) -> (Vec<u8>, Reached) {
    let mut piece = data.len().next_power_of_two() / 2;
    while piece > data.len() / 64 {
        for start in (0..data.len()).step_by(piece).rev() {
            let end = data.len().min(start + piece);
            let rest = [&data[..start], &data[end..]].concat();
            if new.is_subset(&reaches(&rest)) {
                data = rest;
            }
        }
        piece /= 2;
    }
    let reached = reaches(&data);
    (data, reached)
}

/// Few inputs that reach what all reach: again and again the one that adds the most, the shorter of two.
fn chosen(mut found: Vec<(Vec<u8>, Reached)>) -> Vec<Vec<u8>> {
    let (mut all, mut chosen) = (Reached::new(), Vec::new());
    loop {
        let adds = |(data, reached): &(Vec<u8>, Reached)| (reached.difference(&all).count(), usize::MAX - data.len());
        let best = found.iter().map(adds).enumerate().max_by_key(|(_, adds)| *adds);
        let Some((best, _)) = best.filter(|(_, (count, _))| *count > 0) else { return chosen };
        let (data, reached) = found.swap_remove(best);
        all.extend(reached);
        chosen.push(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(range: std::ops::Range<u64>) -> Reached {
        range.map(|n| (n, 0)).collect()
    }

    #[test]
    fn few_inputs_reach_everything() {
        let found = vec![
            (vec![1; 9], reached(0..3)),
            (vec![2; 4], reached(0..3)),
            (vec![3], reached(2..3)),
            (vec![4], reached(2..4)),
        ];
        assert_eq!(chosen(found), [vec![2; 4], vec![4]]);
    }

    #[test]
    fn inputs_are_cut_to_what_matters() {
        let bytes = |data: &[u8]| data.iter().map(|byte| (u64::from(*byte), 0)).collect();
        let new = [(37, 0), (90, 0)].into();
        let (data, _) = shortened((0..100).collect(), &new, &mut |data| bytes(data));
        assert_eq!(data, [37, 90]);
    }

    #[test]
    fn files_are_read_as_they_are_written() {
        let kept = vec![vec![0, 0xff, 0x12], vec![7]];
        assert_eq!(text(&kept), "00ff12\n07\n");
        assert_eq!(inputs(&text(&kept)), kept);
    }
}
