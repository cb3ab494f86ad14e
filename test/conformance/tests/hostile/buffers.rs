//! Buffers of hypercalls at the page's real address: the page is no memory, so that nobody but the processor reads or
//! writes it there.

use conformance::{DATA, Rig, TOP, partitions};
use guest_mem::Order;
use machine::Kind;
use papr_abi::{hcall, rtas};

use super::{PAGE, boards, fill, pattern, ram, set_pattern};

/// Makes the PAPR call `number`; returns r3.
fn papr(rig: &mut Rig, number: u64, arguments: &[u64]) -> u64 {
    rig.set(3, number);
    arguments.iter().enumerate().for_each(|(n, value)| rig.set(4 + n, *value));
    rig.run("sc 1");
    rig.r(3)
}

/// The page's bytes beyond the registers, and what `set_pattern` made them.
fn untouched(rig: &Rig, seed: u64, what: &str) {
    for offset in super::UNUSED..PAGE {
        let byte = rig.vcpu().shared.bytes::<1>(offset as usize)[0];
        assert_eq!(byte, pattern(seed, offset), "{} {what} {offset:#x}", rig.name());
    }
}

#[test]
fn calls_of_a_partition_reach_what_is_below() {
    for mut rig in partitions().filter(|rig| rig.kind == Kind::Pseries) {
        rig.map(DATA, TOP | 1);
        set_pattern(rig.vcpu_mut(), 3);
        // RTAS: token, inputs, outputs, and room.
        let cells = |rig: &Rig, cells: &[u32]| {
            for (n, cell) in cells.iter().enumerate() {
                assert!(rig.machine.mem.store(DATA + 0x800 + 4 * n as u64, Order::Big, *cell));
            }
        };
        cells(&rig, &[rtas::GET_TIME_OF_DAY.token, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(papr(&mut rig, hcall::H_RTAS, &[DATA + 0x800]), 0, "{}", rig.name());
        assert_eq!(ram(&rig, DATA + 0x80c, 8), [0, 0, 0, 0, 0, 0, 7, 0xb2], "{}: 1970", rig.name());
        untouched(&rig, 3, "get-time-of-day");

        // A buffer that its arguments name: what the page hides there is what another place gets.
        let fetch = rtas::NVRAM_FETCH;
        for buffer in [DATA + 0x400, DATA + 2 * PAGE] {
            fill(&rig, buffer, 0x100, 9);
            cells(&rig, &[fetch.token, fetch.inputs, fetch.outputs, 0, buffer as u32, 0x100, 1, 1]);
            assert_eq!(papr(&mut rig, hcall::H_RTAS, &[DATA + 0x800]), 0, "{}", rig.name());
        }
        assert_eq!(ram(&rig, DATA + 0x400, 0x100), ram(&rig, DATA + 2 * PAGE, 0x100), "{}", rig.name());
        untouched(&rig, 3, "nvram-fetch");

        // Pages copied and filled with zeros.
        fill(&rig, DATA, PAGE, 11);
        let copy = hcall::page_init::COPY_PAGE;
        assert_eq!(papr(&mut rig, hcall::H_PAGE_INIT, &[copy, DATA + PAGE, DATA]), 0, "{}", rig.name());
        let below: Vec<u8> = (0..PAGE).map(|offset| pattern(11, offset)).collect();
        assert!(ram(&rig, DATA + PAGE, PAGE) == below, "{}: the page leaked", rig.name());
        let zero = hcall::page_init::ZERO_PAGE;
        assert_eq!(papr(&mut rig, hcall::H_PAGE_INIT, &[zero, DATA, 0]), 0, "{}", rig.name());
        assert_eq!(ram(&rig, DATA, PAGE), vec![0; PAGE as usize], "{}", rig.name());
        untouched(&rig, 3, "H_PAGE_INIT");

        // Loads and stores by the hypervisor.
        assert!(rig.machine.mem.store(DATA + 0x500, Order::Big, 0x1122_3344_u32));
        let address = DATA + 0x500;
        assert_eq!(papr(&mut rig, hcall::H_LOGICAL_CI_LOAD, &[4, address]), 0, "{}", rig.name());
        assert_eq!(rig.r(4), 0x1122_3344, "{}", rig.name());
        assert_eq!(papr(&mut rig, hcall::H_LOGICAL_CI_STORE, &[4, address, 0x5566]), 0, "{}", rig.name());
        untouched(&rig, 3, "H_LOGICAL_CI_STORE");
    }
}

/// Every call that is known, with the page's address for every argument, as it is and at its ends.
#[test]
fn no_call_writes_the_page() {
    for mut rig in partitions().filter(|rig| rig.kind == Kind::Pseries) {
        rig.map(DATA, TOP | 1);
        set_pattern(rig.vcpu_mut(), 3);
        let fresh = rig.vcpu().clone();
        for call in &hcall::CALLS {
            // Those that wait, stop, or reset the processor.
            if [hcall::H_CEDE, hcall::H_CONFER, hcall::H_JOIN, hcall::H_SIGNAL_SYS_RESET].contains(&call.number) {
                continue;
            }
            for address in [DATA, DATA + 0xff8, DATA + 0xfff, DATA - 8, TOP] {
                *rig.vcpu_mut() = fresh.clone();
                papr(&mut rig, call.number, &[address; 9]);
                untouched(&rig, 3, call.name);
            }
        }
    }
}

/// Byte channels and OSI calls work in registers alone; garbage there moves nothing.
#[test]
fn calls_of_other_interfaces_with_addresses_for_arguments() {
    for mut rig in boards() {
        rig.map(DATA, TOP | 1);
        set_pattern(rig.vcpu_mut(), 3);
        for token in (0x1_0001..=0x1_0010).filter(|token| *token != 0x1_0010).chain([0x2a_0003, 0x2a_0005]) {
            (5..=10).for_each(|n| rig.set(n, DATA));
            rig.hypercall(token, DATA, DATA);
            untouched(&rig, 3, "KVM's convention");
        }
    }
}
