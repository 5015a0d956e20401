//! What tables a database has, from its own catalog: so that none is ever forgotten.

use std::collections::{BTreeMap, BTreeSet};

use super::{TransferError, cells::Kind, marker};
use crate::conn::{Conn, on};

/// Tables that are about the database and not of it: the book of migrations, the mark of an unfinished move, the
/// manifest of a backup.
const OURS: [&str; 3] = ["_sqlx_migrations", marker::TABLE, super::backup::TABLE];

/// A table and how its rows are carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order, by their places in `columns`.
    pub(super) key: Vec<usize>,
    /// The tables that its foreign keys name.
    references: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Table {
    pub(super) async fn has_rows(&self, conn: &mut Conn) -> Result<bool, TransferError> {
        conn.scalar(format!("SELECT EXISTS (SELECT 1 FROM {})", quoted(&self.name)))
            .await
            .map_err(|error| self.failed(error))
    }

    pub(super) async fn count(&self, conn: &mut Conn) -> Result<u64, TransferError> {
        let count: i64 = conn
            .scalar(format!("SELECT COUNT(*) FROM {}", quoted(&self.name)))
            .await
            .map_err(|error| self.failed(error))?;
        Ok(count.unsigned_abs())
    }

    pub(super) fn failed(&self, error: sqlx::Error) -> TransferError {
        TransferError::Table { table: self.name.clone(), error }
    }
}

/// A name as an identifier of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Table, column, type, place in the primary key from 1 (0: none).
type ColumnRow = (String, String, String, i64);

const SQLITE_COLUMNS: &str = "
    SELECT t.name, c.name, c.type, CAST(c.pk AS INTEGER)
    FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~'
    ORDER BY t.name, c.cid";

const SQLITE_REFERENCES: &str = "
    SELECT DISTINCT t.name, f.\"table\"
    FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
    WHERE t.schema = 'main' AND t.type = 'table'";

/// Rows of these are not copied as rows of a table are: nothing here may be one.
const SQLITE_OTHERS: &str = "
    SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('virtual', 'shadow')
    UNION ALL
    SELECT name FROM sqlite_schema WHERE name = 'sqlite_sequence'";

/// A partition's rows are those of the table it is a part of.
const POSTGRES_COLUMNS: &str = "
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
        COALESCE((SELECT k.place FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            WHERE k.number = a.attnum), 0)::bigint
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = ''
    LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname COLLATE \"C\", a.attnum";

const POSTGRES_REFERENCES: &str = "
    SELECT DISTINCT c.relname::text, f.relname::text
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS f ON f.oid = k.confrelid
    WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace";

const POSTGRES_OTHERS: &str = "
    SELECT relname::text FROM pg_class
    WHERE relkind IN ('S', 'f', 'm') AND relnamespace = current_schema()::regnamespace";

/// Every table with its columns, by name.
pub(super) async fn read(conn: &mut Conn) -> Result<BTreeMap<String, Table>, TransferError> {
    let (columns, references, others) = match conn {
        Conn::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES, SQLITE_OTHERS),
        Conn::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES, POSTGRES_OTHERS),
    };
    let others: Vec<String> = on!(conn, c => sqlx::query_scalar(others).fetch_all(c).await)?;
    if let Some(other) = others.first() {
        return TransferError::refused(format!("{other} is no plain table: it can't be carried over"));
    }
    let columns: Vec<ColumnRow> = on!(conn, c => sqlx::query_as(columns).fetch_all(c).await)?;
    let references: Vec<(String, String)> = on!(conn, c => sqlx::query_as(references).fetch_all(c).await)?;
    assemble(columns, &references)
}

fn assemble(
    columns: Vec<ColumnRow>,
    references: &[(String, String)],
) -> Result<BTreeMap<String, Table>, TransferError> {
    let mut tables = BTreeMap::new();
    let mut keys: BTreeMap<String, Vec<(i64, usize)>> = BTreeMap::new();
    for (table, name, declared, place) in columns {
        if OURS.contains(&table.as_str()) {
            continue;
        }
        let Some(kind) = Kind::parse(&declared) else {
            return TransferError::refused(format!(
                "column {table}.{name} is of type {declared}, which can't be carried over"
            ));
        };
        let entry = tables.entry(table.clone()).or_insert_with(|| Table {
            references: references
                .iter()
                .filter(|(from, _)| *from == table)
                .map(|(_, to)| to.clone())
                .collect(),
            name: table.clone(),
            columns: Vec::new(),
            key: Vec::new(),
        });
        if place > 0 {
            keys.entry(table).or_default().push((place, entry.columns.len()));
        }
        entry.columns.push(Column { name, kind });
    }
    for table in tables.values_mut() {
        let Some(key) = keys.get_mut(&table.name) else {
            return TransferError::refused(format!("table {} has no primary key", table.name));
        };
        key.sort_unstable();
        table.key = key.iter().map(|(_, at)| *at).collect();
    }
    Ok(tables)
}

