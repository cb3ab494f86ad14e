//! The hypercalls that KVM knows, on every architecture: what each is for, its arguments, its errors, its history.
//!
//! Numbers and behaviour are those of Linux 6.1's documentation and of `spec ppc-pv` sections 2 and 8; LoongArch's are
//! newer. `since` and `until` name kernel releases of the host side, where known: those whose merge window took the commit
//! that brought the number into include/uapi/linux/kvm_para.h (include/linux before 3.7), or into the header of the
//! architecture. What rests on memory says so (`unverified`).

use crate::convention::Arch;
use crate::epapr;

mod table;

pub use table::{CALLS, DIAGNOSES};

/// What has become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Still defined; to be used no more.
    Deprecated,
    /// A number without an implementation.
    Obsolete,
}

impl Status {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Deprecated => "deprecated",
            Status::Obsolete => "obsolete",
        }
    }
}

/// An error that a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The status, as the caller sees it.
    pub code: i64,
    /// When.
    pub when: &'static str,
}

/// One hypercall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hypercall {
    /// The architecture on which it exists.
    pub arch: Arch,
    /// Whose number it is.
    pub vendor: Vendor,
    /// Its number.
    pub number: u32,
    /// Its name in headers.
    pub name: &'static str,
    /// What has become of it.
    pub status: Status,
    /// What it is for.
    pub purpose: &'static str,
    /// Arguments in the order of the convention's registers.
    pub arguments: &'static [&'static str],
    /// What it returns when it succeeds: the result, or the outputs in order.
    pub returns: &'static [&'static str],
    /// What can go wrong beside "not implemented".
    pub errors: &'static [Error],
    /// How a guest finds out that it may be used.
    pub offered: &'static str,
    /// The release that brought it.
    pub since: Option<&'static str>,
    /// The release that retired it.
    pub until: Option<&'static str>,
    /// What of all this no source was found for.
    pub unverified: Option<&'static str>,
}

/// Who gave a call its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// KVM: on PowerPC vendor 42, elsewhere the only one.
    Kvm,
    /// ePAPR (PowerPC).
    Epapr,
    /// Freescale's hypervisor (PowerPC).
    Freescale,
}

impl Hypercall {
    /// What goes into the register of the number: on PowerPC the token.
    pub const fn code(&self) -> u32 {
        match (self.arch, self.vendor) {
            (Arch::PowerPc, Vendor::Kvm) => epapr::token(crate::kvm::VENDOR, self.number),
            (_, Vendor::Kvm) => self.number,
            (_, Vendor::Epapr) => epapr::token(epapr::VENDOR, self.number),
            (_, Vendor::Freescale) => epapr::token(epapr::VENDOR_FREESCALE, self.number),
        }
    }

    /// What a hypervisor without this call returns; on s390 nothing: the guest gets a specification exception.
    pub const fn not_implemented(&self) -> Option<i64> {
        match self.arch {
            Arch::PowerPc => Some(epapr::Status::Unimplemented as i64),
            Arch::LoongArch => Some(-1),
            Arch::X86 | Arch::Mips => Some(-ENOSYS),
            Arch::S390 => None,
        }
    }
}

/// A function of s390's `diag` instruction that KVM or its user space answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diagnose {
    /// Function code: the low 16 bits of the second operand's address.
    pub code: u16,
    /// What it does.
    pub purpose: &'static str,
    /// Registers.
    pub registers: &'static str,
    /// Who answers it.
    pub answered_by: &'static str,
}

/// KVM's own code for "no such call"; x86 and MIPS return it negated.
pub const ENOSYS: i64 = 1000;
/// Bad guest address.
pub const EFAULT: i64 = 14;
/// Bad argument.
pub const EINVAL: i64 = 22;
/// Too many.
pub const E2BIG: i64 = 7;
/// The caller is not privileged.
pub const EPERM: i64 = 1;
/// The host can not do it.
pub const EOPNOTSUPP: i64 = 95;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kvm;

    fn call(arch: Arch, name: &str) -> &'static Hypercall {
        CALLS.iter().find(|call| call.arch == arch && call.name == name).unwrap()
    }

    #[test]
    fn no_number_is_given_twice() {
        for (index, call) in CALLS.iter().enumerate() {
            let same = |other: &Hypercall| other.arch == call.arch && other.code() == call.code();
            assert!(!CALLS[..index].iter().any(same), "{}", call.name);
            let convention = call.arch.convention();
            assert!(call.arguments.len() <= convention.arguments.len(), "{}", call.name);
            assert!(call.errors.iter().all(|error| convention.failed(error.code)), "{}", call.name);
            assert!(call.until.is_none() || call.status != Status::Active, "{}", call.name);
        }
    }

    /// include/uapi/linux/kvm_para.h of Linux 6.1 numbers its calls from 1 to 12 over all architectures.
    #[test]
    fn generic_numbers_are_complete() {
        let generic =
            |call: &&Hypercall| call.vendor == Vendor::Kvm && call.arch != Arch::LoongArch && call.arch != Arch::S390;
        let mut seen = [0; 13];
        CALLS.iter().filter(generic).for_each(|call| seen[call.number as usize] += 1);
        assert_eq!(seen, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn codes_are_those_that_the_host_answers() {
        assert_eq!(call(Arch::PowerPc, "KVM_HC_FEATURES").code(), kvm::FEATURES);
        assert_eq!(call(Arch::PowerPc, "KVM_HC_PPC_MAP_MAGIC_PAGE").code(), 0x2a_0004);
        assert_eq!(call(Arch::PowerPc, "EV_IDLE").code(), 0x1_0010);
        assert_eq!(call(Arch::PowerPc, "FH_EXIT_NAP").code(), 0x2_0010);
        assert_eq!(call(Arch::X86, "KVM_HC_SEND_IPI").code(), 10);
        assert_eq!(call(Arch::X86, "KVM_HC_SEND_IPI").not_implemented(), Some(-1000));
        assert_eq!(call(Arch::S390, "KVM_S390_VIRTIO_CCW_NOTIFY").code(), 3);
    }
}
