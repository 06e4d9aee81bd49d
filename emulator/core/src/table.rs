//! The definition of a database table, as plain data.

use std::fmt;

/// A table: its logical id, its name, its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Logical id in the template, which scenarios and fixtures use.
    pub id: String,
    /// Name that the backend uses.
    pub name: String,
    /// Primary key.
    pub key: Key,
    /// Secondary indexes.
    pub indexes: Vec<Index>,
    /// Attribute that holds the time of expiry.
    pub ttl: Option<String>,
}

/// A primary key, or the key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Partition key.
    pub hash: Attribute,
    /// Sort key.
    pub range: Option<Attribute>,
}

/// A key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: AttributeKind,
}

/// The types that a key attribute may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// `S`.
    String,
    /// `N`.
    Number,
    /// `B`.
    Binary,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// Global (its own partition key) or local.
    pub global: bool,
    /// The attributes that it holds.
    pub projection: Projection,
}

/// Which attributes an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// All attributes.
    All,
    /// Keys of the index and of the table.
    KeysOnly,
    /// The keys and these attributes.
    Include(Vec<String>),
}

impl Key {
    /// The key's attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }
}

impl AttributeKind {
    /// DynamoDB's letter for the type.
    pub fn letter(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    /// The type with this letter; `None` for any other text.
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "S" => Some(Self::String),
            "N" => Some(Self::Number),
            "B" => Some(Self::Binary),
            _ => None,
        }
    }
}

impl fmt::Display for AttributeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Binary => "binary (base64)",
        })
    }
}

impl TableSpec {
    /// The attributes of the table's key and of the indexes' keys, each once.
    pub fn key_attributes(&self) -> Vec<&Attribute> {
        let mut all: Vec<&Attribute> = self.key.attributes().collect();
        for attribute in self.indexes.iter().flat_map(|index| index.key.attributes()) {
            if !all.iter().any(|known| known.name == attribute.name) {
                all.push(attribute);
            }
        }
        all
    }
}
