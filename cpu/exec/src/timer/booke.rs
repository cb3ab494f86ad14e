//! Decrementer, fixed-interval timer and watchdog of BookE (Power ISA Book III-E, chapter 9).
//!
//! Nothing ticks: what has happened since the registers were last written follows from the timebase.

/// Timer control register.
pub mod tcr {
    /// What the watchdog does when it expires for the third time.
    pub const WRC: u32 = 0x3000_0000;
    /// Watchdog interrupt enable.
    pub const WIE: u32 = 0x0800_0000;
    /// Decrementer interrupt enable.
    pub const DIE: u32 = 0x0400_0000;
    /// Fixed-interval interrupt enable.
    pub const FIE: u32 = 0x0080_0000;
    /// Auto-reload enable.
    pub const ARE: u32 = 0x0040_0000;
}

/// Timer status register.
pub mod tsr {
    /// Watchdog: the next expiry counts.
    pub const ENW: u32 = 0x8000_0000;
    /// Watchdog interrupt.
    pub const WIS: u32 = 0x4000_0000;
    /// Watchdog reset.
    pub const WRS: u32 = 0x3000_0000;
    /// Decrementer interrupt.
    pub const DIS: u32 = 0x0800_0000;
    /// Fixed-interval interrupt.
    pub const FIS: u32 = 0x0400_0000;
}

/// The timers as they were at timebase `seen`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timers {
    tcr: u32,
    tsr: u32,
    decar: u32,
    running: bool,
    /// Timebase at which the decrementer reaches zero, while it runs.
    zero_at: u64,
    seen: u64,
}

/// How often timebase bit `bit` has risen before or at `timebase`.
fn rises(timebase: u64, bit: u32) -> u64 {
    (timebase >> bit).div_ceil(2)
}

/// Ticks from `timebase` until `bit` rises next.
fn until_rise(timebase: u64, bit: u32) -> u64 {
    let next = u128::from(2 * rises(timebase, bit) + 1) << bit;
    u64::try_from(next - u128::from(timebase)).unwrap_or(u64::MAX)
}

impl Timers {
    /// TCR.
    pub fn tcr(&self) -> u32 {
        self.tcr
    }

    /// TSR.
    pub fn tsr(&self) -> u32 {
        self.tsr
    }

    /// DECAR.
    pub fn decar(&self) -> u32 {
        self.decar
    }

    /// DEC.
    pub fn decrementer(&self) -> u32 {
        if self.running { self.zero_at.wrapping_sub(self.seen) as u32 } else { 0 }
    }

    /// The timebase bit that the six bits of period and extension choose, 0 the lowest.
    fn bit(&self, period: u32, extension: u32) -> u32 {
        63 - ((self.tcr >> extension & 15) << 2 | self.tcr >> period & 3)
    }

    fn fixed_interval_bit(&self) -> u32 {
        self.bit(24, 13)
    }

    fn watchdog_bit(&self) -> u32 {
        self.bit(30, 17)
    }

    /// The timers at timebase `now`.
    pub fn at(mut self, now: u64) -> Timers {
        let rose = |bit: u32| rises(now, bit).saturating_sub(rises(self.seen, bit));
        let (intervals, expiries) = (rose(self.fixed_interval_bit()), rose(self.watchdog_bit()));
        if self.running && now >= self.zero_at {
            self.tsr |= tsr::DIS;
            if self.tcr & tcr::ARE != 0 && self.decar != 0 {
                let period = u64::from(self.decar);
                self.zero_at += ((now - self.zero_at) / period + 1) * period;
            } else {
                self.running = false;
            }
        }
        if intervals > 0 {
            self.tsr |= tsr::FIS;
        }
        // Book III-E, section 9.7: three expiries lead from anywhere to the last state.
        for _ in 0..expiries.min(3) {
            self.tsr |= match self.tsr & (tsr::ENW | tsr::WIS) {
                tsr::ENW => tsr::WIS,
                0 | tsr::WIS => tsr::ENW,
                _ => self.tcr & tcr::WRC,
            };
        }
        self.seen = now;
        self
    }

    /// Writes DEC: it counts down from `value`; zero stops it.
    pub fn set_decrementer(&mut self, value: u32) {
        self.running = value != 0;
        self.zero_at = self.seen.saturating_add(u64::from(value));
    }

    /// Writes DECAR.
    pub fn set_decar(&mut self, value: u32) {
        self.decar = value;
    }

    /// Writes TCR. WRC stays once it is not zero.
    pub fn set_tcr(&mut self, value: u32) {
        let sticky = self.tcr & tcr::WRC;
        self.tcr = if sticky != 0 { value & !tcr::WRC | sticky } else { value };
    }

    /// Writes TSR: ones clear.
    pub fn clear_tsr(&mut self, value: u32) {
        self.tsr &= !value;
    }

    /// Says that the timebase was set to `now`; what counts goes on from there.
    pub fn rebase(&mut self, now: u64) {
        self.zero_at = self.zero_at.wrapping_sub(self.seen).saturating_add(now);
        self.seen = now;
    }

