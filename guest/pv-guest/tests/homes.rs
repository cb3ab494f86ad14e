//! The table of rewrites against the hypervisor's own registers: where the page is said to hold one, a trapped access
//! meets it.

use exec::{Clock, Context, NoMmio, PartitionState, Privileged, Requests, Vcpu, supervisor};
use guest_mem::GuestMem;
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
use pv_guest::pv_abi::rewrite::{self, Action, Build, Place, ROWS, Width};

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn ticks(&self, _: u64) -> u64 {
        0
    }
}

const MODELS: [(Cpu, Build); 5] = [
    (Cpu::Power8, Build::Book3s64),
    (Cpu::Power9, Build::Book3s64),
    (Cpu::Ppc7400, Build::Book3s32),
    (Cpu::E500v2, Build::BookE32),
    (Cpu::E5500, Build::BookE64),
];

/// The SPR number in an mfspr or mtspr word.
fn spr(word: u32) -> Option<u16> {
    (word & 0xfc00_06fe == 0x7c00_02a6).then_some((word >> 16 & 0x1f | word >> 6 & 0x3e0) as u16)
}

/// Offset and bytes of what a kernel's access to `place` reaches.
fn reach(place: Place, build: Build) -> (usize, usize) {
    let at = (place.displacement(build) as u16 & 0xfff) as usize;
    (at, if build.wide() && place.width != Width::Word { 8 } else { 4 })
}

#[test]
fn case_43_44_trapped_accesses_meet_the_page_where_the_table_says() {
    let (mem, partition, requests) =
        (GuestMem::new(1 << 16).unwrap(), PartitionState::new(None, true), Requests::default());
    let context = Context {
        mem: &mem,
        partition: &partition,
        requests: &requests,
        clock: &Stopped,
        mmio: &NoMmio,
        peers: &requests,
        privileged: Privileged::Trap,
    };
    for (cpu, build) in MODELS {
        let mut seen = 0;
        for row in ROWS.iter().filter(|row| row.builds.has(build)) {
            let (Some(number), what) = (spr(row.value), format!("{} on {}", row.name, cpu.name())) else { continue };
            if row.name.ends_with("dsisr") && cpu.family() == Family::BookE {
                // BookE has no DSISR; kernels for it are patched as if it had.
                assert!(supervisor::mfspr(&Vcpu::new(cpu, 5), &context, number).is_err(), "{what}");
                continue;
            }
            if number & 0x10 == 0 {
                // A user's register, which never traps.
                assert!(row.name.ends_with('r'), "{what}");
                continue;
            }
            let mut vcpu = Vcpu::new(cpu, 5);
            match row.action {
                Action::Load(place) => {
                    assert_eq!(rewrite::home(number, build), Some(place), "{what}");
                    let (at, bytes) = reach(place, build);
                    if row.name != "mfpir" {
                        vcpu.shared.set_bytes(at, &0x1122_3344_5566_7788_u64.to_be_bytes()[..bytes]);
                    }
                    let found = vcpu.shared.bytes::<8>(at);
                    let expected = found[..bytes].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
                    assert!(expected != 0, "{what}");
                    assert_eq!(supervisor::mfspr(&vcpu, &context, number), Ok(expected), "{what}");
                }
                Action::Store(place) => {
                    let (at, bytes) = reach(place, build);
                    let value = 0xa1b2_c3d4_e5f6_0718_u64;
                    supervisor::mtspr(&mut vcpu, &context, number, value).unwrap();
                    let found = vcpu.shared.bytes::<8>(at);
                    assert_eq!(found[..bytes], value.to_be_bytes()[8 - bytes..], "{what}");
                }
                Action::Nop | Action::Section(_) => continue,
            }
            seen += 1;
        }
        assert!(seen >= 20, "{}: {seen} rows", cpu.name());
    }
}
