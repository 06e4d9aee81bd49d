//! A template's text, and errors that point into it.

use std::{fs, io, path::Path};

use serde::de::DeserializeOwned;
use serde_saphyr::{CroppedRegion, Error, Location};

use super::resolve::Reason;

/// AWS's own limit for a template is 1 MB.
const MAX_BYTES: usize = 1 << 20;

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("failed to read the template {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not text.
    #[error("the template {path} is not UTF-8: byte {offset} (line {line}) is not text")]
    NotUtf8 {
        /// The file.
        path: String,
        /// Bytes before the first that is not text.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// It is larger than AWS allows.
    #[error("the template {path} has {bytes} bytes; AWS takes at most {MAX_BYTES}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        bytes: usize,
    },
    /// Its content is wrong; the report names file and line, with a caret.
    #[error("{report}")]
    Invalid {
        /// What is wrong and where.
        report: String,
        /// Line of it, from 1; 0 when unknown.
        line: u64,
    },
}

/// A template in memory.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    text: String,
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, TemplateError> {
        let name = path.display().to_string();
        let bytes =
            fs::read(path).map_err(|source| TemplateError::Read { path: name.clone(), source })?;
        if bytes.len() > MAX_BYTES {
            return Err(TemplateError::TooLarge { path: name, bytes: bytes.len() });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let before = &error.as_bytes()[..offset];
                let line = 1 + before.iter().filter(|b| **b == b'\n').count();
                Err(TemplateError::NotUtf8 { path: name, offset, line })
            }
        }
    }

    #[cfg(test)]
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, TemplateError> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            // Account ids begin with zeros.
            leading_zero_numbers_as_strings: true,
            budget: serde_saphyr::budget! { max_depth: 64 },
        };
        serde_saphyr::from_str_with_options(&self.text, options).map_err(|e| self.report(&e))
    }

    /// Points at what is wrong.
    pub(super) fn error(&self, reason: &Reason) -> TemplateError {
        let at: Location = reason.at;
        let lines = self.text.lines().count().max(1);
        let region = CroppedRegion::new(self.text.as_str(), self.name.as_str(), 1, lines, at);
        self.report(&Error::WithSnippet {
            regions: vec![region],
            crop_radius: serde_saphyr::Options::default().crop_radius,
            error: Box::new(Error::Message { msg: reason.message.clone(), location: at }),
        })
    }

    fn report(&self, error: &Error) -> TemplateError {
        let options = serde_saphyr::render_options! { source_name: Some(self.name.as_str()) };
        let mut report = error.render_with_options(options);
        if !report.contains(&self.name) {
            report = format!("{}: {report}", self.name);
        }
        TemplateError::Invalid { report, line: error.location().map_or(0, |at| at.line()) }
    }
}
