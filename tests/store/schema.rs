//! The tables: every key leads with the organization, and both engines have the same.

use std::{collections::BTreeSet, fs, path::Path};

use crate::harness::{Fresh, Raw};

/// Table, kind of key (`primary key`, `unique`, `foreign key`) and its first column.
type Key = (String, String, String);

const SQLITE: &str = "
    SELECT t.name, CASE i.origin WHEN 'pk' THEN 'primary key' ELSE 'unique' END, c.name
    FROM pragma_table_list t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
    WHERE t.schema = 'main' AND t.type = 'table' AND i.\"unique\" AND c.seqno = 0
    UNION
    SELECT t.name, 'foreign key', f.\"from\"
    FROM pragma_table_list t, pragma_foreign_key_list(t.name) f
    WHERE t.schema = 'main' AND t.type = 'table' AND f.seq = 0";

const POSTGRES: &str = "
    SELECT c.relname::text, CASE WHEN i.indisprimary THEN 'primary key' ELSE 'unique' END, a.attname::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
    UNION
    SELECT c.relname::text, 'foreign key', a.attname::text
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND c.relnamespace = 'public'::regnamespace";

async fn keys(db: &Fresh) -> BTreeSet<Key> {
    let keys: Vec<Key> = match db.raw().await {
        Raw::Sqlite(pool) => sqlx::query_as(SQLITE).fetch_all(&pool).await.unwrap(),
        Raw::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(&pool).await.unwrap(),
    };
    // The engine's own book of migrations.
    keys.into_iter().filter(|(table, ..)| table != "_sqlx_migrations").collect()
}

pub(crate) async fn every_key_leads_with_the_organization(db: &Fresh) {
    let keys = keys(db).await;
    for kind in ["primary key", "unique", "foreign key"] {
        let found = keys.iter().filter(|key| key.1 == kind).count();
        assert!(found > 5, "{found} of kind {kind}: this looks at nothing");
    }
    for (table, kind, column) in &keys {
        let first = if table == "organizations" { "id" } else { "organization_id" };
        assert_eq!(column, first, "a {kind} of {table}");
    }
    let other = match db.raw().await {
        Raw::Sqlite(_) => Fresh::postgres().await,
        Raw::Postgres(_) => Fresh::sqlite().await,
    };
    assert_eq!(keys, self::keys(&other).await, "the engines differ");
}

pub(crate) async fn migrations_have_twins(_: &Fresh) {
    let names = |engine: &str| -> BTreeSet<_> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(engine);
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}
