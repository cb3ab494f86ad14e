//! The magic page: layout and features.

/// Bytes of the page.
pub const SIZE: usize = 4096;

/// MAP_MAGIC_PAGE flag: the guest's trampoline code is not mapped no-execute.
pub const FLAG_NOT_MAPPED_NX: u64 = 1;
/// Page feature: the sr array works.
pub const FEATURE_SR: u64 = 1;
/// Page feature: fields from mas0 to sprg7 exist.
pub const FEATURE_MAS0_TO_SPRG7: u64 = 2;

/// A field of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name as in the kernel's structure.
    pub name: &'static str,
    /// Byte offset.
    pub offset: usize,
    /// Bytes of one element: 4 or 8.
    pub bytes: usize,
    /// Number of elements.
    pub count: usize,
}

const fn field(name: &'static str, offset: usize, bytes: usize, count: usize) -> Field {
    Field { name, offset, bytes, count }
}

/// Offset in the page of each register.
pub mod offset {
    /// Equal to r1 while the guest is in a critical section.
    pub const CRITICAL: usize = 0x18;
    /// SPRG0; SPRG1 to 3 follow.
    pub const SPRG0: usize = 0x20;
    /// SRR0.
    pub const SRR0: usize = 0x40;
    /// SRR1.
    pub const SRR1: usize = 0x48;
    /// DAR (DEAR on BookE).
    pub const DAR: usize = 0x50;
    /// MSR.
    pub const MSR: usize = 0x58;
    /// DSISR, 32 bits.
    pub const DSISR: usize = 0x60;
    /// 1 while an interrupt is pending, 32 bits.
    pub const INT_PENDING: usize = 0x64;
    /// Segment registers, 32 bits each.
    pub const SR: usize = 0x68;
    /// MAS0, 32 bits.
    pub const MAS0: usize = 0xa8;
    /// MAS1, 32 bits.
    pub const MAS1: usize = 0xac;
    /// MAS7 in the upper, MAS3 in the lower word.
    pub const MAS7_3: usize = 0xb0;
    /// MAS2.
    pub const MAS2: usize = 0xb8;
    /// MAS4, 32 bits.
    pub const MAS4: usize = 0xc0;
    /// MAS6, 32 bits.
    pub const MAS6: usize = 0xc4;
    /// ESR, 32 bits.
    pub const ESR: usize = 0xc8;
    /// PIR, 32 bits.
    pub const PIR: usize = 0xcc;
    /// SPRG4; SPRG5 to 7 follow.
    pub const SPRG4: usize = 0xd0;
}

/// All fields in order.
pub const FIELDS: &[Field] = &[
    field("scratch1", 0x00, 8, 1),
    field("scratch2", 0x08, 8, 1),
    field("scratch3", 0x10, 8, 1),
    field("critical", offset::CRITICAL, 8, 1),
    field("sprg0", offset::SPRG0, 8, 1),
    field("sprg1", 0x28, 8, 1),
    field("sprg2", 0x30, 8, 1),
    field("sprg3", 0x38, 8, 1),
    field("srr0", offset::SRR0, 8, 1),
    field("srr1", offset::SRR1, 8, 1),
    field("dar", offset::DAR, 8, 1),
    field("msr", offset::MSR, 8, 1),
    field("dsisr", offset::DSISR, 4, 1),
    field("int_pending", offset::INT_PENDING, 4, 1),
    field("sr", offset::SR, 4, 16),
    field("mas0", offset::MAS0, 4, 1),
    field("mas1", offset::MAS1, 4, 1),
    field("mas7_3", offset::MAS7_3, 8, 1),
    field("mas2", offset::MAS2, 8, 1),
    field("mas4", offset::MAS4, 4, 1),
    field("mas6", offset::MAS6, 4, 1),
    field("esr", offset::ESR, 4, 1),
    field("pir", offset::PIR, 4, 1),
    field("sprg4", offset::SPRG4, 8, 1),
    field("sprg5", 0xd8, 8, 1),
    field("sprg6", 0xe0, 8, 1),
    field("sprg7", 0xe8, 8, 1),
];

#[cfg(test)]
mod tests {
    use super::FIELDS;

    #[test]
    fn fields_follow_each_other_without_gaps() {
        let mut at = 0;
        for field in FIELDS {
            assert_eq!(field.offset, at, "{}", field.name);
            at += field.bytes * field.count;
        }
        assert_eq!(at, 240);
    }
}
