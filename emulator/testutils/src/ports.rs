//! Fixed ports for tests that cannot use port 0.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports of a world, in steps of ten.
const PORTS: u16 = 7;

/// Returns the first of seven ports in steps of ten, as `--port-base` takes them, which are free
/// now. No two calls in this process return ports that overlap. They lie below the ports that the
/// system gives to programs that ask for any.
pub fn free_port_base() -> u16 {
    const STEP: u16 = 10;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 200).unwrap_or_default();
    let start = process * PORTS * STEP;
    loop {
        let base = 20_000 + (start + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        // Within each span of seventy, only the first ten ports begin a row.
        if base % (PORTS * STEP) < STEP && (0..PORTS).all(|port| free(base + port * STEP)) {
            return base;
        }
    }
}
