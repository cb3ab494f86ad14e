//! The names that GNU objdump puts into `mfspr` and `mtspr` instead of a number: fewer than there are registers, and
//! not the same for both directions. Registers that Book3S-64 lacks have no name here.

use crate::cpu::{Cpu, Models, SERVER, TO_207, V300};

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

/// Number, name, direction, models. The first row that fits counts.
#[rustfmt::skip]
const NAMES: &[(i64, &str, Use, Models)] = &[
    (1, "xer", Both, SERVER),
    (3, "udscr", Both, V300),
    (8, "lr", Both, SERVER),
    (9, "ctr", Both, SERVER),
    (13, "uamr", Both, V300),
    (17, "dscr", Both, SERVER),
    (18, "dsisr", Both, SERVER),
    (19, "dar", Both, SERVER),
    (22, "dec", Both, SERVER),
    (25, "sdr1", Both, SERVER),
    (26, "srr0", Both, SERVER),
    (27, "srr1", Both, SERVER),
    (28, "cfar", Both, SERVER),
    (29, "amr", Both, SERVER),
    (128, "tfhar", To, V300),
    (129, "tfiar", To, V300),
    (130, "texasr", To, V300),
    (131, "texasru", To, V300),
    (136, "ctrl", From, SERVER),
    (152, "ctrl", To, SERVER),
    (157, "uamor", Both, SERVER),
    (256, "vrsave", Both, SERVER),
    (268, "tb", From, SERVER),
    (269, "tbu", From, SERVER),
    (284, "tbl", To, SERVER),
    (285, "tbu", To, SERVER),
    (287, "pvr", From, SERVER),
    (336, "hmer", Both, SERVER),
    (337, "hmeer", Both, SERVER),
    (349, "amor", Both, SERVER),
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
    (786, "mmcra", To, SERVER),
    (787, "pmc1", To, SERVER),
    (788, "pmc2", To, SERVER),
    (789, "pmc3", To, SERVER),
    (790, "pmc4", To, SERVER),
    (791, "pmc5", To, SERVER),
    (792, "pmc6", To, SERVER),
    (795, "mmcr0", To, SERVER),
    (798, "mmcr1", To, SERVER),
    (800, "bescrs", Both, V300),
    (801, "bescrsu", Both, V300),
    (802, "bescrr", Both, V300),
    (803, "bescrru", Both, V300),
    (804, "ebbhr", Both, V300),
    (805, "ebbrr", Both, V300),
    (806, "bescr", Both, V300),
    (815, "tar", Both, V300),
    (848, "ic", Both, SERVER),
    (849, "vtb", Both, SERVER),
    (896, "ppr", Both, SERVER),
    (898, "ppr32", Both, SERVER),
];

/// The name for SPR `number` in `mtspr` (`write`) or `mfspr` of `cpu`; empty when objdump prints the number.
pub fn name(number: i64, write: bool, cpu: Cpu) -> &'static str {
    let fits = |(n, _, direction, models): &&(i64, &str, Use, Models)| {
        let direction = match direction {
            From => !write,
            To => write,
            Both => true,
        };
        *n == number && direction && models.contains(cpu)
    };
    NAMES.iter().find(fits).map_or("", |row| row.1)
}
