//! What translated code shares with the engine, and the memory that holds both. The only unsafe part of this crate.
//!
//! One reservation of address space holds [`Data`] and the view of the code that runs, so that code reaches data by
//! displacements. Code is written through a second view of the same pages: no page is writable and executable at one
//! address.
#![expect(unsafe_code)]
// UNSAFETY: translated code is entered, and calls back, through raw pointers; the mappings live as long as `Host`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::{NonNull, null_mut};
use std::thread::JoinHandle;

use exec::{Context, Vcpu, VcpuState};
use rustix::mm::{
    Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags, mmap_anonymous, mprotect, mremap_fixed, munmap,
};

use crate::asm::Mem;
use crate::constants::{CONSTANTS, Constants};
use crate::engine::Translator;
use crate::jumps::{self, JUMPS, Jump, LINKS, Link};
use crate::lower::GROUPS;
use crate::strip::STREAMS;
use crate::switch::{SWITCHES, Switch};
use crate::tlb::{COMMON_HINTS, ENTRIES, Entry, HINTS};
use crate::watch::COUNTERS;
use crate::window::Window;

/// The floating-point operation from which FR, FI and FPRF of the FPSCR are still to be made.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Status {
    /// FRA, FRB and FRC of it, as far as it has them.
    pub operands: [u64; 3],
    /// Doublewords that were compared later.
    pub compared: [u64; 2],
    /// 1 + number of the operation's site, or 0: nothing is to be made.
    pub site: u32,
    /// Not 0: a comparison came later, from which FPCC is to be made.
    pub compares: u32,
    /// What was converted to an integer later, from which FR and FI are to be made.
    pub converted: u64,
    /// 1 + number of the conversion's site, or 0.
    pub converts: u32,
    /// What code keeps over a call.
    pub old: u64,
}

const _: () = assert!(offset_of!(Status, site) % 8 == 0);

/// What code and engine tell each other. Fields are addressed by code.
#[repr(C)]
pub struct Frame {
    /// Host registers at a call out of translated code, by number.
    pub host: [u64; 16],
    /// Instructions to the limit, or to the next look at requests, when no code runs.
    pub left: i64,
    /// Instructions to the limit from there on.
    pub beyond: i64,
    /// Effective address of the access that left the fast path.
    pub ea: u64,
    /// What is to be stored, or was loaded.
    pub value: u64,
    /// Which exit was taken, see [`crate::cache::Cache`].
    pub exit: u64,
    /// Where code goes on that was called out of, see [`Reason::Jump`].
    pub target: u64,
    /// Number of the space and mode in which instructions are fetched.
    pub fetch_key: u64,
    /// See [`crate::jumps::spread`].
    pub fetch_spread: u64,
    /// Number of the space of data accesses, in its place in a tag.
    pub data_key: u64,
    /// Number of the place for which switches hold, 0 if none is known.
    pub place: u64,
    /// Address of the switches.
    pub switches: u64,
    /// Address of the last switch that code has made since it was entered or called out, or 0.
    pub switched: u64,
    /// The MSR that a system call of problem state makes, without EE and RI.
    pub delivered: u64,
    /// Where `sc` leads, and `scv 0`.
    pub system_call: u64,
    /// See above.
    pub vectored: u64,
    /// Whether the guest sees the shared page.
    pub mapped: u64,
    /// The window around r1.
    pub window: Window,
    /// What is added to the addresses of groups of accesses to make the host's, or 0.
    pub bases: [u64; GROUPS],
    /// Address of the fast TLB.
    pub tlb: u64,
    /// The vCPU's request word.
    pub requests: u64,
    /// The code epoch of guest memory.
    pub epoch: u64,
    /// Address of the byte that says whether the vCPU has yet to wait for invalidations.
    pub unsettled: u64,
    /// RAM.
    pub ram: u64,
    /// Host address of the word of page 0 that says whether it holds code, less what the number of RAM's host page takes.
    pub code: u64,
    /// Host address of the word of granule 0, less what RAM's host address shifted right by the granule takes.
    pub granules: u64,
    /// Bytes, less one, inside of which loads and stores that are not aligned find no border.
    pub whole: [u64; 2],
    /// What the FPSCR in the state lacks.
    pub status: Status,
    /// Operands of comparisons that were written since: two for each CR field.
    pub saved: [u64; 16],
    /// Turns of the next strip.
    pub turns: u64,
    /// What is added to the addresses of a strip's streams to make the host's.
    pub addends: [u64; STREAMS],
    /// Functions that code calls: load, store, decline, wrote, privileged, time.
    pub calls: [u64; 6],
    /// Of this run only.
    engine: *mut Translator,
    vcpu: *mut Vcpu,
    context: *const c_void,
}

