//! What the package client prints and what its configuration files hold, as pure functions over text.
//!
//! Contract: unknown lines and fields are passed over, never an error; the caller decides what is missing.

/// A Debian archive that the host's configuration names: where it is, and one suite of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Address without a trailing slash.
    pub uri: String,
    /// Suite as the host has it, such as a release's name.
    pub suite: String,
}

/// Names by which Debian's main suites are known in configurations: releases since 2019, and the moving names.
#[rustfmt::skip]
const MAIN_SUITES: &[&str] = &[
    "buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid",
    "oldoldstable", "oldstable", "stable", "testing", "unstable",
];

/// Mirrors among the lines of `apt-get --print-uris update` (`'URI' FILE SIZE HASH`), the likeliest first: those that
/// carry `suite` itself, then those that carry another main suite of Debian. Each address stands once.
pub fn mirrors(print_uris: &str, suite: &str) -> Vec<Mirror> {
    let mut found: Vec<Mirror> = Vec::new();
    for line in print_uris.lines() {
        let quoted = line.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(uri, _)| uri);
        let Some((uri, suite)) = quoted
            .and_then(|uri| uri.strip_suffix("/InRelease"))
            .and_then(|uri| uri.rsplit_once("/dists/"))
            .filter(|(uri, suite)| MAIN_SUITES.contains(suite) && !uri.starts_with("cdrom:"))
        else {
            continue;
        };
        let mirror = Mirror { uri: uri.trim_end_matches('/').to_owned(), suite: suite.to_owned() };
        if !found.contains(&mirror) {
            found.push(mirror);
        }
    }
    found.sort_by_key(|mirror| mirror.suite != suite);
    let mut seen = Vec::new();
    found.retain(|mirror| {
        let new = !seen.contains(&mirror.uri);
        seen.push(mirror.uri.clone());
        new
    });
    found
}

/// The `Signed-By` that a configuration file gives for a mirror, ready to stand after `Signed-By:` in a stanza of our
/// own: paths or fingerprints, or a key block with its continuation lines. `deb822` tells which of apt's two formats
/// the file has (sources.list(5)).
pub fn signed_by(configuration: &str, deb822: bool, mirror: &Mirror) -> Option<String> {
    if deb822 {
        stanzas(configuration).into_iter().find(|stanza| stanza.names(mirror))?.get("Signed-By").map(str::to_owned)
    } else {
        configuration.lines().find_map(|line| one_line_signed_by(line, mirror))
    }
}

/// `deb [option=value ...] URI SUITE COMPONENT...`
fn one_line_signed_by(line: &str, mirror: &Mirror) -> Option<String> {
    let rest = line.trim_start().strip_prefix("deb")?.trim_start();
    let (options, entry) = rest.strip_prefix('[')?.split_once(']')?;
    let mut words = entry.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    if uri.trim_end_matches('/') != mirror.uri || suite.trim_end_matches('/') != mirror.suite {
        return None;
    }
    let value = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="))?;
    Some(value.to_owned())
}

/// A paragraph of `Name: value` fields; continuation lines are kept as they stand, comments dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanza(Vec<(String, String)>);

impl Stanza {
    /// The value of a field, names compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn names(&self, mirror: &Mirror) -> bool {
        let lists = |field, wanted: &str| {
            self.get(field).is_some_and(|v| v.split_whitespace().any(|word| word.trim_end_matches('/') == wanted))
        };
        lists("URIs", &mirror.uri) && lists("Suites", &mirror.suite)
    }
}

/// The paragraphs of a control file (deb822(5)), as `apt-cache show` prints and `*.sources` files hold.
pub fn stanzas(text: &str) -> Vec<Stanza> {
    let mut stanzas = vec![Stanza::default()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(Stanza(fields)) = stanzas.last_mut() else { break };
        if line.trim().is_empty() {
            stanzas.push(Stanza::default());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    stanzas.retain(|Stanza(fields)| !fields.is_empty());
    stanzas
}

/// The first package of a `Depends` field whose name begins with `prefix`, without version and architecture.
pub fn dependency<'a>(depends: &'a str, prefix: &str) -> Option<&'a str> {
    depends
        .split([',', '|'])
        .filter_map(|part| part.split_whitespace().next())
        .map(|name| name.split_once(':').map_or(name, |(name, _)| name))
        .find(|name| name.starts_with(prefix))
}

/// Parts per million done, from a `dlstatus:ITEM:PERCENT:TEXT` line of APT::Status-Fd (apt's README.progress-reporting).
pub fn download_status(line: &str) -> Option<u64> {
    let percent: f64 = line.strip_prefix("dlstatus:")?.split(':').nth(1)?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some((percent * 10_000.0) as u64)
}

