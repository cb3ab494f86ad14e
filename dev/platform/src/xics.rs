//! XICS: presentation per server, routing per source (PAPR 14.5.4.6; spec papr 6.2).
//!
//! A lower number is a more favoured priority. A source that was presented stays "sent" until the guest ends it; a
//! rejected one is presented again when the server's priority lets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The source number of inter-processor interrupts.
const IPI: u32 = 2;
/// Least favoured priority: masks a source, lets everything in as a CPPR.
const LEAST: u8 = 0xff;

#[derive(Clone, Copy, Debug)]
struct Server {
    cppr: u8,
    mfrr: u8,
    /// Source that is being presented, 0 = none.
    pending: u32,
    pending_priority: u8,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    server: u32,
    priority: u8,
    saved_priority: u8,
    level: bool,
    /// Presented or accepted, not ended yet.
    sent: bool,
}

struct State {
    servers: Vec<Server>,
    sources: BTreeMap<u32, Source>,
    /// Sources that want to be presented: few of many.
    asserted: BTreeSet<u32>,
}

/// The interrupt controller of one machine.
pub struct Xics {
    state: Mutex<State>,
    wake: Box<dyn Fn(u32) + Send + Sync>,
}

impl Xics {
    /// A controller for `servers` vCPUs with the given sources (number, level-triggered). `wake` is called with the
    /// server to which an interrupt is presented; it must not call back.
    pub fn new(servers: u32, sources: &[(u32, bool)], wake: Box<dyn Fn(u32) + Send + Sync>) -> Xics {
        let server = Server { cppr: 0, mfrr: LEAST, pending: 0, pending_priority: LEAST };
        let source = |&(irq, level): &(u32, bool)| {
            (irq, Source { server: 0, priority: LEAST, saved_priority: LEAST, level, sent: false })
        };
        let sources = sources.iter().map(source).collect();
        let state = State { servers: vec![server; servers as usize], sources, asserted: BTreeSet::new() };
        Xics { state: Mutex::new(state), wake }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, woken) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = change(&mut state);
            (result, state.present())
        };
        woken.into_iter().for_each(&self.wake);
        result
    }

    /// Whether an interrupt is presented to `server`.
    pub fn pending(&self, server: u32) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.servers.get(server as usize).is_some_and(|s| s.pending != 0)
    }

    /// Sets the line of a level source, or signals an edge with `true`.
    pub fn set_line(&self, irq: u32, asserted: bool) {
        self.with(|state| match state.sources.get(&irq) {
            Some(_) if asserted => _ = state.asserted.insert(irq),
            Some(source) if source.level => _ = state.asserted.remove(&irq),
            _ => {}
        });
    }

    /// Sets the current priority of a server.
    pub fn set_cppr(&self, server: u32, cppr: u8) {
        self.with(|state| state.set_cppr(server, cppr));
    }

    /// Accepts what is presented: XIRR with the old CPPR in its top byte.
    pub fn accept(&self, server: u32) -> u32 {
        self.with(|state| {
            let Some(s) = state.servers.get_mut(server as usize) else { return 0 };
            let xirr = u32::from(s.cppr) << 24 | s.pending;
            if s.pending != 0 {
                s.cppr = s.pending_priority;
                s.pending = 0;
                s.pending_priority = LEAST;
            }
            xirr
        })
    }

    /// Ends the interrupt of `xirr`; CPPR becomes its top byte.
    pub fn end(&self, server: u32, xirr: u32) {
        self.with(|state| {
            if let Some(source) = state.sources.get_mut(&(xirr & 0xff_ffff)) {
                source.sent = false;
            }
            state.set_cppr(server, (xirr >> 24) as u8);
        });
    }

    /// Sets the inter-processor priority of a server; `false` when there is none.
    pub fn set_mfrr(&self, server: u32, mfrr: u8) -> bool {
        self.with(|state| {
            let Some(s) = state.servers.get_mut(server as usize) else { return false };
            s.mfrr = mfrr;
            if s.pending == IPI && mfrr >= s.pending_priority {
                // Retracted, or no longer as favoured as presented.
                s.pending = 0;
                s.pending_priority = LEAST;
            }
            true
        })
    }

    /// XIRR without accepting it, and MFRR.
    pub fn poll(&self, server: u32) -> Option<(u32, u8)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let s = state.servers.get(server as usize)?;
        Some((u32::from(s.cppr) << 24 | s.pending, s.mfrr))
    }

    /// Routes a source; `false` when it or the server does not exist.
    pub fn set_source(&self, irq: u32, server: u32, priority: u8) -> bool {
        self.with(|state| {
            if server as usize >= state.servers.len() {
                return false;
            }
            let Some(source) = state.sources.get_mut(&irq) else { return false };
            source.server = server;
            source.priority = priority;
            source.saved_priority = priority;
            true
        })
    }

    /// Server and priority of a source.
    pub fn source(&self, irq: u32) -> Option<(u32, u8)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sources.get(&irq).map(|s| (s.server, s.priority))
    }

    /// Masks a source, or restores its priority; `false` when it does not exist.
    pub fn set_enabled(&self, irq: u32, enabled: bool) -> bool {
        self.with(|state| {
            let Some(source) = state.sources.get_mut(&irq) else { return false };
            source.priority = if enabled { source.saved_priority } else { LEAST };
            true
        })
    }
}

