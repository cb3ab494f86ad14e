//! What the programs are compiled for.

use guest_mem::Order;
use ppc_isa::Cpu;

/// A CPU model and byte order, and how its compiler is told.
pub struct Target {
    /// The model.
    pub cpu: Cpu,
    /// Byte order of memory.
    pub order: Order,
    /// GCC's name.
    pub compiler: &'static str,
    /// What it is told of the model.
    pub flags: &'static [&'static str],
    /// What the model has beyond integers of 32 bits: names of macros that let programs in.
    pub has: &'static [&'static str],
}

/// Groups of results that a macro lets in; those of no macro are everywhere.
const GROUPS: &[(&str, &[&str])] = &[
    ("FLOAT", &["float", "rounding"]),
    ("WIDE", &["wide"]),
    ("ATOMIC", &["atomic"]),
    ("ROOT", &["root"]),
    ("DECIMAL", &["decimal"]),
    ("QUAD", &["quad"]),
];

const PPC: &str = "powerpc-linux-gnu-gcc";
const PPC64: &str = "powerpc64-linux-gnu-gcc";
const PPC64LE: &str = "powerpc64le-linux-gnu-gcc";

/// Without an FPU of the classic kind; GCC 12 knows the signal processing engine no more.
const SOFT: &[&str] = &["ATOMIC"];
const CLASSIC: &[&str] = &["FLOAT", "ATOMIC"];
const EMBEDDED: &[&str] = &["FLOAT", "ATOMIC", "WIDE"];
/// Decimals have instructions; where they have none, the compiler's library needs a C library.
const SERVER: &[&str] = &["FLOAT", "ATOMIC", "WIDE", "ROOT", "DECIMAL"];
/// GCC has quad precision on big-endian machines under another name only.
const SERVER_LE: &[&str] = &["FLOAT", "ATOMIC", "WIDE", "ROOT", "DECIMAL", "QUAD"];

const QUAD: &str = "-mabi=ieeelongdouble";

/// Every model in every byte order; a variant has nothing that a compiler uses unasked.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target { cpu: Cpu::Power10, order: Order::Little, compiler: PPC64LE, flags: &["-mcpu=power10", "-mno-mma", QUAD], has: SERVER_LE },
    Target { cpu: Cpu::Power9,  order: Order::Little, compiler: PPC64LE, flags: &["-mcpu=power9", QUAD], has: SERVER_LE },
    Target { cpu: Cpu::Power8,  order: Order::Little, compiler: PPC64LE, flags: &["-mcpu=power8", QUAD], has: SERVER_LE },
    Target { cpu: Cpu::Power10, order: Order::Big, compiler: PPC64, flags: &["-mcpu=power10", "-mno-mma"], has: SERVER },
    Target { cpu: Cpu::Power9,  order: Order::Big, compiler: PPC64, flags: &["-mcpu=power9"], has: SERVER },
    Target { cpu: Cpu::Power8,  order: Order::Big, compiler: PPC64, flags: &["-mcpu=power8"], has: SERVER },
    Target { cpu: Cpu::E6500,   order: Order::Big, compiler: PPC64, flags: &["-mcpu=e6500", "-maltivec"], has: EMBEDDED },
    Target { cpu: Cpu::E5500,   order: Order::Big, compiler: PPC64, flags: &["-mcpu=e5500"], has: EMBEDDED },
    Target { cpu: Cpu::E500v2,  order: Order::Big, compiler: PPC, flags: &["-mcpu=8548", "-msoft-float"], has: SOFT },
    Target { cpu: Cpu::Ppc7450, order: Order::Big, compiler: PPC, flags: &["-mcpu=7450", "-maltivec"], has: CLASSIC },
    Target { cpu: Cpu::Ppc7400, order: Order::Big, compiler: PPC, flags: &["-mcpu=7400", "-maltivec"], has: CLASSIC },
    Target { cpu: Cpu::Ppc750,  order: Order::Big, compiler: PPC, flags: &["-mcpu=750"], has: CLASSIC },
    Target { cpu: Cpu::Ppc603,  order: Order::Big, compiler: PPC, flags: &["-mcpu=603"], has: CLASSIC },
];

impl Target {
    /// As in "power9 le".
    pub fn name(&self) -> String {
        format!("{} {}", self.cpu.name(), if self.order == Order::Big { "be" } else { "le" })
    }

    /// Whether it has the result called `part`, which is `group/name`.
    pub fn has(&self, part: &str) -> bool {
        let group = part.split('/').next().unwrap_or(part);
        let wanted = GROUPS.iter().find(|(_, groups)| groups.contains(&group));
        wanted.is_none_or(|(name, _)| self.has.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_a_target() {
        for cpu in Cpu::ALL.into_iter().filter(|cpu| !cpu.is_variant()) {
            assert!(TARGETS.iter().any(|target| target.cpu == cpu), "{}", cpu.name());
        }
    }
}
