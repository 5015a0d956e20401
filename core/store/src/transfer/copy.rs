//! Rows of one table from one side to the other, and whether both have the same.

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{
    TransferError, Watcher,
    catalog::{Table, quoted},
    cells::{Cell, Cells, Kind, wrong},
};
use crate::conn::Conn;

/// Rows and bytes of one batch, at most; more than these bytes only if a single row has more.
const ROWS: usize = 512;
const BYTES: usize = 8 << 20;
/// Rows of one statement into `SQLite`, which binds each value by itself and takes 32,766 of them.
const SQLITE_ROWS: usize = 32;

type Row = Vec<Cell>;

/// How far a transfer is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Rows of a table are in the target now.
    Copied {
        /// Which table.
        table: &'a str,
        /// So many.
        rows: u64,
        /// Of so many.
        of: u64,
    },
    /// Both sides of a table were read again and compared.
    Compared {
        /// Which table.
        table: &'a str,
        /// The source's rows.
        rows: u64,
    },
}

/// What both sides hold, table by table in the order they were copied.
#[derive(Clone, Debug)]
pub struct Summary(pub Vec<TableSummary>);

/// One table on both sides.
#[derive(Clone, Debug)]
pub struct TableSummary {
    /// Its name.
    pub table: String,
    /// Rows and digest of the source.
    pub source: Contents,
    /// Rows and digest of the target.
    pub target: Contents,
}

/// The rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many.
    pub rows: u64,
    /// SHA-256 of them all, in the order of their keys.
    pub digest: [u8; 32],
}

impl Summary {
    pub(super) fn agrees(&self) -> bool {
        self.0.iter().all(|table| table.source == table.target)
    }

    pub(super) fn differences(&self) -> String {
        let mut sentence =
            "the two sides differ; was the source used since this was begun? Empty the target \
                            and begin again."
                .to_owned();
        for TableSummary { table, source, target } in
            self.0.iter().filter(|table| table.source != table.target)
        {
            let (here, there) = (source.rows, target.rows);
            let counts = format!("\n  table {table}: {here} rows in the source, {there} in the target");
            sentence.push_str(&counts);
            if here == there {
                sentence.push_str(", not all alike");
            }
        }
        sentence
    }
}

/// Reads a table in the order of its key.
struct Reader<'t> {
    table: &'t Table,
    kinds: Vec<Kind>,
    /// The key of the last row read.
    last: Option<Row>,
    /// Rows to ask for: what the server sends beyond [`BYTES`] is thrown away.
    limit: usize,
    /// From the greatest key downwards.
    backwards: bool,
}

impl<'t> Reader<'t> {
    fn new(table: &'t Table) -> Self {
        let kinds = table.columns.iter().map(|column| column.kind).collect();
        Self { table, kinds, last: None, limit: ROWS, backwards: false }
    }

    /// The next rows; none at the end.
    async fn next(&mut self, conn: &mut Conn) -> Result<Vec<Row>, TransferError> {
        let rows = match conn {
            Conn::Sqlite(conn) => self.next_of_sqlite(conn).await,
            Conn::Postgres(conn) => self.next_of_postgres(conn).await,
        };
        let rows = rows.map_err(|error| self.table.failed(error))?;
        if let Some(row) = rows.last() {
            self.last = Some(self.table.key.iter().map(|at| row[*at].clone()).collect());
            self.limit = if rows.len() < self.limit { rows.len().max(1) } else { ROWS.min(rows.len() * 2) };
        }
        Ok(rows)
    }

    async fn next_of_sqlite(&self, conn: &mut SqliteConnection) -> Result<Vec<Row>, sqlx::Error> {
        let mut query = sqlx::query(AssertSqlSafe(self.statement(|name, _| name, |_| "")));
        for cell in self.last.iter().flatten() {
            query = match cell {
                Cell::Null => query.bind(None::<i64>),
                Cell::Bytes(bytes) => query.bind(bytes),
                Cell::Text(text) => query.bind(text),
                Cell::Int(int) => query.bind(int),
                Cell::Bool(bool) => query.bind(bool),
            };
        }
        self.gather(query.fetch(conn)).await
    }

