//! What a table is, as plain data.

use std::fmt;

/// A table: its logical id, its name, its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Logical id in the template; scenarios and fixtures name it so.
    pub id: String,
    /// Name that the backend calls it by.
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
    /// What it holds.
    pub projection: Projection,
}

/// The attributes that an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// All of them.
    All,
    /// Keys of the index and of the table.
    KeysOnly,
    /// Keys, and these.
    Include(Vec<String>),
}

impl TableSpec {
    /// A table whose logical id is its name, with the string `id` as its partition key and without
    /// sort key, indexes and TTL.
    ///
    /// ```
    /// use rehearse_core::table::{AttributeKind, Index, TableSpec};
    ///
    /// let leads = TableSpec::new("Leads")
    ///     .partition_key("lead_id", AttributeKind::String)
    ///     .sort_key("timestamp", AttributeKind::Number)
    ///     .index(Index::global("ByPhone", "phone", AttributeKind::String))
    ///     .ttl("expires_at");
    /// assert_eq!(leads.key.attributes().count(), 2);
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let key = Key { hash: Attribute::new("id", AttributeKind::String), range: None };
        Self { id: name.clone(), name, key, indexes: Vec::new(), ttl: None }
    }

    /// Sets the name that the backend calls the table by, if it is not the logical id.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the partition key.
    #[must_use]
    pub fn partition_key(mut self, name: impl Into<String>, kind: AttributeKind) -> Self {
        self.key.hash = Attribute::new(name, kind);
        self
    }

    /// Sets the sort key.
    #[must_use]
    pub fn sort_key(mut self, name: impl Into<String>, kind: AttributeKind) -> Self {
        self.key.range = Some(Attribute::new(name, kind));
        self
    }

    /// Adds a secondary index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }

    /// Sets the attribute that holds the time of expiry.
    #[must_use]
    pub fn ttl(mut self, attribute: impl Into<String>) -> Self {
        self.ttl = Some(attribute.into());
        self
    }
}

impl Attribute {
    /// A key attribute.
    pub fn new(name: impl Into<String>, kind: AttributeKind) -> Self {
        Self { name: name.into(), kind }
    }
}

impl Index {
    /// A global index that projects all attributes.
    pub fn global(
        name: impl Into<String>,
        partition_key: impl Into<String>,
        kind: AttributeKind,
    ) -> Self {
        let key = Key { hash: Attribute::new(partition_key, kind), range: None };
        Self { name: name.into(), key, global: true, projection: Projection::All }
    }

    /// Sets the sort key.
    #[must_use]
    pub fn sort_key(mut self, name: impl Into<String>, kind: AttributeKind) -> Self {
        self.key.range = Some(Attribute::new(name, kind));
        self
    }

    /// Sets what the index holds.
    #[must_use]
    pub fn projecting(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }
}

impl Key {
    /// The key's attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }
}

impl AttributeKind {
    /// DynamoDB's letter for it.
    pub fn letter(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    /// The type of a letter.
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
    /// Every attribute of the table's or an index's key, once each.
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
