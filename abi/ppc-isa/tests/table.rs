//! What must hold of the instruction table as a whole, for each CPU model.

use std::collections::HashSet;

use ppc_isa::encode::encode;
use ppc_isa::field::FLAGS;
use ppc_isa::operand::{fields, operands};
use ppc_isa::{Cpu, Decoder, Row};

fn decoders() -> impl Iterator<Item = Decoder> {
    Cpu::ALL.into_iter().map(Decoder::new)
}

/// Whether `inner` is a special case of `outer`: it fixes all of its bits, and more.
fn refines(inner: &Row, outer: &Row) -> bool {
    inner.mask & outer.mask == outer.mask && inner.mask != outer.mask
}

/// xorshift64*: the same words in every run.
fn random() -> impl FnMut() -> u32 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

#[test]
fn words_are_the_first_row_that_they_match() {
    let mut random = random();
    for decoder in decoders() {
        for row in decoder.rows().iter().filter(|row| !row.prefixed()) {
            for _ in 0..200 {
                let word = u64::from(random() & !row.mask as u32) | row.value;
                let first = decoder.rows().iter().find(|row| row.matches(word)).map(|row| row.name);
                assert_eq!(decoder.decode(word).map(|row| row.name), first, "{}: {word:#010x}", decoder.cpu().name());
            }
        }
        for _ in 0..50_000 {
            let word = random().into();
            let first = decoder.rows().iter().find(|row| row.matches(word)).map(|row| row.name);
            assert_eq!(decoder.decode(word).map(|row| row.name), first, "{}: {word:#010x}", decoder.cpu().name());
        }
    }
}

#[test]
fn names_are_unique_in_a_model() {
    for decoder in decoders() {
        let mut seen = HashSet::new();
        for row in decoder.rows() {
            assert!(seen.insert(row.name), "{}: two rows are called {}", decoder.cpu().name(), row.name);
        }
    }
}

#[test]
fn rows_overlap_only_where_one_refines_the_other() {
    for decoder in decoders() {
        for (index, a) in decoder.rows().iter().enumerate() {
            for b in decoder.rows().iter().skip(index + 1) {
                let disjoint = a.prefixed() != b.prefixed() || (a.value ^ b.value) & a.mask & b.mask != 0;
                assert!(
                    disjoint || refines(a, b) || refines(b, a),
                    "{}: {} and {} overlap",
                    decoder.cpu().name(),
                    a.name,
                    b.name
                );
            }
        }
    }
}

#[test]
fn every_bit_is_opcode_field_or_reserved_once() {
    for row in ppc_isa::rows() {
        let mut seen = row.mask;
        for part in row.fields().iter().map(|f| f.mask()).chain([row.reserved]) {
            assert_eq!(seen & part, 0, "{}: bits with two meanings", row.name);
            seen |= part;
        }
        let all = if row.prefixed() { u64::MAX } else { 0xffff_ffff };
        assert_eq!(seen, all, "{}: bits without a meaning", row.name);
        assert_eq!(row.value & !row.mask, 0, "{}: value outside the mask", row.name);
    }
}

#[test]
fn operands_and_fields_of_a_row_are_the_same_bits() {
    for row in ppc_isa::rows() {
        let mut unused: HashSet<_> = row.fields().iter().map(|f| f.name()).collect();
        assert_eq!(unused.len(), row.fields().len(), "{}: a field stands twice", row.name);
        for operand in operands(row) {
            for field in fields(operand.name) {
                assert!(row.field(field).is_some(), "{}: {} wants field {field}", row.name, operand.name);
                unused.remove(field);
            }
        }
        unused.retain(|field| !FLAGS.iter().any(|flag| flag.0 == *field));
        assert!(unused.is_empty(), "{}: no operand shows {unused:?}", row.name);
    }
}

#[test]
fn decoding_undoes_encoding() {
    let mut random = random();
    for decoder in decoders() {
        for &row in decoder.rows() {
            for _ in 0..500 {
                let free = operands(row).flat_map(|o| o.parts().map(|p| p.mask()).collect::<Vec<_>>());
                let random = u64::from(random()) << 32 | u64::from(random());
                let word = row.value | random & free.fold(0, |all, mask| all | mask);
                let values: Vec<i64> = operands(row).map(|o| o.get(word)).collect();
                assert_eq!(encode(row, &values), Some(word), "{} {values:?}", row.name);
                let found = decoder.decode(word).map(|r| (r, r.name == row.name));
                assert!(
                    found.is_some_and(|(found, same)| same || refines(found, row)),
                    "{word:08x} of {} decodes as {:?}",
                    row.name,
                    found.map(|f| f.0.name)
                );
            }
        }
    }
}

