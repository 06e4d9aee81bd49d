//! Memory of this process, as Linux counts it.

/// Bytes that are resident now.
pub(crate) fn resident() -> Option<f64> {
    field("VmRSS:")
}

/// The most bytes that were ever resident.
pub(crate) fn peak() -> Option<f64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix(name)?.trim().trim_end_matches("kB").trim().parse::<f64>().ok()
    });
    kilobytes.map(|kilobytes| kilobytes * 1024.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_peak_is_a_number_of_bytes() {
        let (now, peak) = (super::resident().unwrap(), super::peak().unwrap());
        assert!(now > 1e6 && peak >= now, "{now} {peak}");
    }
}