/// The value of `NAME='VALUE'` in what `apt-config shell` prints.
pub fn shell_variable<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT_URIS: &str = "\
'http://tools.example.org/apt/dists/nodistro/InRelease' tools.example.org_apt_dists_nodistro_InRelease 0 \n\
'cdrom:[Debian]/dists/bookworm/InRelease' cd 0 \n\
'http://old.example.org/debian/dists/stable/InRelease' old 0 \n\
'http://mirror.example.org/debian/dists/bookworm/InRelease' mirror.example.org_debian_dists_bookworm_InRelease 0 \n\
'http://mirror.example.org/debian/dists/bookworm-updates/InRelease' u 0 \n\
'http://mirror.example.org/debian/dists/trixie/InRelease' t 0 \n\
'http://mirror.example.org/debian/dists/bookworm/main/binary-amd64/Packages.xz' p 0 \n\
Reading package lists...\n";

    fn mirror(uri: &str, suite: &str) -> Mirror {
        Mirror { uri: uri.to_owned(), suite: suite.to_owned() }
    }

    #[test]
    fn mirrors_are_found_and_ordered() {
        let (old, main) = ("http://old.example.org/debian", "http://mirror.example.org/debian");
        assert_eq!(mirrors(PRINT_URIS, "bookworm"), [mirror(main, "bookworm"), mirror(old, "stable")]);
        assert_eq!(mirrors(PRINT_URIS, "trixie"), [mirror(main, "trixie"), mirror(old, "stable")]);
        assert_eq!(mirrors("'http://u.example.org/ubuntu/dists/noble/InRelease' f 0\n", "bookworm"), []);
        assert_eq!(mirrors("", "bookworm"), []);
    }

    #[test]
    fn keys_are_found_in_both_formats() {
        let wanted = mirror("http://mirror.example.org/debian", "bookworm");
        let deb822 = "\
# first\nTypes: deb\nURIs: http://mirror.example.org/other\nSuites: bookworm\nSigned-By: /wrong.gpg\n\n\
Types: deb\n# a comment\nuris: http://mirror.example.org/debian/\nSuites: bookworm bookworm-updates\n\
Components: main\nSigned-By: /usr/share/keyrings/right.gpg\n";
        assert_eq!(signed_by(deb822, true, &wanted).as_deref(), Some("/usr/share/keyrings/right.gpg"));
        let inline =
            "URIs: http://mirror.example.org/debian\nSuites: bookworm\nSigned-By:\n -----BEGIN X-----\n .\n AB\n";
        assert_eq!(signed_by(inline, true, &wanted).as_deref(), Some("\n -----BEGIN X-----\n .\n AB"));
        let lines = "deb-src [signed-by=/src.gpg] http://mirror.example.org/debian bookworm main\n\
deb http://mirror.example.org/debian bookworm main\n\
deb [ arch=amd64 signed-by=/right.gpg ] http://mirror.example.org/debian/ bookworm main contrib\n";
        assert_eq!(signed_by(lines, false, &wanted).as_deref(), Some("/right.gpg"));
        assert_eq!(signed_by(lines, false, &mirror("http://mirror.example.org/debian", "trixie")), None);
        assert_eq!(signed_by("", true, &wanted), None);
    }

    #[test]
    fn package_records_are_read() {
        let text = "Package: linux-image-powerpc64le\nVersion: 6.1.1-1\n\
Depends: linux-image-6.1.0-9-powerpc64le (= 6.1.1-1)\nDescription: a\n b: c\n\nPackage: busybox-static\n";
        let read = stanzas(text);
        let names: Vec<_> = read.iter().map(|stanza| stanza.get("package")).collect();
        assert_eq!(names, [Some("linux-image-powerpc64le"), Some("busybox-static")]);
        assert_eq!(read[0].get("Description"), Some("a\n b: c"));
        assert_eq!(
            dependency(read[0].get("Depends").unwrap(), "linux-image-"),
            Some("linux-image-6.1.0-9-powerpc64le")
        );
        assert_eq!(dependency("libc6 (>= 2), a:any | linux-image-x:ppc64el", "linux-image-"), Some("linux-image-x"));
        assert_eq!(dependency("libc6", "linux-image-"), None);
        assert_eq!(stanzas(" begins with a continuation\n\n\n"), []);
    }

    #[test]
    fn status_lines_are_read() {
        assert_eq!(download_status("dlstatus:2:11.5403:Retrieving file 2 of 2"), Some(115_403));
        assert_eq!(download_status("dlstatus:1:100.0000:x"), Some(1_000_000));
        for bad in ["pmstatus:a:1:x", "dlstatus:1", "dlstatus:1:nan:x", "dlstatus:1:-1:x", ""] {
            assert_eq!(download_status(bad), None, "{bad}");
        }
    }

    #[test]
    fn shell_variables_are_read() {
        let text = "LIST='/etc/apt/sources.list'\nPARTS='/etc/apt/sources.list.d/'\n";
        assert_eq!(shell_variable(text, "PARTS"), Some("/etc/apt/sources.list.d/"));
        assert_eq!(shell_variable(text, "OTHER"), None);
    }
}
