//! The page as plain data, for a saved machine.
//!
//! The page is no memory of the guest and so in no copy of its RAM: it is saved with its processor, and with it where
//! it is mapped, its byte order, and that the guest got rid of no-execute protection when it mapped it (spec ppc-pv 9.2,
//! item 32; case 101).
//!
//! Encoding, [`Page::LEN`] bytes, numbers big-endian:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `PVSHARED` |
//! | 8 | 4 | version: 1 |
//! | 12 | 1 | byte order of the fields: 0 big, 1 little |
//! | 13 | 1 | bit 0: mapped; bit 1: no-execute protection ignored in privileged state |
//! | 14 | 2 | 0 |
//! | 16 | 8 | guest real address, 0 unless mapped |
//! | 24 | 8 | effective address, 0 unless mapped |
//! | 32 | 4096 | the page, as the guest sees it |

use guest_mem::Order;
use ppc_mmu::access::REAL_MASK;
use pv_abi::magic::SIZE;
use thiserror::Error;

use super::{Mapped, SharedOrder, SharedPage};
use crate::vcpu::Vcpu;

const SIGNATURE: [u8; 8] = *b"PVSHARED";
const VERSION: u32 = 1;
const HEADER: usize = 32;
const MAPPED: u8 = 1;
const IGNORE_NO_EXECUTE: u8 = 2;

/// What is saved of a vCPU's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page as the guest sees it.
    pub bytes: [u8; SIZE],
    /// Byte order of its fields.
    pub order: Order,
    /// Where it is mapped: real address without its top four bits, both addresses multiples of 4096, not both zero.
    pub mapped: Option<Mapped>,
    /// Privileged code is fetched from no-execute pages too.
    pub ignore_no_execute: bool,
}

/// Why bytes are no saved page.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Damage {
    /// Too few or too many.
    #[error("a saved shared page has {} bytes, and here are {found}", Page::LEN)]
    Length {
        /// Bytes there.
        found: usize,
    },
    /// They begin otherwise.
    #[error("this is no saved shared page: it does not begin with PVSHARED")]
    Signature,
    /// A version that is not known here.
    #[error("a saved shared page of version {found}; this program knows version {VERSION}")]
    Version {
        /// Version there.
        found: u32,
    },
    /// Neither byte order.
    #[error("byte order {found} of a saved shared page is neither 0 (big) nor 1 (little)")]
    Order {
        /// What is there.
        found: u8,
    },
    /// Flags or reserved bytes that are not known here.
    #[error("a saved shared page with unknown flags")]
    Flags,
    /// Addresses at which a page is not mapped.
    #[error("a saved shared page at real address {real:#x}, effective address {effective:#x}: no page is mapped so")]
    Address {
        /// Real address there.
        real: u64,
        /// Effective address there.
        effective: u64,
    },
}

impl Page {
    /// Bytes of the encoding.
    pub const LEN: usize = HEADER + SIZE;

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Page { bytes, order, mapped, ignore_no_execute } = self;
        let flags = if mapped.is_some() { MAPPED } else { 0 } | if *ignore_no_execute { IGNORE_NO_EXECUTE } else { 0 };
        let Mapped { real, effective } = mapped.unwrap_or(Mapped { real: 0, effective: 0 });
        let mut out = Vec::with_capacity(Page::LEN);
        out.extend(SIGNATURE);
        out.extend(VERSION.to_be_bytes());
        out.extend([u8::from(*order == Order::Little), flags, 0, 0]);
        out.extend(real.to_be_bytes());
        out.extend(effective.to_be_bytes());
        out.extend(bytes);
        out
    }

    /// Reads the encoding. The page itself may hold anything, since the guest may store anything there.
    ///
    /// # Errors
    /// What the bytes have that no encoding has.
    pub fn from_bytes(saved: &[u8]) -> Result<Page, Damage> {
        let length = Damage::Length { found: saved.len() };
        let (signature, rest) = saved.split_first_chunk().ok_or(length)?;
        if *signature != SIGNATURE {
            return Err(Damage::Signature);
        }
        let (version, rest) = rest.split_first_chunk().ok_or(length)?;
        let found = u32::from_be_bytes(*version);
        if found != VERSION {
            return Err(Damage::Version { found });
        }
        let ([order, flags, reserved @ ..], rest) = rest.split_first_chunk::<4>().ok_or(length)?;
        let (real, rest) = rest.split_first_chunk().ok_or(length)?;
        let (effective, rest) = rest.split_first_chunk().ok_or(length)?;
        let bytes = *<&[u8; SIZE]>::try_from(rest).map_err(|_| length)?;
        let order = match order {
            0 => Order::Big,
            1 => Order::Little,
            found => return Err(Damage::Order { found: *found }),
        };
        if flags & !(MAPPED | IGNORE_NO_EXECUTE) != 0 || *reserved != [0; 2] {
            return Err(Damage::Flags);
        }
        let (real, effective) = (u64::from_be_bytes(*real), u64::from_be_bytes(*effective));
        let mapped = (real != 0 || effective != 0).then_some(Mapped { real, effective });
        let aligned = real & (!REAL_MASK | 0xfff) == 0 && effective & 0xfff == 0;
        if !aligned || mapped.is_some() != (flags & MAPPED != 0) {
            return Err(Damage::Address { real, effective });
        }
        Ok(Page { bytes, order, mapped, ignore_no_execute: flags & IGNORE_NO_EXECUTE != 0 })
    }
}