    async fn next_of_postgres(&self, conn: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
        let value = |name: String, kind| match kind {
            Kind::Json => format!("{name}::text"),
            Kind::Int => format!("{name}::bigint"),
            _ => name,
        };
        // Texts in the order of their bytes, as in SQLite.
        let order = |kind| if kind == Kind::Text { " COLLATE \"C\"" } else { "" };
        let mut query = sqlx::query(AssertSqlSafe(self.statement(value, order)));
        let key = self.table.key.iter().map(|at| self.kinds[*at]);
        for (cell, kind) in self.last.iter().flatten().zip(key) {
            query = match cell {
                Cell::Bytes(bytes) if kind == Kind::Uuid => query.bind(uuid(bytes)?),
                Cell::Bytes(bytes) => query.bind(bytes),
                Cell::Text(text) => query.bind(text),
                Cell::Int(int) => query.bind(int),
                Cell::Bool(bool) => query.bind(bool),
                Cell::Null => return Err(wrong("a key without a value")),
            };
        }
        self.gather(query.fetch(conn)).await
    }

    fn statement(
        &self,
        value: impl Fn(String, Kind) -> String,
        order: impl Fn(Kind) -> &'static str,
    ) -> String {
        let columns: Vec<_> =
            self.table.columns.iter().map(|column| value(quoted(&column.name), column.kind)).collect();
        let key: Vec<_> = self.table.key.iter().map(|at| &self.table.columns[*at]).collect();
        let key: Vec<_> =
            key.iter().map(|column| format!("{}{}", quoted(&column.name), order(column.kind))).collect();
        let order = key.join(if self.backwards { " DESC, " } else { ", " });
        let direction = if self.backwards { " DESC" } else { "" };
        let key = key.join(", ");
        let after = if self.last.is_some() {
            let values: Vec<_> = (1..=self.table.key.len()).map(|at| format!("${at}")).collect();
            format!(" WHERE ({key}) > ({})", values.join(", "))
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {}{after} ORDER BY {order}{direction} LIMIT {}",
            columns.join(", "),
            quoted(&self.table.name),
            self.limit
        )
    }

    /// Takes rows until they are too many bytes.
    async fn gather<R: Cells>(
        &self,
        mut rows: impl futures::Stream<Item = Result<R, sqlx::Error>> + Unpin,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let (mut gathered, mut bytes) = (Vec::with_capacity(self.limit), 0);
        while bytes < BYTES
            && let Some(row) = rows.try_next().await?
        {
            let mut cells = Row::with_capacity(self.kinds.len());
            for (at, kind) in self.kinds.iter().enumerate() {
                let cell = row.cell(at, *kind)?;
                bytes += cell.size();
                cells.push(cell);
            }
            gathered.push(cells);
        }
        Ok(gathered)
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|_| wrong("a column of ids holds something that is none"))
}

/// Copies what the target doesn't have yet: everything after its greatest key.
pub(super) async fn copy(
    source: &mut Conn,
    target: &mut Conn,
    table: &Table,
    watcher: Watcher<'_>,
) -> Result<(), TransferError> {
    let of = table.count(source).await?;
    let mut rows = table.count(target).await?;
    let mut reader = Reader::new(table);
    reader.last = greatest(target, table).await?;
    watcher(Progress::Copied { table: &table.name, rows, of });
    let mut batch = reader.next(source).await?;
    while !batch.is_empty() {
        // The next rows are read while these are written.
        let written = async { insert(target, table, &batch).await.map_err(|error| table.failed(error)) };
        let ((), next) = tokio::try_join!(written, reader.next(source))?;
        rows += batch.len() as u64;
        watcher(Progress::Copied { table: &table.name, rows, of });
        batch = next;
    }
    Ok(())
}

/// The key of the last row of the table.
async fn greatest(conn: &mut Conn, table: &Table) -> Result<Option<Row>, TransferError> {
    let mut reader = Reader { backwards: true, limit: 1, ..Reader::new(table) };
    reader.next(conn).await?;
    Ok(reader.last)
}

/// Writes a batch in one transaction.
async fn insert(conn: &mut Conn, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
    match conn {
        Conn::Sqlite(sqlite) => {
            let sqlite: &mut SqliteConnection = sqlite;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *sqlite).await?;
            for some in rows.chunks(SQLITE_ROWS) {
                insert_into_sqlite(sqlite, table, some).await?;
            }
            sqlx::raw_sql("COMMIT").execute(sqlite).await.map(drop)
        }
        Conn::Postgres(conn) => insert_into_postgres(conn, table, rows).await,
    }
}

fn names(table: &Table) -> String {
    let names: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    names.join(", ")
}

