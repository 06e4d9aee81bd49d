//! Functions of the runtimes `python3.x` and `nodejs2x.x`, which need no program of their own: an
//! interpreter of this machine runs a bootstrap, and that the handler.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use super::clock;
use crate::error::CommandError;
use rehearse_aws::{
    Executable, WorldClock,
    template::{Function, FunctionClock},
};

/// What speaks the Runtime API, by the name of its file.
const PYTHON: (&str, &str) = ("bootstrap.py", include_str!("runtime/bootstrap.py"));
const NODE: (&str, &str) = ("bootstrap.mjs", include_str!("runtime/bootstrap.mjs"));

/// Names of folders with a Python environment.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// The folder with the bootstraps of this process; [`clean_up`] removes it.
static BOOTSTRAPS: Mutex<Option<tempfile::TempDir>> = Mutex::new(None);

/// A language whose runtime is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Node,
}

/// An interpreter that was found and works.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interpreter {
    program: PathBuf,
    /// `3.12`, or `22` for Node.
    version: String,
}

/// The interpreters of a start, each asked once.
#[derive(Debug, Default)]
pub(super) struct Interpreters {
    asked: BTreeMap<PathBuf, Option<Interpreter>>,
    /// libfaketime, once it was looked for.
    libraries: Option<Vec<PathBuf>>,
    /// The one that each interpreter takes its time from.
    following: BTreeMap<PathBuf, Option<PathBuf>>,
    /// What the user is told: versions that are not the template's.
    pub(super) remarks: Vec<String>,
}

impl Language {
    /// The language of a `Runtime`, such as `python3.12`, and its version.
    pub(super) fn of(runtime: &str) -> Option<(Self, &str)> {
        if let Some(version) = runtime.strip_prefix("python") {
            return Some((Self::Python, version));
        }
        let version = runtime.strip_prefix("nodejs")?;
        Some((Self::Node, version.strip_suffix(".x").unwrap_or(version)))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node",
        }
    }

    /// The variable that names an interpreter.
    fn variable(self) -> &'static str {
        match self {
            Self::Python => "REHEARSE_PYTHON",
            Self::Node => "REHEARSE_NODE",
        }
    }

    /// Arguments by which the interpreter prints the seconds since 1970.
    fn time(self) -> [&'static str; 2] {
        match self {
            Self::Python => ["-c", "import time; print(int(time.time()))"],
            Self::Node => ["-p", "Math.trunc(Date.now() / 1000)"],
        }
    }

    /// A program that prints where the interpreter is, and its version.
    fn question(self) -> [&'static str; 2] {
        match self {
            Self::Python => {
                ["-c", "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])"]
            }
            Self::Node => ["-p", "process.execPath + '\\n' + process.versions.node.split('.')[0]"],
        }
    }
}

impl Interpreters {
    /// The executable of a function whose code is in `folder`. `project` is where environments are
    /// looked for besides.
    ///
    /// # Errors
    /// When no interpreter works, or the file of the handler is not there.
    pub(super) fn executable(
        &mut self,
        function: &Function,
        (language, version): (Language, &str),
        (folder, clock): (&Path, FunctionClock),
        project: &Path,
    ) -> Result<Executable, CommandError> {
        let id = &function.id;
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        if !folder.is_dir() {
            return Err(CommandError::environment(format!(
                "{id}: its code is not in {}, which is no folder",
                folder.display()
            ))
            .help(format!(
                "CodeUri names it, or `folder` under [functions.{id}] in rehearse.toml"
            )));
        }
        check_handler(function, language, &folder)?;
        let mut places = vec![folder.clone()];
        let project = if project.as_os_str().is_empty() { Path::new(".") } else { project };
        places.extend(std::path::absolute(project).ok());
        let candidates = candidates(language, version, &places, |name| std::env::var_os(name));
        let found = candidates.into_iter().find_map(|program| self.ask(language, &program));
        let Some(interpreter) = found else {
            let name = language.name();
            return Err(CommandError::environment(format!("{id}: there is no {name} that works"))
                .help(format!(
                    "install {name} {version}, or name an interpreter with {}; `command` under \
                     [functions.{id}] in rehearse.toml names a program instead",
                    language.variable()
                )));
        };
        if interpreter.version != version {
            let Interpreter { program, version: other } = &interpreter;
            let (name, program) = (language.name(), program.display());
            let remark = format!("{id} is for {name} {version} and runs on {other} ({program})");
            self.remarks.push(remark);
        }
        let bootstrap = bootstrap(language).map_err(|error| {
            CommandError::environment(format!("{id}: failed to write its bootstrap")).because(error)
        })?;
        let world_clock = match clock {
            FunctionClock::Machine => None,
            FunctionClock::World => self.world_clock(language, &interpreter.program),
        };
        let world_clock = world_clock
            .zip(bootstrap.parent())
            .map(|(library, folder)| WorldClock { library, folder: folder.to_path_buf() });
        if world_clock.is_none() && clock == FunctionClock::World {
            self.remark_clock(language);
        }
        let mut arguments = Vec::new();
        if language == Language::Python {
            // As on AWS nothing is written beside the code.
            arguments.push("-B".to_owned());
        }
        arguments.push(bootstrap.display().to_string());
        if language == Language::Node {
            // What handlers may do depends on the runtime's version, not on the interpreter's.
            arguments.push(version.to_owned());
        }
        Ok(Executable { program: interpreter.program, arguments, folder, world_clock })
    }

