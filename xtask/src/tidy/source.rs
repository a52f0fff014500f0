//! Rules about single files: length, left-overs, allowed `unsafe`, and the README that opens a crate.

use super::finding::Finding;

const LONGEST: usize = 500;
const LONG_FILE_REASON: &str = "// tidy: long file because ";
/// Only this folder may allow the `unsafe` that the workspace denies.
const UNSAFE_FOLDER: &str = "crates/kernels/";
// In two parts, so that this file does not breach its own rules.
const ALLOWED: &str = concat!("allow(", "unsafe_code");
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Whether the rules about text apply to a file, by its name.
pub fn is_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("rs" | "toml" | "md" | "sh" | "yml"))
        || path.starts_with(".ci/")
        || name == "LICENSE"
        || name.starts_with("LICENSE-")
}

/// Everything wrong with one text file; `path` is relative to the workspace root.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = trailing_whitespace(path, text);
    if path.ends_with(".toml") {
        findings.extend(leftovers(path, text, "#"));
    }
    if path.ends_with(".rs") {
        findings.extend(length(path, text));
        findings.extend(leftovers(path, text, "//"));
        findings.extend(unsafe_code(path, text));
        if is_of_crate(path, "src/lib.rs") {
            findings.extend(opening(path, text));
        }
    }
    if is_of_crate(path, "README.md") {
        findings.extend(readme(path, text));
    }
    findings
}

fn trailing_whitespace(path: &str, text: &str) -> Vec<Finding> {
    breaches(path, text, "trailing whitespace", |line| {
        line.ends_with(char::is_whitespace)
    })
}

fn leftovers(path: &str, text: &str, comment: &str) -> Vec<Finding> {
    let what = "left-over mark: do it or open an issue";
    breaches(path, text, what, |line| {
        let after = line.split_once(comment);
        after.is_some_and(|(_, said)| MARKS.iter().any(|mark| has_word(said, mark)))
    })
}

fn unsafe_code(path: &str, text: &str) -> Vec<Finding> {
    if path.starts_with(UNSAFE_FOLDER) {
        return Vec::new();
    }
    let what = format!("allows unsafe outside {UNSAFE_FOLDER}");
    breaches(path, text, &what, |line| line.contains(ALLOWED))
}

fn length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let reason_given = text.lines().take(5).any(|line| {
        line.strip_prefix(LONG_FILE_REASON)
            .is_some_and(|reason| !reason.trim().is_empty())
    });
    (lines > LONGEST && !reason_given).then(|| {
        let what = format!("{lines} lines, over {LONGEST}: cut it, or say `{LONG_FILE_REASON}...`");
        Finding::breach(path, LONGEST + 1, what)
    })
}

/// Whether it is that file of a folder of `crates`.
fn is_of_crate(path: &str, file: &str) -> bool {
    path.strip_prefix("crates/")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(_, rest)| rest == file)
}

/// What a crate opens with, so that its page of the registry is its documentation.
const OPENING: &str = "#![doc = include_str!(\"../README.md\")]";

/// A crate opens with its README.
fn opening(path: &str, text: &str) -> Option<Finding> {
    let opens = text.starts_with(OPENING);
    (!opens).then(|| Finding::breach(path, 1, format!("does not start with {OPENING}")))
}

/// The README of a crate holds a doc-test which runs.
fn readme(path: &str, text: &str) -> Option<Finding> {
    let mut open = false;
    let mut runs = false;
    for line in text.lines() {
        if let Some(language) = line.trim().strip_prefix("```") {
            runs |= !open && runs_as_test(language);
            open = !open;
        }
    }
    (!runs).then(|| Finding::breach(path, 1, "holds no doc-test that runs"))
}

/// Whether rustdoc runs a code block with this text after its fence.
fn runs_as_test(language: &str) -> bool {
    language
        .split(',')
        .all(|word| matches!(word.trim(), "" | "rust" | "should_panic"))
}

