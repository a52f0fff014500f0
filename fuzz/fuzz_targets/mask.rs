#![no_main]

#[path = "../../crates/refire/src/cli/mod.rs"]
#[allow(dead_code, reason = "only the options are used")]
mod cli;
#[path = "../readers.rs"]
mod readers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let archive = readers::archive(bytes, &["mask"]);
    readers::with_file(&archive, cli::fuzzing::mask);
});
