//! Refusals that need none of the request's body: the client gets to read them, and what happens to its connection.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::Clinic;

/// A path that refuses whoever is not signed in, without reading what they send.
const PATH: &str = "/api/v1/conversations/01a20000-0000-7000-8000-000000000000/messages";

struct Connection(TcpStream);

impl Connection {
    async fn open(clinic: &Clinic) -> Self {
        let address = clinic.anteroom.base().strip_prefix("http://").expect("plain HTTP");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    async fn head(&mut self, length: u64, more: &str) {
        let head =
            format!("POST {PATH} HTTP/1.1\r\nHost: anteroom\r\nContent-Length: {length}\r\n{more}\r\n");
        self.0.write_all(head.as_bytes()).await.expect("a head");
    }

    /// Status line and headers of the next answer, in lower case; its body is read too.
    async fn answer(&mut self) -> String {
        let reading = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await.expect("a head"));
            }
            let head = String::from_utf8(head).expect("text").to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().expect("a length"));
            self.0.read_exact(&mut vec![0; length]).await.expect("a body");
            head
        };
        timeout(Duration::from_secs(30), reading).await.expect("an answer in time")
    }

    async fn ends_refused(mut self) {
        let answer = self.answer().await;
        assert!(answer.starts_with("http/1.1 401 ") && answer.contains("connection: close"), "{answer}");
        let reading = timeout(Duration::from_secs(30), self.0.read_u8());
        reading.await.expect("an end in time").expect_err("nothing more comes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_leaves_the_connection_usable() {
    let clinic = Clinic::open().await;
    let mut connection = Connection::open(&clinic).await;
    let body = vec![b'x'; 4 * 1024 * 1024];
    for _ in 0..3 {
        connection.head(body.len() as u64, "Content-Type: application/json\r\n").await;
        connection.0.write_all(&body).await.expect("all of it is taken");
        let answer = connection.answer().await;
        assert!(answer.starts_with("http/1.1 401 "), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
    connection.0.write_all(b"GET /healthz HTTP/1.1\r\nHost: anteroom\r\n\r\n").await.expect("a request");
    assert!(connection.answer().await.starts_with("http/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_all_measure_ends_the_connection_and_says_so() {
    let clinic = Clinic::open().await;
    let mut connection = Connection::open(&clinic).await;
    connection.head(1 << 40, "").await;
    connection.ends_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_holds_its_refusal_up_for_seconds_only() {
    let clinic = Clinic::open().await;
    let mut connection = Connection::open(&clinic).await;
    connection.head(1_000, "").await;
    connection.0.write_all(b"never the rest").await.expect("a beginning");
    connection.ends_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_sending_is_refused_before_sending() {
    let clinic = Clinic::open().await;
    let mut connection = Connection::open(&clinic).await;
    connection.head(1_000_000, "Expect: 100-continue\r\n").await;
    connection.ends_refused().await;
}
