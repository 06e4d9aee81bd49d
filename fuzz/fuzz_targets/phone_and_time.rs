#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::run_within_limit("phone_and_time", bytes));
