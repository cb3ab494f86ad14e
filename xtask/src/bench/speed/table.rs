//! Tables for people, as plain text and as Markdown.

use super::result::{self, GROUPS, Row, Verdict, Way};

/// The heads of the columns of [`cells`].
const HEADS: [&str; 8] =
    ["kernel", "operation", "native", "QEMU", "x native", "PowerVisor", "x native", "QEMU / PowerVisor"];
/// Those of verdicts.
const VERDICT_HEADS: [&str; 5] = ["number to reach", "measured", "goal", "aim", ""];

/// A row for each kernel, group by group with a row of means.
fn cells(rows: &[Row]) -> Vec<[String; 8]> {
    let text = |ratio: Option<super::ratio::Ratio>| ratio.map_or(String::new(), |ratio| ratio.text());
    let mut cells = Vec::new();
    for group in GROUPS {
        let members: Vec<&Row> = rows.iter().filter(|row| row.group == group.name).collect();
        for row in &members {
            cells.push([
                row.name.clone(),
                row.unit.clone(),
                result::time(row, Way::Native),
                result::time(row, Way::Qemu),
                text(row.ratio(Way::Qemu, Way::Native)),
                result::time(row, Way::PowerVisor),
                text(row.ratio(Way::PowerVisor, Way::Native)),
                text(row.ratio(Way::Qemu, Way::PowerVisor)),
            ]);
        }
        let mean = |over, under| text(result::mean(rows, group.name, over, under));
        let guests =
            members.iter().any(|row| [Way::Qemu, Way::PowerVisor].iter().any(|way| !row.times(*way).is_empty()));
        if group.goal.is_some() && members.len() > 1 && guests {
            let mut means = <[String; 8]>::default();
            let [title, .., qemu, _, ours, both] = &mut means;
            *title = format!("= {}", group.title);
            *qemu = mean(Way::Qemu, Way::Native);
            *ours = mean(Way::PowerVisor, Way::Native);
            *both = mean(Way::Qemu, Way::PowerVisor);
            cells.push(means);
        }
    }
    cells
}

fn verdict_cells(verdicts: &[Verdict]) -> Vec<[String; 5]> {
    let row = |verdict: &Verdict| {
        let sign = if verdict.more { ">=" } else { "<=" };
        let reached = if verdict.reached() { "reached" } else { "missed" };
        [
            verdict.what.clone(),
            verdict.ratio.text(),
            format!("{sign} {}", verdict.goal),
            verdict.aim.map_or(String::new(), |aim| aim.to_string()),
            reached.to_owned(),
        ]
    };
    verdicts.iter().map(row).collect()
}

/// Both tables as plain text.
pub fn text(rows: &[Row], verdicts: &[Verdict]) -> String {
    let kernels = aligned(HEADS.map(str::to_owned), cells(rows), 2);
    format!("{kernels}\n{}", aligned(VERDICT_HEADS.map(str::to_owned), verdict_cells(verdicts), 1))
}

/// Both tables as Markdown.
pub fn markdown(rows: &[Row], verdicts: &[Verdict]) -> String {
    format!("{}\n{}", piped(HEADS, cells(rows)), piped(VERDICT_HEADS, verdict_cells(verdicts)))
}

/// Columns as wide as they must be; the first `left` of them flush left.
fn aligned<const N: usize>(heads: [String; N], rows: Vec<[String; N]>, left: usize) -> String {
    let all: Vec<_> = [heads].into_iter().chain(rows).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &[String; N]| {
        let cell = |(at, cell): (usize, &String)| {
            let width = width(at).unwrap_or(0);
            if at < left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}

fn piped<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(N));
    for row in rows {
        text += &format!("| {} |\n", row.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, times: [f64; 3]) -> Row {
        let times = times.map(|time| vec![time]);
        Row { group: "integer".into(), name: name.into(), unit: "byte".into(), times }
    }

    #[test]
    fn rows_stand_under_their_heads() {
        let rows = [row("crc", [1.0, 4.0, 2.0]), row("sieve", [1.0, 9.0, 2.0])];
        let text = text(&rows, &result::verdicts(&rows));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].starts_with("crc ") && lines[2].starts_with("sieve "));
        assert!(lines[3].starts_with("= integer") && lines[3].ends_with("3.00"), "{text}");
        let ends: Vec<_> = lines[..4].iter().map(|line| line.len()).collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "{text}");
        assert!(text.contains(">= 2.5  3.5  reached"), "{text}");
        let markdown = markdown(&rows, &[]);
        assert!(markdown.contains("| crc | byte | 1.00 ns | 4.00 ns | 4.00 | 2.00 ns | 2.00 | 2.00 |"), "{markdown}");
    }
}
