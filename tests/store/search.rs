//! Search across texts and notes, before and after they are indexed.

use anteroom_model::{
    ids::ConversationId,
    states::{ConversationState, NumberKind, Registration},
    words::Query,
};
use anteroom_store::{
    Actor, Conversation, NewEvent, NewNumber, NewOutbound, Org, Store, StoreError, TextFilter, TextFound,
    TextPage, TextSearch,
};
use serde_json::json;

use crate::harness::{Clinic, Fresh, commit, raw};

pub(crate) const ANA: &str = "+15125550101";
const BOB: &str = "+15125550102";

/// Texts of a segment.
const SEGMENT: usize = 1_024;

pub(crate) fn wanted(text: &str) -> TextSearch {
    TextSearch {
        words: Query::parse(text).unwrap(),
        texts: true,
        notes: true,
        phone: None,
        numbers: Vec::new(),
        filter: TextFilter::default(),
    }
}

pub(crate) async fn page(
    db: &Store,
    clinic: Clinic,
    search: &TextSearch,
    before: i64,
    limit: usize,
) -> TextPage {
    db.read(clinic.organization).await.unwrap().search_texts(search, before, limit).await.unwrap()
}

/// What a search finds, in words.
fn shown(page: &TextPage) -> Vec<String> {
    let shown = page.hits.iter().map(|hit| match &hit.found {
        TextFound::Message { body, .. } => body.clone(),
        TextFound::Note { body, .. } => format!("note: {body}"),
        TextFound::Phone => "phone".to_owned(),
        TextFound::Number => "number".to_owned(),
    });
    shown.collect()
}

async fn found(db: &Store, clinic: Clinic, text: &str) -> Vec<String> {
    all(db, clinic, &wanted(text), 50).await.0
}

/// All of a search, page by page.
async fn all(db: &Store, clinic: Clinic, search: &TextSearch, limit: usize) -> (Vec<String>, usize) {
    let (mut all, mut before, mut pages) = (Vec::new(), Some(i64::MAX), 0);
    while let Some(from) = before {
        let page = page(db, clinic, search, from, limit).await;
        assert!(page.hits.len() <= limit);
        all.extend(shown(&page));
        before = page.next;
        pages += 1;
    }
    (all, pages)
}

pub(crate) async fn open(db: &Store, clinic: Clinic, peer: &'static str) -> ConversationId {
    commit!(db, clinic.organization, |org| {
        let id: ConversationId = org.new_id();
        org.insert_conversation(&Conversation::begin(id, clinic.number, None, peer, org.now())).await?;
        tell(&org, "conversation.opened", id, json!({}));
        Ok(id)
    })
    .unwrap()
}

fn tell(org: &Org<'_>, kind: &'static str, id: ConversationId, data: serde_json::Value) {
    org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Host, data });
}

pub(crate) async fn say(db: &Store, clinic: Clinic, id: ConversationId, bodies: Vec<String>) {
    for bodies in bodies.chunks(SEGMENT).map(<[String]>::to_vec) {
        commit!(db, clinic.organization, |org| {
            for body in bodies {
                let new = NewOutbound { conversation_id: Some(id), ..clinic.reply(ANA, &body) };
                let message = org.insert_outbound(&new).await?;
                tell(&org, "message.queued", id, json!({ "message_id": message }));
                tell(&org, "message.state", id, json!({ "message_id": message, "state": "sent" }));
            }
            Ok(())
        })
        .unwrap();
    }
}

async fn note(db: &Store, clinic: Clinic, id: ConversationId, body: &'static str) {
    commit!(db, clinic.organization, |org| {
        let note = org.insert_note(id, clinic.staff, body).await?;
        tell(&org, "note.added", id, json!({ "note_id": note.id }));
        Ok(())
    })
    .unwrap();
}

fn filler(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|n| format!("Your visit number {n} is confirmed")).collect()
}

/// Segments that it made.
pub(crate) async fn index(db: &Store, clinic: Clinic) -> usize {
    let mut made = 0;
    while db.index_texts(clinic.organization).await.unwrap() {
        made += 1;
    }
    made
}

