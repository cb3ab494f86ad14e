//! Discovery: trees made by another writer, trees damaged at random, and the stub made of what was found.

use pv_guest::discovery::{Hypervisor, stub};
use pv_guest::fdt::{Fdt, Item};
use pv_guest::hypercall::{self, Failed, Hypercall, Reply};
use pv_guest::page::MagicPage;
use pv_guest::pv_abi::magic::FIELDS;
use pv_guest::pv_abi::rewrite::Build;
use vm_fdt::FdtWriter;

/// KVM's words, in the order of their bytes in the tree.
const KVM: [u8; 16] = [0x3c, 0x00, 0x4b, 0x56, 0x60, 0x00, 0x4d, 0x21, 0x44, 0x00, 0x00, 0x02, 0x60, 0x00, 0x00, 0x00];

/// A tree whose node `node` below `/soc` or the root has the given properties.
fn tree(parent: Option<&str>, node: &str, properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut fdt = FdtWriter::new().unwrap();
    let root = fdt.begin_node("").unwrap();
    fdt.property_string("model", "test").unwrap();
    let cpus = fdt.begin_node("cpus").unwrap();
    fdt.property_u32("#address-cells", 1).unwrap();
    fdt.end_node(cpus).unwrap();
    let parent = parent.map(|name| fdt.begin_node(name).unwrap());
    let hypervisor = fdt.begin_node(node).unwrap();
    for (name, value) in properties {
        fdt.property(name, value).unwrap();
    }
    fdt.end_node(hypervisor).unwrap();
    if let Some(parent) = parent {
        fdt.end_node(parent).unwrap();
    }
    fdt.end_node(root).unwrap();
    fdt.finish().unwrap()
}

fn words(found: Hypervisor) -> Option<Vec<u32>> {
    found.instructions.map(|found| found.words().to_vec())
}

#[test]
fn case_3_the_property_is_called_hcall_instructions() {
    let compatible = ("compatible", &b"linux,kvm\0"[..]);
    let found = Hypervisor::find(&tree(None, "hypervisor", &[compatible, ("hcall-instructions", &KVM)]));
    assert!(found.is_kvm);
    assert_eq!(words(found), Some(vec![0x3c00_4b56, 0x6000_4d21, 0x4400_0002, 0x6000_0000]));
    let found = Hypervisor::find(&tree(None, "hypervisor", &[compatible, ("hypercall-instructions", &KVM)]));
    assert_eq!((found.is_kvm, words(found)), (true, None));
}

#[test]
fn case_4_one_to_four_words() {
    for bytes in 0..24 {
        let value = KVM.iter().chain(&KVM).copied().take(bytes).collect::<Vec<_>>();
        let found = Hypervisor::find(&tree(None, "hypervisor", &[("hcall-instructions", &value)]));
        let expected = matches!(bytes, 4 | 8 | 12 | 16).then_some(bytes / 4);
        assert_eq!(words(found).map(|words| words.len()), expected, "{bytes} bytes");
        // What the words leave free does nothing.
        if let Some(count) = expected {
            let code = stub(found.instructions.as_ref());
            assert!(code[count..4].iter().all(|&word| word == 0x6000_0000));
            assert_eq!(code[4], 0x4e80_0020);
        }
    }
}

#[test]
fn case_5_without_node_the_stub_fails() {
    let found = Hypervisor::find(&tree(None, "chosen", &[]));
    assert_eq!(found, Hypervisor::default());
    assert_eq!(stub(None), [0x3860_ffff, 0x6000_0000, 0x6000_0000, 0x6000_0000, 0x4e80_0020]);
}

#[test]
fn case_6_the_instructions_may_stand_anywhere_but_kvm_is_told_by_the_hypervisor_node() {
    let properties = [("compatible", &b"linux,kvm\0"[..]), ("hcall-instructions", &KVM)];
    for (parent, node) in [(None, "firmware"), (Some("soc"), "hypervisor"), (None, "hypervisor@0")] {
        let found = Hypervisor::find(&tree(parent, node, &properties));
        assert!(words(found).is_some(), "{node}");
        assert!(!found.is_kvm, "{node}");
    }
    for (compatible, is_kvm) in [
        (&b"epapr,hypervisor-0.2\0linux,kvm\0"[..], true),
        (b"Linux,KVM\0", true),
        (b"linux,kvm2\0", false),
        (b"linux,kv", false),
        (b"", false),
    ] {
        assert_eq!(Hypervisor::find(&tree(None, "hypervisor", &[("compatible", compatible)])).is_kvm, is_kvm);
    }
}

#[test]
fn case_7_has_idle_counts_in_the_same_node_and_not_on_64_bit_book3s() {
    let (words, idle) = (("hcall-instructions", &KVM[..]), ("has-idle", &b""[..]));
    for properties in [[words, idle], [idle, words]] {
        let found = Hypervisor::find(&tree(None, "hypervisor", &properties));
        assert!(found.has_idle);
        let by_call = Build::ALL.map(|build| found.idle_by_call(build));
        assert_eq!(by_call, Build::ALL.map(|build| build != Build::Book3s64));
    }
    let mut fdt = FdtWriter::new().unwrap();
    let root = fdt.begin_node("").unwrap();
    for (node, name, value) in [("a", "has-idle", &b""[..]), ("hypervisor", "hcall-instructions", &KVM)] {
        let node = fdt.begin_node(node).unwrap();
        fdt.property(name, value).unwrap();
        fdt.end_node(node).unwrap();
    }
    fdt.end_node(root).unwrap();
    assert!(!Hypervisor::find(&fdt.finish().unwrap()).has_idle, "another node's");
}

