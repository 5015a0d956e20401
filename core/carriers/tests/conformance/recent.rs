//! What carriers list of late, against `vectors/lists.json`: the carriers' own packages made the requests, page by page,
//! and read the answers (`generate/make_lists.py`). We must ask the same and find the same.

use std::collections::BTreeSet;

use anteroom_carriers::{CarrierKind, Carriers, ClientConfig, ListPage, Listed, Look};
use anteroom_model::time::Timestamp;
use serde::Deserialize;

use crate::exchanges::{Accounts, Exchange, serve};

#[derive(Deserialize)]
struct Vectors {
    packages: Vec<String>,
    /// Seconds.
    since: i64,
    until: i64,
    #[serde(flatten)]
    accounts: Accounts,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    carrier: CarrierKind,
    exchanges: Vec<Exchange>,
    expect: Vec<Found>,
    /// The id of one that is read whole, where it isn't the list.
    read: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Found {
    what: String,
    id: String,
    /// The text, or the state of one of ours.
    body: String,
}

fn found(listed: &Listed) -> Found {
    let (what, id, body) = match listed {
        Listed::Inbound(message) => ("inbound", &message.carrier_message_id, message.body.clone()),
        Listed::InboundId(id) => ("id", id, String::new()),
        Listed::Wordless(message) => ("wordless", &message.carrier_message_id, message.body.clone()),
        Listed::Outbound(receipt) => {
            ("outbound", &receipt.carrier_message_id, format!("{:?}", receipt.state))
        }
    };
    Found { what: what.to_owned(), id: id.clone(), body }
}

#[tokio::test]
async fn we_list_as_the_packages_do_and_find_what_they_find() {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let carriers = Carriers::new(&ClientConfig::default()).unwrap();
    let vectors: Vectors = serde_json::from_str(include_str!("../vectors/lists.json")).unwrap();
    assert_eq!(vectors.packages.len(), 4);
    let moment = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    let (since, until) = (moment(vectors.since), moment(vectors.until));
    for case in &vectors.cases {
        let (name, server) = (&case.name, serve(&case.exchanges).await);
        let account = vectors.accounts.of(case.carrier, &server.uri());
        let mut all = Vec::new();
        if let Some(id) = &case.read {
            let message = carriers.read_listed(&account, id).await.unwrap().unwrap();
            all.push(found(&Listed::Inbound(Box::new(message))));
        } else {
            let mut page = None;
            loop {
                let look = Look { since, until, page };
                let ListPage { items, next } = carriers.list_recent(&account, &look).await.unwrap();
                all.extend(items.iter().map(found));
                page = next;
                if page.is_none() {
                    break;
                }
            }
        }
        assert_eq!(all, case.expect, "{}: {name}", case.carrier);
    }
    let listing: BTreeSet<_> = CarrierKind::ALL.iter().filter(|kind| kind.lists_messages()).collect();
    let tried: BTreeSet<_> = vectors.cases.iter().map(|case| &case.carrier).collect();
    assert_eq!(listing, tried, "every carrier that lists messages");
}