impl Vcpu {
    /// What is to be saved of the page.
    pub fn save_page(&self) -> Page {
        let SharedPage { bytes, mapped, order: _ } = &self.shared;
        Page {
            bytes: *bytes,
            order: self.shared.order(),
            mapped: *mapped,
            ignore_no_execute: self.state.ignore_no_execute,
        }
    }

    /// Puts a saved page in place of this one. The registers outside the page stay as they are, and so does the mode,
    /// which does not follow from the MSR that the page shows. An engine that ran this vCPU must forget its
    /// translations, since the page may have been elsewhere (`Invalidation::All`).
    pub fn restore_page(&mut self, page: &Page) {
        let Page { bytes, order, mapped, ignore_no_execute } = page;
        let order = if *order == Order::Little { SharedOrder::Little } else { SharedOrder::Big };
        self.shared = SharedPage { bytes: *bytes, order, mapped: *mapped };
        self.state.ignore_no_execute = *ignore_no_execute;
    }
}

#[cfg(test)]
mod tests {
    use ppc_isa::Cpu;

    use super::*;

    /// Marsaglia's xorshift, so that a failure repeats.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn page(&mut self) -> Page {
            let real = self.next() & REAL_MASK & !0xfff;
            Page {
                bytes: std::array::from_fn(|_| self.next() as u8),
                order: if self.next() & 1 == 0 { Order::Big } else { Order::Little },
                mapped: (self.next() & 1 == 0).then(|| Mapped { real, effective: self.next() & !0xfff }),
                ignore_no_execute: self.next() & 1 == 0,
            }
        }
    }

    #[test]
    fn what_is_saved_comes_back() {
        let mut random = Random(1);
        for n in 0..1000 {
            let page = random.page();
            let bytes = page.to_bytes();
            assert_eq!(bytes.len(), Page::LEN);
            assert_eq!(Page::from_bytes(&bytes).as_ref(), Ok(&page));
            let mut vcpu = Vcpu::new(Cpu::ALL[n % Cpu::ALL.len()], 7);
            let state = vcpu.state.clone();
            vcpu.restore_page(&page);
            assert_eq!(vcpu.save_page(), page);
            assert_eq!((vcpu.shared.order(), vcpu.shared.mapped()), (page.order, page.mapped));
            vcpu.state.ignore_no_execute = state.ignore_no_execute;
            assert_eq!(vcpu.state, state, "nothing else changes");
        }
    }

    /// The bytes that the first version wrote.
    #[test]
    fn the_encoding_is_what_it_was() {
        let mut vcpu = Vcpu::new(Cpu::Power8, 5);
        vcpu.shared.map(0xf000_0012_3456_7000, 0xc000_0000_0000_1001, Order::Little);
        vcpu.shared.set_sprg(0, 0x0102_0304_0506_0708);
        vcpu.state.ignore_no_execute = true;
        let bytes = vcpu.save_page().to_bytes();
        let header = b"PVSHARED\0\0\0\x01\x01\x03\0\0\0\0\0\x12\x34\x56\x70\0\xc0\0\0\0\0\0\x10\0";
        assert_eq!(bytes[..32], *header);
        assert_eq!(bytes[32 + 0x20..32 + 0x28], [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(bytes[32 + 0xcc..32 + 0xd0], [5, 0, 0, 0], "PIR");
    }

    #[test]
    fn damage_is_named() {
        let good = Vcpu::new(Cpu::Power8, 0).save_page().to_bytes();
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            Page::from_bytes(&bytes).map(|_| ())
        };
        assert_eq!(with(0, b'p'), Err(Damage::Signature));
        assert_eq!(with(11, 2), Err(Damage::Version { found: 2 }));
        assert_eq!(with(12, 2), Err(Damage::Order { found: 2 }));
        for (at, value) in [(13, 4), (13, 0x80), (14, 1), (15, 1)] {
            assert_eq!(with(at, value), Err(Damage::Flags), "{at}");
        }
        // Mapped nowhere, unmapped somewhere, not a page's address, and one that no processor has.
        assert_eq!(with(13, MAPPED), Err(Damage::Address { real: 0, effective: 0 }));
        assert_eq!(with(24, 1), Err(Damage::Address { real: 0, effective: 1 << 56 }));
        assert_eq!(with(31, 1), Err(Damage::Address { real: 0, effective: 1 }));
        assert_eq!(with(16, 0x10), Err(Damage::Address { real: 1 << 60, effective: 0 }));
        for len in (0..Page::LEN).chain([Page::LEN + 1, 2 * Page::LEN]) {
            let bytes: Vec<u8> = good.iter().chain(&good).copied().take(len).collect();
            assert_eq!(Page::from_bytes(&bytes), Err(Damage::Length { found: len }));
        }
    }

    /// Whatever the bytes, they are refused, or mean a page that has no other encoding.
    #[test]
    fn hostile_bytes_are_refused_or_mean_one_page() {
        let mut random = Random(2);
        let mut taken = 0;
        for _ in 0..20_000 {
            let mut bytes = random.page().to_bytes();
            for _ in 0..random.next() % 4 {
                let at = random.next() as usize % if random.next() & 1 == 0 { HEADER } else { Page::LEN };
                bytes[at] = random.next() as u8;
            }
            bytes.truncate(if random.next() & 7 == 0 { random.next() as usize % Page::LEN } else { Page::LEN });
            if let Ok(page) = Page::from_bytes(&bytes) {
                taken += 1;
                assert_eq!(page.to_bytes(), bytes);
            }
        }
        assert!((1_000..19_000).contains(&taken), "{taken}");
    }
}
