//! What GNU objdump takes for an instruction of a model and the table has no row for, and why: with the rows, every opcode
//! is accounted for.

use crate::cpu::{CLASSIC, Cpu, E5500, E6500, Models, SERVER, SIXTY_FOUR, SPE, TO_207, V300, V310};

/// Instructions that some models lack.
pub struct Absent {
    /// Mnemonics, without a dot at their end if they have forms with and without; `*` at the end stands for any rest.
    pub names: &'static str,
    /// The models.
    pub models: Models,
    /// Why.
    pub reason: &'static str,
}

/// The processor lacks the instruction.
pub const OTHERS: &str = "of other processors, though objdump gives it to this one";

const fn absent(models: Models, reason: &'static str, names: &'static str) -> Absent {
    Absent { names, models, reason }
}

/// What `cpu` lacks.
pub fn of(cpu: Cpu) -> impl Iterator<Item = &'static Absent> {
    ABSENT.iter().filter(move |entry| entry.models.contains(cpu))
}

impl Absent {
    /// Whether it is about the instruction that objdump calls `mnemonic`.
    pub fn covers(&self, mnemonic: &str) -> bool {
        let plain = mnemonic.strip_suffix('.').unwrap_or(mnemonic);
        self.names.split_ascii_whitespace().any(|name| match name.strip_suffix('*') {
            Some(start) => mnemonic.starts_with(start),
            None => name == mnemonic || name == plain,
        })
    }
}

const POWER10: Models = Models::of(&[Cpu::Power10]);

/// The list.
#[rustfmt::skip]
pub const ABSENT: &[Absent] = &[
    absent(V310, "Power ISA 3.1 has no transactional memory, though objdump gives it to POWER10",
        "tabort. tabortdc. tabortdci. tabortwc. tabortwci. tbegin. tcheck tend. tendall. trechkpt. treclaim. tresume. \
        tsuspend."),
    absent(POWER10, "optional: the matrix-multiply assist is power10-mma's",
        "dmx* pmdmx* pmxv* xvbf16ger* xvf16ger* xvf32ger* xvf64ger* xvi16ger* xvi4ger* xvi8ger* xxmfacc xxmtacc \
        xxsetaccz"),
    absent(V300, "for the ultravisor",
        "msgclru msgsndu rmieg urfid"),
    absent(V300, "for a hypervisor with several partitions",
        "slbiag"),
    absent(SERVER, "no such accelerator",
        "icswx icswx. pbt."),
    absent(SIXTY_FOUR, "ends the simulation or stops the processor for a debugger",
        "attn dnh dni"),
    absent(V310, "the form with L=0 is reserved",
        "paste."),
    absent(E5500, "decorated storage: no device takes decorations",
        "dsn lbdx lddx lfddx lhdx lwdx stbdx stddx stfddx sthdx stwdx"),
    absent(E5500, "a guest has no hypervisor state",
        "ehpriv rfgi"),
    absent(E6500, "there is one thread, started by the machine",
        "mttmr"),
    absent(E6500, "caches are not modelled, and hold no locks to ask for",
        "dcblq. icblq."),
    absent(SPE, "branch locking was withdrawn",
        "bbelr bblels"),
    absent(E6500, "no public text that could be obtained says what they do",
        "lvexbx lvexhx lvexwx lvsm lvswx lvswxl lvtlx lvtlxl lvtrx lvtrxl mvidsplt mviwsplt stvexbx stvexhx stvexwx stvflx stvflxl stvfrx stvfrxl stvswx stvswxl"),
    absent(SERVER, OTHERS,
        "dcbi eciwx ecowx mtsle mtsrd mtsrdin rfi tlbia tlbld tlbli waitasec"),
    absent(TO_207, OTHERS,
        "vabsdub vabsduh vabsduw"),
    absent(E5500, OTHERS,
        "addg6s cbcdtd cdtbcd dadd daddq dcffix dcffixq dcmpo dcmpoq dcmpu dcmpuq dctdp dctfix dctfixq dctqpq \
        ddedpd ddedpdq ddiv ddivq denbcd denbcdq diex diexq divde divdeo divdeu divdeuo divwe divweo divweu \
        divweuo dmul dmulq doze dqua dquai dquaiq dquaq drdpq drintn drintnq drintx drintxq drrnd drrndq drsp \
        dscli dscliq dscri dscriq dsub dsubq dtstdc dtstdcq dtstdg dtstdgq dtstex dtstexq dtstsf dtstsfq dxex \
        dxexq eciwx ecowx efdcfsid efdcfuid efdctsidz efdctuidz fcfids fcfidu fcfidus fcpsgn fctidu fctiduz \
        fctiwu fctiwuz fre frim frin frip friz frsqrtes fsqrt fsqrts ftdiv hrfid icswx lbzcix ldcix lfiwax \
        lfiwzx lhzcix lq lwzcix mfapidi mfdcr mfdcrx mtdcr mtdcrx mtmsrd mtsrd mtsrdin nap rfid rvwinkle slbfee \
        slbia slbie slbmfee slbmfev slbmte sleep stbcix stdcix sthcix stq stwcix tlbia tlbie tlbiel tlbli"),
    absent(E6500, OTHERS,
        "bcdadd bcdsub vaddcuq vaddecuq vaddeuqm vaddudm vadduqm vbpermq vcipher vcipherlast vclzb vclzd vclzh \
        vclzw vcmpequd vcmpgtsd vcmpgtud veqv vgbbd vmaxsd vmaxud vminsd vminud vmrgew vmrgow vmulesw vmuleuw \
        vmulosw vmulouw vmuluwm vnand vncipher vncipherlast vorc vpermxor vpksdss vpksdus vpkudum vpkudus \
        vpmsumb vpmsumd vpmsumh vpmsumw vpopcntb vpopcntd vpopcnth vpopcntw vrld vsbox vshasigmad vshasigmaw \
        vsld vsrad vsrd vsubcuq vsubecuq vsubeuqm vsubudm vsubuqm vupkhsw vupklsw"),
    absent(SPE, OTHERS,
        "dcblce dcbtlse dcbtstlse evfsmadd evfsmsub evfsnmadd evfsnmsub evlddepx evmwhgsmfaa evmwhgsmfan \
        evmwhgsmiaa evmwhgsmian evmwhgssfaa evmwhgssfan evmwhgumiaa evmwhgumian evmwhsmfaa evmwhsmfan evmwhsmiaa \
        evmwhsmian evmwhssfaa evmwhssfan evmwhssian evmwhssmaa evmwhumiaa evmwhumian evmwhusiaa evmwhusian \
        evmwlsmf evmwlsmfa evmwlsmfaaw evmwlsmfanw evmwlssf evmwlssfa evmwlssfaaw evmwlssfanw evstddepx fres \
        frsqrte fsqrt fsqrts icblce icbtlse mfdcrx mtdcrx tlbli"),
    absent(CLASSIC, OTHERS,
        "fsqrt fsqrts tlbia"),
    absent(Models::of(&[Cpu::Ppc750, Cpu::Ppc7400]), OTHERS,
        "tlbld tlbli"),
];