pub(crate) async fn texts_are_found_before_and_after_they_are_indexed(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ana = open(db, clinic, ANA).await;
    let texts =
        ["My KNEE hurts since mañana", "Refill of Lisinopril?", "The knee follow-up is at 9", "我的膝盖痛"];
    say(db, clinic, ana, texts.map(str::to_owned).to_vec()).await;
    note(db, clinic, ana, "Knee: called back").await;
    let check = async || {
        assert_eq!(found(db, clinic, "knee").await, ["note: Knee: called back", texts[2], texts[0]]);
        assert_eq!(found(db, clinic, "KNEE hur").await, [texts[0]]);
        assert_eq!(found(db, clinic, "manana").await, [texts[0]]);
        assert_eq!(found(db, clinic, "lisin refi").await, [texts[1]]);
        assert_eq!(found(db, clinic, "followup").await, [texts[2]]);
        assert_eq!(found(db, clinic, "follow-up at").await, [texts[2]]);
        assert_eq!(found(db, clinic, "膝盖").await, [texts[3]]);
        assert_eq!(found(db, clinic, "nee").await, [""; 0]);
        assert_eq!(found(db, clinic, "knee lisinopril").await, [""; 0], "no text has both");
        let notes = TextSearch { texts: false, ..wanted("knee") };
        assert_eq!(all(db, clinic, &notes, 9).await.0, ["note: Knee: called back"]);
        let texts_only = TextSearch { notes: false, ..wanted("knee") };
        assert_eq!(all(db, clinic, &texts_only, 9).await.0, [texts[2], texts[0]]);
    };
    check().await;
    assert_eq!(index(db, clinic).await, 0, "too few for a segment");

    say(db, clinic, ana, filler(0, 2 * SEGMENT)).await;
    check().await;
    assert_eq!(db.texts_to_index().await.unwrap().len(), 1);
    assert_eq!(index(db, clinic).await, 2);
    assert!(db.texts_to_index().await.unwrap().is_empty());
    check().await;
    assert_eq!(found(db, clinic, "visit 17 confirmed").await, ["Your visit number 17 is confirmed"]);

    // What is only just here stands first.
    say(db, clinic, ana, vec!["knee again".into()]).await;
    assert_eq!(found(db, clinic, "knee").await[0], "knee again");
}

pub(crate) async fn pages_join_on_while_the_index_grows(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ana = open(db, clinic, ANA).await;
    say(db, clinic, ana, filler(0, SEGMENT + 500)).await;
    let mut expected = filler(0, SEGMENT + 500);
    expected.reverse();
    let search = wanted("visit");
    assert_eq!(all(db, clinic, &search, 200).await.0, expected);
    let first = page(db, clinic, &search, i64::MAX, 200).await;
    assert_eq!(index(db, clinic).await, 1);
    say(db, clinic, ana, filler(9_000, 3)).await;
    let second = page(db, clinic, &search, first.next.unwrap(), 200).await;
    assert_eq!(shown(&second), expected[200..400], "new ones don't move what comes next");
    assert_eq!(all(db, clinic, &search, 200).await.0[3..], expected);

    // Much that only looks as if it fitted: the page says how far it came, the next goes on.
    say(db, clinic, ana, filler(10_000, 3 * SEGMENT)).await;
    let rare = wanted("visit number 3 confirmed");
    let early = page(db, clinic, &rare, i64::MAX, 50).await;
    assert!(early.hits.is_empty() && early.next.is_some() && early.looked_back_to.is_some());
    let (hits, pages) = all(db, clinic, &rare, 50).await;
    assert!(pages > 1 && hits.contains(&"Your visit number 3 is confirmed".to_owned()), "{hits:?}");
    assert_eq!(index(db, clinic).await, 3);
    let indexed = page(db, clinic, &wanted("number 777"), i64::MAX, 50).await;
    assert_eq!(
        (shown(&indexed), indexed.next),
        (vec!["Your visit number 777 is confirmed".to_owned()], None)
    );
}

