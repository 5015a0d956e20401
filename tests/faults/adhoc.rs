use crate::{Engine, Site, site::TOLL_FREE};
use anteroom_test_support::load::say;
use serde_json::json;
use std::time::Instant;
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn adhoc() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let site = Site::open(engine).await;
        let door = site.doors().remove(0);
        door.account().text("+15125550999", TOLL_FREE, "Hello").taken(door.client()).await;
        site.idle().await;
        let c = site.conversation("+15125550999", TOLL_FREE).await;
        let path = format!("/api/v1/conversations/{}/messages", c["id"].as_str().unwrap());
        let mut times = vec![];
        for n in 0..12 {
            let t = Instant::now();
            site.api("Maya").post(&path, &json!({"body": format!("n {n}")})).await.expect(201);
            times.push(t.elapsed());
        }
        say(&format!("{engine:?} replies {times:.0?}"));
        let mut times = vec![];
        for n in 0..12 {
            let t = Instant::now();
            door.account().text("+15125550999", TOLL_FREE, &format!("Hello {n}")).taken(door.client()).await;
            times.push(t.elapsed());
        }
        say(&format!("{engine:?} texts {times:.0?}"));
        let t = Instant::now();
        site.idle().await;
        say(&format!("{engine:?} idle after {:.0?}", t.elapsed()));
    }
}
