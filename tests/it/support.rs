//! What several test files need.

use std::path::{Path, PathBuf};

use rehearse_testutils::Folder;

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder whose name ends so, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A project of its own in a temporary folder: template, settings and fixtures, but no scenarios.
pub fn project() -> Folder {
    let folder = Folder::new();
    for name in ["template.yaml", "rehearse.toml"] {
        folder.write(name, std::fs::read(root().join(name)).unwrap());
    }
    for file in files(&root().join("fixtures"), "") {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
        folder.write(name, std::fs::read(&file).unwrap());
    }
    folder
}