/// What both sides have, in an order in which no row comes before one that it refers to. Anything that only one
/// side has is refused.
pub(super) fn join(
    source: BTreeMap<String, Table>,
    mut target: BTreeMap<String, Table>,
) -> Result<Vec<Table>, TransferError> {
    let mut joined = Vec::with_capacity(source.len());
    for (name, table) in source {
        let Some(other) = target.remove(&name) else {
            return TransferError::refused(format!(
                "the target has no table {name}: it can't be carried over"
            ));
        };
        joined.push(join_table(table, &other)?);
    }
    if let Some(name) = target.into_keys().next() {
        return TransferError::refused(format!("the source has no table {name}"));
    }
    in_order(joined)
}

fn join_table(mut table: Table, other: &Table) -> Result<Table, TransferError> {
    let name = table.name.clone();
    let differ = |what: &str| TransferError::refused(format!("the engines differ in table {name}: {what}"));
    if table.columns.len() != other.columns.len() {
        return differ("the number of its columns");
    }
    for column in &mut table.columns {
        let kind = other.columns.iter().find(|other| other.name == column.name).map(|other| other.kind);
        match kind.and_then(|kind| kind.join(column.kind)) {
            Some(kind) => column.kind = kind,
            None => return differ(&format!("column {}", column.name)),
        }
    }
    let key = |table: &Table| -> Vec<String> {
        table.key.iter().map(|at| table.columns[*at].name.clone()).collect()
    };
    if key(&table) != key(other) {
        return differ("its primary key");
    }
    // Either engine may be told of a foreign key that the other isn't.
    table.references.extend(other.references.iter().cloned());
    Ok(table)
}

/// Sorted so that each table comes after those it refers to.
pub(super) fn in_order(mut tables: Vec<Table>) -> Result<Vec<Table>, TransferError> {
    let mut sorted: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &Table| tables.iter().any(|other| table.references.contains(&other.name));
        let (later, ready): (Vec<_>, Vec<_>) = tables.iter().cloned().partition(waits);
        if ready.is_empty() {
            let names: Vec<_> = later.iter().map(|table| table.name.as_str()).collect();
            return TransferError::refused(format!(
                "tables {} refer to each other in a circle: they can't be carried over one by one",
                names.join(", ")
            ));
        }
        sorted.extend(ready);
        tables = later;
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &str, name: &str, declared: &str, place: i64) -> ColumnRow {
        (table.to_owned(), name.to_owned(), declared.to_owned(), place)
    }

    fn refers(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    fn sentence<T: std::fmt::Debug>(outcome: Result<T, TransferError>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn tables_come_after_those_they_refer_to() {
        let ids = ["a", "b", "c", "d"].map(|table| column(table, "id", "uuid", 1));
        let references = [refers("a", "c"), refers("c", "d"), refers("b", "a")];
        let tables = assemble(ids.to_vec(), &references).unwrap();
        let sorted = in_order(tables.into_values().collect()).unwrap();
        let names: Vec<_> = sorted.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["d", "c", "a", "b"]);
        for circle in [vec![refers("a", "b"), refers("b", "a")], vec![refers("c", "c")]] {
            let tables = assemble(ids.to_vec(), &circle).unwrap();
            let error = sentence(in_order(tables.into_values().collect()));
            assert!(error.contains("refer to each other"), "{error}");
        }
    }

    #[test]
    fn the_sides_complete_each_other() {
        let sqlite = vec![
            column("t", "o", "BLOB", 1),
            column("t", "seq", "BIGINT", 2),
            column("t", "tags", "TEXT", 0),
            column("_sqlx_migrations", "version", "BIGINT", 1),
        ];
        let postgres = vec![
            column("t", "tags", "jsonb", 0),
            column("t", "o", "uuid", 1),
            column("t", "seq", "bigint", 2),
        ];
        let read = |columns: &[ColumnRow]| assemble(columns.to_vec(), &[]).unwrap();
        let joined = join(read(&sqlite), read(&postgres)).unwrap();
        let kinds: Vec<_> = joined[0].columns.iter().map(|column| column.kind).collect();
        assert_eq!((joined.len(), kinds), (1, vec![Kind::Uuid, Kind::Big, Kind::Json]));
        assert_eq!(joined[0].key, [0, 1]);

        let more = [&sqlite[..], &[column("u", "id", "BLOB", 1)]].concat();
        assert!(sentence(join(read(&more), read(&postgres))).contains("no table u"));
        assert!(sentence(join(read(&postgres), read(&more))).contains("no table u"));
        let mut other = postgres.clone();
        other[0].2 = "bigint".to_owned();
        assert!(sentence(join(read(&sqlite), read(&other))).contains("column tags"));
        let keyless = vec![column("t", "o", "BLOB", 0)];
        assert!(sentence(assemble(keyless, &[])).contains("no primary key"));
        let fraction = vec![column("t", "o", "REAL", 1)];
        assert!(sentence(assemble(fraction, &[])).contains("REAL"));
    }
}
