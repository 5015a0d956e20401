//! The query files: each one is good SQL on the migrated database, and each one is used.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::harness::{Fresh, Raw, raw};

/// Queries that are finished where they are used.
pub(crate) const BEGINNINGS: [&str; 18] = [
    "events/insert",
    "decisions/insert",
    "looks/marks",
    "messages/newest",
    "opt_outs/standing_among",
    "patients/known_now",
    "patients/phones_of_maybe_several",
    "messages/give_back",
    "patients/insert_words",
    "conversations/list",
    "search/insert_blocks",
    "search/messages",
    "search/notes",
    "search/conversations",
    "reports/insert_spans",
    "reports/update_spans",
    "reports/insert_counts",
    "reports/add_counts",
];

pub(crate) fn package(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Files under `folder` that end so.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Query files with their names as the source mentions them: `accounts/all`.
fn queries() -> Vec<(String, PathBuf)> {
    let folder = package("queries");
    let name = |path: &PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        name.trim_end_matches(".sql").trim_end_matches(".postgres").to_owned()
    };
    files(&folder, ".sql").into_iter().map(|path| (name(&path), path)).collect()
}

pub(crate) async fn every_file_is_prepared(db: &Fresh) {
    let queries = queries();
    assert!(queries.len() > 80, "{} files: is this the right folder?", queries.len());
    let is_postgres = matches!(db.raw().await, Raw::Postgres(_));
    raw!(db, pool => {
        for (name, path) in queries {
            let is_twin = path.to_str().unwrap().ends_with(".postgres.sql");
            let has_twin = path.with_extension("postgres.sql").exists();
            // Of twins, the one of this engine; some are beginnings, finished where they are used.
            if (is_twin && !is_postgres) || (has_twin && is_postgres) || BEGINNINGS.contains(&&*name) {
                continue;
            }
            let sql = fs::read_to_string(&path).unwrap();
            let prepared = pool.prepare(AssertSqlSafe(sql).into_sql_str()).await;
            assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
        }
        let wrong = pool.prepare("SELECT nothing FROM nowhere".into_sql_str()).await;
        assert!(wrong.is_err(), "prepares anything");
    });
}

pub(crate) async fn every_file_is_used(_: &Fresh) {
    let sources: String =
        files(&package("src"), ".rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    // By name, or included as a file of one engine only.
    let is_used = |name: &str| {
        [format!("\"{name}\""), format!("queries/{name}.postgres.sql\"")]
            .iter()
            .any(|named| sources.contains(named))
    };
    let unused: Vec<_> = queries().into_iter().filter(|(name, _)| !is_used(name)).collect();
    assert!(unused.is_empty(), "no source mentions {unused:?}");
}
