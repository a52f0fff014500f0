//! Standard output.

use std::fmt;
use std::io::{ErrorKind, Write};

/// As `println!`, but ends the command where nobody reads on (`refire info FILE | head -1`).
macro_rules! say {
    () => { $crate::cli::terminal::print_line(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::terminal::print_line(format_args!($($text)*)) };
}

pub fn print_line(text: fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("refire: standard output: {error}");
        std::process::exit(1);
    }
}
