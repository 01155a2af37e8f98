#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| procward::fuzzing::maps(data));
