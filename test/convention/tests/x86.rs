//! x86's convention on KVM.

use convention::qemu;
use convention::x86::{self, Host};
use pv_abi::calls::{EINVAL, ENOSYS, EOPNOTSUPP};
use pv_abi::convention::{Call, Width};

const WIDTHS: [Width; 2] = [Width::Bits32, Width::Bits64];

fn call(number: u64, arguments: [u64; 4]) -> Call {
    let [a0, a1, a2, a3] = arguments;
    Call { number, arguments: [a0, a1, a2, a3, 0, 0, 0, 0] }
}

/// QEMU is here; otherwise says so.
fn qemu_here() -> bool {
    let here = qemu::exists(x86::QEMU);
    if !here {
        println!("SKIP x86 hypercalls: no {}; apt-get install qemu-system-x86", x86::QEMU);
    }
    here
}

fn kvm() -> Option<Host> {
    let host = qemu_here().then(Host::kvm)?;
    host.inspect_err(|reason| println!("SKIP x86 hypercalls on KVM: {reason}")).ok()
}

#[test]
fn hypercalls_reach_kvm() {
    if let Some(host) = kvm() {
        kvm_answers_what_it_has_and_refuses_what_it_has_not(host);
        numbers_and_arguments_are_where_kvm_looks(host);
        only_rax_changes(host);
    }
}

/// The guest itself: without a hypervisor behind it, what goes in comes out.
#[test]
fn registers_go_in_and_come_out() {
    if !qemu_here() {
        return;
    }
    let all = [0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00, 0x0123_4567_89ab_cdef, u64::MAX - 1];
    let number = 0xfedc_ba98_7654_3210;
    for width in WIDTHS {
        let of = |value: u64| if width == Width::Bits32 { value & 0xffff_ffff } else { value };
        let answers = x86::calls(Host::Qemu, width, &[call(1, [2, 3, 4, 5]), call(number, all)]).unwrap();
        let registers = answers.iter().map(|(_, file)| [file[0], file[3], file[1], file[2], file[6]]);
        let expected = [[1, 2, 3, 4, 5], [of(number), of(all[0]), of(all[1]), of(all[2]), of(all[3])]];
        assert!(registers.eq(expected), "{width:?}: {answers:x?}");
    }
}

fn kvm_answers_what_it_has_and_refuses_what_it_has_not(host: Host) {
    // Polling works always; MMU_OP is gone since Linux 3.3; features are PowerPC's; nothing has number 999.
    let calls = [1, 2, 3, 999].map(|number| call(number, [0; 4]));
    for width in WIDTHS {
        let status: Vec<i64> = x86::calls(host, width, &calls).unwrap().iter().map(|(reply, _)| reply.status).collect();
        assert_eq!(status, [0, -ENOSYS, -ENOSYS, -ENOSYS], "{width:?}");
    }
}

fn numbers_and_arguments_are_where_kvm_looks(host: Host) {
    // Time of a clock that does not exist (the second argument); an interrupt with a destination of its own (the
    // fourth): each is refused for that argument alone. A guest without CPUID bit 11 may not send interrupts at all.
    let calls = [call(9, [0, 7, 0, 0]), call(10, [1, 0, 0, 0x8_0000])];
    for width in WIDTHS {
        let answers = x86::calls(host, width, &calls).unwrap();
        assert_eq!(answers[0].0.status, -EOPNOTSUPP, "{width:?}");
        assert!([-EINVAL, -ENOSYS].contains(&answers[1].0.status), "{width:?}: {:?}", answers[1]);
    }
}

fn only_rax_changes(host: Host) {
    let arguments = [0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00, 0x0123_4567_89ab_cdef, u64::MAX];
    for width in WIDTHS {
        let (_, file) = x86::calls(host, width, &[call(1, arguments)]).unwrap().remove(0);
        let kept = if width == Width::Bits32 { arguments.map(|value| value & 0xffff_ffff) } else { arguments };
        assert_eq!([file[3], file[1], file[2], file[6]], kept, "{width:?}");
        assert_eq!(file[0], 0);
    }
}
