//! The table.

use super::{Diagnose, E2BIG, EFAULT, EINVAL, EOPNOTSUPP, EPERM, Error, Hypercall, Status, Vendor};
use crate::convention::Arch;
use crate::epapr;

const fn error(code: i64, when: &'static str) -> Error {
    Error { code, when }
}

const CPL: Error = error(-EPERM, "from a privilege level other than 0");
const INVALID: Error = error(epapr::Status::Invalid as i64, "no such handle, or an argument out of range");
const AGAIN: Error = error(epapr::Status::Again as i64, "no room now");
const PARAMETER: Error = error(-2, "a bad parameter");

const RELEASE: &str = "the release that brought it";
/// Freescale's header of ePAPR's calls has no function for these.
const CONTROLLER: &str = "the arguments: ePAPR 1.1's text was not to be had; they follow EV_INT_IACK";

/// A row of KVM's with the bare necessities.
const fn kvm(arch: Arch, number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    Hypercall {
        arch,
        vendor: Vendor::Kvm,
        number,
        name,
        status: Status::Active,
        purpose,
        arguments: &[],
        returns: &[],
        errors: &[],
        offered: "always",
        since: None,
        until: None,
        unverified: None,
    }
}

const fn x86(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    Hypercall { errors: &[CPL], ..kvm(Arch::X86, number, name, purpose) }
}

const fn epapr(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    Hypercall { vendor: Vendor::Epapr, errors: &[INVALID], ..kvm(Arch::PowerPc, number, name, purpose) }
}

/// Byte channels.
const fn channel(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    Hypercall { offered: "a node compatible with epapr,hv-byte-channel", ..epapr(number, name, purpose) }
}

/// The interrupt controller.
const fn pic(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    Hypercall { offered: "a node compatible with epapr,hv-pic", ..epapr(number, name, purpose) }
}

const fn core(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    const ARGUMENTS: &[&str] = &["partition, -1 = own", "CPU"];
    let offered = "Freescale's hypervisor";
    Hypercall { vendor: Vendor::Freescale, arguments: ARGUMENTS, offered, ..epapr(number, name, purpose) }
}

const fn s390_virtio(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    let (status, offered, since) = (Status::Obsolete, "the s390-virtio machine; user space answers", Some("2.6.26"));
    Hypercall { status, offered, since, ..kvm(Arch::S390, number, name, purpose) }
}

const fn mips(number: u32, name: &'static str, purpose: &'static str) -> Hypercall {
    let (status, offered, since) = (Status::Obsolete, "no host in Linux answers it", Some("3.16"));
    Hypercall { status, offered, since, ..kvm(Arch::Mips, number, name, purpose) }
}

