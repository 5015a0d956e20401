//! The message centre's process.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// It ends with this.
pub(crate) struct Peer {
    _process: Child,
    orders: ChildStdin,
    facts: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

impl Peer {
    /// `files`: key and certificate, for TLS.
    pub(crate) async fn start(files: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/smpp-peer");
        let mut process = Command::new(script)
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("scripts/smpp-peer runs: it needs Node.js and npm");
        let orders = process.stdin.take().unwrap();
        let facts = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Self { _process: process, orders, facts, port: 0 };
        let port = peer.fact("port").await["port"].as_u64().unwrap();
        peer.port = port.try_into().unwrap();
        peer
    }

    pub(crate) async fn order(&mut self, order: &Value) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
    }

    /// The next thing that it tells of this kind.
    pub(crate) async fn fact(&mut self, kind: &str) -> Value {
        // The first time the package is installed.
        let next = async {
            loop {
                let line = self.facts.next_line().await.unwrap().expect("the peer ended");
                let fact: Value = serde_json::from_str(&line).unwrap();
                if fact.get(kind).is_some() {
                    return fact;
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(3), next).await.expect("the peer says nothing")
    }

    pub(crate) async fn stats(&mut self) -> Value {
        self.order(&json!({ "stats": true })).await;
        self.fact("submitted").await
    }

    /// What it knows once everything is acknowledged.
    pub(crate) async fn settled(&mut self) -> Value {
        for _ in 0..600 {
            let stats = self.stats().await;
            if stats["waiting"] == 0 {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not everything was acknowledged")
    }
}
