//! Health of a device as H_SCM_HEALTH tells it (spec papr 3.7): a bit for each state, bit 0 the most significant.

/// A state by its bit and the name that users give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Its bit alone.
    pub bit: u64,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn bit(number: u32) -> u64 {
    1 << (63 - number)
}

/// It can not persist anything.
pub const UNARMED: u64 = bit(0);
/// The last save failed.
pub const SAVE_FAILED: u64 = bit(1);
/// Earlier contents are there.
pub const RESTORED: u64 = bit(2);

/// The states that a device of ours can be in. Encryption and erasing (bits 8 and 9) are not offered.
#[rustfmt::skip]
pub const STATES: [State; 8] = [
    State { bit: UNARMED,     name: "unarmed",     meaning: "it can not persist anything" },
    State { bit: SAVE_FAILED, name: "save-failed", meaning: "the last save failed" },
    State { bit: RESTORED,    name: "restored",    meaning: "earlier contents are there" },
    State { bit: bit(3),      name: "not-restored", meaning: "earlier contents are lost" },
    State { bit: bit(4),      name: "critical",    meaning: "little of its life is left" },
    State { bit: bit(5),      name: "fatal",       meaning: "the next boot will find it disabled" },
    State { bit: bit(6),      name: "unhealthy",   meaning: "the platform keeps it from persisting now" },
    State { bit: bit(7),      name: "at-risk",     meaning: "in some conditions it may not persist" },
];

/// All of their bits.
pub const VALID: u64 = 0xff << 56;

/// The bits of states by name, with commas between; `ok` is none.
///
/// # Errors
/// A name that is none, with those that are.
pub fn parse(text: &str) -> Result<u64, String> {
    let named = |name: &str| STATES.iter().find(|state| state.name == name).map(|state| state.bit);
    let known = || STATES.map(|state| state.name).join(", ");
    let bits = text.split(',').filter(|name| *name != "ok" && !name.is_empty());
    bits.map(|name| named(name).ok_or_else(|| format!("'{name}' is no state of health; known are ok, {}", known())))
        .try_fold(0, |bits, bit| Ok(bits | bit?))
}

/// The names of the states in `bits`.
pub fn names(bits: u64) -> Vec<&'static str> {
    STATES.iter().filter(|state| bits & state.bit != 0).map(|state| state.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits() {
        assert_eq!(STATES.iter().fold(0, |bits, state| bits | state.bit), VALID);
        assert_eq!(parse("critical,unarmed"), Ok(0x8800_0000_0000_0000));
        assert_eq!((parse("ok"), parse("")), (Ok(0), Ok(0)));
        assert_eq!(names(0x8800_0000_0000_0000), ["unarmed", "critical"]);
        assert!(parse("ill").unwrap_err().contains("at-risk"));
    }
}
