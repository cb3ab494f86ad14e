//! The report for a terminal.

use std::fmt::Write;

use super::{Function, Heat, said};

/// The whole report, each table with its `top` largest rows.
pub fn report(heat: &Heat, top: usize) -> String {
    let mut out = String::new();
    let [translated, interpreted] = heat.instructions;
    let total = translated + interpreted;
    let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
    let _ = writeln!(
        out,
        "{:.1} million instructions: {:.2} % translated, {:.2} % interpreted",
        total as f64 / 1e6,
        percent(translated, total),
        percent(interpreted, total)
    );
    let code = (heat.regions, heat.bytes / 1024, heat.dropped);
    let _ = writeln!(out, "code: {} regions, {} KiB, dropped {} times", code.0, code.1, code.2);
    let each = heat.translating.as_secs_f64() * 1e6 / heat.code_instructions.max(1) as f64;
    let _ = writeln!(out, "translation: {} instructions, {each:.2} us each", heat.code_instructions);
    let left: Vec<String> = heat.left.iter().map(|(reason, times)| format!("{reason} {times}")).collect();
    let _ = writeln!(out, "code was left: {}", left.join(", "));

    let _ = writeln!(
        out,
        "\n{:<36}{:>14}{:>8}{:>13}{:>11}{:>12}{:>11}",
        "functions", "instructions", "%", "interpreted", "declined", "privileged", "access"
    );
    for (name, function) in heat.functions.iter().take(top) {
        let Function { instructions, interpreted, calls: [declined, privileged, access] } = function;
        let share = percent(*instructions, total);
        let _ = writeln!(
            out,
            "{name:<36}{instructions:>14}{share:>8.2}{interpreted:>13}{declined:>11}{privileged:>12}{access:>11}"
        );
    }
    more(&mut out, heat.functions.len(), top);

    let _ = writeln!(out, "\n{:<24}{:<12}{:>14}  most in", "instructions", "", "times");
    for call in heat.calls.iter().take(top) {
        let (name, what, times) = (&call.name, said(call.what), call.times);
        let (most, share) = (&call.most.0, percent(call.most.1, times));
        let _ = writeln!(out, "{name:<24}{what:<12}{times:>14}  {most} ({share:.0} %)");
    }
    more(&mut out, heat.calls.len(), top);
    out
}

fn more(out: &mut String, rows: usize, top: usize) {
    if rows > top {
        let _ = writeln!(out, "and {} more; --top shows them", rows - top);
    }
}