async fn insert_into_sqlite(
    conn: &mut SqliteConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), sqlx::Error> {
    let values = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let statement = format!(
        "INSERT INTO {} ({}) VALUES {} ON CONFLICT DO NOTHING",
        quoted(&table.name),
        names(table),
        vec![values; rows.len()].join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for cell in rows.iter().flatten() {
        query = match cell {
            Cell::Null => query.bind(None::<i64>),
            Cell::Bytes(bytes) => query.bind(bytes),
            Cell::Text(text) => query.bind(text),
            Cell::Int(int) => query.bind(int),
            Cell::Bool(bool) => query.bind(bool),
        };
    }
    query.execute(conn).await.map(drop)
}

/// One statement whatever the number of rows: a list per column.
async fn insert_into_postgres(
    conn: &mut PgConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), sqlx::Error> {
    let (mut lists, mut values) = (Vec::new(), Vec::new());
    for (at, column) in table.columns.iter().enumerate() {
        let carried = match column.kind {
            Kind::Json => Kind::Text,
            Kind::Int => Kind::Big,
            kind => kind,
        };
        lists.push(format!("${}::{}[]", at + 1, carried.postgres()));
        values.push(format!("c{at}::{}", column.kind.postgres()));
    }
    let aliases: Vec<_> = (0..table.columns.len()).map(|at| format!("c{at}")).collect();
    let statement = format!(
        "INSERT INTO {} ({}) SELECT {} FROM UNNEST({}) AS r ({}) ON CONFLICT DO NOTHING",
        quoted(&table.name),
        names(table),
        values.join(", "),
        lists.join(", "),
        aliases.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for (at, column) in table.columns.iter().enumerate() {
        let cells = rows.iter().map(|row| &row[at]);
        query = match column.kind {
            Kind::Uuid => {
                let ids: Result<Vec<_>, _> =
                    cells.map(|cell| bytes(cell).map(|bytes| bytes.map(uuid).transpose())?).collect();
                query.bind(ids?)
            }
            Kind::Bytes => query.bind(cells.map(bytes).collect::<Result<Vec<_>, _>>()?),
            Kind::Json | Kind::Text => query.bind(cells.map(text).collect::<Result<Vec<_>, _>>()?),
            Kind::Big | Kind::Int => query.bind(cells.map(int).collect::<Result<Vec<_>, _>>()?),
            Kind::Bool => query.bind(cells.map(bool).collect::<Result<Vec<_>, _>>()?),
        };
    }
    query.execute(conn).await.map(drop)
}

/// The value of a cell as one kind.
macro_rules! values {
    ($($name:ident: $cell:ident -> $value:ty, $read:expr;)*) => {$(
        fn $name(cell: &Cell) -> Result<Option<$value>, sqlx::Error> {
            match cell {
                Cell::Null => Ok(None),
                Cell::$cell(value) => Ok(Some($read(value))),
                _ => Err(wrong("a value of another kind than its column")),
            }
        }
    )*};
}

values! {
    bytes: Bytes -> &[u8], Vec::as_slice;
    text: Text -> &str, String::as_str;
    int: Int -> i64, |int: &i64| *int;
    bool: Bool -> bool, |bool: &bool| *bool;
}

/// Reads both sides again, each by its own index, and says what they hold.
pub(super) async fn compare(
    source: &mut Conn,
    target: &mut Conn,
    tables: &[Table],
    watcher: Watcher<'_>,
) -> Result<Summary, TransferError> {
    let mut summaries = Vec::with_capacity(tables.len());
    for table in tables {
        let (source, target) = tokio::try_join!(contents(source, table), contents(target, table))?;
        watcher(Progress::Compared { table: &table.name, rows: source.rows });
        summaries.push(TableSummary { table: table.name.clone(), source, target });
    }
    Ok(Summary(summaries))
}

/// Counts and digests a table.
pub(super) async fn contents(conn: &mut Conn, table: &Table) -> Result<Contents, TransferError> {
    let (mut rows, mut digest) = (0, Sha256::new());
    let mut reader = Reader::new(table);
    loop {
        let batch = reader.next(conn).await?;
        if batch.is_empty() {
            return Ok(Contents { rows, digest: digest.finalize().into() });
        }
        rows += batch.len() as u64;
        for row in &batch {
            // A row of none of these values begins so.
            digest.update(b"(");
            for (cell, kind) in row.iter().zip(&reader.kinds) {
                cell.digest(*kind, &mut digest).map_err(|error| table.failed(error))?;
            }
        }
    }
}