impl Frame {
    /// Makes `key` that of instruction fetches.
    pub fn fetch_by(&mut self, key: u64) {
        self.fetch_key = key;
        self.fetch_spread = jumps::spread(key);
    }
}

/// The field of the frame at `offset`, as an operand of code; [`Data`] is at `data`.
pub fn frame_field(data: u64, offset: usize) -> Mem {
    Mem::Absolute(data + (offset_of!(Data, frame) + offset) as u64)
}

/// What lies within reach of code.
#[repr(C)]
pub struct Data {
    /// The frame.
    pub frame: Frame,
    /// The fast software TLB.
    pub tlb: [Entry; ENTRIES],
    /// Where indirect branches went.
    pub jumps: [Jump; JUMPS],
    /// Where branches to other pages went.
    pub links: [Link; LINKS],
    /// Writes to the MSR.
    pub switches: [Switch; SWITCHES],
    /// Host addresses of the entries that accesses have used.
    pub hints: [u64; HINTS],
    /// How often blocks were entered, if they are counted.
    pub counters: [u64; COUNTERS],
    /// Operands of vector instructions.
    pub constants: Constants,
}

/// Why translated code was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// A direct branch whose target is not linked: `Frame::exit` says which.
    Resolve = 1,
    /// An indirect branch whose target is not remembered.
    Lookup = 2,
    /// An event point, and something to look at.
    Event = 3,
    /// An instruction that is not translated.
    Interpret = 4,
    /// A call ended the run: the engine has its exit.
    Exit = 5,
    /// Code goes on elsewhere: it is left only if there is nothing to do so.
    Jump = 6,
}

impl Reason {
    /// Its name, as counts have it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Resolve => "resolve",
            Reason::Lookup => "lookup",
            Reason::Event => "event",
            Reason::Interpret => "interpret",
            Reason::Exit => "exit",
            Reason::Jump => "jump",
        }
    }

    fn of(value: u32) -> Reason {
        match value {
            1 => Reason::Resolve,
            2 => Reason::Lookup,
            3 => Reason::Event,
            4 => Reason::Interpret,
            6 => Reason::Jump,
            _ => Reason::Exit,
        }
    }
}

/// What a call out of translated code returns: 0 to go on, or a [`Reason`].
pub type Answer = u32;

/// A call out of translated code, at `site`, with an operand size in bytes.
pub type Call = fn(&mut Translator, &mut Vcpu, &Context, site: u32, bytes: u32) -> Answer;

type CallFromCode = unsafe extern "C" fn(*mut Frame, u32, u32) -> Answer;

/// Bytes of a large page of the host: code is spread over more memory than the host's TLBs hold small pages of.
const LARGE_PAGE: usize = 2 << 20;
const DATA_LEN: usize = size_of::<Data>().next_multiple_of(LARGE_PAGE);

/// Code memory and data.
pub struct Host {
    base: NonNull<u8>,
    writable: NonNull<u8>,
    code_len: usize,
    /// Bytes of code memory that are in large pages as far as the host has any.
    large: usize,
    /// Who makes them so: it may have to wait for the host's other processors.
    enlarger: Option<JoinHandle<()>>,
}

// SAFETY: the mappings belong to this value alone.
unsafe impl Send for Host {}

impl Host {
    /// Room for `code_len` bytes of code, in whole pages.
    ///
    /// # Errors
    /// When the host has no memory, or does not let it be executed.
    pub fn new(code_len: usize) -> std::io::Result<Host> {
        let code_len = code_len.next_multiple_of(4096);
        let readable = ProtFlags::READ | ProtFlags::WRITE;
        // Shared memory without a file, of which a second view is made by moving nothing of it: `perf` gives names to
        // code in memory without a file only. Both views begin where a large page may.
        // SAFETY: new mappings at addresses that the kernel chooses; the fixed ones lie inside of them.
        let (base, writable) = unsafe {
            let base = reserve(DATA_LEN + code_len)?;
            let code = base.as_ptr().add(DATA_LEN).cast();
            let fixed = MapFlags::SHARED | MapFlags::NORESERVE | MapFlags::FIXED;
            let writable = mmap_anonymous(reserve(code_len)?.as_ptr().cast(), code_len, readable, fixed)?;
            mremap_fixed(writable, 0, code_len, MremapFlags::MAYMOVE, code)?;
            mprotect(code, code_len, MprotectFlags::READ | MprotectFlags::EXEC)?;
            // A host that has none goes on without.
            let _ = rustix::mm::madvise(base.as_ptr().cast(), DATA_LEN, Advice::LinuxHugepage);
            (base.as_ptr(), writable.cast::<u8>())
        };
        match (NonNull::new(base), NonNull::new(writable)) {
            (Some(base), Some(writable)) => {
                let mut host = Host { base, writable, code_len, large: 0, enlarger: None };
                let calls: [CallFromCode; 6] = [load, store, decline, wrote, privileged, time];
                host.data().frame.tlb = host.data_at() + offset_of!(Data, tlb) as u64;
                host.data().frame.switches = host.data_at() + offset_of!(Data, switches) as u64;
                host.data().frame.calls = calls.map(|call| call as *const () as u64);
                let first = host.data().frame.tlb;
                host.data().hints.iter_mut().take(COMMON_HINTS).for_each(|hint| *hint = first);
                host.data().switches.fill(Switch::none());
                host.data().constants = CONSTANTS;
                Ok(host)
            }
            _ => Err(std::io::ErrorKind::OutOfMemory.into()),
        }
    }

