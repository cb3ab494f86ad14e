//! Open devices: the terminal, the disk, RTAS.

use hv_core::Next;

use crate::stage::{ARGUMENTS, DISK, FAILED, PARTITION, RAM, RTAS, Stage, byte};

#[test]
fn the_terminal_keeps_a_writer_waiting() {
    let mut stage = Stage::new();
    let stdout = stage.property("/chosen", "stdout").unwrap();
    let stdout = u32::from_be_bytes(stdout.try_into().unwrap());
    let text = stage.text("Hello, world");
    assert_eq!(stage.one("write", &[stdout, text, 12]), 12);
    stage.terminal.lock().unwrap().room = 5;
    assert_eq!(stage.next("write", &[stdout, text, 12], 1), Next::Yield);
    assert_eq!(stage.terminal.lock().unwrap().printed, b"Hello, world");
    stage.terminal.lock().unwrap().room = 50;
    assert_eq!(stage.raw(ARGUMENTS), 0, "the same call again");
    assert_eq!(stage.terminal.lock().unwrap().printed, b"Hello, worldHello, world");
    for wrong in [[stdout, RAM as u32 - 1, 2], [77, text, 12], [0, text, 12], [FAILED, text, 12]] {
        assert_eq!(stage.one("write", &wrong), FAILED);
    }
    let len = stage.one("instance-to-path", &[stdout, 0x2_0000, 64]);
    assert_eq!(stage.bytes(0x2_0000, len as usize), b"/vdevice/vty@71000000");
    let (package, node) = (stage.one("instance-to-package", &[stdout]), stage.find("/vdevice/vty"));
    assert_eq!(package, node);
}

#[test]
fn what_is_typed_is_read() {
    let mut stage = Stage::new();
    let console = stage.open("console");
    assert_eq!(stage.one("read", &[console, 0x2_0000, 8]) as i32, -2);
    stage.terminal.lock().unwrap().typed = b"help\r".to_vec();
    assert_eq!(stage.one("read", &[console, 0x2_0000, 2]), 2);
    assert_eq!(stage.one("read", &[console, 0x2_0002, 64]), 3);
    assert_eq!(stage.bytes(0x2_0000, 5), b"help\r");
    assert_eq!(stage.one("read", &[console, RAM as u32 - 1, 2]), FAILED);
}

#[test]
fn disks_are_read_whole_and_by_partition() {
    let mut stage = Stage::new();
    let disk = stage.open("disk:0");
    assert_eq!(stage.method(disk, "block-size", &[], 1), [0, 512]);
    assert_eq!(stage.method(disk, "#blocks", &[], 1), [0, (DISK / 512) as u32]);
    assert_eq!(stage.method(disk, "#blocks64", &[], 2), [0, 0, (DISK / 512) as u32]);
    // More than one exit's share.
    assert_eq!(stage.one("seek", &[disk, 0, 0x2_0001]), 0);
    assert_eq!(stage.one("read", &[disk, 0x2_0000, 0xc_0000]), 0xc_0000);
    let data = stage.bytes(0x2_0000, 0xc_0000);
    assert!(data.iter().zip(0x2_0001..).all(|(data, at)| *data == byte(at)));
    // On behind what was read, up to the end.
    assert_eq!(stage.one("read", &[disk, 0x2_0000, 0xc_0000]), (DISK - 0xe_0001) as u32);
    assert_eq!(stage.one("read", &[disk, 0x2_0000, 0xc_0000]), 0);
    assert_eq!(stage.one("seek", &[disk, 0, DISK as u32 + 1]), FAILED);
    assert_eq!(stage.one("seek", &[disk, 1, 0]), FAILED);
    assert_eq!(stage.one("seek", &[disk, 0, 8 * 512]), 0);
    assert_eq!(stage.one("read", &[disk, 0x2_0000, 2 * 512]), FAILED, "a bad block");
    let partition = stage.open("/disk:2");
    assert_eq!(stage.method(partition, "#blocks", &[], 1), [0, 4]);
    assert_eq!(stage.one("read", &[partition, 0x2_0000, u32::MAX]), 0x800);
    assert_eq!(stage.bytes(0x2_0000, 1), [byte(PARTITION.start)]);
    assert_eq!(stage.one("seek", &[partition, 0, 0]), 0);
    assert_eq!(stage.one("read", &[partition, RAM as u32 - 8, 0x800]), FAILED);
    assert_eq!(stage.one("write", &[disk, 0x2_0000, 512]), FAILED, "it can be read only");
    for nothing in ["disk:1", "disk:x", "disk:2,\\boot", "/memory:1x/", "/cpus", "/chosen"] {
        assert_eq!(stage.open(nothing), 0, "{nothing}");
    }
}

#[test]
fn a_long_read_takes_several_exits() {
    let mut stage = Stage::new();
    let disk = stage.open("disk");
    stage.one("seek", &[disk, 0, 0x2_0000]);
    assert_eq!(stage.next("read", &[disk, 0x2_0000, 0x8_0000], 1), Next::Run);
    assert_eq!(stage.cell(ARGUMENTS + 24), 0, "no result yet");
    assert_eq!(stage.raw(ARGUMENTS), 0);
    assert_eq!(stage.cell(ARGUMENTS + 24), 0x8_0000);
    // A client that begins another read in between gets that one.
    stage.one("seek", &[disk, 0, 0x2_0000]);
    stage.next("read", &[disk, 0x2_0000, 0x8_0000], 1);
    stage.one("seek", &[disk, 0, 0x3_0000]);
    assert_eq!(stage.one("read", &[disk, 0x2_0000, 16]), 16);
    assert_eq!(stage.bytes(0x2_0000, 1), [byte(0x3_0000)]);
}

#[test]
fn instances_have_a_bound() {
    let mut stage = Stage::new();
    let path = stage.text("disk");
    let open: Vec<u32> = (0..400).map(|_| stage.one("open", &[path])).filter(|handle| *handle != 0).collect();
    assert!(open.len() <= hv_of::instances::MOST && open.len() > 200, "{}", open.len());
    stage.status("close", &[open[0]], 0);
    let again = stage.one("open", &[path]);
    assert!(again != 0 && !open[1..].contains(&again));
    assert_eq!(stage.one("instance-to-package", &[open[0]]), FAILED);
}

#[test]
fn rtas_is_put_where_the_client_wants_it() {
    let mut stage = Stage::new();
    let rtas = stage.open("/rtas");
    assert_eq!(stage.method(rtas, "instantiate-rtas", &[0x3_0000], 1), [0, 0x3_0000]);
    assert_eq!([stage.cell(0x3_0000), stage.cell(0x3_0004)], RTAS);
    for wrong in [RAM as u32 - 4, RAM as u32, u32::MAX, 2] {
        assert_ne!(stage.method(rtas, "instantiate-rtas", &[wrong], 1)[0], 0);
    }
    assert_ne!(stage.method(rtas, "instantiate-rtas", &[], 1)[0], 0);
}
