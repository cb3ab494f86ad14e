//! Entries of the list of capabilities (PCI 3.0, 6.7).

/// A capability: what follows its ID and the pointer to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Capability ID.
    pub id: u8,
    /// Its registers from offset 2 on.
    pub body: Vec<u8>,
    /// Which of their bits the guest may write; none where it is shorter.
    pub writable: Vec<u8>,
}
