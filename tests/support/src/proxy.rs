//! A TCP proxy that does to connections what networks do: delays, cuts, throttles, freezes and resets them,
//! all of it switchable while connections are open.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// What is done to every connection, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How much later everything comes out than it went in, pieces of a stream after one another.
    pub delay: Duration,
    /// At most so many bytes pass in a second, per direction.
    pub bytes_per_second: Option<u32>,
    /// Nothing passes and nothing is closed, as behind a cable that was pulled.
    pub frozen: bool,
    /// Open connections are reset, and so are new ones.
    pub cut: bool,
    /// A connection is reset once so many bytes have passed, counting from now on.
    pub reset_after: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    faults: Faults,
    upstream: SocketAddr,
    /// Raised to reset every connection that was accepted before.
    era: u64,
    /// Raised by every change.
    version: u64,
}

/// The proxy. Ends with all its connections when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    setting: watch::Sender<Setting>,
    passed: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FaultProxy {
    /// Listens on a free port of this machine and passes everything on to `upstream_port` there.
    pub async fn to(upstream_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, upstream_port));
        let (setting, seen) =
            watch::channel(Setting { faults: Faults::default(), upstream, era: 0, version: 0 });
        let passed = Arc::new(AtomicU64::new(0));
        let counter = passed.clone();
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((client, _)) = accepted {
                            connections.spawn(connection(client, seen.clone(), counter.clone()));
                        }
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Self { address, setting, passed, server }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many bytes have passed, both ways.
    pub fn passed(&self) -> u64 {
        self.passed.load(Relaxed)
    }

    /// From now on does this.
    pub fn set(&self, faults: Faults) {
        self.setting.send_modify(|setting| {
            setting.faults = faults;
            setting.era += u64::from(faults.cut);
            setting.version += 1;
        });
    }

    /// From now on does nothing but passing on.
    pub fn heal(&self) {
        self.set(Faults::default());
    }

    /// Connections go to this port from now on; open ones are reset.
    pub fn point_at(&self, upstream_port: u16) {
        self.setting.send_modify(|setting| {
            setting.upstream = (Ipv4Addr::LOCALHOST, upstream_port).into();
            setting.era += 1;
        });
    }
}

/// One connection, to its end: an orderly one where both sides come to it, else both are reset.
async fn connection(mut client: TcpStream, mut setting: watch::Receiver<Setting>, passed: Arc<AtomicU64>) {
    let born = *setting.borrow_and_update();
    let mut server = None;
    let seen = setting.clone();
    let over = async {
        while !born.faults.cut && setting.borrow_and_update().era == born.era {
            if setting.changed().await.is_err() {
                return;
            }
        }
    };
    let ended = tokio::select! {
        () = over => Err(io::ErrorKind::ConnectionReset.into()),
        ended = relay(&mut client, &mut server, &seen, &passed) => ended,
    };
    if ended.is_err() {
        for socket in [Some(client), server].into_iter().flatten() {
            // Closing then resets. Fails where it is reset already.
            drop(socket.set_zero_linger());
        }
    }
}

async fn relay(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    setting: &watch::Receiver<Setting>,
    passed: &AtomicU64,
) -> io::Result<()> {
    thawed(&mut setting.clone()).await;
    let upstream = setting.borrow().upstream;
    let server = server.insert(TcpStream::connect(upstream).await?);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let count = Count { all: passed, own: Mutex::default() };
    tokio::try_join!(
        pass(from_client, to_server, setting.clone(), &count),
        pass(from_server, to_client, setting.clone(), &count)
    )
    .map(drop)
}

/// Bytes that have passed.
struct Count<'a> {
    all: &'a AtomicU64,
    own: Mutex<Own>,
}

/// Bytes of one connection.
#[derive(Default)]
struct Own {
    passed: u64,
    /// At how many it is reset, and the setting this was reckoned for.
    limit: Option<(u64, u64)>,
}

impl Count<'_> {
    /// How many of `length` bytes may pass before the connection is reset.
    fn take(&self, setting: &Setting, length: usize) -> usize {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = setting.faults.reset_after.map(|after| match own.limit {
            Some((limit, version)) if version == setting.version => limit,
            _ => own.passed + after,
        });
        own.limit = limit.map(|limit| (limit, setting.version));
        let room = limit.map_or(u64::MAX, |limit| limit - own.passed);
        let may = length.min(usize::try_from(room).unwrap_or(usize::MAX));
        own.passed += may as u64;
        self.all.fetch_add(may as u64, Relaxed);
        may
    }

    fn is_full(&self) -> bool {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.limit.is_some_and(|(limit, _)| own.passed >= limit)
    }
}

/// Passes on until the end of the stream, which is passed on too.
async fn pass(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut setting: watch::Receiver<Setting>,
    count: &Count<'_>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let most = setting.borrow().faults.bytes_per_second.map_or(buffer.len(), piece);
        let length = from.read(&mut buffer[..most]).await?;
        let Faults { delay, bytes_per_second, .. } = setting.borrow().faults;
        // Time on the way is spent before the bytes come out.
        let bytes = u32::try_from(length).expect("small");
        let long = bytes_per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) * bytes / rate);
        let time = delay + long;
        // Even a sleep of no time takes a millisecond.
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
        thawed(&mut setting).await;
        if length == 0 {
            return to.shutdown().await;
        }
        let now = *setting.borrow();
        let length = count.take(&now, length);
        to.write_all(&buffer[..length]).await?;
        if count.is_full() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
}

/// Pieces small enough to be even at this rate.
fn piece(rate: u32) -> usize {
    usize::try_from(rate / 20).unwrap_or(usize::MAX).clamp(1, 16 * 1024)
}

/// Waits while nothing may pass.
async fn thawed(setting: &mut watch::Receiver<Setting>) {
    while setting.borrow_and_update().faults.frozen {
        if setting.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}
