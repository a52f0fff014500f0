//! Standard output and standard error.

use std::fmt;
use std::io::{ErrorKind, Write};

/// As `println!`, but ends the command where nobody reads on (`refire info FILE | head -1`).
macro_rules! say {
    () => { $crate::cli::terminal::print_line(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::terminal::print_line(format_args!($($text)*)) };
}

/// As `eprintln!`, but nothing comes of it where standard error is closed or full: what it tells is no result.
macro_rules! note {
    ($($text:tt)*) => { $crate::cli::terminal::note_line(format_args!($($text)*)) };
}

pub fn print_line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{}", harmless(text)) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        note!("refire: standard output: {error}");
        std::process::exit(1);
    }
}

pub fn note_line(text: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// A text whose control characters are shown: keys and paths come from elsewhere, and a terminal would obey them.
fn harmless(text: fmt::Arguments<'_>) -> String {
    let text = text.to_string();
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(control) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match control(c) {
            // As JSON and TOML have it.
            true => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => shown.push(c),
        }
    }
    shown
}
