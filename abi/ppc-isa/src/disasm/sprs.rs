//! The names that GNU objdump puts into `mfspr` and `mtspr` instead of a number: fewer than there are registers, and
//! not the same for both directions. Registers that Book3S-64 lacks have no name here.

use crate::cpu::{BASE, Level, TO_207, V300};

/// Directions in which a name is used.
enum Use {
    /// `mfspr` only.
    From,
    /// `mtspr` only.
    To,
    /// Both.
    Both,
}

use Use::{Both, From, To};

/// Number, name, direction, ISA levels. The first row that fits counts.
#[rustfmt::skip]
const NAMES: &[(i64, &str, Use, Level)] = &[
    (1, "xer", Both, BASE),
    (3, "udscr", Both, V300),
    (8, "lr", Both, BASE),
    (9, "ctr", Both, BASE),
    (13, "uamr", Both, V300),
    (17, "dscr", Both, BASE),
    (18, "dsisr", Both, BASE),
    (19, "dar", Both, BASE),
    (22, "dec", Both, BASE),
    (25, "sdr1", Both, BASE),
    (26, "srr0", Both, BASE),
    (27, "srr1", Both, BASE),
    (28, "cfar", Both, BASE),
    (29, "amr", Both, BASE),
    (128, "tfhar", To, V300),
    (129, "tfiar", To, V300),
    (130, "texasr", To, V300),
    (131, "texasru", To, V300),
    (136, "ctrl", From, BASE),
    (152, "ctrl", To, BASE),
    (157, "uamor", Both, BASE),
    (256, "vrsave", Both, BASE),
    (268, "tb", From, BASE),
    (269, "tbu", From, BASE),
    (284, "tbl", To, BASE),
    (285, "tbu", To, BASE),
    (287, "pvr", From, BASE),
    (336, "hmer", Both, BASE),
    (337, "hmeer", Both, BASE),
    (349, "amor", Both, BASE),
    (769, "ummcr2", Both, V300),
    (770, "ummcra", Both, V300),
    (770, "mmcra", From, TO_207),
    (771, "upmc1", Both, V300),
    (771, "pmc1", From, TO_207),
    (772, "upmc2", Both, V300),
    (772, "pmc2", From, TO_207),
    (773, "upmc3", Both, V300),
    (773, "pmc3", From, TO_207),
    (774, "upmc4", Both, V300),
    (774, "pmc4", From, TO_207),
    (775, "upmc5", Both, V300),
    (775, "pmc5", From, TO_207),
    (776, "upmc6", Both, V300),
    (776, "pmc6", From, TO_207),
    (779, "ummcr0", Both, V300),
    (779, "mmcr0", From, TO_207),
    (780, "usiar", From, V300),
    (781, "usdar", From, V300),
    (782, "ummcr1", From, V300),
    (782, "mmcr1", From, TO_207),
    (786, "mmcra", To, BASE),
    (787, "pmc1", To, BASE),
    (788, "pmc2", To, BASE),
    (789, "pmc3", To, BASE),
    (790, "pmc4", To, BASE),
    (791, "pmc5", To, BASE),
    (792, "pmc6", To, BASE),
    (795, "mmcr0", To, BASE),
    (798, "mmcr1", To, BASE),
    (800, "bescrs", Both, V300),
    (801, "bescrsu", Both, V300),
    (802, "bescrr", Both, V300),
    (803, "bescrru", Both, V300),
    (804, "ebbhr", Both, V300),
    (805, "ebbrr", Both, V300),
    (806, "bescr", Both, V300),
    (815, "tar", Both, V300),
    (848, "ic", Both, BASE),
    (849, "vtb", Both, BASE),
    (896, "ppr", Both, BASE),
    (898, "ppr32", Both, BASE),
];

/// The name for SPR `number` in `mtspr` (`write`) or `mfspr` at ISA level `isa`; empty when objdump prints the number.
pub fn name(number: i64, write: bool, isa: u16) -> &'static str {
    let fits = |(n, _, direction, level): &&(i64, &str, Use, Level)| {
        let direction = match direction {
            From => !write,
            To => write,
            Both => true,
        };
        *n == number && direction && (level.from..=level.to).contains(&isa)
    };
    NAMES.iter().find(fits).map_or("", |row| row.1)
}
