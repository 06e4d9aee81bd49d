//! Tables of a template.

use super::intrinsic::kind_of;
use rehearse_core::yaml::tree::Node;
use std::collections::BTreeMap;

use rehearse_core::yaml::Location;

use super::resolve::{Resolver, Resource, TemplateError};
use rehearse_core::names::hint;
use rehearse_core::table::{Attribute, AttributeKind, Index, Key, Projection, TableSpec};

type AttributeKinds = BTreeMap<String, AttributeKind>;

/// `AWS::DynamoDB::Table`.
pub(super) fn read(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<TableSpec, TemplateError> {
    let reader = TableReader { resolver, resource };
    let kinds = reader.attribute_kinds()?;
    let Some(schema) = reader.property("KeySchema")? else {
        let message = format!("the table {} has no KeySchema", resource.id);
        return Err(TemplateError::invalid(resource.at, message));
    };
    let key = key(&schema, &kinds)?;
    let mut indexes = Vec::new();
    for (name, global) in [("GlobalSecondaryIndexes", true), ("LocalSecondaryIndexes", false)] {
        for index in reader.property(name)?.iter().flat_map(|n| n.as_list().unwrap_or_default()) {
            indexes.push(read_index(index, &kinds, global)?);
        }
    }
    Ok(TableSpec {
        id: resource.id.into(),
        name: reader.table_name()?,
        key,
        indexes,
        ttl: reader.ttl()?,
    })
}

/// `AWS::Serverless::SimpleTable`: one key, `id` by default.
pub(super) fn read_simple(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<TableSpec, TemplateError> {
    let reader = TableReader { resolver, resource };
    let primary = reader.property("PrimaryKey")?;
    let part = |name: &str| primary.as_ref().and_then(|p| p.get(name)).and_then(Node::as_str);
    let kind = match part("Type").unwrap_or("String") {
        "String" => AttributeKind::String,
        "Number" => AttributeKind::Number,
        "Binary" => AttributeKind::Binary,
        other => {
            let message = format!("a key is String, Number or Binary, not {other}");
            return Err(TemplateError::invalid(primary.map_or(resource.at, |p| p.at), message));
        }
    };
    let hash = Attribute { name: part("Name").unwrap_or("id").into(), kind };
    Ok(TableSpec {
        id: resource.id.into(),
        name: reader.table_name()?,
        key: Key { hash, range: None },
        indexes: Vec::new(),
        ttl: None,
    })
}

/// Refuses two tables of one name, of which AWS creates one and fails the other.
pub(super) fn refuse_duplicate_names(
    resolver: &Resolver<'_>,
    tables: &[TableSpec],
) -> Result<(), TemplateError> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for table in tables {
        if let Some(other) = names.insert(&table.name, &table.id) {
            let message = format!("{} and {other} are both called `{}`", table.id, table.name);
            return Err(TemplateError::invalid(resolver.place(&table.id), message));
        }
    }
    Ok(())
}

struct TableReader<'a, 'b> {
    resolver: &'a Resolver<'b>,
    resource: &'a Resource<'b>,
}

impl TableReader<'_, '_> {
    fn property(&self, name: &str) -> Result<Option<Node>, TemplateError> {
        match self.resource.property(name) {
            Some(node) => self.resolver.resolve(node),
            None => Ok(None),
        }
    }

    /// The table's name, if AWS would take it.
    fn table_name(&self) -> Result<String, TemplateError> {
        let name = self.resolver.table_name(self.resource.id, 0)?;
        let valid = (3..=255).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !valid {
            let at = self.resource.property("TableName").map_or(self.resource.at, |n| n.at);
            let message = format!(
                "`{name}` cannot be a table's name: 3 to 255 letters, digits, `_`, `-` and `.`"
            );
            return Err(TemplateError::invalid(at, message));
        }
        Ok(name)
    }

    fn attribute_kinds(&self) -> Result<AttributeKinds, TemplateError> {
        let mut kinds = AttributeKinds::new();
        let Some(definitions) = self.property("AttributeDefinitions")? else {
            let message = format!("the table {} has no AttributeDefinitions", self.resource.id);
            return Err(TemplateError::invalid(self.resource.at, message));
        };
        for definition in definitions.as_list().unwrap_or_default() {
            let name = member(definition, "AttributeName")?;
            let letter = member(definition, "AttributeType")?;
            let kind = AttributeKind::from_letter(letter).ok_or_else(|| {
                let message = format!("AttributeType of `{name}` is S, N or B, not {letter}");
                TemplateError::invalid(definition.at, message)
            })?;
            kinds.insert(name.into(), kind);
        }
        Ok(kinds)
    }

    fn ttl(&self) -> Result<Option<String>, TemplateError> {
        let Some(ttl) = self.property("TimeToLiveSpecification")? else { return Ok(None) };
        if ttl.get("Enabled").and_then(Node::scalar).as_deref() != Some("true") {
            return Ok(None);
        }
        member(&ttl, "AttributeName").map(|name| Some(name.into()))
    }
}

fn read_index(index: &Node, kinds: &AttributeKinds, global: bool) -> Result<Index, TemplateError> {
    let name = member(index, "IndexName")?;
    let Some(schema) = index.get("KeySchema") else {
        return Err(TemplateError::invalid(index.at, format!("the index {name} has no KeySchema")));
    };
    let projection = index.get("Projection");
    let part = |name: &str| projection.and_then(|p| p.get(name));
    let projection = match part("ProjectionType").and_then(Node::as_str).unwrap_or("ALL") {
        "KEYS_ONLY" => Projection::KeysOnly,
        "INCLUDE" => {
            let names = part("NonKeyAttributes").and_then(Node::as_list).unwrap_or_default();
            Projection::Include(names.iter().filter_map(Node::scalar).collect())
        }
        _ => Projection::All,
    };
    Ok(Index { name: name.into(), key: key(schema, kinds)?, global, projection })
}

fn key(schema: &Node, kinds: &AttributeKinds) -> Result<Key, TemplateError> {
    let mut hash = None;
    let mut range = None;
    for element in schema.as_list().unwrap_or_default() {
        let name = member(element, "AttributeName")?;
        let Some(kind) = kinds.get(name).copied() else {
            let hint = hint(name, kinds.keys().map(String::as_str));
            let message = format!("`{name}` is not among AttributeDefinitions{hint}");
            return Err(TemplateError::invalid(element.at, message));
        };
        let place = match member(element, "KeyType")? {
            "HASH" => &mut hash,
            "RANGE" => &mut range,
            other => {
                let message = format!("KeyType is HASH or RANGE, not {other}");
                return Err(TemplateError::invalid(element.at, message));
            }
        };
        if place.replace(Attribute { name: name.into(), kind }).is_some() {
            let message = "a key has one HASH and at most one RANGE attribute";
            return Err(TemplateError::invalid(element.at, message));
        }
    }
    let hash =
        hash.ok_or_else(|| TemplateError::invalid(schema.at, "a key needs a HASH attribute"))?;
    Ok(Key { hash, range })
}

fn member<'a>(node: &'a Node, name: &str) -> Result<&'a str, TemplateError> {
    let at: Location = node.at;
    let member =
        node.get(name).ok_or_else(|| TemplateError::invalid(at, format!("{name} is missing")))?;
    member.as_str().ok_or_else(|| {
        TemplateError::invalid(
            member.at,
            format!("{name} must be a string, not {}", kind_of(member)),
        )
    })
}
