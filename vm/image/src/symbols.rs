//! Names of guest addresses: from an ELF file's symbol table, or from a `System.map`.

use crate::elf::{Kernel, Segment};

/// Symbols of one kernel, by effective address.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Sorted by address.
    entries: Vec<(u64, String)>,
    segments: Vec<Segment>,
}

impl Symbols {
    /// The symbols of `kernel`, read from `data`; none if it is stripped.
    pub fn of_kernel(kernel: &Kernel, data: &[u8]) -> Symbols {
        let named = kernel.symbols(data).filter(|symbol| !symbol.name.is_empty() && symbol.value != 0);
        Symbols::new(named.map(|symbol| (symbol.value, symbol.name.into_owned())).collect(), kernel)
    }

    /// The symbols of a `System.map`: lines of address, type letter, name. Other lines are passed over.
    pub fn of_map(kernel: &Kernel, map: &str) -> Symbols {
        let entry = |line: &str| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let kind = words.next()?;
            let name = words.next()?;
            let code = matches!(kind, "t" | "T" | "w" | "W") || name == "_etext";
            code.then(|| (address, name.to_owned()))
        };
        Symbols::new(map.lines().filter_map(entry).collect(), kernel)
    }

    fn new(mut entries: Vec<(u64, String)>, kernel: &Kernel) -> Symbols {
        entries.sort();
        Symbols { entries, segments: kernel.segments.clone() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the kernel is linked to have what is at `address`: an address of real mode is one of its segments' own.
    pub fn linked(&self, address: u64) -> Option<u64> {
        if self.segments.iter().any(|s| address.wrapping_sub(s.virtual_) < s.memory_size) {
            return Some(address);
        }
        let segment = self.segments.iter().find(|s| address.wrapping_sub(s.physical) < s.memory_size)?;
        Some(address.wrapping_sub(segment.physical).wrapping_add(segment.virtual_))
    }

    /// The symbol at or before `address` with the distance to it. Addresses of real mode are looked up where the
    /// kernel is linked.
    pub fn find(&self, address: u64) -> Option<(&str, u64)> {
        let address = self.linked(address)?;
        let index = self.entries.partition_point(|(start, _)| *start <= address).checked_sub(1)?;
        let (start, name) = self.entries.get(index)?;
        Some((name, address - start))
    }

    /// The address of `name`.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.entries.iter().find(|(_, own)| own == name).map(|(address, _)| *address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{Abi, Class, Order};

    #[test]
    fn addresses_have_names_in_either_mode() {
        let segment = Segment { physical: 0x1000, virtual_: 0xc000_1000, file: 0..0, memory_size: 0x1000 };
        let (class, order) = (Class::Elf32, Order::Big);
        let kernel = Kernel { class, order, entry: 0, abi: Abi::ElfV1, segments: vec![segment] };
        let symbols = Symbols::of_map(&kernel, "c0001000 T start\nc0001100 t next\nc0001200 D data\nrubbish\n");
        assert_eq!(symbols.find(0xc000_1004), Some(("start", 4)));
        assert_eq!(symbols.find(0x1104), Some(("next", 4)));
        assert_eq!(symbols.find(0x2_0000), None);
        assert_eq!(symbols.find(0xc000_1210), Some(("next", 0x110)));
    }
}
