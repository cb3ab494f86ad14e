//! Two engines in lockstep: the same guest on virtual time, the state of its vCPU compared at every event point.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use exec::{Context, Engine, Exit, Vcpu, request};

use crate::engine::Kind;
use crate::guest::Guest;

/// Digests that travel together.
const BATCH: usize = 4096;
/// Batches that one engine may be ahead.
const AHEAD: usize = 16;

/// States around the first difference: number of the run of the engine, state, exit.
type States = Vec<(u64, Vcpu, String)>;
/// Where an engine leaves them.
type Seen = Arc<Mutex<States>>;

/// An engine that stops at every event point after `slice` instructions, and tells of the state there.
pub struct Told {
    engine: Box<dyn Engine>,
    slice: u64,
    digests: Vec<u64>,
    to: SyncSender<Vec<u64>>,
    runs: u64,
    around: Option<u64>,
    seen: Seen,
}

impl Told {
    fn tell(&mut self, vcpu: &Vcpu, exit: &Exit, context: &Context) {
        self.digests.push(digest(vcpu));
        if let Some(around) = self.around
            && (around.saturating_sub(1)..=around).contains(&self.runs)
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push((self.runs, vcpu.clone(), format!("{exit:x?}")));
        }
        self.runs += 1;
        let over = self.around.is_some_and(|around| self.runs > around);
        if self.digests.len() >= BATCH && self.to.send(std::mem::take(&mut self.digests)).is_err() || over {
            context.requests.post(request::STOP);
        }
    }
}

impl Engine for Told {
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
        let exit = self.engine.run(vcpu, context, budget.min(self.slice));
        self.tell(vcpu, &exit, context);
        exit
    }

    fn reset(&mut self) {
        self.engine.reset();
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.to.send(std::mem::take(&mut self.digests));
    }
}

/// A number that differs if what a guest can see of a vCPU does, but for the rarest accidents.
fn digest(vcpu: &Vcpu) -> u64 {
    let s = &vcpu.state;
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |value: u64| sum = (sum.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    s.gpr.iter().copied().for_each(&mut add);
    s.vsr.iter().flatten().copied().for_each(&mut add);
    let flags = [s.ca, s.ov, s.so, s.ca32, s.ov32].into_iter().fold(0, |all, bit| all << 1 | u64::from(bit));
    let words = [s.cia, s.lr, s.ctr, s.cr_word().into(), flags, s.retired, s.fpscr, s.vscr.into(), s.tar, s.acc];
    words.into_iter().for_each(&mut add);
    s.gpr_high.iter().for_each(|&word| add(word.into()));
    let page =
        [vcpu.shared.msr(), vcpu.shared.srr0(), vcpu.shared.srr1(), s.reservation.real, s.reservation.bytes.into()];
    page.into_iter().for_each(&mut add);
    sum
}

/// Runs `guest` on both engines, and compares them wherever `slice` instructions have passed and an event point is
/// reached. Returns how many comparisons that were.
///
/// # Errors
/// The first difference, with the state before it; or what keeps the guest from running.
pub fn lockstep(guest: &Guest, engines: [Kind; 2], slice: u64) -> Result<u64> {
    match together(guest, engines, slice, None)? {
        (compared, None, _) => Ok(compared),
        (_, Some(at), _) => {
            let (_, _, seen) = together(guest, engines, slice, Some(at))?;
            bail!("{} at event {at}: {}", guest.name(), difference(&seen, at));
        }
    }
}

fn together(
    guest: &Guest,
    engines: [Kind; 2],
    slice: u64,
    around: Option<u64>,
) -> Result<(u64, Option<u64>, [States; 2])> {
    let seen = [Seen::default(), Seen::default()];
    let (compared, differs) = thread::scope(|scope| {
        let mut from = Vec::new();
        let mut runs = Vec::new();
        for (kind, seen) in engines.into_iter().zip(&seen) {
            let (to, receiver) = sync_channel(AHEAD);
            from.push(receiver);
            let seen = seen.clone();
            runs.push(scope.spawn(move || {
                guest.clone().run_on(&mut |cpu| {
                    let engine = kind.engine(cpu, 1)?;
                    let (to, seen) = (to.clone(), seen.clone());
                    Ok(Box::new(Told { engine, slice, digests: Vec::new(), to, runs: 0, around, seen }))
                })
            }));
        }
        let result = compare(&from, around.is_some());
        drop(from);
        for run in runs {
            let run = run.join().map_err(|_| anyhow::anyhow!("an engine panicked"))??;
            if result.1.is_none() && around.is_none() {
                ensure!(run.waiting_for.is_none(), "{run}");
            }
        }
        Ok(result)
    })?;
    let take = |seen: &Seen| std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((compared, differs, [take(&seen[0]), take(&seen[1])]))
}

/// How many digests are equal, and the number of the first that is not.
fn compare(from: &[Receiver<Vec<u64>>], to_the_end: bool) -> (u64, Option<u64>) {
    let mut compared = 0;
    loop {
        let batches: Vec<Option<Vec<u64>>> = from.iter().map(|from| from.recv().ok()).collect();
        let [a, b] = [0, 1].map(|n| batches.get(n).cloned().flatten().unwrap_or_default());
        let equal = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        compared += equal as u64;
        if !to_the_end && (equal < a.len() || equal < b.len()) {
            return (compared, Some(compared));
        }
        if a.is_empty() && b.is_empty() {
            return (compared, None);
        }
    }
}

/// What differs between the engines, and what both were before.
fn difference(seen: &[States; 2], at: u64) -> String {
    let find = |engine: usize, run: u64| seen.get(engine).and_then(|seen| seen.iter().find(|(n, ..)| *n == run));
    let mut text = String::new();
    if let Some((_, before, exit)) = find(0, at.saturating_sub(1)) {
        text += &format!("before, at {:#x} (retired {}, exit {exit}):\n", before.state.cia, before.state.retired);
    }
    let (Some((_, a, left)), Some((_, b, right))) = (find(0, at), find(1, at)) else {
        return text + "one of them ends here";
    };
    text += &format!("first: {left}\nsecond: {right}\n");
    let lines = |vcpu: &Vcpu| format!("{:#x?}", vcpu.state).lines().map(str::to_owned).collect::<Vec<_>>();
    for (n, (a, b)) in lines(a).iter().zip(&lines(b)).enumerate().filter(|(_, (a, b))| a != b).take(40) {
        text += &format!("line {n}: {} | {}\n", a.trim(), b.trim());
    }
    text += &format!("msr {:x} | {:x}\n", a.shared.msr(), b.shared.msr());
    text
}

/// Whether both engines leave the same guest behind.
///
/// # Errors
/// The first difference.
pub fn the_same(guest: &Guest, slice: u64) -> Result<()> {
    let compared = lockstep(guest, [Kind::Interpreter, Kind::Translator], slice).context("lockstep")?;
    println!("{}: {compared} states compared", guest.name());
    Ok(())
}
