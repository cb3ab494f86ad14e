//! What a guest that patched itself should not exit for.

use exec::{Instruction, Vcpu};
use ppc_isa::{Cpu, msr};
use pv_abi::rewrite::{self, Build};

/// A privileged instruction that the paravirtual interface rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritable {
    /// Name of its row in the table of rewrites.
    pub row: &'static str,
    /// Patched code executes it nevertheless, here and now (spec ppc-pv 4.4 to 4.8): it changes more of the MSR than
    /// EE and RI, it lets in an interrupt that is pending, or it sets a segment register in use.
    pub due: bool,
}

/// What `insn` is to the table of rewrites, on a vCPU that is about to execute it; `None` if it is not in the table, or
/// executed in the other byte order than the page has: such words stand reversed in a kernel's text, and its patcher
/// does not know them (the way back from big-endian firmware in little-endian Linux).
pub fn rewritable(vcpu: &Vcpu, insn: &Instruction) -> Option<Rewritable> {
    if vcpu.state.order() != vcpu.shared.order() {
        return None;
    }
    let word = insn.word as u32;
    let row = rewrite::find(word, build(vcpu.state.cpu))?.name;
    let rs = vcpu.state.gpr.get((word >> 21 & 31) as usize).copied().unwrap_or_default();
    let width = if vcpu.state.cpu.sixty_four() { u64::MAX } else { 0xffff_ffff };
    let changed = (vcpu.shared.msr() ^ rs) & width;
    let enables = |ee: u64| ee & msr::EE != 0 && vcpu.shared.int_pending();
    let due = match row {
        "mtmsrd L=1" | "wrtee" => enables(rs),
        "mtmsrd L=0" | "mtmsr" => changed & !(msr::EE | msr::RI) != 0 || enables(rs),
        "wrteei 1" => enables(msr::EE),
        "mtsrin" => vcpu.shared.msr() & (msr::IR | msr::DR) != 0,
        _ => false,
    };
    Some(Rewritable { row, due })
}

/// What kernels for `cpu` are built for.
pub fn build(cpu: Cpu) -> Build {
    use ppc_isa::cpu::Family;
    match cpu.family() {
        Family::Book3s64 => Build::Book3s64,
        Family::Book3s32 => Build::Book3s32,
        Family::BookE if cpu.sixty_four() => Build::BookE64,
        Family::BookE => Build::BookE32,
    }
}
