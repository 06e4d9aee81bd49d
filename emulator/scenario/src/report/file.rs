//! Files that are complete or absent.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Writes a file in one step: readers see the old text or the new one, never a part.
/// Creates missing folders.
///
/// # Errors
/// Fails if `path` names no file, or the folder or the file cannot be written. The old file is
/// then untouched.
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    fs::create_dir_all(folder)?;
    // Beside the target: a rename is atomic only within one file system.
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{}.", name.to_string_lossy());
    builder.prefix(&prefix).suffix(".tmp");
    // Drafts are private by default; a report may be read by others unless the umask forbids it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = builder.tempfile_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
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
