//! Paths into a JSON value, such as `results[0].lead_id`, which scenarios use in `save`.

use serde_json::Value;

/// A path of keys and indexes. Parsed with [`str::parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a path such as results[0].lead_id")]
pub struct PathError(String);

impl Path {
    /// The value at this path; `None` when there is none.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, part| match part {
            Part::Key(key) => value.get(key),
            Part::Index(at) => value.get(at),
        })
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let error = || PathError(text.into());
        let mut parts = Vec::new();
        for piece in text.split('.') {
            let (key, mut rest) = piece.split_at(piece.find('[').unwrap_or(piece.len()));
            if !key.is_empty() {
                parts.push(Part::Key(key.into()));
            } else if rest.is_empty() || !parts.is_empty() {
                return Err(error());
            }
            while !rest.is_empty() {
                let (index, after) =
                    rest.strip_prefix('[').and_then(|r| r.split_once(']')).ok_or_else(error)?;
                parts.push(Part::Index(index.parse().map_err(|_| error())?));
                rest = after;
            }
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_keys_and_indexes() {
        let value = json!({"results": [{"lead_id": "L1", "slots": [[1, 2]]}]});
        let get = |p: &str| p.parse::<Path>().unwrap().get(&value).cloned();
        assert_eq!(get("results[0].lead_id"), Some(json!("L1")));
        assert_eq!(get("results[0].slots[0][1]"), Some(json!(2)));
        assert_eq!(get("results[1].lead_id"), None);
    }

    #[test]
    fn refuses_text_that_is_not_a_path() {
        for text in ["", ".", "a..b", "a[", "a[x]", "a[0", "a[0]b", "a.[0]"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
