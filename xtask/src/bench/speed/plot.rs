//! A plot of kernels: how many times longer than native each takes on QEMU and on PowerVisor.

use super::result::{GROUPS, Row, Way};

/// Pixels: the left edge of bars, the width of a decade, the height of a bar, the space of a kernel.
const LEFT: f64 = 120.0;
const DECADE: f64 = 170.0;
const BAR: f64 = 7.0;
const STEP: f64 = 21.0;
/// The first and the last power of ten of the axis.
const DECADES: std::ops::RangeInclusive<i32> = -1..=3;
/// Ways with their colours.
const BARS: [(Way, &str); 2] = [(Way::Qemu, "#b0b7c3"), (Way::PowerVisor, "#c2410c")];

/// The picture, as SVG.
pub fn svg(title: &str, rows: &[Row]) -> String {
    let ordered = GROUPS.iter().flat_map(|group| rows.iter().filter(|row| row.group == group.name));
    let guest = |row: &&Row| BARS.iter().any(|(way, _)| row.ratio(*way, Way::Native).is_some());
    let shown: Vec<&Row> = ordered.filter(guest).collect();
    let (top, bottom) = (48.0, 48.0 + STEP * shown.len() as f64);
    let (width, height) = (x(10f64.powi(*DECADES.end())) + 40.0, bottom + 28.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    svg += &format!("<text x=\"{LEFT}\" y=\"16\" font-size=\"13\">{}</text>\n", escaped(title));
    for (at, (way, colour)) in BARS.into_iter().enumerate() {
        let left = LEFT + 110.0 * at as f64;
        svg += &format!("<rect x=\"{left}\" y=\"25\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\n");
        svg += &format!("<text x=\"{}\" y=\"34\">{}</text>\n", left + 14.0, way.name());
    }
    svg += &format!("<text x=\"{}\" y=\"34\">time of an operation, times native</text>\n", LEFT + 220.0);
    for decade in DECADES {
        let (at, colour) = (x(10f64.powi(decade)), if decade == 0 { "#111" } else { "#ddd" });
        svg += &format!("<path d=\"M{at} {top}V{bottom}\" stroke=\"{colour}\"/>\n");
        let label = 10f64.powi(decade);
        svg += &format!("<text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n", bottom + 15.0);
    }
    for (line, row) in shown.iter().enumerate() {
        let y = top + STEP * line as f64;
        let name = escaped(&row.name);
        svg += &format!("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\n", LEFT - 6.0, y + 14.0);
        for (at, (way, colour)) in BARS.into_iter().enumerate() {
            let Some(ratio) = row.ratio(way, Way::Native) else { continue };
            let (end, one, y) = (x(ratio.best), x(1.0), y + 3.0 + (BAR + 1.0) * at as f64);
            let (from, to) = (end.min(one), end.max(one));
            svg += &format!(
                "<rect x=\"{from:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\">\
                 <title>{name}, {}: {}</title></rect>\n",
                (to - from).max(1.0),
                way.name(),
                ratio.text()
            );
        }
    }
    svg + "</svg>\n"
}

/// Where a ratio stands on the axis.
fn x(ratio: f64) -> f64 {
    let (first, last) = (f64::from(*DECADES.start()), f64::from(*DECADES.end()));
    LEFT + (ratio.log10().clamp(first, last) - first) * DECADE
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_at_one() {
        let times = [vec![1.0], vec![100.0], vec![0.1]];
        let row = Row { group: "integer".into(), name: "a&b".into(), unit: "byte".into(), times };
        let absent = Row { name: "none".into(), times: Default::default(), ..row.clone() };
        let svg = svg("<title>", &[row, absent]);
        let one = x(1.0);
        assert!(svg.contains(&format!("x=\"{one:.1}\" y=\"51\" width=\"{:.1}\"", 2.0 * DECADE)), "{svg}");
        assert!(svg.contains(&format!("x=\"{LEFT:.1}\" y=\"59\" width=\"{DECADE:.1}\"")), "{svg}");
        assert!(svg.contains("a&amp;b") && svg.contains("&lt;title>") && !svg.contains("none"));
    }
}
