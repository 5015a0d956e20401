//! Connections that deliver one text after another, each waiting for its answer, as carriers do.
//!
//! One thread of epoll for all of them, requests made beforehand, answers compared and not parsed: the
//! generator shares the machine with the server, so what it takes is missing there.

use std::{
    cell::Cell,
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use anteroom_test_support::postgres::Database;
use futures::future::try_join_all;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Failure,
    delivery::Deliveries,
    server::{Server, busy, cpu_of},
    stats::{Times, micros, millis, rate},
};

const WARM_UP: Duration = Duration::from_secs(2);
/// Deliveries signed for each second of a row, at most: a row that uses them up ends early.
const PER_SECOND: usize = 30_000;
/// The same for each connection: an answer in less than this part of a second would be a surprise.
const PER_SECOND_AND_CONNECTION: usize = 10_000;

/// What one row does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) measured: Duration,
    /// Does the pipeline drain what arrives, at the same time?
    pub(crate) pipeline: bool,
}

/// Where the rows go.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A file of the server's own.
    Sqlite,
    /// A database that so many nodes share.
    Postgres { database: &'a Database, nodes: usize },
}

/// What one row found.
pub(crate) struct Row {
    pub(crate) connections: usize,
    pub(crate) times: Times,
    took: Duration,
    cost: Cost,
}

/// CPU time and turns within the window.
struct Cost {
    server: Duration,
    load: Duration,
    others: Duration,
    processed: usize,
}

impl Row {
    /// What [`fmt::Display`] writes, named.
    pub(crate) const HEAD: &'static str =
        "connections  messages/s   p50 ms   p99 ms   max ms   server µs     load µs    others   processed/s";

    pub(crate) fn per_second(&self) -> f64 {
        rate(self.times.len(), self.took)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = f64::from(u32::try_from(cores).unwrap_or(1));
        let each =
            |cpu: Duration| micros(cpu) / f64::from(u32::try_from(self.times.len()).unwrap_or(1).max(1));
        write!(
            f,
            "{:>11} {:>11.0} {:>8.2} {:>8.2} {:>8.2} {:>11.1} {:>11.1} {:>8.0}% {:>13.0}",
            self.connections,
            self.per_second(),
            millis(self.times.percentile(50)),
            millis(self.times.percentile(99)),
            millis(self.times.max()),
            each(self.cost.server),
            each(self.cost.load),
            100.0 * self.cost.others.as_secs_f64() / self.took.as_secs_f64() / cores,
            rate(self.cost.processed, self.took),
        )
    }
}

/// Starts a server with a fresh database, loads it, kills it and counts what it kept.
pub(crate) fn row(dir: &Path, plan: Plan, target: Target<'_>) -> Result<Row, Failure> {
    let mut servers = start(dir, if plan.pipeline { "ingress,pipeline" } else { "ingress" }, target)?;
    let first = servers.first().ok_or("no node at all")?;
    let seconds = usize::try_from((WARM_UP + plan.measured).as_secs())?;
    let count = seconds * PER_SECOND.min(plan.connections * PER_SECOND_AND_CONNECTION);
    let deliveries = Deliveries::sign(&first.twilio, first.address, count);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (row, acknowledged, sent) = runtime.block_on(drive(&servers, &deliveries, plan))?;
    let mut files = Vec::new();
    for server in &mut servers {
        files.push(server.kill()?);
    }
    let kept = match target {
        Target::Sqlite => runtime.block_on(inbound_rows(&files[0]))?,
        Target::Postgres { database, .. } => database.sql(COUNT).trim().parse()?,
    };
    if kept < acknowledged || kept > sent {
        return Err(format!("acknowledged {acknowledged} of {sent}, but {kept} are in the database").into());
    }
    Ok(row)
}

fn start(dir: &Path, roles: &str, target: Target<'_>) -> Result<Vec<Server>, Failure> {
    let Target::Postgres { database, nodes } = target else {
        return Ok(vec![Server::start(dir, roles, None)?]);
    };
    let url = database.url();
    let mut servers = vec![Server::start(dir, roles, Some(&url))?];
    while servers.len() < nodes {
        servers.push(servers[0].further(dir, roles, &url)?);
    }
    Ok(servers)
}