    /// Where code at `offset` runs.
    pub fn code_at(&self, offset: usize) -> u64 {
        self.base.as_ptr() as u64 + (DATA_LEN + offset) as u64
    }

    /// Address of the shared data, as code uses it.
    pub fn data_at(&self) -> u64 {
        self.base.as_ptr() as u64
    }

    /// The data. No translated code runs while it is borrowed.
    pub fn data(&mut self) -> &mut Data {
        // SAFETY: the mapping is large enough, aligned, and all zero is a valid Data; code runs in `run` only, which
        // borrows all of `self`.
        unsafe { self.base.cast::<Data>().as_mut() }
    }

    /// Makes the instruction at `at`, which code runs at, a jump to `to`.
    pub fn write_jump(&mut self, at: u64, to: u64) {
        let [a, b, c, d] = (to.wrapping_sub(at + 5) as i32).to_le_bytes();
        self.write(at.wrapping_sub(self.code_at(0)) as usize, &[0xe9, a, b, c, d]);
    }

    /// Makes more of code memory large pages in both views, if the host lets it, where code of `used` bytes begins to fill it.
    fn enlarge(&mut self, used: usize) {
        let (from, to) = (self.large, self.large + LARGE_PAGE);
        let busy = self.enlarger.as_ref().is_some_and(|enlarger| !enlarger.is_finished());
        if used <= from || to > self.code_len || busy {
            return;
        }
        self.large = to;
        // SAFETY: inside both views.
        let views = unsafe { [self.writable.as_ptr().add(from), self.base.as_ptr().add(DATA_LEN + from)] };
        let views = views.map(|view| view as usize);
        let enlarge = move || {
            for view in views {
                // SAFETY: contents stay as they are, and who unmaps the views waits for this.
                unsafe { libc::madvise(view as *mut c_void, LARGE_PAGE, libc::MADV_COLLAPSE) };
            }
        };
        self.enlarger = std::thread::Builder::new().spawn(enlarge).ok();
    }

    /// Copies `code` to `offset`; false if it does not fit.
    pub fn write(&mut self, offset: usize, code: &[u8]) -> bool {
        if offset > self.code_len || self.code_len - offset < code.len() {
            return false;
        }
        // SAFETY: inside the writable view, checked above.
        unsafe { self.writable.as_ptr().add(offset).copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        self.enlarge(offset + code.len());
        true
    }
}

/// Address space for `len` bytes and nothing else, which begins at a multiple of [`LARGE_PAGE`].
fn reserve(len: usize) -> std::io::Result<NonNull<u8>> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at an address that the kernel chooses, of which the ends go again.
    unsafe {
        let room = mmap_anonymous(null_mut(), len + LARGE_PAGE, protection, MapFlags::PRIVATE | MapFlags::NORESERVE)?;
        let before = room.cast::<u8>().align_offset(LARGE_PAGE);
        let base = room.cast::<u8>().add(before);
        if before > 0 {
            munmap(room, before)?;
        }
        munmap(base.add(len).cast(), LARGE_PAGE - before)?;
        NonNull::new(base).ok_or_else(|| std::io::ErrorKind::OutOfMemory.into())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(enlarger) = self.enlarger.take() {
            let _ = enlarger.join();
        }
        // SAFETY: the mappings made in `new`; nothing refers to them any more.
        unsafe {
            let _ = munmap(self.base.as_ptr().cast(), DATA_LEN + self.code_len);
            let _ = munmap(self.writable.as_ptr().cast(), self.code_len);
        }
    }
}

