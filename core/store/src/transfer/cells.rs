//! One value of a row, as both engines have it, and what of it is digested.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};
use sqlx::{Row, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

/// What a column holds, in PostgreSQL's words. `SQLite` has fewer: `BLOB` is both `Uuid` and `Bytes`, `TEXT`
/// both `Json` and `Text`; the other side tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Bytes,
    Json,
    Text,
    Bool,
    Big,
    Int,
}

impl Kind {
    /// By the type in either catalog.
    pub(super) fn parse(declared: &str) -> Option<Self> {
        Some(match declared.to_ascii_lowercase().as_str() {
            "uuid" => Self::Uuid,
            "bytea" | "blob" => Self::Bytes,
            "jsonb" => Self::Json,
            "text" => Self::Text,
            "boolean" => Self::Bool,
            "bigint" => Self::Big,
            "integer" => Self::Int,
            _ => return None,
        })
    }

    /// What both say together; `None` where they contradict each other.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, same) if one == same => Some(one),
            (Self::Uuid, Self::Bytes) | (Self::Bytes, Self::Uuid) => Some(Self::Uuid),
            (Self::Json, Self::Text) | (Self::Text, Self::Json) => Some(Self::Json),
            (Self::Big, Self::Int) | (Self::Int, Self::Big) => Some(Self::Big),
            _ => None,
        }
    }

    /// Its type in PostgreSQL.
    pub(super) const fn postgres(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Bytes => "bytea",
            Self::Json => "jsonb",
            Self::Text => "text",
            Self::Bool => "boolean",
            Self::Big => "bigint",
            Self::Int => "integer",
        }
    }
}

/// A value. A UUID is its 16 bytes, JSON its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Bytes(Vec<u8>),
    Text(String),
    Int(i64),
    Bool(bool),
}

impl Cell {
    /// Bytes that it takes, about.
    pub(super) const fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len() + 24,
            Self::Text(text) => text.len() + 24,
            Self::Null | Self::Int(_) | Self::Bool(_) => 24,
        }
    }

    /// Feeds the value to `digest`, in a form that no other value has.
    pub(super) fn digest(&self, kind: Kind, digest: &mut Sha256) -> Result<(), sqlx::Error> {
        match self {
            Self::Null => digest.update(b"-"),
            Self::Bytes(bytes) => sized(digest, b'b', bytes),
            Self::Text(text) if kind == Kind::Json => {
                let value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
                json(&value, digest);
            }
            Self::Text(text) => sized(digest, b's', text.as_bytes()),
            Self::Int(int) => {
                digest.update(b"i");
                digest.update(int.to_be_bytes());
            }
            Self::Bool(bool) => digest.update(if *bool { b"t" } else { b"f" }),
        }
        Ok(())
    }
}

pub(super) fn wrong(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(what.to_owned().into())
}

