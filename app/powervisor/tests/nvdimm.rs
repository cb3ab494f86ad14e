//! Persistent memory: image files on the command line, and a guest whose machine is killed while it writes.

// What is added and removed is tested elsewhere.
#[allow(dead_code)]
mod shell;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use image::debian::programs::Program;
use nvdimm::header::LABELS;
use serde_json::Value;
use shell::{Guest, files, files_with};

fn powervisor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_powervisor")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Standard output of a command that succeeds.
fn stdout(arguments: &[&str]) -> String {
    let output = powervisor(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a command that fails.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = powervisor(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// An image file that goes with the test.
struct Image(PathBuf);

impl Image {
    /// A place for one; nothing is there.
    fn none(name: &str) -> Image {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pmem"));
        let _ = fs::remove_file(&path);
        Image(path)
    }

    fn new(name: &str, size: &str) -> Image {
        let image = Image::none(name);
        stdout(&["nvdimm", "create", image.path(), "--size", size]);
        image
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn info(&self) -> Value {
        serde_json::from_str(&stdout(&["nvdimm", "info", self.path(), "--json"])).unwrap()
    }

    fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        File::open(&self.0).unwrap().read_exact_at(&mut bytes, at).unwrap();
        bytes
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn images_are_made_shown_and_checked() {
    let image = Image::none("made");
    let uuid = "75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e";
    stdout(&["nvdimm", "create", image.path(), "--size", "48M", "--label", "256K", "--uuid", uuid]);
    let info = image.info();
    assert_eq!(
        (&info["uuid"], &info["size"], &info["label_size"]),
        (&uuid.into(), &(48 << 20).into(), &(256 << 10).into())
    );
    assert_eq!((&info["state"], &info["dirty_shutdowns"], &info["running"]), (&"new".into(), &0.into(), &false.into()));
    assert!(stdout(&["nvdimm", "check", image.path()]).contains("labels   empty"));
    let (code, error) = refused(&["nvdimm", "create", image.path(), "--size", "48M"]);
    assert!(code == 125 && error.contains(image.path()) && error.contains("exists already"), "{error}");
    for (size, word) in [("40M", "steps of 16M"), ("1M", "16M to 4T"), ("many", "no size")] {
        let (code, error) = refused(&["nvdimm", "create", Image::none("never").path(), "--size", size]);
        assert!(code == 125 && error.contains(word), "{error}");
        assert!(!Image::none("never").0.exists());
    }
}

#[test]
fn a_damaged_header_is_told_repaired_and_never_overwritten() {
    let image = Image::new("damaged", "16M");
    File::options().write(true).open(&image.0).unwrap().write_all_at(b"something else", 0).unwrap();
    let before = image.bytes(0, 0x1_0000);
    let flag = format!("path={}", image.path());
    let run = ["run", "demo", "--quiet", "--nvdimm", &flag];
    let (code, error) = refused(&run);
    assert!(code == 125 && error.contains("copy 1 of its header") && error.contains(image.path()), "{error}");
    let output = powervisor(&["nvdimm", "check", image.path(), "--json"]);
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &verdict["ok"]), (Some(1), &false.into()));
    assert_eq!(image.bytes(0, 0x1_0000), before);
    stdout(&["nvdimm", "check", image.path(), "--repair"]);
    stdout(&run);
}

#[test]
fn what_does_not_fit_is_an_error_of_the_flag() {
    let image = Image::new("flags", "16M");
    let path = image.path();
    let [size, uuid, fine] = ["size=32M", "uuid=75a3cdd7-6a2f-4791-8d15-fe0a920e8e9e", "readonly=off"]
        .map(|key| format!("path={path},{key}"));
    let missing = format!("path={}", Image::none("missing").path());
    for (flag, words) in [
        (size.as_str(), ["--nvdimm", "size is 16777216 bytes"]),
        (&uuid, ["--nvdimm", "the image's UUID is"]),
        (&missing, ["--nvdimm", "give size=SIZE"]),
        ("size=1G", ["--nvdimm", "path=FILE is missing"]),
        ("path=x,colour=red", ["--nvdimm", "unknown key 'colour'"]),
    ] {
        let (code, error) = refused(&["run", "demo", "--nvdimm", flag]);
        assert!(code == 125 && words.iter().all(|word| error.contains(word)), "{flag}: {error}");
    }
    let (code, error) = refused(&["run", "demo", "--machine", "e500", "--nvdimm", &fine]);
    assert!(code == 125 && error.contains("--machine pseries"), "{error}");
    File::options().write(true).open(path).unwrap().set_len(1 << 20).unwrap();
    let (code, error) = refused(&["run", "demo", "--nvdimm", &fine]);
    assert!(code == 125 && error.contains("was cut off"), "{error}");
}

/// Makes two namespaces in place of ndctl: the first for data, the second for labels.
const NAMESPACES: &str = "\
cd /sys/bus/nd/devices
echo 11111111-2222-3333-4444-555555555555 > namespace0.0/uuid
echo $((16 << 20)) > namespace0.0/size
echo namespace0.0 > ../drivers/nd_pmem/bind
second=$(cat region0/namespace_seed)
echo 66666666-7777-8888-9999-aaaaaaaaaaaa > $second/uuid
echo $((16 << 20)) > $second/size
ls -d namespace0.* /dev/pmem*";

#[test]
fn data_and_namespaces_outlive_reboot_and_power_off() {
    let Some(files) = files("outlive", "pseries-le") else { return };
    let image = Image::new("outlive", "48M");
    let flag = format!("path={},health=critical,life=12", image.path());
    let mut guest = Guest::start(&files, &["--nvdimm", &flag]);
    guest.script(NAMESPACES);
    guest.script("cat /sys/bus/nd/devices/nmem0/papr/flags; grep MemLife /sys/bus/nd/devices/nmem0/papr/perf_stats");
    for words in ["smart_notify", "MemLife  = 0x000000000000000C"] {
        assert!(guest.seen.iter().any(|line| line.contains(words)), "{words}: {}", guest.seen.join("\n"));
    }
    // Before a reboot the page cache is written, but nothing says that it need be flushed.
    guest.type_in("dd if=/bin/busybox of=/dev/pmem0 bs=64k; sync; reboot -f\n");
    guest.until("BOOT-END");
    guest.script("size=$(wc -c < /bin/busybox); head -c $size /dev/pmem0 | cmp - /bin/busybox && echo THE-SAME");
    assert!(guest.seen.iter().any(|line| line == "THE-SAME"), "{}", guest.seen.join("\n"));
    guest.type_in("poweroff -f\n");
    assert_eq!(guest.end().0, Some(0));
    assert_eq!((&image.info()["state"], &image.info()["dirty_shutdowns"]), (&"clean".into(), &0.into()));
    assert!(stdout(&["nvdimm", "check", image.path()]).contains("version 1.2, 2 of "));
    let mut guest = Guest::start(&files, &["--nvdimm", &format!("path={},readonly=on", image.path())]);
    guest.script("head -c $(wc -c < /bin/busybox) /dev/pmem0 | cmp - /bin/busybox && echo THE-SAME\ncat /sys/block/pmem0/ro | sed s/^/RO-/");
    for line in ["THE-SAME", "RO-1"] {
        assert!(guest.seen.iter().any(|seen| seen == line), "{line}: {}", guest.seen.join("\n"));
    }
    // Meanwhile nobody else may write to it.
    let (code, error) = refused(&["run", "demo", "--nvdimm", &format!("path={}", image.path())]);
    assert!(code == 125 && error.contains("in use by another"), "{error}");
    guest.type_in("poweroff -f\n");
    assert_eq!(guest.end().0, Some(0));
}

/// Writes and flushes records, and now and then gives the second namespace another name; says what was acknowledged.
const LOAD: &str = "\
second=$(grep -l ^6666 /sys/bus/nd/devices/namespace0.*/uuid)
second=${second%/uuid}
echo ${second##*/} > /sys/bus/nd/drivers/nd_pmem/unbind
while :; do n=$((n+1))
    printf '%-511d\\n' $n | dd of=/dev/pmem0 bs=512 seek=$((n%1000*16)) conv=fsync,notrunc 2>/dev/null && echo A$n
    case $n in *7) echo l$n > $second/alt_name && echo L$n;; esac
done";

/// Bytes between records.
const STRIDE: u64 = 16 * 512;

/// The name of the second namespace, as the label area has it: by the index that counts, from a label whose checksum is
/// right.
fn name_in(image: &Image) -> String {
    let size = image.info()["label_size"].as_u64().unwrap() as usize;
    let area = image.bytes(LABELS, size);
    let field =
        |at: usize, len: usize| area[at..at + len].iter().rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let sequence = |at: usize| field(at + 20, 4);
    let mine = field(32, 8) as usize;
    let index = if sequence(mine) == sequence(0) % 3 + 1 { mine } else { 0 };
    let slots = field(index + 56, 4) as usize;
    let labels =
        (0..slots).filter(|slot| area[index + 72 + slot / 8] >> (slot % 8) & 1 == 0).map(|slot| 2 * mine + 256 * slot);
    let uuid = [0x66; 4];
    let found: Vec<usize> = labels.filter(|at| area[*at..at + 4] == uuid).collect();
    let [at] = found[..] else { panic!("labels of the second namespace: {found:x?}") };
    let (mut low, mut high) = (0_u32, 0_u64);
    for word in (at..at + 256).step_by(4) {
        let value = if (at + 248..at + 256).contains(&word) { 0 } else { field(word, 4) as u32 };
        low = low.wrapping_add(value);
        high = high.wrapping_add(low.into());
    }
    assert_eq!(high << 32 | u64::from(low), field(at + 248, 8), "the label at {at:#x} is torn");
    String::from_utf8_lossy(&area[at + 16..at + 80]).trim_end_matches('\0').to_owned()
}

/// Kills the machine `times` times at moments that `seed` chooses.
fn killed(test: &str, times: u32, mut seed: u64, more: &str) {
    let Some(files) = files(test, "pseries-le") else { return };
    let image = Image::new(test, "48M");
    let flag = format!("path={}{more}", image.path());
    let data = image.info()["data_offset"].as_u64().unwrap();
    let mut guest = Guest::start(&files, &["--nvdimm", &flag]);
    guest.script(NAMESPACES);
    guest.type_in("poweroff -f\n");
    assert_eq!(guest.end().0, Some(0));
    // Number and place of what the guest was told is flushed.
    let mut records: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut last, mut label) = (0, 0);
    let mut acknowledged = 0;
    for round in 1..=times {
        let mut guest = Guest::start(&files, &["--nvdimm", &flag]);
        guest.type_in(&format!("n={last}; stty -echo\n{LOAD}\n"));
        guest.until("A");
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        thread::sleep(Duration::from_micros(seed >> 33 & 0x3_ffff));
        let said = guest.kill();
        let numbers = |letter: char| said.iter().filter_map(move |line| line.strip_prefix(letter)?.parse::<u64>().ok());
        for number in numbers('A') {
            records.insert(number % 1000, number);
            last = last.max(number);
            acknowledged += 1;
        }
        label = numbers('L').max().unwrap_or(label);
        // A record may be of a later turn that was not acknowledged, an earlier one may not.
        for (place, number) in &records {
            let text = image.bytes(data + place * STRIDE, 512);
            let found: u64 = String::from_utf8_lossy(&text).trim().parse().unwrap_or(0);
            let written = found >= *number && found % 1000 == *place && text.len() == 512;
            assert!(written, "round {round}: record {number} at {place} reads {:?}", String::from_utf8_lossy(&text));
        }
        let name = name_in(&image);
        let number: u64 = name.strip_prefix('l').map_or(0, |digits| digits.parse().unwrap());
        let next = number > label && number <= last + 1 && number % 10 == 7;
        assert!(number == label || next, "round {round}: label l{label} was written, {name:?} is there");
        label = number;
        last += 1;
        let info = image.info();
        // The first is counted when the second machine has taken it.
        assert_eq!((&info["state"], info["dirty_shutdowns"].as_u64()), (&"in use".into(), Some(u64::from(round) - 1)));
    }
    println!("{test}: {times} kills, {acknowledged} acknowledged flushes, none lost");
    assert!(acknowledged >= u64::from(times));
}

#[test]
fn nothing_flushed_is_lost_when_the_machine_is_killed() {
    killed("killed", 6, 1, "");
}

#[test]
fn nothing_flushed_is_lost_when_what_was_not_goes() {
    killed("power", 6, 2, ",fault=lose-unflushed");
}

#[test]
#[ignore = "ten minutes"]
fn two_hundred_kills() {
    killed("killed-often", 100, 3, "");
    killed("power-often", 100, 4, ",fault=lose-unflushed");
}

/// A failing sync is an error in the guest, now and ever after.
#[test]
fn a_failed_sync_reaches_the_guest() {
    let Some(files) = files("failing", "pseries-le") else { return };
    let image = Image::new("failing", "48M");
    let mut guest = Guest::start(&files, &["--nvdimm", &format!("path={},fault=sync:4", image.path())]);
    guest.script(NAMESPACES);
    guest.script("for n in 1 2 3 4 5 6; do dd if=/bin/busybox of=/dev/pmem0 bs=4k count=1 seek=$n conv=fsync 2>/dev/null && echo F-$n; done; cat /sys/bus/nd/devices/nmem0/papr/flags");
    let done = guest.seen.iter().filter(|line| line.starts_with("F-")).count();
    assert!((1..5).contains(&done), "{done} of 6 flushes succeeded: {}", guest.seen.join("\n"));
    guest.type_in("poweroff -f\n");
    let (code, _) = guest.end();
    // What could not be saved is an error of the run, and the next machine hears of it.
    assert_eq!(code, Some(125));
    assert_eq!(image.info()["state"], "in use");
}

/// What a command of the guest prints as JSON.
fn json(guest: &mut Guest, command: &str) -> Value {
    let before = guest.seen.len();
    guest.script(command);
    let said = guest
        .seen
        .iter()
        .skip(before)
        .skip_while(|line| !line.starts_with(['{', '[']))
        .take_while(|line| !line.starts_with("guest#"));
    let text = said.map(String::as_str).collect::<Vec<_>>().join("\n");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
}

/// Debian's own tool labels the device, makes and destroys namespaces of three modes, and reads its health; data and
/// namespaces are there again after a kill, which it counts.
#[test]
fn ndctl_manages_the_device() {
    const DEVICES: [&str; 3] = ["pmem0", "pmem0.1", "pmem0.2s"];
    let Some(files) = files_with("ndctl", "pseries-le", Program::Ndctl) else { return };
    let image = Image::new("ndctl", "256M");
    let flag = format!("path={},health=critical,life=12", image.path());
    let mut guest = Guest::start(&files, &["--nvdimm", &flag]);
    guest.script("ndctl disable-region all; ndctl init-labels -f nmem0; ndctl enable-region all");
    for (mode, size) in [("raw", "32M"), ("fsdax", "64M"), ("sector", "32M")] {
        let made = json(&mut guest, &format!("ndctl create-namespace -m {mode} -s {size}"));
        assert_eq!(made["mode"], mode);
    }
    guest.script("ndctl check-labels nmem0");
    assert!(guest.seen.iter().any(|line| line == "successfully verified 1 nmem label"), "{}", guest.seen.join("\n"));
    let health = json(&mut guest, "ndctl list -DH")[0]["health"].clone();
    assert_eq!((&health["health_state"], &health["life_used_percentage"]), (&"critical".into(), &88.into()));
    assert_eq!((&health["shutdown_state"], &health["shutdown_count"]), (&"clean".into(), &0.into()));
    for device in DEVICES {
        guest.script(&format!("dd if=/bin/busybox of=/dev/{device} bs=64k conv=fsync,notrunc"));
    }
    guest.kill();

    let mut guest = Guest::start(&files, &["--nvdimm", &flag]);
    for device in DEVICES {
        guest.script(&format!(
            "head -c $(wc -c < /bin/busybox) /dev/{device} | cmp - /bin/busybox && echo SAME-{device}"
        ));
        assert!(guest.seen.iter().any(|line| *line == format!("SAME-{device}")), "{}", guest.seen.join("\n"));
    }
    assert_eq!(json(&mut guest, "ndctl list -DH")[0]["health"]["shutdown_count"], 1);
    assert_eq!(json(&mut guest, "ndctl list -N").as_array().map(Vec::len), Some(3));
    guest.script("ndctl destroy-namespace -f all");
    guest.script("ndctl list -N | sed s/^/LEFT-/");
    assert!(!guest.seen.iter().any(|line| line.starts_with("LEFT-")), "{}", guest.seen.join("\n"));
    guest.type_in("poweroff -f\n");
    assert_eq!(guest.end().0, Some(0));
    assert!(stdout(&["nvdimm", "check", image.path()]).contains("version 1.1"));
}
