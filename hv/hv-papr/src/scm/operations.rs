//! Calls that are not finished, by the token with which the guest goes on.

/// Unfinished calls of a device that are kept; the oldest is forgotten for one more.
const MOST: usize = 64;
/// Odd, so that multiplying by it loses nothing: tokens do not count up.
const SPREAD: u64 = 0xd134_2543_de82_ef95;

/// A call that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its number.
    pub(super) call: u64,
    /// The device's connector.
    pub(super) drc: u32,
    /// What the guest must say again.
    pub(super) arguments: [u64; 3],
    /// Guest real address of the first block.
    pub(super) address: u64,
    /// Blocks that are done.
    pub(super) done: u64,
}

impl Operation {
    /// A call that has just begun.
    pub(super) fn new(call: u64, drc: u32, arguments: [u64; 3]) -> Operation {
        Operation { call, drc, arguments, address: 0, done: 0 }
    }
}

/// The unfinished calls.
#[derive(Debug, Default)]
pub(super) struct Operations {
    open: Vec<(u64, Operation)>,
    tokens: u64,
}

impl Operations {
    /// Keeps a call; returns its token.
    pub(super) fn open(&mut self, operation: Operation) -> u64 {
        let same = |open: &&(u64, Operation)| open.1.drc == operation.drc;
        if self.open.iter().filter(same).count() >= MOST
            && let Some(oldest) = self.open.iter().position(|open| same(&open))
        {
            self.open.remove(oldest);
        }
        self.tokens += 1;
        let token = self.tokens.wrapping_mul(SPREAD);
        self.open.push((token, operation));
        token
    }

    /// Takes the call that goes on with `token`, if it is the same as `begun`: call, device, arguments. Token 0 begins it.
    pub(super) fn resume(&mut self, token: u64, begun: Operation) -> Option<Operation> {
        if token == 0 {
            return Some(begun);
        }
        let same = |open: &Operation| Operation { address: 0, done: 0, ..*open } == begun;
        let at = self.open.iter().position(|(open, operation)| *open == token && same(operation))?;
        Some(self.open.remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_for_one_call_of_one_device_once() {
        let mut operations = Operations::default();
        let operation = Operation { done: 3, ..Operation::new(8, 7, [1, 2, 3]) };
        let token = operations.open(operation);
        assert_ne!(token, 0);
        for (call, drc, token, arguments) in
            [(8, 6, token, [1, 2, 3]), (9, 7, token, [1, 2, 3]), (8, 7, token + 1, [1, 2, 3]), (8, 7, token, [1, 2, 4])]
        {
            assert_eq!(operations.resume(token, Operation::new(call, drc, arguments)), None);
        }
        let begun = Operation::new(8, 7, [1, 2, 3]);
        assert_eq!(operations.resume(token, begun), Some(operation));
        assert_eq!(operations.resume(token, begun), None);
        assert_eq!(operations.resume(0, begun), Some(begun));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut operations = Operations::default();
        let tokens: Vec<u64> = (0..=MOST).map(|_| operations.open(Operation::new(8, 7, [0; 3]))).collect();
        let other = operations.open(Operation::new(8, 6, [0; 3]));
        let begun = |drc| Operation::new(8, drc, [0; 3]);
        assert_eq!(operations.resume(tokens[0], begun(7)), None);
        assert!(operations.resume(tokens[1], begun(7)).is_some() && operations.resume(other, begun(6)).is_some());
    }
}
