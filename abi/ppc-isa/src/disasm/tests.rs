extern crate std;

use std::string::{String, ToString};
use std::vec::Vec;

use super::forms::FORMS;
use crate::operand::fields;
use crate::{Cpu, Decoder, disassemble, rows};

fn text(cpu: Cpu, word: u32) -> String {
    disassemble(&Decoder::new(cpu), 0xc000_0000_0000_1000, word.into()).to_string()
}

/// The operands that conditions or a template name.
fn names(text: &'static str) -> impl Iterator<Item = &'static str> {
    let tokens = text.split([' ', ',', '(', ')', '[', ']', '=', '!', '>', '&', '#', '-']);
    let names = tokens.map(|token| token.split_once('~').map_or(token, |t| t.1));
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && !["ISA", "WIDE"].contains(name))
}

#[test]
fn forms_name_rows_and_operands_that_exist() {
    for form in FORMS {
        for name in form.rows.split(' ') {
            let found: Vec<_> = rows().filter(|row| row.name == name).collect();
            assert!(!found.is_empty(), "{}: no row {name}", form.name);
            for operand in names(form.when).chain(names(form.asm)) {
                let has = |row: &&crate::Row| fields(operand).all(|field| row.field(field).is_some());
                assert!(found.iter().any(has), "{} of {name}: no operand {operand}", form.name);
            }
        }
    }
}

#[test]
fn prints_as_objdump_does() {
    let power9 = [
        (0x3860_0005, "li      r3,5"),
        (0x3864_fffb, "addi    r3,r4,-5"),
        (0x6000_0000, "nop"),
        (0x7c64_1b79, "mr.     r4,r3"),
        (0x7c64_2c51, "subfo.  r3,r4,r5"),
        (0x7ca3_2000, "cmpd    cr1,r3,r4"),
        (0x2823_fff0, "cmpldi  r3,65520"),
        (0x5464_2834, "slwi    r4,r3,5"),
        (0x5464_003c, "clrrwi  r4,r3,1"),
        (0x7864_d942, "srdi    r4,r3,5"),
        (0x4800_0009, "bl      0xc000000000001008"),
        (0x4bff_fff8, "b       0xc000000000000ff8"),
        (0x4800_0102, "ba      0x100"),
        (0x409e_000c, "bne     cr7,0xc00000000000100c"),
        (0x41e2_000d, "beql+   0xc00000000000100c"),
        (0x4e80_0020, "blr"),
        (0x4e80_0421, "bctrl"),
        (0x4c9e_0820, "bnelr   cr7,1"),
        (0x429f_0005, "bcl     20,4*cr7+so,0xc000000000001004"),
        (0x4ca6_3b82, "cror    4*cr1+gt,4*cr1+eq,4*cr1+so"),
        (0xe861_fff8, "ld      r3,-8(r1)"),
        (0x8060_0008, "lwz     r3,8(0)"),
        (0x7c60_2028, "lwarx   r3,0,r4"),
        (0x7c60_2029, "lwarx   r3,0,r4,1"),
        (0x7c08_02a6, "mflr    r0"),
        (0x7c7a_03a6, "mtsrr0  r3"),
        (0x7c71_43a6, "mtsprg  1,r3"),
        (0x7c70_9aa6, "mfspr   r3,624"),
        (0x7c6b_2a64, "tlbie   r5,r3,2,1,1"),
        (0x7c02_2a64, "tlbie   r5,r0,0,1"),
        (0x7c20_04ac, "lwsync"),
        (0x7fe0_0008, "trap"),
        (0x0b03_0000, "tdnei   r3,0"),
        (0x4400_0022, "sc      1"),
        (0x4c00_0924, "rfebb"),
        (0xfc22_1809, "xsaddqpo v1,v2,v3"),
        (0xfc21_1c0b, "xsrqpix 1,v1,v3,2"),
        (0x7c43_2000, ".long 0x7c432000"),
        (0x0000_0000, ".long 0x0"),
    ];
    for (word, expected) in power9 {
        assert_eq!(text(Cpu::Power9, word), expected, "{word:08x}");
    }
}

#[test]
fn signal_processing_prints_as_objdump_does() {
    for (word, expected) in [
        (0x10a4_1a00, "evaddw  r5,r4,r3"),
        (0x10b3_aa02, "evaddiw r5,r21,19"),
        (0x1085_3204, "evsubw  r4,r6,r5"),
        (0x10b3_aa06, "evsubiw r5,r21,19"),
        (0x1085_2a17, "evmr    r4,r5"),
        (0x1080_0218, "evnot   r4,r0"),
        (0x1090_0229, "evsplati r4,-16"),
        (0x1085_327d, "evsel   r4,r5,r6,cr5"),
        (0x1085_3230, "evcmpgtu cr1,r5,r6"),
        (0x1085_3301, "evldd   r4,48(r5)"),
        (0x1080_3311, "evlwhe  r4,24(r0)"),
        (0x1085_3309, "evlhhesplat r4,12(r5)"),
        (0x10c4_1b20, "evstddx r6,r4,r3"),
        (0x1080_333d, "evstwwo r4,24(r0)"),
        (0x1084_04c4, "evmra   r4,r4"),
        (0x10c6_3558, "evmwumiaa r6,r6,r6"),
        (0x1080_32f8, "efdctuiz r4,r6"),
    ] {
        assert_eq!(text(Cpu::E500v2, word), expected, "{word:08x}");
    }
    // Where the others have AltiVec.
    assert_eq!(text(Cpu::Ppc7400, 0x1085_3202), "vminub  v4,v5,v6");
}

#[test]
fn models_differ() {
    for (word, power8, power9) in [
        (0x7c6b_2a64, ".long 0x7c6b2a64", "tlbie   r5,r3,2,1,1"),
        (0x7c63_20ac, "dcbf    r3,r4,3", "dcbflp  r3,r4"),
        (0x7c64_2e16, ".long 0x7c642e16", "modsw   r3,r4,r5"),
        (0x7c6f_cba6, "mtspr   815,r3", "mttar   r3"),
    ] {
        assert_eq!([text(Cpu::Power8, word), text(Cpu::Power9, word)], [power8, power9], "{word:08x}");
    }
}
