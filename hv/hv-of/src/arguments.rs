//! The argument array (IEEE 1275-1994, 6.3.1; PowerPC binding, 4): big-endian cells of 32 bits in guest memory, whatever the
//! client's own width and byte order: the address of the service's name, the number of arguments, the number of results,
//! the arguments, the results.

use guest_mem::{GuestMem, Order};

/// Arguments and results together that a call may have.
pub const MOST: u32 = 32;
/// A result that tells of failure.
pub const FAILED: u32 = -1_i32 as u32;

/// The array of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The service's name.
    pub service: String,
    /// Arguments.
    pub inputs: Vec<u32>,
    /// Where results stand.
    results: u64,
    /// How many the client wants.
    wanted: usize,
}

impl Arguments {
    /// Reads the array at `address`. `None` when it is not all in memory, or too long, or names no service.
    pub fn read(mem: &GuestMem, address: u64) -> Option<Arguments> {
        let cell = |n: u32| mem.load::<u32>(address.checked_add(u64::from(n) * 4)?, Order::Big);
        let (name, inputs, wanted) = (cell(0)?, cell(1)?, cell(2)?);
        if inputs > MOST || wanted > MOST - inputs {
            return None;
        }
        let results = address.checked_add(u64::from(3 + inputs) * 4)?;
        if !mem.contains(results, u64::from(wanted) * 4) {
            return None;
        }
        Some(Arguments {
            service: text(mem, name, 31)?,
            inputs: (0..inputs).map(|n| cell(3 + n)).collect::<Option<_>>()?,
            results,
            wanted: wanted as usize,
        })
    }

    /// Argument `n`, 0 when there is none.
    pub fn input(&self, n: usize) -> u32 {
        self.inputs.get(n).copied().unwrap_or(0)
    }

    /// Stores as many results as the client wants; those that there are not are 0.
    pub fn answer(&self, mem: &GuestMem, results: &[u32]) {
        let results = results.iter().copied().chain(std::iter::repeat(0));
        for (n, result) in (0..).zip(results).take(self.wanted) {
            mem.store(self.results.saturating_add(4 * n), Order::Big, result);
        }
    }
}

/// Text at `address` up to a NUL. `None` when it has more than `longest` bytes, leaves memory, or is not UTF-8.
pub fn text(mem: &GuestMem, address: u32, longest: usize) -> Option<String> {
    let mut bytes = Vec::new();
    for at in u64::from(address).. {
        match mem.load::<u8>(at, Order::Big)? {
            0 => return String::from_utf8(bytes).ok(),
            _ if bytes.len() == longest => return None,
            byte => bytes.push(byte),
        }
    }
    None
}

/// Copies as much of `data` to `address` as `room` takes; `false` when that is not all in memory.
pub fn copy(mem: &GuestMem, address: u32, room: u32, data: &[u8]) -> bool {
    let part = data.get(..room as usize).unwrap_or(data);
    mem.write(address.into(), part)
}
