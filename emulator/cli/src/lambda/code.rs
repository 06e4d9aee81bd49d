//! The values of `--function NAME=...`: a program, a folder or zip with `bootstrap`, a command.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::error::{Cause, CommandError};
use rehearse_aws::Executable;

/// Name of the program in a package for `provided.al2023`.
const BOOTSTRAP: &str = "bootstrap";

/// Folders of unpacked packages; [`clean_up`] removes them.
static UNPACKED: Mutex<Vec<tempfile::TempDir>> = Mutex::new(Vec::new());

/// The executable that `code` names, for the function `id`; relative paths start at `root`.
pub(crate) fn executable(id: &str, code: &str, root: &Path) -> Result<Executable, CommandError> {
    let path = root.join(code);
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(_) if code.contains(char::is_whitespace) || !code.contains('/') => {
            return command(id, code, root);
        }
        Err(error) => {
            return Err(CommandError::environment(format!("{id}: failed to read {code}"))
                .because(error)
                .help("build it first, or name another executable with --function"));
        }
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    if found.is_dir() {
        return in_folder(id, path.clone(), &path);
    }
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        return in_folder(id, unpack(id, &path)?, &path);
    }
    let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
    checked(id, Executable { program: path, arguments: Vec::new(), folder, world_clock: None })
}

/// The program of a package; `named` is what the user calls it, the folder or its zip.
fn in_folder(id: &str, folder: PathBuf, named: &Path) -> Result<Executable, CommandError> {
    let program = folder.join(BOOTSTRAP);
    if !program.is_file() {
        return Err(CommandError::environment(format!(
            "{id}: there is no `{BOOTSTRAP}` in {}",
            named.display()
        ))
        .help("a package for provided.al2023 has its program there, under that name"));
    }
    checked(id, Executable { program, arguments: Vec::new(), folder, world_clock: None })
}

fn unpack(id: &str, path: &Path) -> Result<PathBuf, CommandError> {
    let failed = |error: Cause| {
        CommandError::environment(format!("{id}: failed to unpack {}", path.display()))
            .because(error)
    };
    let file = fs::File::open(path).map_err(|e| failed(e.into()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| failed(e.into()))?;
    let folder =
        tempfile::Builder::new().prefix("rehearse-").tempdir().map_err(|e| failed(e.into()))?;
    archive.extract(folder.path()).map_err(|e| failed(e.into()))?;
    let unpacked = folder.path().to_path_buf();
    UNPACKED.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
    Ok(unpacked)
}

/// Removes the folders of unpacked packages.
pub(crate) fn clean_up() {
    UNPACKED.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// A command, split as a shell splits it. Its program is looked up in the user's PATH now, because a
/// function's environment has no PATH of the user.
fn command(id: &str, code: &str, root: &Path) -> Result<Executable, CommandError> {
    let words = shell_words::split(code).map_err(|error| {
        CommandError::wrong(format!("{id}: `{code}` is not a command")).because(error)
    })?;
    let mut words = words.into_iter();
    let Some(name) = words.next() else {
        return Err(CommandError::wrong(format!("{id}: there is no command")));
    };
    let Some(program) = find(&name, root) else {
        return Err(CommandError::environment(format!("{id}: there is no program `{name}`"))
            .help("install it, or give its path"));
    };
    let folder = std::path::absolute(root).or_else(|_| std::env::current_dir());
    let folder = folder.unwrap_or_else(|_| PathBuf::from("/"));
    checked(id, Executable { program, arguments: words.collect(), folder, world_clock: None })
}

fn find(name: &str, root: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return std::path::absolute(root.join(name)).ok().filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn checked(id: &str, executable: Executable) -> Result<Executable, CommandError> {
    let program = &executable.program;
    let mode = |found: io::Result<fs::Metadata>| found.map(|found| found.permissions().mode());
    match mode(fs::metadata(program)) {
        Ok(mode) if mode & 0o111 != 0 => Ok(executable),
        Ok(_) => {
            Err(CommandError::environment(format!("{id}: {} is not executable", program.display()))
                .help(format!("`chmod +x {}` makes it so", program.display())))
        }
        Err(error) => {
            Err(CommandError::environment(format!("{id}: failed to read {}", program.display()))
                .because(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn programs_folders_zips_and_commands_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        program(root, BOOTSTRAP, 0o755);
        let of = |code: &str| executable("F", code, root).unwrap();
        assert_eq!(of("bootstrap").program, root.join(BOOTSTRAP));
        assert_eq!(of(".").program, root.join(".").join(BOOTSTRAP));
        let command = of("sh -c 'exit 0'");
        assert!(command.program.is_absolute() && command.program.ends_with("sh"));
        assert_eq!(command.arguments, ["-c", "exit 0"]);

        let file = fs::File::create(root.join("a.zip")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(BOOTSTRAP, options).unwrap();
        io::Write::write_all(&mut zip, b"#!/bin/sh\n").unwrap();
        zip.finish().unwrap();
        let unpacked = of("a.zip");
        assert!(unpacked.program.is_file());
        clean_up();
        assert!(!unpacked.program.exists());
    }

    #[test]
    fn what_cannot_be_run_is_told_apart_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), "plain", 0o644);
        fs::write(folder.path().join("bad.zip"), "no zip").unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        let empty = fs::File::create(folder.path().join("empty.zip")).unwrap();
        zip::ZipWriter::new(empty).finish().unwrap();
        let by_its_name = format!("in {}", folder.path().join("empty.zip").display());
        for (code, says) in [
            ("./none", "failed to read ./none"),
            ("plain", "is not executable"),
            ("bad.zip", "failed to unpack"),
            ("empty", "there is no `bootstrap` in"),
            ("empty.zip", &by_its_name),
            ("no-such-program x", "there is no program `no-such-program`"),
            ("sh 'open", "is not a command"),
        ] {
            let problem = executable("F", code, folder.path()).unwrap_err();
            assert!(problem.texts()[0].contains(says), "{code}: {problem:?}");
            assert!(problem.texts()[0].starts_with("F: "), "{code}");
        }
    }
}
