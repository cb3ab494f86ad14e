//! s390's convention on QEMU.

use convention::{qemu, s390};
use pv_abi::calls::EINVAL;
use pv_abi::convention::Call;

/// Subchannel 0 of set 0: bit 15 says that it names one.
const DEVICE: u64 = 0x1_0000;

fn status(number: u64, arguments: [u64; 3]) -> Option<i64> {
    let [a1, a2, a3] = arguments;
    s390::call(&Call { number, arguments: [a1, a2, a3, 0, 0, 0, 0, 0] }).unwrap().map(|reply| reply.status)
}

#[test]
fn diag_500_reaches_the_host_with_its_arguments() {
    if !qemu::exists(s390::QEMU) {
        println!("SKIP s390 hypercalls: no {}; apt-get install qemu-system-misc", s390::QEMU);
        return;
    }
    // virtio-ccw notification: a queue of the device, then a device and a queue that do not exist.
    assert_eq!(status(3, [DEVICE, 0, 0]), Some(0));
    assert_eq!(status(3, [DEVICE + 5, 0, 0]), Some(-EINVAL), "no such subchannel: the first argument counts");
    assert_eq!(status(3, [DEVICE, 0x1_0000, 0]), Some(-EINVAL), "no such queue: the second argument counts");
    assert_eq!(status(0x7777, [DEVICE, 0, 0]), None, "no such subcode: a specification exception");
}