    /// Interrupts that are up and enabled, as TSR bits.
    pub fn pending(&self) -> u32 {
        let when = |enable: u32, status: u32| if self.tcr & enable != 0 { self.tsr & status } else { 0 };
        when(tcr::DIE, tsr::DIS) | when(tcr::FIE, tsr::FIS) | when(tcr::WIE, tsr::WIS)
    }

    /// Ticks until something that is enabled happens next; what is up already does not count.
    pub fn ticks_left(&self) -> u64 {
        let open = |enable: u32, status: u32| self.tcr & enable != 0 && self.tsr & status == 0;
        let mut left = u64::MAX;
        if self.running && open(tcr::DIE, tsr::DIS) {
            left = left.min(self.zero_at.saturating_sub(self.seen));
        }
        if open(tcr::FIE, tsr::FIS) {
            left = left.min(until_rise(self.seen, self.fixed_interval_bit()));
        }
        if open(tcr::WIE, tsr::WIS) || open(tcr::WRC, tsr::WRS) {
            left = left.min(until_rise(self.seen, self.watchdog_bit()));
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timers(tcr: u32) -> Timers {
        Timers { tcr, ..Timers::default() }
    }

    /// FP with FPEXT, or WP with WPEXT, that selects timebase bit 63 - `n`.
    fn period(n: u32, low: u32, extension: u32) -> u32 {
        ((63 - n) & 3) << low | ((63 - n) >> 2) << extension
    }

    #[test]
    fn the_decrementer_stops_at_zero_and_latches() {
        let mut t = timers(tcr::DIE).at(1000);
        t.set_decrementer(50);
        assert_eq!((t.at(1049).decrementer(), t.at(1049).tsr(), t.ticks_left()), (1, 0, 50));
        let expired = t.at(1050);
        assert_eq!((expired.decrementer(), expired.tsr(), expired.pending()), (0, tsr::DIS, tsr::DIS));
        assert_eq!((t.at(90_000).decrementer(), expired.at(90_000).ticks_left()), (0, u64::MAX));
        // Ones clear; zero stops the decrementer without an interrupt.
        let mut t = expired;
        t.clear_tsr(tsr::DIS);
        t.set_decrementer(0);
        assert_eq!((t.at(1 << 40).tsr(), t.pending()), (0, 0));
    }

    #[test]
    fn auto_reload_starts_again_from_decar() {
        let mut t = timers(tcr::DIE | tcr::ARE);
        t.set_decar(100);
        t.set_decrementer(30);
        assert_eq!((t.at(30).decrementer(), t.at(30).tsr()), (100, tsr::DIS));
        assert_eq!((t.at(129).decrementer(), t.at(130).decrementer(), t.at(1035).decrementer()), (1, 100, 95));
        let mut t = t.at(1035);
        t.clear_tsr(tsr::DIS);
        assert_eq!((t.ticks_left(), t.at(1129).tsr(), t.at(1130).tsr()), (95, 0, tsr::DIS));
    }

    #[test]
    fn the_fixed_interval_is_a_rise_of_one_timebase_bit() {
        // Bit 10 from below rises at 1024 and then every 2048 ticks.
        let t = timers(tcr::FIE | period(10, 24, 13));
        assert_eq!((t.ticks_left(), t.at(1023).pending(), t.at(1024).pending()), (1024, 0, tsr::FIS));
        let mut t = t.at(1030);
        t.clear_tsr(tsr::FIS);
        assert_eq!((t.ticks_left(), t.at(3071).pending(), t.at(3072).pending()), (2042, 0, tsr::FIS));
    }

    #[test]
    fn the_watchdog_goes_through_its_states() {
        // Book III-E, figure "Watchdog state machine": bit 4 rises at 16, 48, 80.
        let mut t = timers(tcr::WIE | 0x2000_0000 | period(4, 30, 17));
        assert_eq!(t.at(16).tsr(), tsr::ENW);
        assert_eq!((t.at(48).tsr(), t.at(48).pending()), (tsr::ENW | tsr::WIS, tsr::WIS));
        assert_eq!(t.at(80).tsr(), tsr::ENW | tsr::WIS | 0x2000_0000);
        // A guest that clears ENW and WIS in time keeps it from the last state.
        t = t.at(50);
        t.clear_tsr(tsr::ENW | tsr::WIS);
        assert_eq!(t.at(80).tsr(), tsr::ENW);
        // WIS without ENW: the next expiry sets ENW.
        t = t.at(112);
        t.clear_tsr(tsr::ENW);
        assert_eq!((t.at(143).tsr(), t.at(144).tsr()), (tsr::WIS, tsr::ENW | tsr::WIS));
    }

    #[test]
    fn a_timebase_write_shifts_nothing() {
        let mut t = timers(tcr::DIE).at(1000);
        t.set_decrementer(50);
        t.rebase(0xffff_0000_0000);
        assert_eq!((t.at(0xffff_0000_0031).tsr(), t.at(0xffff_0000_0032).tsr() & tsr::DIS), (0, tsr::DIS));
    }
}
