//! The entropy device (section 5.4): one queue, whose buffers are filled with random bytes.

use pci::Port;

use crate::device::Device;
use crate::queue::{Fault, Queue};

/// Where random numbers come from; `None` when there are none.
pub type Source = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// Most bytes that a buffer gets at once.
const MOST: u64 = 1024;

/// An entropy device.
pub struct Rng(pub Source);

impl Device for Rng {
    fn id(&self) -> u16 {
        4
    }

    /// A device without a class.
    fn class(&self) -> u32 {
        0x00ff00
    }

    fn features(&self) -> u64 {
        0
    }

    fn queues(&self) -> &[u16] {
        &[8]
    }

    fn serve(&self, _: usize, queue: &mut Queue, port: &Port) -> Result<(), Fault> {
        for _ in 0..queue.size() {
            let Some(chain) = queue.take(port)? else { break };
            let words = chain.room().min(MOST).div_ceil(8) as usize;
            let data: Vec<u8> =
                (0..words).map_while(|_| (self.0)()).flat_map(u64::to_le_bytes).take(MOST as usize).collect();
            let written = chain.write(port, &data)?;
            queue.give_back(port, &chain, written)?;
        }
        Ok(())
    }
}