/// Whether the CPU has the instructions of which code is made.
///
/// # Errors
/// Names what the CPU lacks.
pub fn check() -> std::io::Result<()> {
    #[cfg(target_arch = "x86_64")]
    return judge(&[
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("BMI1", is_x86_feature_detected!("bmi1")),
        ("BMI2", is_x86_feature_detected!("bmi2")),
        ("LZCNT", is_x86_feature_detected!("lzcnt")),
        ("MOVBE", is_x86_feature_detected!("movbe")),
    ]);
    #[cfg(not(target_arch = "x86_64"))]
    return judge(&[("x86-64", false)]);
}

/// Whether the CPU has AVX-512 for vectors of 128 bits.
pub fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn judge(features: &[(&str, bool)]) -> std::io::Result<()> {
    let lacking: Vec<_> = features.iter().filter(|(_, has)| !has).map(|(name, _)| *name).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let message = format!("the translator needs a CPU with {}", lacking.join(", "));
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, message))
}

/// Runs the code at `entry` until it is left, and says why.
pub fn run(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, entry: u64) -> Reason {
    let enter = engine.enter;
    let vcpu: *mut Vcpu = vcpu;
    let this: *mut Translator = engine;
    // SAFETY: `enter` is the entry code that the engine assembled, which keeps the calling convention; `entry` is code
    // of the same memory. Engine, vCPU and context outlive the call; calls out of it use them through the frame while
    // nothing here does.
    unsafe {
        let data = (*this).host.base.cast::<Data>().as_ptr();
        (*data).frame.engine = this;
        (*data).frame.vcpu = vcpu;
        (*data).frame.context = (context as *const Context).cast();
        let enter: unsafe extern "C" fn(u64, *mut VcpuState) -> u32 = std::mem::transmute(enter as *const ());
        Reason::of(enter(entry, &raw mut (*vcpu).state))
    }
}

/// Whether an inexact result was made on this thread since it was last asked.
pub fn take_inexact() -> bool {
    const PRECISION: u32 = 1 << 5;
    let mut mxcsr = 0u32;
    // SAFETY: only the flag of inexact results changes, on which nothing in Rust depends.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack));
        let was = mxcsr & PRECISION != 0;
        if was {
            mxcsr &= !PRECISION;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack, readonly));
        }
        was
    }
}

/// Calls `function` with what the frame refers to.
///
/// # Safety
/// `frame` is that of a run in progress.
unsafe fn call(frame: *mut Frame, site: u32, bytes: u32, function: Call) -> Answer {
    // SAFETY: `run` has set the pointers, and uses none of them before its code returns.
    unsafe {
        let context = &*(*frame).context.cast::<Context>();
        (*(*frame).engine).catch_up();
        function(&mut *(*frame).engine, &mut *(*frame).vcpu, context, site, bytes)
    }
}

unsafe extern "C" fn load(frame: *mut Frame, site: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, site, bytes, crate::slow::load) }
}

unsafe extern "C" fn store(frame: *mut Frame, site: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, site, bytes, crate::slow::store) }
}

unsafe extern "C" fn decline(frame: *mut Frame, site: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, site, bytes, crate::slow::decline) }
}

unsafe extern "C" fn wrote(frame: *mut Frame, site: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, site, bytes, crate::slow::wrote) }
}

unsafe extern "C" fn privileged(frame: *mut Frame, site: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, site, bytes, crate::slow::privileged) }
}

unsafe extern "C" fn time(frame: *mut Frame, done: u32, bytes: u32) -> Answer {
    // SAFETY: called by translated code only.
    unsafe { call(frame, done, bytes, crate::slow::time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cpu_lacks_is_named() {
        assert!(judge(&[("AVX2", true), ("FMA", true)]).is_ok());
        let error = judge(&[("AVX2", true), ("FMA", false), ("BMI1", false)]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "the translator needs a CPU with FMA, BMI1");
    }

    #[test]
    fn no_switch_is_of_a_place_that_is_not_known() {
        let mut host = Host::new(1 << 16).unwrap();
        let Data { frame, switches, .. } = host.data();
        assert!(switches.iter().all(|switch| switch.place != frame.place));
    }

    #[test]
    fn code_is_never_writable_where_it_runs() {
        let host = Host::new(1 << 16).unwrap();
        let at = format!("{:x}-", host.code_at(0));
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| line.starts_with(&at)).unwrap();
        assert!(line.contains(" r-xs "), "{line}");
        let writable = format!("{:x}-", host.writable.as_ptr() as u64);
        let line = maps.lines().find(|line| line.starts_with(&writable)).unwrap();
        assert!(line.contains(" rw-s "), "{line}");
    }
}
