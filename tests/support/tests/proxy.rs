//! Every fault of the proxy, seen from both of its sides.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use anteroom_test_support::proxy::{FaultProxy, Faults};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that answers every byte with the same byte; its port.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    port
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).await.expect("the proxy")
}

/// Sends and waits for the echo; how long it took.
async fn round(stream: &mut TcpStream, bytes: &[u8]) -> Duration {
    let started = Instant::now();
    let mut answer = vec![0; bytes.len()];
    let (mut from, mut to) = stream.split();
    let both = async { tokio::try_join!(to.write_all(bytes), from.read_exact(&mut answer)) };
    timeout(PATIENCE, both).await.expect("in time").expect("an echo");
    assert_eq!(answer, bytes);
    started.elapsed()
}

/// The error that reading ends with.
async fn broken(stream: &mut TcpStream) -> ErrorKind {
    let mut buffer = [0; 64];
    loop {
        match timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time") {
            Ok(0) => panic!("an orderly end"),
            Ok(_) => {}
            Err(error) => return error.kind(),
        }
    }
}

#[tokio::test]
async fn passes_on_and_ends_in_order() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    let long: Vec<u8> = (0..200_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    round(&mut stream, &long).await;
    assert_eq!(proxy.passed(), 400_000);
    stream.shutdown().await.expect("an end");
    assert_eq!(stream.read(&mut [0]).await.expect("an orderly end"), 0);
}

#[tokio::test]
async fn delays_and_throttles_connections_that_are_open() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    let quick = round(&mut stream, b"quick").await;
    proxy.set(Faults { delay: Duration::from_millis(150), ..Faults::default() });
    let delayed = round(&mut stream, b"delayed").await;
    assert!(delayed >= Duration::from_millis(300) && delayed > quick, "{quick:?} {delayed:?}");
    proxy.set(Faults { bytes_per_second: Some(20_000), ..Faults::default() });
    let throttled = round(&mut stream, &[7; 10_000]).await;
    assert!((Duration::from_millis(400)..Duration::from_secs(3)).contains(&throttled), "{throttled:?}");
    proxy.heal();
    assert!(round(&mut stream, &[7; 10_000]).await < throttled);
}

#[tokio::test]
async fn freezes_and_lets_everything_through_afterwards() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut before = connect(&proxy).await;
    round(&mut before, b"before").await;
    proxy.set(Faults { frozen: true, ..Faults::default() });
    let mut during = connect(&proxy).await;
    for stream in [&mut before, &mut during] {
        stream.write_all(b"during").await.expect("the kernel takes it");
        let silence = timeout(Duration::from_millis(200), stream.read_u8()).await;
        assert!(silence.is_err(), "{silence:?}");
    }
    proxy.heal();
    for stream in [&mut before, &mut during] {
        let mut answer = [0; 6];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("an echo");
        assert_eq!(&answer, b"during");
    }
}

#[tokio::test]
async fn cuts_open_and_new_connections_until_healed() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut open = connect(&proxy).await;
    round(&mut open, b"open").await;
    proxy.set(Faults { cut: true, ..Faults::default() });
    assert_eq!(broken(&mut open).await, ErrorKind::ConnectionReset);
    let mut new = connect(&proxy).await;
    assert_eq!(broken(&mut new).await, ErrorKind::ConnectionReset);
    proxy.heal();
    round(&mut connect(&proxy).await, b"healed").await;
}

#[tokio::test]
async fn resets_after_so_many_bytes() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    round(&mut stream, &[1; 1_000]).await;
    proxy.set(Faults { reset_after: Some(150), ..Faults::default() });
    // 100 there, 50 back.
    stream.write_all(&[2; 100]).await.expect("the kernel takes it");
    assert_eq!(broken(&mut stream).await, ErrorKind::ConnectionReset);
    assert_eq!(proxy.passed(), 2_150);
    round(&mut connect(&proxy).await, &[3; 50]).await;
}

#[tokio::test]
async fn moves_to_another_server() {
    let proxy = FaultProxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    round(&mut stream, b"the first").await;
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    proxy.point_at(other.local_addr().expect("an address").port());
    assert_eq!(broken(&mut stream).await, ErrorKind::ConnectionReset);
    let _client = connect(&proxy).await;
    timeout(PATIENCE, other.accept()).await.expect("in time").expect("a connection to the other");
}