/// A breach for every line that `is_wrong`.
fn breaches(path: &str, text: &str, what: &str, is_wrong: impl Fn(&str) -> bool) -> Vec<Finding> {
    // Not `lines`, which hides a carriage return at a line's end.
    text.split('\n')
        .enumerate()
        .filter(|(_, line)| is_wrong(line))
        .map(|(index, _)| Finding::breach(path, index + 1, what))
        .collect()
}

/// Whether `word` stands in `line` on its own, not inside a longer identifier.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|candidate| candidate == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_clean_file_passes() {
        let text = format!("{OPENING}\n\n//! x\n");
        assert_eq!(printed("crates/a/src/lib.rs", &text), [""; 0]);
    }

    #[test]
    fn whitespace_at_a_line_end_is_named_with_its_line() {
        let expected = ["a.md:2: trailing whitespace", "a.md:3: trailing whitespace"];
        assert_eq!(printed("a.md", "a\nb \nc\r\nd"), expected);
    }

    #[test]
    fn leftovers_count_in_comments_only() {
        let [todo, fixme] = MARKS;
        let text =
            format!("f(\"{todo}\"); // {todo}: later\n// {fixme}\nlet {todo} = 1; // {todo}S\n");
        let what = "left-over mark: do it or open an issue";
        let expected = [format!("a.rs:1: {what}"), format!("a.rs:2: {what}")];
        assert_eq!(printed("a.rs", &text), expected);
        let toml = printed("a.toml", &format!("# {todo}"));
        assert_eq!(toml, [format!("a.toml:1: {what}")]);
    }

    #[test]
    fn unsafe_is_for_the_kernels() {
        let text = format!("//! A file.\n#![{ALLOWED})]\n");
        let expected = ["crates/core/src/a.rs:2: allows unsafe outside crates/kernels/"];
        assert_eq!(printed("crates/core/src/a.rs", &text), expected);
        assert_eq!(printed("crates/kernels/src/a.rs", &text), [""; 0]);
    }

    #[test]
    fn long_files_fail_unless_they_say_why() {
        let of = |lines: usize| "x\n".repeat(lines);
        assert_eq!(printed("a.rs", &of(500)), [""; 0]);
        let long = check("a.rs", &of(501));
        assert_eq!((long.len(), long[0].line), (1, 501));
        let excused = format!("// tidy: long file because it is one table\n{}", of(700));
        assert_eq!(printed("a.rs", &excused), [""; 0]);
        let blank = format!("// tidy: long file because  \n{}", of(700));
        assert!(check("a.rs", &blank).iter().any(|f| f.line == 501));
    }

    #[test]
    fn a_crate_opens_with_its_readme_which_holds_a_doc_test_that_runs() {
        let path = "crates/a/src/lib.rs";
        assert!(printed(path, "//! A crate.\n")[0].contains("does not start with"));
        let path = "crates/a/README.md";
        let without = [format!("{path}:1: holds no doc-test that runs")];
        let shell = "A.\n```text\nb\n```\n";
        assert_eq!(
            printed(path, shell),
            without,
            "a closing fence opens nothing"
        );
        let ignored = "A.\n```rust,ignore\nb\n```\n";
        assert_eq!(printed(path, ignored), without);
        let second = format!("{shell}```rust\nb();\n```\n");
        assert_eq!(printed(path, &second), [""; 0]);
    }

    #[test]
    fn only_a_crates_lib_is_its_root() {
        assert!(is_of_crate("crates/a/src/lib.rs", "src/lib.rs"));
        for path in ["crates/a/src/b/lib.rs", "crates/src/lib.rs", "src/lib.rs"] {
            assert!(!is_of_crate(path, "src/lib.rs"), "{path}");
        }
    }

    #[test]
    fn text_goes_by_its_name() {
        for path in ["a.rs", "x/b.md", ".ci/run", "LICENSE", "LICENSE-MIT"] {
            assert!(is_text(path), "{path}");
        }
        for path in ["a.npz", "Cargo.lock", "rs", "tests/data/x.csv"] {
            assert!(!is_text(path), "{path}");
        }
    }
}