impl State {
    fn set_cppr(&mut self, server: u32, cppr: u8) {
        let Some(s) = self.servers.get_mut(server as usize) else { return };
        s.cppr = cppr;
        if s.pending != 0 && s.pending_priority >= cppr {
            let rejected = s.pending;
            s.pending = 0;
            s.pending_priority = LEAST;
            if let Some(source) = self.sources.get_mut(&rejected) {
                source.sent = false;
                self.asserted.insert(rejected);
            }
        }
    }

    /// Presents to each server the most favoured interrupt that waits for it; a less favoured one that was presented
    /// but not accepted goes back. Returns the servers that got one.
    fn present(&mut self) -> Vec<u32> {
        let mut woken = Vec::new();
        for (number, server) in (0..).zip(&mut self.servers) {
            let waiting = |s: &Source| s.server == number && !s.sent && s.priority < LEAST;
            let asserted = self.asserted.iter().filter_map(|irq| Some((*irq, self.sources.get(irq)?)));
            let source = asserted.filter(|(_, s)| waiting(s)).min_by_key(|(_, s)| s.priority);
            let (irq, priority) = match source {
                Some((irq, source)) if source.priority <= server.mfrr => (irq, source.priority),
                _ => (IPI, server.mfrr),
            };
            if priority >= server.cppr || priority >= server.pending_priority {
                continue;
            }
            if let Some(displaced) = self.sources.get_mut(&server.pending) {
                displaced.sent = false;
                self.asserted.insert(server.pending);
            }
            if let Some(source) = self.sources.get_mut(&irq) {
                source.sent = true;
                if !source.level {
                    self.asserted.remove(&irq);
                }
            }
            server.pending = irq;
            server.pending_priority = priority;
            woken.push(number);
        }
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xics() -> Xics {
        let x = Xics::new(2, &[(0x1100, false), (0x1200, true)], Box::new(|_| {}));
        x.set_cppr(0, 0xff);
        x
    }

    #[test]
    fn ipi_comes_and_can_be_retracted() {
        let x = xics();
        assert!(x.set_mfrr(0, 4));
        assert!(x.pending(0));
        assert_eq!(x.accept(0), 0xff00_0002);
        assert!(x.set_mfrr(0, 0xff));
        x.end(0, 0xff00_0002);
        assert!(!x.pending(0));
        assert!(!x.set_mfrr(7, 4));
    }

    #[test]
    fn masked_edges_are_kept() {
        let x = xics();
        assert!(x.set_source(0x1100, 0, 5));
        assert!(x.set_enabled(0x1100, false));
        x.set_line(0x1100, true);
        assert_eq!(x.accept(0), 0xff00_0000);
        assert!(x.set_enabled(0x1100, true));
        assert_eq!(x.accept(0), 0xff00_1100);
        x.end(0, 0xff00_1100);
        assert!(!x.pending(0));
    }

    #[test]
    fn levels_come_again_while_asserted() {
        let x = xics();
        x.set_source(0x1200, 0, 5);
        x.set_line(0x1200, true);
        assert_eq!(x.accept(0), 0xff00_1200);
        assert!(!x.pending(0));
        x.end(0, 0xff00_1200);
        assert_eq!(x.accept(0), 0xff00_1200);
        x.set_line(0x1200, false);
        x.end(0, 0xff00_1200);
        assert!(!x.pending(0));
    }

    #[test]
    fn a_raised_priority_rejects_and_presents_again() {
        let x = xics();
        x.set_source(0x1100, 0, 5);
        x.set_line(0x1100, true);
        assert!(x.pending(0));
        x.set_cppr(0, 5);
        assert!(!x.pending(0));
        x.set_cppr(0, 6);
        assert!(x.pending(0));
    }
}