#[test]
fn the_first_node_with_instructions_counts() {
    let mut fdt = FdtWriter::new().unwrap();
    let root = fdt.begin_node("").unwrap();
    for (node, value) in [("a", &KVM[..5]), ("b", &KVM)] {
        let node = fdt.begin_node(node).unwrap();
        fdt.property("hcall-instructions", value).unwrap();
        fdt.end_node(node).unwrap();
    }
    fdt.end_node(root).unwrap();
    assert_eq!(Hypervisor::find(&fdt.finish().unwrap()).instructions, None, "Linux stops at a bad length too");
}

#[test]
fn items_are_what_another_writer_wrote() {
    let blob = tree(None, "hypervisor", &[("compatible", b"linux,kvm\0"), ("odd", b"12345"), ("empty", b"")]);
    assert_eq!(Fdt::size(&blob), Some(blob.len()));
    let items: Vec<_> = Fdt::new(&blob).unwrap().collect();
    let property = |name: &'static str, value| Item::Property { name: name.as_bytes(), value };
    assert_eq!(
        items,
        [
            Item::Begin(b""),
            property("model", b"test\0"),
            Item::Begin(b"cpus"),
            property("#address-cells", &[0, 0, 0, 1]),
            Item::End,
            Item::Begin(b"hypervisor"),
            property("compatible", b"linux,kvm\0"),
            property("odd", b"12345"),
            property("empty", b""),
            Item::End,
            Item::End,
        ]
    );
}

/// Marsaglia's xorshift, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let good = tree(
        Some("soc"),
        "hypervisor",
        &[("compatible", b"linux,kvm\0"), ("hcall-instructions", &KVM), ("has-idle", b"")],
    );
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut alive = 0;
    for round in 0..200_000 {
        let mut blob = good.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(blob.len());
            // Whole words of extreme values, too: lengths and offsets that wrap.
            match random.below(3) {
                0 => blob[at] = random.below(256) as u8,
                1 => blob[at & !3..][..4].fill(0xff),
                _ => blob[at & !3..][..4].copy_from_slice(&(random.below(32) as u32).to_be_bytes()),
            }
        }
        if round % 16 == 0 {
            blob.truncate(random.below(blob.len()));
        }
        alive += usize::from(Hypervisor::find(&blob).instructions.is_some());
        assert!(Fdt::new(&blob).into_iter().flatten().count() <= blob.len());
        let noise: Vec<u8> = (0..random.below(64)).map(|_| random.below(256) as u8).collect();
        assert_eq!(Hypervisor::find(&noise), Hypervisor::default());
    }
    assert!((20_000..180_000).contains(&alive), "{alive} of 200000 still parse: the test is too gentle or too rough");
}

/// Answers as a hypervisor would, and checks what it is asked.
struct Host(u64);

impl Hypercall for Host {
    const ARGUMENTS: usize = hypercall::ARGUMENTS;

    fn call(&self, number: u32, arguments: &[u64]) -> Reply {
        let first = |value| Reply { status: 0, outputs: [value, 0, 0, 0, 0, 0, 0, 0] };
        match (number, arguments) {
            (0x002a_0003, []) => first(self.0),
            (0x002a_0004, &[real, effective]) => {
                assert_eq!((real, effective), (0xffff_ffff_ffff_f000, 0xffff_ffff_ffff_f001));
                first(3)
            }
            (0x0001_0010, []) => first(0),
            _ => Reply { status: 12, ..Reply::default() },
        }
    }
}

#[test]
fn typed_calls() {
    assert_eq!(hypercall::features(&Host(2)), Ok(2));
    assert_eq!(hypercall::set_up_magic_page(&Host(2)), Ok(3));
    assert_eq!(hypercall::set_up_magic_page(&Host(0)), Err(Failed(12)));
    assert_eq!(hypercall::idle(&Host(0)), Ok(()));
}

#[test]
fn the_page_is_laid_out_as_the_table_says() {
    let page = Box::new([0_u64; 512]);
    // SAFETY: 4096 zeroed bytes, aligned, that live as long as `page`.
    #[expect(unsafe_code, reason = "a page that is ours")]
    let view = unsafe { MagicPage::at(page.as_ptr() as usize) };
    let start = page.as_ptr() as usize;
    let offset = |name: &str| FIELDS.iter().find(|field| field.name == name).unwrap().offset;
    macro_rules! at {
        ($($name:literal $field:expr),* $(,)?) => {
            $(assert_eq!((&raw const $field) as usize - start, offset($name), $name);)*
        };
    }
    at!(
        "scratch1" view.scratch[0], "scratch3" view.scratch[2], "critical" view.critical, "sprg0" view.sprg[0],
        "sprg3" view.sprg[3], "srr0" view.srr0, "srr1" view.srr1, "dar" view.dar, "msr" view.msr, "dsisr" view.dsisr,
        "int_pending" view.int_pending, "sr" view.sr[0], "mas0" view.mas0, "mas1" view.mas1, "mas7_3" view.mas7,
        "mas2" view.mas2, "mas4" view.mas4, "mas6" view.mas6, "esr" view.esr, "pir" view.pir, "sprg4" view.sprg4[0],
        "sprg7" view.sprg4[3],
    );
    assert_eq!((&raw const view.mas3) as usize - start, offset("mas7_3") + 4);
    view.srr0.set(0x1234);
    assert_eq!(view.srr0.get(), 0x1234);
    view.pir.set(7);
    assert_eq!(view.pir.get(), 7);
}