pub(crate) async fn a_phone_or_a_number_leads_to_its_conversations(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (ana, bob) = (open(db, clinic, ANA).await, open(db, clinic, BOB).await);
    let other = NewNumber {
        carrier_account_id: clinic.account,
        facility_id: None,
        address: "+15005550199".into(),
        kind: NumberKind::Sandbox,
        label: "Billing".into(),
        texting_enabled: true,
        verification: None,
        registration: Registration::Approved,
        registration_note: String::new(),
    };
    let other = commit!(db, clinic.organization, |org| org.insert_number(&other).await).unwrap();
    let by = |digits: &str| TextSearch { phone: Some(digits.to_owned()), ..wanted(digits) };
    for round in 0..2 {
        let one = page(db, clinic, &by("5550101"), i64::MAX, 9).await;
        assert_eq!(one.hits.len(), 1, "round {round}");
        assert_eq!((one.hits[0].conversation, shown(&one)), (ana, vec!["phone".to_owned()]));
        assert_eq!(page(db, clinic, &by("0102"), i64::MAX, 9).await.hits[0].conversation, bob);
        assert!(
            page(db, clinic, &by("9990102"), i64::MAX, 9).await.hits.is_empty(),
            "another number ends so"
        );
        let on = |number| TextSearch { texts: false, notes: false, numbers: vec![number], ..wanted("front") };
        let both = page(db, clinic, &on(clinic.number), i64::MAX, 9).await;
        assert_eq!(both.hits.iter().map(|hit| hit.conversation).collect::<Vec<_>>(), [bob, ana]);
        assert!(page(db, clinic, &on(other), i64::MAX, 9).await.hits.is_empty());
        let state = |state| TextSearch {
            filter: TextFilter { state: Some(state), ..TextFilter::default() },
            ..on(clinic.number)
        };
        assert_eq!(page(db, clinic, &state(ConversationState::Open), i64::MAX, 9).await.hits.len(), 2);
        assert!(page(db, clinic, &state(ConversationState::Closed), i64::MAX, 9).await.hits.is_empty());
        if round == 0 {
            say(db, clinic, ana, filler(0, SEGMENT)).await;
            assert_eq!(index(db, clinic).await, 1);
        }
    }
}

pub(crate) async fn each_segment_is_made_once(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ana = open(db, clinic, ANA).await;
    say(db, clinic, ana, filler(0, 2 * SEGMENT)).await;
    let (one, other) = (Store::clone(db), Store::clone(db));
    let (one, other) = tokio::join!(index(&one, clinic), index(&other, clinic));
    assert!(one + other >= 2);
    let segments: i64 = raw!(db, pool => {
        sqlx::query_scalar("SELECT COUNT(*) FROM search_segments").fetch_one(&pool).await.unwrap()
    });
    assert_eq!(segments, 2);
    let (hits, _) = all(db, clinic, &wanted("visit"), 100).await;
    assert_eq!(hits.len(), 2 * SEGMENT);
}

pub(crate) async fn nobody_else_finds_or_reads_it(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let neighbour = Clinic::new(db, "B").await;
    let ana = open(db, clinic, ANA).await;
    say(db, clinic, ana, vec!["Wolfeschlegelstein knee".into()]).await;
    say(db, clinic, ana, filler(0, SEGMENT)).await;
    assert_eq!(found(db, neighbour, "knee").await, [""; 0]);
    assert_eq!((index(db, clinic).await, index(db, neighbour).await), (1, 0));
    assert_eq!(found(db, neighbour, "knee").await, [""; 0]);
    assert_eq!(found(db, clinic, "wolfe").await, ["Wolfeschlegelstein knee"]);
    let disk = db.bytes_on_disk();
    let holds = |needle: &str| disk.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(!holds("wolfeschlegelstein"), "words are on disk in the clear");
    // A block that was put in another's place does not open.
    raw!(db, pool => {
        sqlx::query("UPDATE search_blocks SET entries = (SELECT entries FROM search_blocks WHERE bucket = 1)")
            .execute(&pool)
            .await
            .unwrap();
    });
    let mut org = db.read(clinic.organization).await.unwrap();
    let refused = org.search_texts(&wanted("wolfe confirmed visit number"), i64::MAX, 9).await;
    assert!(matches!(refused, Err(StoreError::Sealed("search_blocks.entries"))));
}
