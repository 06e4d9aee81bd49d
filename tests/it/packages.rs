//! What `scripts/package` built: opened, and looked into.

use std::{io::Read, path::PathBuf, process::Command};

use crate::support::root;

const LIMIT: u64 = 3 * 1024 * 1024;
/// What provided.al2023 has, and Rust's standard library needs.
const THERE: [&str; 6] = [
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
];
/// The runtime's glibc.
const GLIBC: (u32, u32) = (2, 34);
const ARM64: u16 = 183;

/// The zips of this architecture; none when they were not built.
fn built() -> Vec<PathBuf> {
    let folder = root().join("target/package");
    let functions = ["dispatcher", "late_reply", "scheduler", "state_manager"];
    let zips: Vec<PathBuf> = functions.iter().map(|f| folder.join(format!("{f}.zip"))).collect();
    if zips.iter().all(|zip| zip.is_file()) {
        return zips;
    }
    eprintln!("skipped: target/package has no packages; scripts/package builds them");
    Vec::new()
}

#[test]
fn each_is_a_small_executable_for_the_runtime() {
    for path in built() {
        let name = path.display();
        assert!(path.metadata().unwrap().len() <= LIMIT, "{name} is over 3 MB");
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["bootstrap"], "{name}");
        let mut entry = zip.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode().unwrap() & 0o777, 0o755, "{name}");
        let mut binary = Vec::new();
        entry.read_to_end(&mut binary).unwrap();
        let elf = Elf::read(&binary);
        assert_eq!(elf.machine, ARM64, "{name} is for another machine");
        for library in &elf.needed {
            assert!(THERE.contains(&library.as_str()), "{name} needs {library}");
        }
        assert!(elf.glibc() <= GLIBC, "{name} needs glibc {:?}", elf.glibc());
    }
}

/// By its content: whoever has the same zip has the same name for it.
#[test]
fn each_is_named_by_its_content() {
    for path in built() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let ran = Command::new("sha256sum").arg(&path).output().unwrap();
        let digest = String::from_utf8(ran.stdout).unwrap();
        let named = path.with_file_name(format!("{name}-{}.zip", &digest[..16]));
        assert_eq!(std::fs::read(&named).unwrap(), std::fs::read(&path).unwrap());
    }
}

/// The reader must see what it looks for: here in this program itself.
#[test]
fn the_reader_of_binaries_sees_machine_and_libraries() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let elf = Elf::read(&own);
    let machine = if cfg!(target_arch = "aarch64") { ARM64 } else { 62 };
    assert_eq!(elf.machine, machine);
    assert!(elf.needed.iter().any(|library| library == "libc.so.6"), "{:?}", elf.needed);
    assert!(elf.glibc() > (2, 0), "{:?}", elf.glibc());
}

/// What is asked of a 64-bit little-endian ELF file.
struct Elf {
    machine: u16,
    needed: Vec<String>,
    strings: Vec<u8>,
}

impl Elf {
    fn read(binary: &[u8]) -> Self {
        assert_eq!(&binary[..6], b"\x7fELF\x02\x01", "no 64-bit ELF file");
        let u16_at = |at: usize| u16::from_le_bytes(binary[at..at + 2].try_into().unwrap());
        let u64_at = |at: usize| {
            usize::try_from(u64::from_le_bytes(binary[at..at + 8].try_into().unwrap())).unwrap()
        };
        let (table, size, count) = (u64_at(32), u16_at(54), u16_at(56));
        // Kind, offset in the file, address, size in the file.
        let segments: Vec<(u32, usize, usize, usize)> = (0..usize::from(count))
            .map(|i| table + i * usize::from(size))
            .map(|at| {
                let kind = u32::from_le_bytes(binary[at..at + 4].try_into().unwrap());
                (kind, u64_at(at + 8), u64_at(at + 16), u64_at(at + 32))
            })
            .collect();
        let dynamic = segments.iter().find(|segment| segment.0 == 2).expect("no dynamic segment");
        let entries: Vec<(usize, usize)> = (dynamic.1..dynamic.1 + dynamic.3)
            .step_by(16)
            .map(|at| (u64_at(at), u64_at(at + 8)))
            .take_while(|(tag, _)| *tag != 0)
            .collect();
        let of = |tag: usize| entries.iter().find(|entry| entry.0 == tag).map(|entry| entry.1);
        let (address, length) = (of(5).expect("no strings"), of(10).expect("no strings"));
        let load = segments
            .iter()
            .find(|s| s.0 == 1 && (s.2..s.2 + s.3).contains(&address))
            .expect("the strings are loaded");
        let start = address - load.2 + load.1;
        let strings = binary[start..start + length].to_vec();
        let text = |at: usize| {
            let end = strings[at..].iter().position(|byte| *byte == 0).unwrap();
            String::from_utf8(strings[at..at + end].to_vec()).unwrap()
        };
        let needed = entries.iter().filter(|entry| entry.0 == 1).map(|entry| text(entry.1));
        Self { machine: u16_at(18), needed: needed.collect(), strings: strings.clone() }
    }

    /// The newest glibc whose symbols it names.
    fn glibc(&self) -> (u32, u32) {
        let texts = self.strings.split(|byte| *byte == 0);
        texts
            .filter_map(|text| std::str::from_utf8(text).ok()?.strip_prefix("GLIBC_"))
            .filter_map(|version| {
                let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
                Some((parts.next()?, parts.next()?))
            })
            .max()
            .unwrap_or_default()
    }
}