async fn drive(
    servers: &[Server],
    deliveries: &Deliveries,
    plan: Plan,
) -> Result<(Row, usize, usize), Failure> {
    let next = Cell::new(0);
    let begin = Instant::now() + WARM_UP;
    let end = begin + plan.measured;
    let nodes = servers.iter().cycle().take(plan.connections);
    let connections = try_join_all(nodes.map(Connected::open)).await?;
    let workers = connections.into_iter().map(|c| c.work(deliveries, &next, begin, end));
    let observer = async {
        tokio::time::sleep_until(begin.into()).await;
        // Asking for metrics makes the server count its queues; it isn't asked where there is nothing to know.
        let processed = || {
            let of = |server: &Server| server.counter("anteroom_turns_total", "processed");
            if plan.pipeline { servers.iter().map(of).sum() } else { Ok(0) }
        };
        let cpu = || servers.iter().map(Server::cpu).sum::<Result<Duration, _>>();
        let look = || Ok::<_, Failure>((processed()?, cpu()?, cpu_of("self")?, busy()?));
        let before = look()?;
        tokio::time::sleep_until(end.into()).await;
        let after = look()?;
        let (server, load) = (after.1.saturating_sub(before.1), after.2.saturating_sub(before.2));
        let others = after.3.saturating_sub(before.3).saturating_sub(server + load);
        Ok::<_, Failure>(Cost { server, load, others, processed: after.0 - before.0 })
    };
    let (done, cost) = tokio::try_join!(try_join_all(workers), observer)?;
    let acknowledged = done.iter().map(|done| done.acknowledged).sum();
    let took = done.iter().map(|done| done.last).max().unwrap_or(end).min(end) - begin;
    let times = Times::new(done.into_iter().flat_map(|done| done.times).collect());
    Ok((Row { connections: plan.connections, times, took, cost }, acknowledged, next.get()))
}

const COUNT: &str = "SELECT count(*) FROM messages WHERE direction = 'inbound'";

async fn inbound_rows(database: &Path) -> Result<usize, Failure> {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await?;
    let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(usize::try_from(count)?)
}

/// What one connection did.
struct Done {
    times: Vec<Duration>,
    acknowledged: usize,
    last: Instant,
}

struct Connected {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connected {
    async fn open(server: &Server) -> Result<Self, Failure> {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(4_096) })
    }

    /// Delivers until `end` or until nothing is left; times what was sent and answered within the window.
    async fn work(
        mut self,
        deliveries: &Deliveries,
        next: &Cell<usize>,
        begin: Instant,
        end: Instant,
    ) -> Result<Done, Failure> {
        let mut request = deliveries.buffer();
        let mut done =
            Done { times: Vec::with_capacity(deliveries.len() / 16), acknowledged: 0, last: begin };
        loop {
            let number = next.get();
            let sent = Instant::now();
            if number == deliveries.len() || sent >= end {
                return Ok(done);
            }
            next.set(number + 1);
            deliveries.write(number, &mut request);
            self.stream.write_all(&request).await?;
            self.read_answer().await?;
            done.last = Instant::now();
            done.acknowledged += 1;
            if sent >= begin && done.last <= end {
                done.times.push(done.last - sent);
            }
        }
    }

    /// Reads one whole answer; an error unless it is 200.
    async fn read_answer(&mut self) -> Result<(), Failure> {
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed a connection".into());
            }
            if let Some(length) = whole(&self.answer)? {
                let answer = &self.answer;
                if length != answer.len() || !answer.starts_with(b"HTTP/1.1 200 ") {
                    return Err(format!("not 200: {}", String::from_utf8_lossy(answer)).into());
                }
                return Ok(());
            }
        }
    }
}

/// The length of the answer at the start of `bytes`, once its head is there and as many bytes.
fn whole(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(head) = bytes.windows(4).rposition(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let at = bytes[..head].windows(LENGTH.len()).rposition(|name| name == LENGTH);
    let at = at.ok_or("an answer without its length")? + LENGTH.len();
    let digits = bytes[at..head].iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let length = head + 4 + body;
    Ok((bytes.len() >= length).then_some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nx: y\r\n\r\n<Response/>";
        assert_eq!(whole(answer).unwrap(), Some(answer.len()));
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]).unwrap(), None, "{end}");
        }
    }
}