    /// The library that gives an interpreter the scenario's time, if it is installed and works.
    fn world_clock(&mut self, language: Language, program: &Path) -> Option<PathBuf> {
        let libraries = self.libraries.get_or_insert_with(clock::libraries);
        let follows = |library: &&PathBuf| clock::follows(program, &language.time(), library);
        let following = self.following.entry(program.to_path_buf());
        following.or_insert_with(|| libraries.iter().find(follows).cloned()).clone()
    }

    /// Says once that handlers have the machine's clock.
    fn remark_clock(&mut self, language: Language) {
        const BEGINNING: &str = "the clock of handlers is the machine's";
        if self.remarks.iter().any(|remark| remark.starts_with(BEGINNING)) {
            return;
        }
        let why = if self.libraries.as_ref().is_some_and(|found| !found.is_empty()) {
            format!("this {} does not take its time from libfaketime", language.name())
        } else if cfg!(target_os = "linux") {
            "libfaketime is not installed (apt-get install libfaketime)".to_owned()
        } else {
            "libfaketime, which shows it to them, is used on Linux only".to_owned()
        };
        self.remarks.push(format!(
            "{BEGINNING}, whatever time a scenario says: {why}; `clock = \"machine\"` for each function under \
             [functions] in rehearse.toml says that this is meant"
        ));
    }

    /// The interpreter behind a name, if it works. It is asked in the user's own environment: what is in
    /// PATH may be a script that needs it.
    fn ask(&mut self, language: Language, program: &Path) -> Option<Interpreter> {
        if let Some(known) = self.asked.get(program) {
            return known.clone();
        }
        let answer = ask(language, program);
        self.asked.insert(program.to_path_buf(), answer.clone());
        answer
    }
}

