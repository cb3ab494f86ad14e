//! Rust text without what is no code: a small lexer for checks that look for words.
//!
//! [`code`] keeps lines and columns, so what is found can be named by place. It knows comments, nested ones too,
//! strings of every kind, characters and lifetimes; it does not parse.

/// `text` with comments and the insides of strings and characters replaced by spaces.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = out.chars().next_back().is_some_and(is_word);
        let (kept, blank) = token(rest, first, after_word);
        let (head, tail) = rest.split_at(kept + blank);
        out.push_str(&head[..kept]);
        out.extend(head[kept..].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = tail;
    }
    out
}

/// Bytes to keep and then to blank at the head of `rest`.
fn token(rest: &str, first: char, after_word: bool) -> (usize, usize) {
    let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r');
    let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if rest.starts_with("//") {
        (0, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (0, comment(rest))
    } else if !after_word && raw.is_some_and(|raw| raw[hashes..].starts_with('"')) {
        let open = rest.find('"').unwrap_or(0) + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        (open, rest[open..].find(&close).map_or(rest.len() - open, |n| n + close.len()))
    } else if first == '"' {
        (1, quoted(&rest[1..], '"'))
    } else if first == '\'' && is_character(rest) {
        (1, quoted(&rest[1..], '\''))
    } else {
        (first.len_utf8(), 0)
    }
}

/// Length of a block comment with those nested in it.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(next) = text[at..].find(['/', '*']).map(|n| at + n) {
        depth += i32::from(text[next..].starts_with("/*")) - i32::from(text[next..].starts_with("*/"));
        let mark = ["/*", "*/"].iter().any(|mark| text[next..].starts_with(mark));
        at = next + if mark { 2 } else { 1 };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Length up to and with the closing `quote`.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Whether a quote begins a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// Whether `c` may stand in a name.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The byte offsets in `line` where `word` stands alone.
pub fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    line.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = line[..at].chars().next_back().is_some_and(is_word);
        let after = line[at + word.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_blank() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"x("a\"b", c)"#, r#"x("     , c)"#),
            (r###"r#"a"b"# c"###, "r#\"      c"),
            (r"'\'' 'a' &'a str", "'    '   &'a str"),
            ("var\"x\"", "var\"  "),
            ("'é' b\"unsafe\"", "'   b\"       "),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(words("unsafe_code unsafe (unsafe)", "unsafe").collect::<Vec<_>>(), [12, 20]);
    }
}
