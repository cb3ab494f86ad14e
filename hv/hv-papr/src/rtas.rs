//! H_RTAS: run-time abstraction services, called with an argument buffer of big-endian cells.

use std::collections::BTreeMap;
use std::time::Duration;

use exec::timebase;
use guest_mem::{GuestMem, Order};
use hv_core::{Halt, Next, Panic, Visit};
use papr_abi::hcall;
use papr_abi::rtas::{self, MAX_CELLS, PARAMETER, SUCCESS};
use papr_abi::status::H_PARAMETER;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::rtas::cells::{Cells, Service};

mod cells;
mod events;
mod interrupts;
mod nvram;
mod parameter;
mod pci;
mod processor;
mod reconfiguration;
mod windows;

pub(crate) const CALLS: &[Call] = &[Call { number: hcall::H_RTAS, handler: h_rtas }];

/// The services of this machine; the device tree publishes exactly these, those of XICS where there is one.
const FAMILIES: &[&[Service]] = &[
    SERVICES,
    events::SERVICES,
    interrupts::SERVICES,
    nvram::SERVICES,
    parameter::SERVICES,
    pci::SERVICES,
    processor::SERVICES,
    reconfiguration::SERVICES,
    windows::SERVICES,
];

const SERVICES: &[Service] = &[
    // The operator panel of a machine that has none: progress codes, not console output.
    (rtas::DISPLAY_CHARACTER, |_, _, _| SUCCESS),
    (rtas::GET_TIME_OF_DAY, get_time_of_day),
    (rtas::SET_TIME_OF_DAY, set_time_of_day),
    (rtas::POWER_OFF, |_, _, cells| halt(cells, Halt::PowerOff)),
    (rtas::SYSTEM_REBOOT, |_, _, cells| halt(cells, Halt::Reset)),
    (rtas::OS_TERM, os_term),
];

fn forms() -> impl Iterator<Item = &'static Service> {
    FAMILIES.iter().copied().flatten()
}

/// Name and token of the services that the device tree of a machine with a XICS, or without, shall publish.
pub fn services(xics: bool) -> BTreeMap<&'static str, u32> {
    let hidden = |token| !xics && interrupts::SERVICES.iter().any(|(form, _)| form.token == token);
    forms().map(|(form, _)| (form.name, form.token)).filter(|(_, token)| !hidden(*token)).collect()
}

/// Whether this form of a call is implemented.
pub fn implements(call: &rtas::Call) -> bool {
    forms().any(|(form, _)| form == call)
}

fn h_rtas(papr: &Papr, visit: &mut Visit, &[buffer, ..]: &Arguments) -> Checked {
    let mem = visit.context.mem;
    let cell = |n: u32| {
        let at = buffer.checked_add(u64::from(n) * 4)?;
        mem.load::<u32>(at, Order::Big)
    };
    let (Some(token), Some(inputs), Some(outputs)) = (cell(0), cell(1), cell(2)) else {
        return Err(H_PARAMETER);
    };
    // Checked before anything is done: the counts are the guest's, and the outputs must have room too.
    if inputs > MAX_CELLS || outputs > MAX_CELLS - inputs || !mem.contains(buffer, u64::from(3 + inputs + outputs) * 4)
    {
        return Err(H_PARAMETER);
    }
    let mut cells = Cells::default();
    for (n, input) in (0..inputs).zip(&mut cells.inputs) {
        *input = cell(3 + n).ok_or(H_PARAMETER)?;
    }
    let service = forms().find(|(form, _)| (form.token, form.inputs, form.outputs) == (token, inputs, outputs));
    let status = match service {
        Some((form, run)) => {
            visit.counts.hypercall("rtas", form.name);
            run(papr, visit, &mut cells)
        }
        None => {
            visit.counts.hypercall("rtas", "unknown");
            PARAMETER
        }
    };
    let first_output = buffer.checked_add(u64::from(3 + inputs) * 4).ok_or(H_PARAMETER)?;
    let results = [status as u32].into_iter().chain(cells.outputs);
    if !store(visit.context.mem, first_output, results.take(outputs as usize)) {
        return Err(H_PARAMETER);
    }
    Ok(Answer::ok().then(cells.next))
}

fn store(mem: &GuestMem, first: u64, cells: impl Iterator<Item = u32>) -> bool {
    cells
        .enumerate()
        .all(|(n, value)| first.checked_add(n as u64 * 4).is_some_and(|at| mem.store(at, Order::Big, value)))
}

fn halt(cells: &mut Cells, why: Halt) -> i32 {
    cells.next = Next::Halt(why);
    SUCCESS
}

/// Guest time since the start.
fn elapsed(visit: &Visit) -> Duration {
    timebase::duration(timebase::timebase(&visit.vcpu.state, visit.context))
}

fn get_time_of_day(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let (seconds, nanoseconds) = papr.ports.time.now(elapsed(visit));
    let (year, month, day) = date_of(seconds.div_euclid(86400));
    let second = seconds.rem_euclid(86400) as u32;
    let values = [year as u32, month, day, second / 3600, second / 60 % 60, second % 60, nanoseconds];
    for (n, value) in values.into_iter().enumerate() {
        cells.output(n, value);
    }
    SUCCESS
}

fn set_time_of_day(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let [year, month, day, hour, minute, second] = [0, 1, 2, 3, 4, 5].map(|n| cells.input(n));
    let valid = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return PARAMETER;
    }
    let days = days_of(i64::from(year), month, day);
    papr.ports.time.set(elapsed(visit), days * 86400 + i64::from(hour * 3600 + minute * 60 + second));
    SUCCESS
}

/// Year, month and day of a day number since 1970-01-01 in the Gregorian calendar; years begin in March inside.
fn date_of(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next_year, month as u32, day as u32)
}

/// Day number since 1970-01-01.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The operating system gives up; its words are a NUL-terminated string in guest memory. Linux since 6.2 passes
/// address 0 for its string.
fn os_term(_: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    const LONGEST: u64 = 256;
    let start = u64::from(cells.input(0));
    let mem = visit.context.mem;
    let bytes: Vec<u8> =
        (start..start + LONGEST).map_while(|at| mem.load::<u8>(at, Order::Big).filter(|b| *b != 0)).collect();
    let words: String = String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect();
    let words = if words.is_empty() { "without a message".to_owned() } else { words };
    halt(cells, Halt::Panic(Box::new(Panic { words, uptime: elapsed(visit) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(19_782), (2024, 2, 29));
        for days in (-1000..60_000).step_by(17) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
    }
}