fn sized(digest: &mut Sha256, tag: u8, bytes: &[u8]) {
    digest.update([tag]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// The same for equal values, whatever the order of members, the spaces or the form of numbers: PostgreSQL
/// keeps none of these.
fn json(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Null => digest.update(b"n"),
        Value::Bool(bool) => digest.update(if *bool { b"t" } else { b"f" }),
        Value::Number(number) => sized(digest, b'd', decimal(number).as_bytes()),
        Value::String(text) => sized(digest, b's', text.as_bytes()),
        Value::Array(items) => {
            sized(digest, b'a', &(items.len() as u64).to_be_bytes());
            for item in items {
                json(item, digest);
            }
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            sized(digest, b'o', &(members.len() as u64).to_be_bytes());
            for (name, member) in members {
                sized(digest, b's', name.as_bytes());
                json(member, digest);
            }
        }
    }
}

/// `1e2`, `100` and `100.0` are one number. Fractions count up to the 15 digits that every reader keeps.
fn decimal(number: &Number) -> String {
    const ABOVE_U64: f64 = 18_446_744_073_709_551_616.0;
    if let Some(float) = number.as_f64().filter(|_| number.is_f64()) {
        if float == 0.0 {
            return "0".to_owned();
        }
        if float.fract() == 0.0 && float.abs() < ABOVE_U64 {
            return format!("{float:.0}");
        }
        return format!("{float:.14e}");
    }
    number.to_string()
}

/// A row of either engine, read as [`Cell`]s.
pub(super) trait Cells {
    fn cell(&self, at: usize, kind: Kind) -> Result<Cell, sqlx::Error>;
}

impl Cells for SqliteRow {
    fn cell(&self, at: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        // Unchecked: a column of `SQLite` may hold anything, the value says by itself what it is.
        let cell = match kind {
            Kind::Uuid | Kind::Bytes => self.try_get_unchecked::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
            Kind::Json | Kind::Text => self.try_get_unchecked::<Option<String>, _>(at)?.map(Cell::Text),
            Kind::Big | Kind::Int => self.try_get_unchecked::<Option<i64>, _>(at)?.map(Cell::Int),
            Kind::Bool => self.try_get_unchecked::<Option<bool>, _>(at)?.map(Cell::Bool),
        };
        Ok(cell.unwrap_or(Cell::Null))
    }
}

impl Cells for PgRow {
    fn cell(&self, at: usize, kind: Kind) -> Result<Cell, sqlx::Error> {
        let cell = match kind {
            Kind::Uuid => {
                let id = self.try_get::<Option<Uuid>, _>(at)?;
                id.map(|id| Cell::Bytes(id.as_bytes().to_vec()))
            }
            Kind::Bytes => self.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
            Kind::Json | Kind::Text => self.try_get::<Option<String>, _>(at)?.map(Cell::Text),
            Kind::Big | Kind::Int => self.try_get::<Option<i64>, _>(at)?.map(Cell::Int),
            Kind::Bool => self.try_get::<Option<bool>, _>(at)?.map(Cell::Bool),
        };
        Ok(cell.unwrap_or(Cell::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(cell: &Cell, kind: Kind) -> Vec<u8> {
        let mut digest = Sha256::new();
        cell.digest(kind, &mut digest).unwrap();
        digest.finalize().to_vec()
    }

    fn json_of(text: &str) -> Vec<u8> {
        digest(&Cell::Text(text.to_owned()), Kind::Json)
    }

    #[test]
    fn json_is_compared_as_values() {
        for (one, other) in [
            (r#"{"a": 1, "b": [true, null]}"#, r#"{"b":[true,null],"a":1}"#),
            ("[1e2, 0.5, -0.0]", "[100, 0.50, 0]"),
            ("[1e16, 12345678901234567890]", "[10000000000000000, 12345678901234567890]"),
            (r#""\u00e9\/""#, r#""é/""#),
        ] {
            assert_eq!(json_of(one), json_of(other), "{one} {other}");
        }
        for (one, other) in [
            ("[1]", "[2]"),
            ("[[1], 2]", "[[1, 2]]"),
            (r#"["ab", "c"]"#, r#"["a", "bc"]"#),
            (r#"{"a": null}"#, "{}"),
            ("0.1", "0.10000000000001"),
            (r#""1""#, "1"),
        ] {
            assert_ne!(json_of(one), json_of(other), "{one} {other}");
        }
        // Text that only looks like JSON counts by its characters.
        let text = |text: &str| digest(&Cell::Text(text.to_owned()), Kind::Text);
        assert_ne!(text("[1, 2]"), text("[1,2]"));
    }

    #[test]
    fn values_of_different_kinds_differ() {
        let cells = [
            (Cell::Null, Kind::Text),
            (Cell::Text(String::new()), Kind::Text),
            (Cell::Bytes(Vec::new()), Kind::Bytes),
            (Cell::Int(0), Kind::Big),
            (Cell::Bool(false), Kind::Bool),
            (Cell::Text("null".to_owned()), Kind::Json),
        ];
        let digests: std::collections::BTreeSet<_> =
            cells.iter().map(|(cell, kind)| digest(cell, *kind)).collect();
        assert_eq!(digests.len(), cells.len());
    }
}
