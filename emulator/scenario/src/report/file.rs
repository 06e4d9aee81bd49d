//! Files that are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Writes a file in one step: readers see the old text or the new one, never a
/// part. Missing folders are made.
///
/// # Errors
/// When the folder cannot be written; the old file is then untouched.
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    // Beside the target: a rename is atomic only within one file system.
    let draft = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = write_and_move(&draft, path, text);
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_and_move(draft: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_testutils::Folder;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn replaces_the_old_text_and_leaves_nothing_else() {
        let folder = Folder::new();
        let dir = folder.path();
        let path = dir.join("deep/report.xml");
        write_atomically(&path, "old").unwrap();
        write_atomically(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(&dir.join("deep")), ["report.xml"]);
    }

    #[test]
    fn a_failed_write_leaves_the_target_and_no_draft() {
        let folder = Folder::new();
        let dir = folder.path();
        // The rename fails, since the target is a folder.
        let path = dir.join("report.xml");
        fs::create_dir_all(path.join("inside")).unwrap();
        assert!(write_atomically(&path, "new").is_err());
        assert!(path.join("inside").is_dir());
        assert_eq!(names(dir), ["report.xml"]);
    }
}
