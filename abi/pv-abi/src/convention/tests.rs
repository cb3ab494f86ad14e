use super::*;

/// Pseudo-random numbers (SplitMix64) with a good share of edge values.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn value(&mut self) -> u64 {
        const EDGES: [u64; 8] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 63, u64::MAX];
        let n = self.next();
        if n & 3 == 0 { EDGES[(n >> 2) as usize % EDGES.len()] } else { self.next() }
    }

    fn values<const N: usize>(&mut self, used: usize) -> [u64; N] {
        let mut values = [0; N];
        values.iter_mut().take(used).for_each(|value| *value = self.value());
        values
    }
}

fn each(mut property: impl FnMut(&Convention, Width, &mut Numbers)) {
    let mut numbers = Numbers(1);
    for arch in Arch::ALL {
        for width in [Width::Bits32, Width::Bits64] {
            (0..2000).for_each(|_| property(arch.convention(), width, &mut numbers));
        }
    }
}

fn truncated(width: Width, values: [u64; 8]) -> [u64; 8] {
    values.map(|value| if width == Width::Bits32 { u64::from(value as u32) } else { value })
}

#[test]
fn a_call_arrives_as_it_was_sent() {
    each(|convention, width, numbers| {
        let mut number = numbers.value();
        let call = Call { number, arguments: numbers.values(convention.arguments.len()) };
        let before: [u64; 32] = numbers.values(32);
        let mut file = before;
        convention.write_call(width, &call, &mut file).unwrap();
        if width == Width::Bits32 || convention.arch == Arch::PowerPc {
            number &= 0xffff_ffff;
        }
        let expected = Call { number, arguments: truncated(width, call.arguments) };
        assert_eq!(convention.read_call(width, &file), Ok(expected));
        for (index, (after, before)) in file.into_iter().zip(before).enumerate() {
            let used = convention.arguments.iter().chain([&convention.number]).any(|register| register.index == index);
            assert!(used || after == before, "{:?} touched register {index}", convention.arch);
        }
    });
}

#[test]
fn a_reply_arrives_as_it_was_sent() {
    each(|convention, width, numbers| {
        let status = numbers.value() as i64;
        let reply = Reply { status, outputs: numbers.values(convention.outputs.len()) };
        let before: [u64; 32] = numbers.values(32);
        let mut file = before;
        convention.write_reply(width, &reply, &mut file).unwrap();
        let status = if width == Width::Bits32 { i64::from(status as i32) } else { status };
        let expected = Reply { status, outputs: truncated(width, reply.outputs) };
        assert_eq!(convention.read_reply(width, &file), Ok(expected));
        let changed = file.iter().zip(before).filter(|&(after, before)| *after != before).count();
        assert!(changed <= 1 + convention.outputs.len());
    });
}

/// The same the other way round: what is read from any registers and written again reads the same.
#[test]
fn registers_read_and_written_again_read_the_same() {
    each(|convention, width, numbers| {
        let file: [u64; 32] = numbers.values(32);
        let call = convention.read_call(width, &file).unwrap();
        let mut copy = [0; 32];
        convention.write_call(width, &call, &mut copy).unwrap();
        assert_eq!(convention.read_call(width, &copy), Ok(call));
        let reply = convention.read_reply(width, &file).unwrap();
        let mut copy = [0; 32];
        convention.write_reply(width, &reply, &mut copy).unwrap();
        assert_eq!(convention.read_reply(width, &copy), Ok(reply));
    });
}

#[test]
fn short_register_files_are_told() {
    for arch in Arch::ALL {
        let convention = arch.convention();
        let highest = convention.arguments.iter().chain([&convention.number]).map(|register| register.index).max();
        let len = highest.unwrap();
        let mut file = [0; 32];
        let missing = convention.write_call(Width::Bits64, &Call::default(), &mut file[..len]).unwrap_err();
        assert_eq!(missing.0.index, len);
        assert_eq!(convention.read_call(Width::Bits64, &file[..len]), Err(missing));
        assert!(convention.read_call(Width::Bits64, &file[..=len]).is_ok());
        assert!(convention.read_reply(Width::Bits64, &[]).is_err());
    }
}

/// Where Linux's documentation puts things (virt/kvm/x86/hypercalls.rst; for LoongArch virt/kvm/loongarch).
#[test]
fn registers_by_name() {
    let mut file = [0; 16];
    let call = Call { number: 9, arguments: [1, 2, 3, 4, 0, 0, 0, 0] };
    X86.write_call(Width::Bits64, &call, &mut file).unwrap();
    // rax rcx rdx rbx rsp rbp rsi rdi
    assert_eq!(file[..8], [9, 2, 3, 1, 0, 0, 4, 0]);
    let mut file = [0; 16];
    let call = Call { number: 3, arguments: [0x1_0000, 0, 77, 4, 5, 6, 0, 0] };
    S390.write_call(Width::Bits64, &call, &mut file).unwrap();
    assert_eq!(file[..8], [0, 3, 0x1_0000, 0, 77, 4, 5, 6]);
    let mut file = [0; 32];
    let call = Call { number: 0x2a_0004, arguments: [!0xfff, !0xfff | 1, 0, 0, 0, 0, 0, 0] };
    POWERPC.write_call(Width::Bits32, &call, &mut file).unwrap();
    assert_eq!((file[3], file[4], file[11]), (0xffff_f000, 0xffff_f001, 0x2a_0004));
}

#[test]
fn failures() {
    for status in [-1000, -22, -1] {
        assert!(Arch::ALL.iter().all(|arch| arch.convention().failed(status)));
    }
    assert!(POWERPC.failed(12) && !X86.failed(12) && !S390.failed(12), "x86 returns counts, s390 cookies");
    assert!(!Arch::ALL.iter().any(|arch| arch.convention().failed(0)));
    let mut file = [0; 16];
    X86.write_reply(Width::Bits32, &Reply { status: -1000, ..Reply::default() }, &mut file).unwrap();
    assert_eq!(file[0], 0xffff_fc18);
    assert_eq!(X86.read_reply(Width::Bits32, &file).unwrap().status, -1000);
    assert_eq!(X86.read_reply(Width::Bits64, &file).unwrap().status, 0xffff_fc18);
}
