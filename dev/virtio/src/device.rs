//! What makes one device different from others.

use pci::Port;

use crate::queue::{Fault, Queue};

/// A device, without its transport.
pub trait Device: Send + Sync {
    /// Device ID (section 5).
    fn id(&self) -> u16;
    /// PCI class code in three bytes.
    fn class(&self) -> u32;
    /// Feature bits of this kind of device that it offers.
    fn features(&self) -> u64;
    /// The largest size of each of its queues, a power of two.
    fn queues(&self) -> &[u16];
    /// Its configuration structure, little-endian; the same number of bytes each time.
    fn config(&self) -> Vec<u8> {
        Vec::new()
    }
    /// The driver has made something available in queue `number`. No more than the queue holds is done at once.
    ///
    /// # Errors
    /// A ring that can not be followed; the device then stops until it is reset.
    fn serve(&self, number: usize, queue: &mut Queue, port: &Port) -> Result<(), Fault>;
    /// Forgets what the driver has set up.
    fn reset(&self) {}
}
