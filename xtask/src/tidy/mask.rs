//! Splits Rust source into its code and its comments, so that a rule about one never trips over the
//! other, nor over a string literal.

/// The same text twice, line for line: once with only the code left, once with only the comments.
#[derive(Debug)]
pub struct Masked {
    pub code: String,
    pub comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Splits `source`. Literals are in neither half; every newline is in both.
pub fn mask(source: &str) -> Masked {
    let chars: Vec<char> = source.chars().collect();
    let mut masked = Masked {
        code: String::with_capacity(source.len()),
        comments: String::new(),
    };
    let mut at = 0;
    while at < chars.len() {
        let (kind, end) = token(&chars, at);
        for &c in &chars[at..end] {
            let keep = |wanted| if kind == wanted || c == '\n' { c } else { ' ' };
            masked.code.push(keep(Kind::Code));
            masked.comments.push(keep(Kind::Comment));
        }
        at = end;
    }
    masked
}

/// The kind and the end of what starts at `at`.
fn token(chars: &[char], at: usize) -> (Kind, usize) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (Kind::Comment, find(chars, at, '\n')),
        '/' if next == Some('*') => (Kind::Comment, block_comment_end(chars, at)),
        '"' => (Kind::Literal, quoted_end(chars, at, '"')),
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
            (Kind::Literal, quoted_end(chars, at, '\''))
        }
        c if is_word(c) => {
            let mut end = at;
            while end < chars.len() && is_word(chars[end]) {
                end += 1;
            }
            let prefix: String = chars[at..end].iter().collect();
            let raw = matches!(prefix.as_str(), "r" | "br" | "cr");
            match raw.then(|| raw_string_end(chars, end)).flatten() {
                Some(end) => (Kind::Literal, end),
                None => (Kind::Code, end),
            }
        }
        _ => (Kind::Code, at + 1),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first `wanted` from `at` on, or the end of the text.
fn find(chars: &[char], at: usize, wanted: char) -> usize {
    (at..chars.len())
        .find(|&i| chars[i] == wanted)
        .unwrap_or(chars.len())
}

/// Block comments nest.
fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of a literal with backslash escapes whose opening quote is at `start`.
fn quoted_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of a raw string whose hashes start at `start`; none if it is a raw identifier.
fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start..].iter().take_while(|&&c| c == '#').count();
    let mut at = start + hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    loop {
        at = find(chars, at + 1, '"');
        if at == chars.len() {
            return Some(at);
        }
        let closing = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
        if closing >= hashes {
            return Some(at + 1 + hashes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    #[test]
    fn comments_and_code_part() {
        let m = mask("let a = 1; // one\n/* two /* three */ four */ let b;\n/// doc\n");
        assert_eq!(words(&m.code), ["let", "a", "=", "1;", "let", "b;"]);
        assert_eq!(
            words(&m.comments),
            [
                "//", "one", "/*", "two", "/*", "three", "*/", "four", "*/", "///", "doc"
            ]
        );
        assert_eq!(m.code.lines().count(), 3);
        assert_eq!(m.comments.lines().count(), 3);
    }

    #[test]
    fn literals_are_in_neither_half() {
        let source = r####"f("a // \" b", r#"c " // d"#, b"e", '"', '\'', 'x', 'static) // g"####;
        let m = mask(source);
        assert_eq!(words(&m.comments), ["//", "g"]);
        assert_eq!(
            m.code.replace(' ', ""),
            "f(,,b,,,,'static)",
            "the prefix of a byte string and lifetimes are code"
        );
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert_eq!(words(&mask("r#type r#\"x\"# y").code), ["r#type", "y"]);
    }

    #[test]
    fn open_ends_reach_the_end_of_the_text() {
        for source in ["a \"b", "a /* b", "a r#\"b", "a '\\", "a // b"] {
            assert_eq!(mask(source).code.trim(), "a", "{source}");
        }
    }
}
