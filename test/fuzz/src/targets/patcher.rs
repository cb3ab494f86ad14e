//! The patcher of the guest's library over any words at any addresses, with any room for sections.

use pv_abi::rewrite::{self, Build, ROWS};
use pv_guest::code::{Bytes, Code, Region};
use pv_guest::patch::{Outcome, Patcher, Reason, Trampoline};

use crate::input::Input;

/// Addresses at which branches and sums change their meaning.
#[rustfmt::skip]
const PLACES: [u64; 9] = [
    0, 0x10_0000, 0x01ff_fff0, 0x0200_0000, 0x7fff_fff0, 0x8000_0000, 0xffff_ff00, u64::MAX - 0xff, 1 << 63,
];

/// Patches a region and looks at each word of it: what is not reported is as it was, and what is, is as reported.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let build = input.pick(&Build::ALL);
    let place = |input: &mut Input| {
        let near = u64::from(input.byte()) * 4;
        if input.byte() & 7 == 0 { input.doubleword() & !3 } else { input.pick(&PLACES).wrapping_add(near) }
    };
    let (address, room) = (place(&mut input), place(&mut input));
    let space = usize::from(input.byte()) * 4;
    let features = u64::from(input.byte());
    let ranges = [(); 2].map(|()| {
        let start = place(&mut input);
        start..start.wrapping_add(u64::from(input.byte()) * 4)
    });
    let little = input.flag();
    let count = usize::from(input.byte());
    let before: Vec<u32> = (0..count)
        .map(|_| {
            let word = input.word();
            // An instruction of the table, with any registers.
            if input.flag() { input.pick(ROWS).value | word & 0x03e0_f800 } else { word }
        })
        .collect();
    let bytes: Vec<u8> =
        before.iter().flat_map(|word| if little { word.to_le_bytes() } else { word.to_be_bytes() }).collect();
    let mut code = if little { Bytes::little_endian(bytes) } else { Bytes::big_endian(bytes) };

    let mut trampoline = Trampoline::new(Region { code: Bytes::big_endian(vec![0; 4 * space]), address: room });
    let [exclude, copied] = &ranges;
    let patcher =
        Patcher { build, features, exclude: std::slice::from_ref(exclude), copied: std::slice::from_ref(copied) };
    let mut after = before.clone();
    let mut sites = 0;
    let report = patcher.run(&mut Region { code: &mut code, address }, &mut trampoline, |site| {
        sites += 1;
        let index = (site.address.wrapping_sub(address) / 4) as usize;
        assert_eq!(site.word, before[index]);
        match site.outcome {
            Outcome::Replaced(word) => after[index] = word,
            Outcome::Section(at) => {
                assert!(at.wrapping_sub(room) < 4 * space as u64);
                after[index] = rewrite::branch(site.address, at, build).unwrap();
            }
            Outcome::Skipped(_) => {}
        }
    });
    let words: Vec<u32> = (0..count).map_while(|index| code.word(index)).collect();
    assert_eq!(words, after);
    let left: u32 = Reason::ALL.iter().map(|reason| report.skipped(*reason)).sum();
    assert_eq!((report.words, report.rewritten() + left), (count, sites));
    assert!(trampoline.used() <= space);
}
