//! `docs/performance.md`: a section for each machine between marks, which a later run replaces.

/// The page before anything was measured.
pub const EMPTY: &str = "\
# Performance

How many times longer kernels of `test/speed` take than natively, on QEMU and on PowerVisor. Every section is one run,
written by the command in it. Natively the program runs as a process on the same host, in the guests as `/init`, and
the three take turns. Times are the least of many windows of one to two milliseconds; ratios are of the least times,
in brackets the least and the greatest of single runs. Means are geometric; kernels without one stand apart. A boot
costs the processor time of the whole hypervisor, firmware and all, until `/init` begins. The kernel `parallel` always
has two virtual processors.
";

/// `page` with `section` in the place of the one of that name, or at the end.
pub fn with_section(page: &str, name: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let block = format!("{begin}\n## {name}\n\n{}\n{end}\n", section.trim_end());
    let parts = page.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    match parts {
        Some((head, tail)) => format!("{head}{block}{}", tail.trim_start_matches('\n')),
        None => format!("{}\n\n{block}", page.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_added_and_replaced() {
        let page = with_section(&with_section("# P\n", "a", "one"), "b", "two");
        let expected =
            "# P\n\n<!-- begin a -->\n## a\n\none\n<!-- end a -->\n\n<!-- begin b -->\n## b\n\ntwo\n<!-- end b -->\n";
        assert_eq!(page, expected);
        let replaced = with_section(&page, "a", "three\n");
        assert_eq!(
            replaced.replace("three", "one").replace("\n\n<!-- begin b", "\n<!-- begin b"),
            page.replace("\n\n<!-- begin b", "\n<!-- begin b")
        );
        assert!(replaced.contains("three") && !replaced.contains("one"));
    }
}
