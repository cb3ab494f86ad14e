//! ePAPR's interrupt controller calls on top of XICS.
//!
//! ePAPR's priorities rise from 0 (never) to 15; those of XICS fall, and 0xff is never. Interrupts that were
//! acknowledged and not ended yet hold off what is not more urgent than they, so their number is bounded by that of
//! priorities.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hv_pv::epapr::ports::{Config, InterruptController};
use platform::Xics;
use pv_abi::epapr::{CONFIG_HIGH, CONFIG_LEVEL, MOST_URGENT};

use super::PIC;

/// Priority of a masked source.
const NEVER: u8 = 0xff;
/// Source number of inter-processor interrupts, and their priority.
const IPI: u32 = 2;
const IPI_PRIORITY: u32 = 10;
const CHANNELS: u32 = 1;
/// Bits of XIRR that hold the source.
const SOURCE: u32 = 0xff_ffff;

struct Source {
    level: bool,
    masked: bool,
    priority: u32,
    cpu: u32,
}

#[derive(Default)]
struct Cpu {
    task_priority: u32,
    /// Interrupts in service with their priorities, the most urgent one last.
    in_service: Vec<(u32, u32)>,
}

struct State {
    sources: BTreeMap<u32, Source>,
    cpus: Vec<Cpu>,
}

/// The controller.
pub struct EpaprPic {
    xics: Arc<Xics>,
    state: Mutex<State>,
}

/// The XICS priority that stands for `priority`.
fn least(priority: u32) -> u8 {
    (MOST_URGENT - priority.min(MOST_URGENT)) as u8
}

impl Source {
    fn priority(&self) -> u8 {
        if self.masked || self.priority == 0 { NEVER } else { least(self.priority) }
    }
}

impl Cpu {
    /// What is less favoured than this does not come in.
    fn cppr(&self) -> u8 {
        let in_service = self.in_service.last().map_or(0, |(_, priority)| *priority);
        least(in_service.max(self.task_priority))
    }
}

impl EpaprPic {
    /// A controller for `cpus` CPUs with the given sources (number, level-triggered), all masked.
    pub fn new(cpus: u32, sources: &[(u32, bool)], xics: Arc<Xics>) -> EpaprPic {
        let source = |&(irq, level): &(u32, bool)| (irq, Source { level, masked: true, priority: 0, cpu: 0 });
        let cpus = (0..cpus).map(|_| Cpu::default()).collect();
        EpaprPic { xics, state: Mutex::new(State { sources: sources.iter().map(source).collect(), cpus }) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a source and tells the XICS. A guest that routes interrupts here does not by PAPR's calls, so the CPU's
    /// priority is this controller's from then on.
    fn change(&self, irq: u32, change: impl FnOnce(&mut Source, usize) -> bool) -> bool {
        self.with(|state| {
            let Some(source) = state.sources.get_mut(&irq) else { return false };
            if !change(source, state.cpus.len()) {
                return false;
            }
            self.xics.set_source(irq, source.cpu, source.priority());
            if let Some(cpu) = state.cpus.get(source.cpu as usize) {
                self.xics.set_cppr(source.cpu, cpu.cppr());
            }
            true
        })
    }
}

impl InterruptController for EpaprPic {
    /// How a source is sensed is wired and does not change.
    fn set_config(&self, interrupt: u32, config: Config) -> bool {
        self.change(interrupt, |source, cpus| {
            let exists = (config.cpu as usize) < cpus;
            if exists {
                (source.priority, source.cpu) = (config.priority, config.cpu);
            }
            exists
        })
    }

    fn config(&self, interrupt: u32) -> Option<Config> {
        self.with(|state| {
            let &Source { level, priority, cpu, .. } = state.sources.get(&interrupt)?;
            Some(Config { sense: CONFIG_HIGH | if level { CONFIG_LEVEL } else { 0 }, priority, cpu })
        })
    }

    fn set_masked(&self, interrupt: u32, masked: bool) -> bool {
        self.change(interrupt, |source, _| {
            source.masked = masked;
            true
        })
    }

    fn masked(&self, interrupt: u32) -> Option<bool> {
        self.with(|state| Some(state.sources.get(&interrupt)?.masked))
    }

    fn has_handle(&self, handle: u32) -> bool {
        handle == PIC
    }

    fn acknowledge(&self, cpu: u32) -> Option<u32> {
        self.with(|state| {
            let own = state.cpus.get_mut(cpu as usize)?;
            let irq = self.xics.accept(cpu) & SOURCE;
            let priority = match irq {
                0 => return None,
                IPI => {
                    self.xics.set_mfrr(cpu, NEVER);
                    IPI_PRIORITY
                }
                _ => state.sources.get(&irq)?.priority,
            };
            own.in_service.push((irq, priority));
            Some(irq)
        })
    }

    fn end(&self, cpu: u32, interrupt: u32) -> bool {
        self.with(|state| {
            let Some(own) = state.cpus.get_mut(cpu as usize) else { return false };
            let ended = own.in_service.pop_if(|(irq, _)| *irq == interrupt).is_some();
            if ended {
                self.xics.end(cpu, u32::from(own.cppr()) << 24 | interrupt);
            }
            ended
        })
    }

    fn send_ipi(&self, channel: u32, cpus: u32) -> bool {
        let count = self.with(|state| state.cpus.len());
        let known = 1_u32.checked_shl(count as u32).map_or(u32::MAX, |bit| bit - 1);
        if channel >= CHANNELS || cpus == 0 || cpus & !known != 0 {
            return false;
        }
        (0..u32::BITS).filter(|cpu| cpus >> cpu & 1 != 0).all(|cpu| self.xics.set_mfrr(cpu, least(IPI_PRIORITY)))
    }

    fn set_task_priority(&self, cpu: u32, priority: u32) {
        self.with(|state| {
            if let Some(own) = state.cpus.get_mut(cpu as usize) {
                own.task_priority = priority;
                self.xics.set_cppr(cpu, own.cppr());
            }
        });
    }

    fn task_priority(&self, cpu: u32) -> u32 {
        self.with(|state| state.cpus.get(cpu as usize).map_or(0, |own| own.task_priority))
    }
}