/// Removes the folder of the bootstraps.
pub(crate) fn clean_up() {
    BOOTSTRAPS.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// Where an interpreter may be, the likeliest first: in an environment beside the code or in the project,
/// where the user says, in an activated environment, in PATH.
fn candidates(
    language: Language,
    version: &str,
    places: &[PathBuf],
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Vec<PathBuf> {
    let named = variable(language.variable()).filter(|name| !name.is_empty()).map(PathBuf::from);
    match language {
        Language::Node => named.into_iter().chain([PathBuf::from("node")]).collect(),
        Language::Python => {
            let python = |folder: PathBuf| folder.join("bin").join("python");
            let beside = places.iter().flat_map(|place| ENVIRONMENTS.map(|name| place.join(name)));
            let beside = beside.map(python).filter(|program| program.exists());
            let active = variable("VIRTUAL_ENV").map(|folder| python(folder.into()));
            let in_path = [format!("python{version}"), "python3".to_owned()];
            beside.chain(named).chain(active).chain(in_path.map(PathBuf::from)).collect()
        }
    }
}

fn ask(language: Language, program: &Path) -> Option<Interpreter> {
    let mut command = Command::new(program);
    command.args(language.question()).stdin(Stdio::null()).stderr(Stdio::null());
    let answer = command.output().ok().filter(|answer| answer.status.success())?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    let (program, version) = answer.trim().split_once('\n')?;
    Some(Interpreter { program: program.trim().into(), version: version.trim().to_owned() })
}

/// The file of a bootstrap, written once.
fn bootstrap(language: Language) -> io::Result<PathBuf> {
    let mut folder = BOOTSTRAPS.lock().unwrap_or_else(PoisonError::into_inner);
    if folder.is_none() {
        *folder = Some(tempfile::Builder::new().prefix("rehearse-").tempdir()?);
    }
    let folder = folder.as_ref().map_or(Path::new("."), tempfile::TempDir::path);
    let (name, text) = match language {
        Language::Python => PYTHON,
        Language::Node => NODE,
    };
    let path = folder.join(name);
    if !path.exists() {
        fs::write(&path, text)?;
    }
    Ok(path)
}

/// Looks for the file of the handler, so that a wrong folder is told before anything starts.
fn check_handler(
    function: &Function,
    language: Language,
    folder: &Path,
) -> Result<(), CommandError> {
    let id = &function.id;
    let Some(handler) = &function.handler else {
        return Err(CommandError::wrong(format!("{id}: the template has no Handler for it")).help(
            "such as `Handler: app.handler` for the function `handler` in app.py or app.js",
        ));
    };
    let endings: &[&str] = match language {
        Language::Python => &[".py", "", ".so"],
        Language::Node => &[".js", ".mjs", ".cjs", ""],
    };
    let module = match language {
        // `package.module.handler` and `package/module.handler`; the first part is enough.
        Language::Python => handler.split(['.', '/']).next().unwrap_or_default(),
        // `src/index.handler`
        Language::Node => {
            let file = handler.rfind('/').map_or(0, |slash| slash + 1);
            let dot = handler[file..].find('.').map_or(handler.len(), |dot| file + dot);
            &handler[..dot]
        }
    };
    if endings.iter().any(|ending| folder.join(format!("{module}{ending}")).exists()) {
        return Ok(());
    }
    let help = if folder.join(format!("{module}.ts")).exists() {
        format!(
            "{module}.ts must be compiled: name what does it as `build` under [functions.{id}] in \
             rehearse.toml, and where the result is as `folder`, such as \".aws-sam/build/{id}\" after \
             `sam build`"
        )
    } else {
        format!("CodeUri names the folder, or `folder` under [functions.{id}] in rehearse.toml")
    };
    let (file, folder) = (format!("{module}{}", endings[0]), folder.display());
    Err(CommandError::environment(format!(
        "{id}: its handler is {handler}, and {file} is not in {folder}"
    ))
    .help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_name_a_language_and_its_version() {
        assert_eq!(Language::of("python3.12"), Some((Language::Python, "3.12")));
        assert_eq!(Language::of("nodejs22.x"), Some((Language::Node, "22")));
        assert_eq!(Language::of("provided.al2023"), None);
        assert_eq!(Language::of("java21"), None);
    }

    #[test]
    fn an_environment_beside_the_code_goes_before_what_is_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let code = folder.path().join("src");
        for path in ["src/venv/bin/python", ".venv/bin/python"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let none = |_: &str| None;
        let places = [code.clone(), folder.path().to_path_buf()];
        let found = candidates(Language::Python, "3.12", &places, none);
        let expected = [
            code.join("venv/bin/python"),
            folder.path().join(".venv/bin/python"),
            "python3.12".into(),
            "python3".into(),
        ];
        assert_eq!(found, expected);
        let named = |name: &str| (name == "REHEARSE_PYTHON").then(|| "/opt/python".into());
        assert_eq!(candidates(Language::Python, "3.12", &[], named)[0], Path::new("/opt/python"));
    }

    #[test]
    fn a_handler_whose_file_is_missing_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.py"), "").unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/index.mjs"), "").unwrap();
        fs::write(folder.path().join("typed.ts"), "").unwrap();
        let check = |language, handler: &str| {
            let handler = Some(handler.to_owned());
            let function = Function { handler, ..Function::new("Sms") };
            check_handler(&function, language, folder.path())
                .map_err(|error| error.texts().join("\n"))
        };
        assert_eq!(check(Language::Python, "app.handler"), Ok(()));
        assert_eq!(check(Language::Node, "src/index.handler"), Ok(()));
        let missing = check(Language::Python, "main.handler").unwrap_err();
        assert!(
            missing.contains("its handler is main.handler, and main.py is not in"),
            "{missing}"
        );
        assert!(check(Language::Node, "typed.handler").unwrap_err().contains("typed.js is not in"));
    }
}
