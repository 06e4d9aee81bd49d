//! Reading YAML files into types. Every error names file and line, with a caret.
//!
//! `yes`, `07` and `2:00 PM` stay texts. A file must be UTF-8, within its [`Limit`], nested at most 64
//! deep, and hold one document.
//!
//! ```
//! use rehearse_core::yaml::Source;
//! use serde::Deserialize;
//!
//! #[derive(Debug, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Person {
//!     name: String,
//! }
//!
//! let person: Person = Source::new("person.yaml", "name: Ann").parse()?;
//! assert_eq!(person.name, "Ann");
//! let error = Source::new("person.yaml", "nmae: Ann").parse::<Person>().unwrap_err();
//! assert!(error.to_string().starts_with("error: unknown key `nmae`; only `name` is known here"));
//! # Ok::<(), rehearse_core::yaml::YamlError>(())
//! ```

mod message;
pub mod tree;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::{CroppedRegion, Error as Yaml};

pub use self::message::type_words;
pub use serde_saphyr::Location;

/// Deepest nesting that is read: a row with DynamoDB's 32 levels, below `given`, `tables` and its table.
/// Deeper nesting is a mistake or an attack on the stack, of which an unoptimised build takes 40 KB for
/// each level: at 64 levels more than the 2 MB of a test's thread.
const MAX_DEPTH: usize = 36;

/// The size limit of a kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Most bytes.
    pub bytes: u64,
    /// What the error says about a larger file.
    pub advice: &'static str,
}

/// The limit of files without a limit of their own.
pub const LIMIT: Limit = Limit { bytes: 4 << 20, advice: "split it" };

/// Why a file could not be read. The message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The file does not exist or cannot be read.
    #[error("failed to read {path}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than its limit.
    #[error("{path}: is {bytes} bytes, more than the {most} that are read; {advice}", path = .path.display(), most = .limit.bytes, advice = .limit.advice)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: Limit,
    },
    /// The file is not UTF-8.
    #[error("{path}:{line}: byte {at} of the file is not UTF-8; save it as UTF-8", path = .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// How many bytes before the first one that is not UTF-8.
        at: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// The text is not YAML, or does not fit the type.
    #[error("{report}")]
    Shape {
        /// What is wrong and where, with a caret.
        report: String,
        /// The line, from 1; 0 when the error has none.
        line: u64,
    },
}

/// A file's text and name, for errors that point into it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the file, as errors show it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A text and the name under which errors show it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is missing, larger than [`LIMIT`] or not UTF-8.
    pub fn read(path: &Path) -> Result<Self, YamlError> {
        Self::read_within(path, LIMIT)
    }

    /// Reads a file with a limit of its own.
    ///
    /// # Errors
    /// When it is missing, too large or not UTF-8.
    pub fn read_within(path: &Path, limit: Limit) -> Result<Self, YamlError> {
        let failed = |source| YamlError::Read { path: path.into(), source };
        let bytes = std::fs::metadata(path).map_err(failed)?.len();
        if bytes > limit.bytes {
            return Err(YamlError::TooLarge { path: path.into(), bytes, limit });
        }
        let bytes = std::fs::read(path).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
            YamlError::NotUtf8 { path: path.into(), at, line }
        })?;
        Ok(Self { name: path.display().to_string(), text })
    }

    /// Deserializes the text. JSON is YAML, too.
    ///
    /// # Errors
    /// When the text is not YAML, is nested too deep, is not one document, or does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, YamlError> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            // Account ids and phone numbers begin with zeros.
            leading_zero_numbers_as_strings: true,
            budget: serde_saphyr::budget! { max_depth: MAX_DEPTH },
        };
        serde_saphyr::from_str_with_options(&self.text, options).map_err(|e| self.render(&e))
    }

    /// Deserializes a map that needs these keys. When several are missing, the error names all of them;
    /// without this it names the first.
    ///
    /// # Errors
    /// As [`Source::parse`].
    pub fn parse_requiring<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<T, YamlError> {
        self.parse().map_err(|error| {
            // A key that is unknown, or a value that does not fit, is told first.
            let lacks_a_key = error.to_string().starts_with("error: the key `");
            let tree = if lacks_a_key { self.parse::<tree::Node>().ok() } else { None };
            tree.and_then(|tree| self.missing(&tree, keys)).unwrap_or(error)
        })
    }

    fn missing(&self, tree: &tree::Node, keys: &[&str]) -> Option<YamlError> {
        let absent = keys.iter().filter(|key| tree.get(key).is_none());
        let absent: Vec<String> = absent.map(|key| format!("`{key}`")).collect();
        let [before @ .., last] = absent.as_slice() else { return None };
        if before.is_empty() {
            return None;
        }
        let message = format!("the keys {} and {last} are missing", before.join(", "));
        Some(self.error(tree.at, message))
    }

    /// An error with the caller's message and a caret at `location`.
    pub fn error(&self, location: Location, message: impl Into<String>) -> YamlError {
        let error = Box::new(Yaml::Message { msg: message.into(), location });
        let line = usize::try_from(location.line()).unwrap_or(1).max(1);
        let first = line.saturating_sub(3).max(1);
        let lines: Vec<&str> = self.text.lines().skip(first - 1).take(line + 3 - first).collect();
        let region = CroppedRegion::new(
            lines.join("\n"),
            &self.name,
            first,
            first + lines.len().max(1) - 1,
            location,
        );
        let crop_radius = serde_saphyr::Options::default().crop_radius;
        self.render(&Yaml::WithSnippet { regions: vec![region], crop_radius, error })
    }

    fn render(&self, error: &Yaml) -> YamlError {
        if let Yaml::MultipleDocuments { location, .. } = error.without_snippet() {
            return self.error(*location, "another document begins here; a file holds one");
        }
        let report = message::render(error, &self.name);
        YamlError::Shape { report, line: error.location().map_or(0, |at| at.line()) }
    }
}

#[cfg(test)]
mod tests;
