//! Nodes, properties, paths.

use crate::stage::{FAILED, RAM, Stage};

#[test]
fn a_walk_finds_every_node_once() {
    let mut stage = Stage::new();
    let mut node = stage.one("peer", &[0]);
    let mut names = Vec::new();
    // As Linux walks: child, else peer, else the next peer of a parent.
    while node != 0 {
        let len = stage.one("package-to-path", &[node, 0x2_0000, 256]);
        names.push(String::from_utf8(stage.bytes(0x2_0000, len as usize)).unwrap());
        let mut next = stage.one("child", &[node]);
        while next == 0 && node != 0 {
            next = stage.one("peer", &[node]);
            node = stage.one("parent", &[node]);
            if node == 0 {
                break;
            }
        }
        node = next;
        assert!(names.len() < 20, "{names:?}");
    }
    assert_eq!(names.len(), 12, "{names:?}");
    assert_eq!(&names[..3], ["/", "/chosen", "/rtas"]);
    assert!(names.contains(&"/cpus/PowerPC,POWER9@1".to_owned()));
    for name in names {
        assert_ne!(stage.find(&name), FAILED, "{name}");
    }
}

#[test]
fn paths_may_leave_things_out() {
    let mut stage = Stage::new();
    let same = |stage: &mut Stage, paths: &[&str]| {
        let nodes: Vec<u32> = paths.iter().map(|path| stage.find(path)).collect();
        assert!(nodes[0] != FAILED && nodes.iter().all(|node| *node == nodes[0]), "{paths:?}: {nodes:x?}");
    };
    same(&mut stage, &["/vdevice/vty@71000000", "/vdevice/vty", "/vdevice/@71000000", "console", "console:9600"]);
    same(&mut stage, &["/disk", "disk", "disk:1", "/disk:1,\\boot\\grub"]);
    same(&mut stage, &["/", "//", "/:x"]);
    same(&mut stage, &["/memory@0", "/memory"]);
    for path in ["", "/x", "x", "/vdevice/vty@71000001", "/memory@", "vdevice", "/disk/x", "chosen", ":1"] {
        assert_eq!(stage.find(path), FAILED, "{path:?}");
    }
    assert_eq!(stage.one("finddevice", &[RAM as u32 - 1]), FAILED);
    let alias = stage.text("disk:2");
    assert_eq!(stage.one("canon", &[alias, 0x2_0000, 64]), 7);
    assert_eq!(stage.bytes(0x2_0000, 8), b"/disk:2\0");
    assert_eq!(stage.one("canon", &[alias, 0x2_0000, 3]), 7);
}

#[test]
fn properties_are_read_in_order() {
    let mut stage = Stage::new();
    let chosen = stage.find("/chosen");
    let (mut names, mut previous) = (Vec::new(), 0);
    while stage.one("nextprop", &[chosen, previous, 0x2_0000]) == 1 {
        let name = stage.bytes(0x2_0000, 32);
        names.push(String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap()).into_owned());
        previous = stage.text(names.last().unwrap());
    }
    assert_eq!(names, ["name", "bootargs", "stdout-path", "stdin", "stdout", "memory", "mmu", "cpu"]);
    assert_eq!(stage.property("/chosen", "bootargs").unwrap(), b"quiet\0");
    assert_eq!(stage.property("/cpus/PowerPC,POWER9@1", "name").unwrap(), b"PowerPC,POWER9\0");
    assert_eq!(stage.property("/chosen", "absent"), None);
    assert_eq!(stage.find("/interrupt-controller"), 1, "its own phandle");
    let absent = stage.text("absent");
    assert_eq!(stage.one("nextprop", &[chosen, absent, 0x2_0000]), FAILED);
    assert_eq!(stage.one("nextprop", &[77, 0, 0x2_0000]), FAILED);
    assert_eq!(stage.one("nextprop", &[chosen, 0, RAM as u32 - 2]), FAILED);
    let name = stage.text("bootargs");
    assert_eq!(stage.one("getprop", &[chosen, name, 0x2_0000, 2]), 6, "the whole length");
    assert_eq!(stage.one("getprop", &[chosen, name, RAM as u32 - 2, 6]), FAILED);
    assert_eq!(stage.one("getprop", &[FAILED, name, 0x2_0000, 6]), FAILED);
}

#[test]
fn properties_can_be_set_within_bounds() {
    let mut stage = Stage::new();
    let chosen = stage.find("/chosen");
    let (value, name) = (stage.text("other"), stage.text("bootargs"));
    assert_eq!(stage.one("setprop", &[chosen, name, value, 6]), 6);
    assert_eq!(stage.property("/chosen", "bootargs").unwrap(), b"other\0");
    assert_eq!(stage.one("setprop", &[chosen, name, RAM as u32 - 4, 5]), FAILED);
    assert_eq!(stage.one("setprop", &[chosen, name, 0, u32::MAX]), FAILED);
    assert_eq!(stage.one("setprop", &[77, name, value, 6]), FAILED);
    assert_eq!(stage.property("/chosen", "bootargs").unwrap(), b"other\0");
    for wrong in ["", "a/b", &"x".repeat(64)] {
        let wrong = stage.text(wrong);
        assert_eq!(stage.one("setprop", &[chosen, wrong, value, 6]), FAILED);
    }
    let names: Vec<u32> = (0..40).map(|n| stage.text(&format!("big{n}"))).collect();
    let set = names.iter().filter(|name| stage.one("setprop", &[chosen, **name, 0x1_0000, 0x1_0000]) != FAILED).count();
    assert!((1..=16).contains(&set) && stage.firmware.tree_bytes() <= hv_of::tree::LARGEST, "{set}");
    assert_eq!(stage.one("setprop", &[chosen, names[0], value, 1]), 1, "smaller is possible");
}
