//! The names that GNU objdump puts into `mfspr` and `mtspr` instead of a number: fewer than there are registers, and
//! not the same for both directions. Registers that a family lacks have no name here.

use crate::cpu::{ALL, ALTIVEC, BOOKE, CLASSIC, Cpu, Models, SERVER, SPE, TO_207, V300};

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

/// Book3S, of 64 and 32 bits.
const BOOK3S: Models = SERVER.or(CLASSIC);

/// Number, name, direction, models. The first row that fits counts.
#[rustfmt::skip]
const NAMES: &[(i64, &str, Use, Models)] = &[
    (1, "xer", Both, ALL),
    (3, "udscr", Both, V300),
    (8, "lr", Both, ALL),
    (9, "ctr", Both, ALL),
    (13, "uamr", Both, V300),
    (17, "dscr", Both, SERVER),
    (18, "dsisr", Both, BOOK3S),
    (19, "dar", Both, BOOK3S),
    (22, "dec", Both, ALL),
    (25, "sdr1", Both, BOOK3S),
    (26, "srr0", Both, ALL),
    (27, "srr1", Both, ALL),
    (28, "cfar", Both, SERVER),
    (29, "amr", Both, SERVER),
    (128, "tfhar", To, V300),
    (129, "tfiar", To, V300),
    (130, "texasr", To, V300),
    (131, "texasru", To, V300),
    (48, "pid", Both, BOOKE),
    (54, "decar", To, BOOKE),
    (58, "csrr0", Both, BOOKE),
    (59, "csrr1", Both, BOOKE),
    (61, "dear", Both, BOOKE),
    (62, "esr", Both, BOOKE),
    (63, "ivpr", Both, BOOKE),
    (136, "ctrl", From, SERVER),
    (152, "ctrl", To, SERVER),
    (157, "uamor", Both, SERVER),
    (256, "vrsave", Both, ALTIVEC),
    (256, "usprg0", Both, BOOKE),
    (268, "tb", From, SERVER.or(BOOKE)),
    (269, "tbu", From, SERVER.or(BOOKE)),
    (282, "ear", Both, CLASSIC),
    (284, "tbl", To, ALL),
    (285, "tbu", To, ALL),
    (286, "pir", From, BOOKE),
    (287, "pvr", From, ALL),
    (304, "dbsr", Both, BOOKE),
    (308, "dbcr0", Both, BOOKE),
    (309, "dbcr1", Both, BOOKE),
    (310, "dbcr2", Both, BOOKE),
    (312, "iac1", Both, BOOKE),
    (313, "iac2", Both, BOOKE),
    (314, "iac3", Both, BOOKE),
    (315, "iac4", Both, BOOKE),
    (316, "dac1", Both, BOOKE),
    (317, "dac2", Both, BOOKE),
    (336, "tsr", Both, BOOKE),
    (336, "hmer", Both, SERVER),
    (337, "hmeer", Both, SERVER),
    (340, "tcr", Both, BOOKE),
    (349, "amor", Both, SERVER),
    (400, "ivor0", Both, BOOKE),
    (415, "ivor15", Both, BOOKE),
    (512, "spefscr", Both, SPE),
    (513, "bbear", Both, SPE),
    (514, "bbtar", Both, SPE),
    (528, "ivor32", Both, BOOKE),
    (531, "ivor35", Both, BOOKE),
    (570, "mcsrr0", Both, BOOKE),
    (571, "mcsrr1", Both, BOOKE),
    (572, "mcsr", Both, BOOKE),
    (573, "mcar", From, BOOKE),
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