/// One word, many instructions: what was reserved on old models became a field, opcodes were used twice, and each family
/// has barriers of its own.
#[test]
fn a_word_is_what_the_model_takes_it_for() {
    use Cpu::{E500v2, E5500, Power8, Power9, Ppc750, Ppc7450};
    const CLASSIC: &[Cpu] = &[Ppc750, Ppc7450];
    for (word, models, name) in [
        (0x7c78_0026, &[Power8, E5500][..], Some("mfocrf")),
        (0x7c78_0026, &[Ppc750, Ppc7450, E500v2], Some("mfcr")),
        (0x7c78_0120, &[Ppc750, Ppc7450, E500v2], Some("mtcrf")),
        // lwsync: e500v2 knows no L.
        (0x7c20_04ac, &[Power9, E5500, Ppc750, Ppc7450], Some("sync")),
        (0x7c20_04ac, &[E500v2], None),
        (0x7c00_04ac, &[E500v2], Some("msync")),
        (0x7c00_06ac, &[E500v2, E5500], Some("mbar")),
        (0x7c00_06ac, CLASSIC, Some("eieio")),
        // mffscrn f3,f5
        (0xfc76_2c8e, &[Power9], Some("mffscrn")),
        (0xfc76_2c8e, &[Power8, E5500, Ppc750, Ppc7450], Some("mffs")),
        (0xfc76_2c8e, &[E500v2], None),
        // lswi r3,r4,4; fsqrt f3,f5; fcfid f3,f5; isel r3,r4,r5,0; td 31,r0,r0; lvx v3,r4,r5
        (0x7c64_24aa, &[Power8, Ppc750, Ppc7450], Some("lswi")),
        (0x7c64_24aa, &[E500v2, E5500], None),
        (0xfc60_282c, &[E5500, Ppc750, Ppc7450], None),
        (0xfc60_2e9c, &[Power8, E5500], Some("fcfid")),
        (0xfc60_2e9c, CLASSIC, None),
        (0x7c64_281e, &[E500v2, E5500], Some("isel")),
        (0x7c64_281e, CLASSIC, None),
        (0x7fe0_0088, &[E500v2, Ppc750, Ppc7450], None),
        (0x7c64_28ce, &[Ppc7450], Some("lvx")),
        (0x7c64_28ce, &[Ppc750, E500v2, E5500], None),
    ] {
        for &cpu in models {
            let found = Decoder::new(cpu).decode(word).map(|row| row.name);
            assert_eq!(found, name, "{word:08x} on {}", cpu.name());
        }
    }
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let addi = ppc_isa::row("addi").unwrap();
    assert_eq!(encode(addi, &[3, 4, -1]), Some(0x3864_ffff));
    for values in [&[32, 4, 0][..], &[3, 4, 0x8000], &[3, 4, -0x8001], &[3, 4], &[3, 4, 5, 6], &[-1, 4, 5]] {
        assert_eq!(encode(addi, values), None, "{values:?}");
    }
    let ld = ppc_isa::row("ld").unwrap();
    assert_eq!(encode(ld, &[3, -8, 1]), Some(0xe861_fff8));
    assert_eq!(encode(ld, &[3, 2, 1]), None);
}

/// All 2^32 words of every model: run with `cargo test --release -- --ignored every_word`.
#[test]
#[ignore = "four minutes in release mode"]
fn every_word_decodes_to_a_row_that_matches() {
    for decoder in &decoders().collect::<Vec<_>>() {
        let known: u64 = std::thread::scope(|scope| {
            let halves = [0..=u32::MAX / 2, u32::MAX / 2 + 1..=u32::MAX].map(|words| {
                scope.spawn(move || {
                    let mut known = 0;
                    for word in words.map(u64::from) {
                        if let Some(row) = decoder.decode(word) {
                            assert!(row.matches(word), "{word:08x} is not {}", row.name);
                            known += 1;
                        }
                        if word % 4093 == 0 {
                            assert!(!ppc_isa::disassemble(decoder, 0, word).to_string().is_empty());
                        }
                    }
                    known
                })
            });
            halves.into_iter().map(|half| half.join().unwrap()).sum()
        });
        println!("{}: {known} of 4294967296 words are instructions", decoder.cpu().name());
        assert!(known > 1 << 31);
    }
}
