//! Memory of this process, as Linux counts it.

/// Resident now: `31.4 MB`.
pub(super) fn resident() -> String {
    field("VmRSS:")
}

/// The most that was ever resident.
pub(super) fn peak() -> String {
    field("VmHWM:")
}

fn field(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix(name)?.trim().trim_end_matches("kB").trim().parse::<f64>().ok()
    });
    kilobytes.map_or_else(|| "unknown".into(), |kb| format!("{:.1} MB", kb / 1024.0))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_peak_is_a_number_of_megabytes() {
        let peak = super::peak();
        let number: f64 = peak.strip_suffix(" MB").unwrap().parse().unwrap();
        assert!(number > 1.0, "{peak}");
    }
}
