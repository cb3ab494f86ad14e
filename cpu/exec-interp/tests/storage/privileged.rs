//! Privileged instructions of Book3S-64 (Power ISA 3.0B Book III).

use exec::Interrupt;
use exec::interrupt::program;
use guest_mem::GuestMem;
use ppc_isa::system::System;
use ppc_isa::{Cpu, Op, msr, operand};

use crate::{CODE, DATA, ORDERS, Thread};

fn threads() -> impl Iterator<Item = (Thread, GuestMem)> {
    let runs = Cpu::BOOK3S_64.into_iter().flat_map(|cpu| ORDERS.map(|order| (cpu, order)));
    runs.map(|(cpu, order)| (Thread::new(cpu, order, 0), GuestMem::new(1 << 20).unwrap()))
}

/// Sections 3.3.1 and 4.3.2: rfid takes SRR0 and SRR1, rfscv LR and CTR; the low bits of the address are dropped, and HV and
/// ME are not the guest's.
#[test]
fn returns() {
    for (mut a, mem) in threads() {
        let cpu = a.vcpu.state.cpu;
        let msr = a.vcpu.shared.msr();
        let target = CODE + 4 * 4;
        for name in ["rfid", "rfscv"].into_iter().filter(|name| *name == "rfid" || cpu.level() >= 300) {
            let to = if name == "rfid" { [26, 27] } else { [8, 9] };
            let text = format!("mtspr {},3; mtspr {},4; {name}; addi 5,0,1; mfmsr 6", to[0], to[1]);
            let wanted = (msr | msr::FP | msr::RI | msr::HV) & !msr::ME;
            a.finish(&mem, &text, &[(3, target | 3), (4, wanted), (5, 0)]);
            assert_eq!(a.vcpu.state.gpr[5], 0, "{name} jumps over an instruction");
            assert_eq!(a.vcpu.state.gpr[6], msr | msr::FP | msr::RI | msr::ME, "{name}");
            a.vcpu.set_msr(msr);
        }
    }
}

/// Section 4.3.2: mtmsrd with L=1 changes EE and RI only, mtmsr the low word only; LE stays.
#[test]
fn the_msr() {
    for (mut a, mem) in threads() {
        let msr = a.vcpu.shared.msr();
        let text = "mtmsrd 3,1; mfmsr 4; mtmsrd 5,0; mfmsr 6; mtmsr 7,0; mfmsr 8";
        let low = msr::FP | msr::RI;
        a.finish(&mem, text, &[(3, msr::EE | msr::FP), (5, msr::SF | msr::VEC), (7, low)]);
        let [first, second, third] = [4, 6, 8].map(|n| a.vcpu.state.gpr[n]);
        let fixed = msr & (msr::LE | msr::ME);
        assert_eq!(first, msr | msr::EE);
        assert_eq!(second, msr::SF | msr::VEC | fixed);
        assert_eq!(third, msr::SF | low | fixed);
        a.vcpu.set_msr(msr);
    }
}

/// Section 5.9.3.2: entries are written, read back, found and invalidated.
#[test]
fn segments() {
    const ESID: u64 = 0x1_2345_0000_0000;
    const VALID: u64 = 1 << 27;
    const VSID: u64 = 0x00ab_cdef_1234_5000 | 0x500;
    for (mut a, mem) in threads() {
        for so in [false, true] {
            a.vcpu.state.so = so;
            let registers = [(3, ESID | VALID | 5), (4, VSID), (5, 5), (6, ESID + 0x0abc_def0)];
            a.finish(&mem, "slbmte 4,3; slbmfee 7,5; slbmfev 8,5; slbfee. 9,6", &registers);
            assert_eq!([7, 8, 9].map(|n| a.vcpu.state.gpr[n]), [ESID | VALID, VSID, VSID]);
            assert_eq!(a.vcpu.state.cr[0], 2 | u8::from(so));
            // The next segment has none.
            a.finish(&mem, "slbfee. 9,6", &[(6, ESID + 0x1000_0000), (9, 7)]);
            assert_eq!((a.vcpu.state.gpr[9], a.vcpu.state.cr[0]), (0, u8::from(so)));
            let own = a.vcpu.state.cpu.level() >= 300;
            for gone in ["slbie 3", "slbia 0", "slbieg 4,3"].into_iter().filter(|name| own || *name != "slbieg 4,3") {
                a.finish(&mem, &format!("slbmte 4,3; {gone}; slbfee. 9,6"), &[(3, ESID | VALID | 5), (6, ESID)]);
                let text = if own { "slbsync; tlbsync" } else { "tlbsync" };
                a.finish(&mem, text, &[]);
                assert_eq!((a.vcpu.state.gpr[9], a.vcpu.state.cr[0]), (0, u8::from(so)), "{gone}");
            }
        }
    }
}

/// Entry 0 outlives slbia with IH=0.
#[test]
fn entry_zero_stays() {
    for (mut a, mem) in threads() {
        a.finish(&mem, "slbmte 4,3; slbia 0; slbfee. 9,3", &[(3, 0xc00_0000 | 1 << 27), (4, 0x1000)]);
        assert_eq!((a.vcpu.state.gpr[9], a.vcpu.state.cr[0] & 2), (0x1000, 2));
    }
}

/// The guest is no hypervisor: a privileged program interrupt in its privileged state, whatever the instruction.
#[test]
fn hypervisor_resources() {
    for (mut a, mem) in threads() {
        let cpu = a.vcpu.state.cpu;
        let its = |row: &&ppc_isa::Row| row.models.contains(cpu) && row.op == Op::System(System::Hypervisor);
        for row in ppc_isa::rows().filter(its) {
            let operands: Vec<&str> = operand::operands(row).map(|o| if o.name == "RA0" { "0" } else { "3" }).collect();
            let text = format!("{} {}", row.name, operands.join(","));
            let fault = a.fault(&mem, text.trim(), &[(3, DATA)]);
            assert!(matches!(fault, Interrupt::Program(program::PRIVILEGED)), "{text} {fault:?}");
        }
    }
}

/// A core has one thread: messages to others arrive nowhere, and there is none from oneself to take back.
#[test]
fn messages_complete() {
    for (mut a, mem) in threads() {
        a.finish(&mem, "msgclrp 3; msgsndp 3", &[(3, 5 << 27 | 1)]);
    }
}