/// Every hypercall, by architecture, vendor and number.
#[rustfmt::skip]
pub const CALLS: &[Hypercall] = &[
    Hypercall {
        since: Some("2.6.25"),
        ..x86(1, "KVM_HC_VAPIC_POLL_IRQ", "leave the guest, so that pending interrupts are looked at")
    },
    Hypercall {
        status: Status::Deprecated,
        arguments: &["bytes of the buffer", "its guest real address, low half", "high half"],
        returns: &["bytes worked off"],
        offered: "CPUID feature bit 2",
        since: Some("2.6.26"), until: Some("3.3"), unverified: Some("the release that retired it"),
        ..x86(2, "KVM_HC_MMU_OP", "a batch of page table writes, TLB flushes and page table releases")
    },
    Hypercall {
        arguments: &["flags, unused", "APIC ID"],
        offered: "CPUID feature bit 7", since: Some("3.12"),
        ..x86(5, "KVM_HC_KICK_CPU", "wake a CPU that waits in HLT for a lock")
    },
    Hypercall {
        arguments: &["guest real address of 64 bytes: seconds, nanoseconds, TSC, flags", "clock, 0 = time of day"],
        errors: &[
            CPL,
            error(-EOPNOTSUPP, "the host's clock is not the TSC, or another clock is asked for"),
            error(-EFAULT, "a bad address"),
        ],
        offered: "64-bit hosts", since: Some("4.11"),
        ..x86(9, "KVM_HC_CLOCK_PAIRING", "host time and guest TSC of the same moment")
    },
    Hypercall {
        arguments: &[
            "bit map of APIC IDs, low part", "high part (from bit 64, or 32 outside long mode)", "APIC ID of bit 0",
            "APIC ICR without destination",
        ],
        returns: &["CPUs that got the interrupt"],
        errors: &[CPL, error(-EINVAL, "destination or shorthand bits in the ICR")],
        offered: "CPUID feature bit 11", since: Some("4.19"),
        ..x86(10, "KVM_HC_SEND_IPI", "send an interrupt to up to 128 CPUs")
    },
    Hypercall {
        arguments: &["APIC ID"],
        offered: "CPUID feature bit 13", since: Some("5.3"),
        ..x86(11, "KVM_HC_SCHED_YIELD", "give way to a CPU that was sent an interrupt and does not run")
    },
    Hypercall {
        arguments: &[
            "guest real address, a multiple of 4096", "pages of 4 KiB",
            "bits 0-3: size 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB; bit 4: encrypted",
        ],
        errors: &[CPL, error(-EINVAL, "no pages, an unaligned address, or a range that wraps")],
        offered: "CPUID feature bit 16; user space answers", since: Some("5.14"),
        ..x86(12, "KVM_HC_MAP_GPA_RANGE", "say whether memory is encrypted")
    },

    Hypercall {
        returns: &["bit map of features: bit 1 = magic page"],
        offered: "compatible = linux,kvm and hcall-instructions", since: Some("2.6.37"),
        ..kvm(Arch::PowerPc, 3, "KVM_HC_FEATURES", "find out which features there are")
    },
    Hypercall {
        arguments: &["guest real address of the page", "effective address; bit 0 = trampolines are executable"],
        returns: &["bit map of fields: bit 0 = segment registers, bit 1 = MAS0 to SPRG7"],
        offered: "KVM_HC_FEATURES bit 1", since: Some("2.6.37"),
        ..kvm(Arch::PowerPc, 4, "KVM_HC_PPC_MAP_MAGIC_PAGE", "share registers of the supervisor in a page")
    },
    Hypercall {
        arguments: &["handle", "bytes, 16 at most", "bytes 0-3", "bytes 4-7", "bytes 8-11", "bytes 12-15"],
        returns: &["bytes sent"],
        errors: &[INVALID, AGAIN],
        ..channel(1, "EV_BYTE_CHANNEL_SEND", "send bytes")
    },
    Hypercall {
        arguments: &["handle", "most bytes wanted"],
        returns: &["bytes received", "bytes 0-3", "bytes 4-7", "bytes 8-11", "bytes 12-15"],
        ..channel(2, "EV_BYTE_CHANNEL_RECEIVE", "receive bytes")
    },
    Hypercall {
        arguments: &["handle"],
        returns: &["bytes that have arrived", "bytes that there is room for"],
        ..channel(3, "EV_BYTE_CHANNEL_POLL", "look at a byte channel")
    },
    Hypercall {
        arguments: &["interrupt", "bit 0 = high or rising, bit 1 = level", "priority, 0 to 15", "CPU"],
        ..pic(4, "EV_INT_SET_CONFIG", "configure an interrupt")
    },
    Hypercall {
        arguments: &["interrupt"],
        returns: &["sense", "priority", "CPU"],
        ..pic(5, "EV_INT_GET_CONFIG", "read an interrupt's configuration")
    },
    Hypercall { arguments: &["interrupt", "1 = masked"], ..pic(6, "EV_INT_SET_MASK", "mask an interrupt") },
    Hypercall {
        arguments: &["interrupt"],
        returns: &["1 = masked"],
        ..pic(7, "EV_INT_GET_MASK", "read an interrupt's mask")
    },
    Hypercall {
        arguments: &["controller's handle, 0 = any"],
        returns: &["interrupt, 0xffff = none"],
        ..pic(9, "EV_INT_IACK", "acknowledge an interrupt")
    },
    Hypercall { arguments: &["interrupt"], ..pic(10, "EV_INT_EOI", "end an interrupt") },
    Hypercall {
        arguments: &["controller's handle, 0 = any", "channel", "bit map of CPUs"],
        unverified: Some(CONTROLLER),
        ..pic(11, "EV_INT_SEND_IPI", "interrupt other CPUs")
    },
    Hypercall {
        arguments: &["controller's handle, 0 = any", "priority, 0 to 15"],
        unverified: Some(CONTROLLER),
        ..pic(12, "EV_INT_SET_TASK_PRIORITY", "set the priority that interrupts must exceed")
    },
    Hypercall {
        arguments: &["controller's handle, 0 = any"],
        returns: &["priority"],
        unverified: Some(CONTROLLER),
        ..pic(13, "EV_INT_GET_TASK_PRIORITY", "read that priority")
    },
    Hypercall {
        arguments: &["handle"],
        offered: "a node compatible with epapr,hv-send-doorbell",
        ..epapr(14, "EV_DOORBELL_SEND", "ring a doorbell")
    },
    Hypercall { arguments: &["operand of msgsnd"], ..epapr(15, "EV_MSGSND", "send a processor message") },
    Hypercall {
        errors: &[],
        offered: "has-idle in the hypervisor's node", since: Some("3.7"), unverified: Some(RELEASE),
        ..epapr(16, "EV_IDLE", "wait until something is pending")
    },
    Hypercall { returns: &["0 = runs, 1 = idle, 2 = naps"], ..core(14, "FH_GET_CORE_STATE", "what a core does") },
    core(15, "FH_ENTER_NAP", "put a core to sleep"),
    core(16, "FH_EXIT_NAP", "wake a core"),

    Hypercall {
        arguments: &["virtqueue, or guest real address of text"],
        ..s390_virtio(0, "KVM_S390_VIRTIO_NOTIFY", "notify a device; print early messages")
    },
    Hypercall {
        arguments: &["device descriptor"],
        ..s390_virtio(1, "KVM_S390_VIRTIO_RESET", "reset a device")
    },
    Hypercall {
        arguments: &["device descriptor"],
        ..s390_virtio(2, "KVM_S390_VIRTIO_SET_STATUS", "set a device's status")
    },
    Hypercall {
        arguments: &["subchannel identification word", "virtqueue", "cookie of an earlier call"],
        returns: &["cookie"],
        errors: &[error(-EINVAL, "no such device or queue")],
        offered: "a virtio-ccw device", since: Some("3.9"),
        ..kvm(Arch::S390, 3, "KVM_S390_VIRTIO_CCW_NOTIFY", "notify a virtio-ccw device")
    },

    Hypercall { returns: &["Hz"], ..mips(6, "KVM_HC_MIPS_GET_CLOCK_FREQ", "read the clock's frequency") },
    mips(7, "KVM_HC_MIPS_EXIT_VM", "end the machine"),
    Hypercall {
        arguments: &["channel", "address of the text", "its bytes"],
        errors: &[error(-E2BIG, "too much text")],
        ..mips(8, "KVM_HC_MIPS_CONSOLE_OUTPUT", "print")
    },

    Hypercall {
        arguments: &["bit map of CPUs, low part", "high part", "physical CPU of bit 0"],
        errors: &[PARAMETER],
        offered: "CPUCFG feature bit 1", since: Some("6.10"), unverified: Some(RELEASE),
        ..kvm(Arch::LoongArch, 1, "KVM_HCALL_FUNC_IPI", "send an interrupt to up to 128 CPUs")
    },
    Hypercall {
        arguments: &["feature bit", "guest real address of its structure; bit 0 = valid"],
        errors: &[PARAMETER],
        offered: "CPUCFG feature bit 2", since: Some("6.11"),
        ..kvm(Arch::LoongArch, 2, "KVM_HCALL_FUNC_NOTIFY", "say where stolen time shall be reported")
    },
];

const fn diagnose(code: u16, purpose: &'static str, registers: &'static str, answered_by: &'static str) -> Diagnose {
    Diagnose { code, purpose, registers, answered_by }
}

/// Functions of `diag`, by code.
#[rustfmt::skip]
pub const DIAGNOSES: &[Diagnose] = &[
    diagnose(0x010, "release pages", "R1 = first page, R3 = last page", "KVM"),
    diagnose(0x044, "yield", "", "KVM"),
    diagnose(0x09c, "yield to a CPU", "R1 = CPU address", "KVM"),
    diagnose(0x258, "tell a guest of pages that the host fetches", "R1 = parameter block; R3 returns 0 or a code", "KVM"),
    diagnose(0x308, "boot again, reset, boot parameters", "R3 = subcode", "KVM, user space"),
    diagnose(0x500, "hypercalls", "r1 = subcode, r2 to r7 = arguments; r2 returns the result", "KVM, user space"),
    diagnose(0x501, "breakpoint", "", "user space"),
];
