//! Queries stay flat as tables grow: on PostgreSQL, none of the busy ones reads a whole table or a whole
//! organization of one that grows with every text. (For SQLite: `core/store/src/planner.rs`.)

use std::fmt::Write as _;

use anteroom_model::states::Priority;
use anteroom_store::{Filters, Queue};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    harness::{Clinic, Fresh, Raw},
    queries::{BEGINNINGS, files, package},
};

/// Tables that grow with every text.
const GROWING: [&str; 20] = [
    "drafts",
    "looks",
    "mentions",
    "conversation_spans",
    "report_counts",
    "media",
    "messages",
    "events",
    "conversations",
    "conversation_tags",
    "decisions",
    "audit",
    "patients",
    "patient_phones",
    "patient_words",
    "patient_external_ids",
    "patient_caregivers",
    "patient_merges",
    "patient_changes",
    "search_blocks",
];

/// Counts for people and for metrics, and what happens once in a node's life: they read what they must.
const WHOLE: [&str; 9] = [
    "messages/oldest_due",
    "messages/release_leases",
    "conversations/counts",
    "messages/of_peer",
    "decisions/window",
    // Asked when a team or a facility is to be deleted.
    "conversations/any_in_team",
    "conversations/any_in_facility",
    // Without the moment the planner takes a third of the files for due; with it, as PostgreSQL then plans them each
    // time, it goes through the index of the few that are.
    "media/claim.postgres",
    "media/claimable",
];

/// A clinic with a year of texts, made by the database itself.
const FILL: &str = "
    INSERT INTO patients (organization_id, id, kind, profile, birth_date_hash, last_name_hash, created_at, updated_at,
        indexed)
    SELECT o, gen_random_uuid(), 'profile', '', sha256(n::text::bytea), sha256(n::text::bytea), n, n, TRUE
    FROM generate_series(1, 4000) n;
    INSERT INTO patient_phones (organization_id, phone_hash, patient_id, phone)
    SELECT o, birth_date_hash, p.id, '' FROM patients p;
    INSERT INTO patient_words (organization_id, word_hash, patient_id)
    SELECT o, sha256((n * 100 + p.created_at % 100)::text::bytea), p.id FROM patients p, generate_series(1, 10) n;
    INSERT INTO patient_external_ids (organization_id, source, kind, value_hash, patient_id, created_at)
    SELECT o, 'athena', 'mrn', birth_date_hash, p.id, 1 FROM patients p;
    INSERT INTO patient_caregivers (organization_id, id, patient_id, caregiver_id, data, created_at)
    SELECT o, gen_random_uuid(), p.id, p.id, '', 1 FROM patients p;
    INSERT INTO patient_merges (organization_id, id, survivor_id, absorbed_id, created_at)
    SELECT o, gen_random_uuid(), p.id, p.id, 1 FROM patients p;
    INSERT INTO patient_changes (organization_id, patient_id, id, kind, actor, created_at)
    SELECT o, p.id, gen_random_uuid(), 'patient.changed', 'staff', 1 FROM patients p;
    INSERT INTO conversations (organization_id, id, number_id, peer_hash, peer, identity, state, priority, tags,
        turn_number, sort_at, last_message_at, created_at, version, facility_id, team_id, category)
    SELECT o, gen_random_uuid(), num, sha256(n::text::bytea), '', 'unasked',
        CASE WHEN n % 20 = 0 THEN 'open' ELSE 'closed' END, 'normal', '[]', 1, n, n, n, 1,
        CASE WHEN n % 3 = 0 THEN (SELECT MIN(id::text)::uuid FROM facilities) END,
        CASE WHEN n % 3 = 1 THEN (SELECT MIN(id::text)::uuid FROM teams) END, 'word ' || n % 7
    FROM generate_series(1, 4000) n;
    INSERT INTO conversation_tags (organization_id, conversation_id, tag)
    SELECT o, c.id, 'tag ' || c.created_at % 50 FROM conversations c;
    INSERT INTO messages (organization_id, id, direction, carrier_account_id, number_id, peer_hash, peer, body,
        carrier_message_id, conversation_id, author, state, due_at, in_lane, created_at)
    SELECT o, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'inbound' ELSE 'outbound' END, acc, num, c.peer_hash, '', '',
        n || c.id::text, c.id, 'patient', 'processed', CASE WHEN n % 10 = 0 THEN n END, n % 10 = 0, n
    FROM conversations c, generate_series(1, 10) n;
    INSERT INTO looks (organization_id, staff_id, conversation_id, message_id)
    SELECT o, me, c.id, c.id FROM conversations c;
    INSERT INTO drafts (organization_id, staff_id, conversation_id, content, updated_at)
    SELECT o, me, c.id, '', 1 FROM conversations c;
    INSERT INTO notes (organization_id, id, conversation_id, author_id, body, created_at)
    SELECT o, gen_random_uuid(), c.id, me, '', 1 FROM conversations c;
    INSERT INTO mentions (organization_id, staff_id, note_id, conversation_id, read_at)
    SELECT o, me, n.id, n.conversation_id, CASE WHEN hashtext(n.id::text) % 50 = 0 THEN NULL ELSE 1 END FROM notes n;
    INSERT INTO media (organization_id, id, message_id, position, direction, state, attempt, due_at, fetches, created_at)
    SELECT o, gen_random_uuid(), CASE WHEN p % 10 = 0 THEN NULL ELSE m.id END, p, 'inbound', 'ready', 1,
        CASE WHEN p = 1 AND hashtext(m.id::text) % 200 = 0 THEN m.created_at END, 0, m.created_at
    FROM messages m, generate_series(0, 1) p WHERE m.direction = 'inbound';
    INSERT INTO events (organization_id, seq, kind, conversation_id, actor, data, created_at)
    SELECT o, ROW_NUMBER() OVER (), 'message.received', c.id, 'patient', '', n
    FROM conversations c, generate_series(1, 5) n;
    INSERT INTO decisions (organization_id, id, conversation_id, binding_id, policy_id, hook, outcome, effect, fuel,
        memory_peak, micros, record, created_at, seq)
    SELECT o, gen_random_uuid(), c.id, o, o, 'routing', 'decided', 'applied', 1, 1, 1, '', n, ROW_NUMBER() OVER ()
    FROM conversations c, generate_series(1, 5) n;
    INSERT INTO conversation_spans (organization_id, opened_at, opened_seq, conversation_id, number_id, facility_id,
        team_id)
    SELECT o, n * 1000 + c.created_at % 1000, c.created_at * 10 + n, c.id, c.number_id, o, c.id
    FROM conversations c, generate_series(1, 5) n;
    INSERT INTO report_counts (organization_id, quarter, kind, number_id, facility_id, team_id, staff_id, happened)
    SELECT o, n, 'in', c.number_id, o, o, c.id, 1 FROM conversations c, generate_series(1, 5) n;
    INSERT INTO audit (organization_id, id, actor, action, subject, created_at)
    SELECT o, gen_random_uuid(), 'staff', 'conversation.read', c.id, n FROM conversations c, generate_series(1, 5) n;
    INSERT INTO search_blocks (organization_id, bucket, segment, entries)
    SELECT o, b, n, '' FROM generate_series(0, 63) b, generate_series(1, 400) n;
    ANALYZE";

pub(crate) async fn busy_queries_stay_flat(db: &Fresh) {
    let Raw::Postgres(pool) = db.raw().await else { panic!("a test of PostgreSQL") };
    let clinic = Clinic::new(db, "A").await;
    let word =
        |text: &str, name: &str, id: uuid::Uuid| text.replace(&format!(" {name},"), &format!(" '{id}',"));
    let fill = word(FILL, "o", clinic.organization.0);
    let fill = word(&word(&fill, "num", clinic.number.0), "acc", clinic.account.0);
    let fill = word(&fill, "me", clinic.staff.0);
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    let mut conn = pool.acquire().await.unwrap().detach();
    sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut conn).await.unwrap();

    let folder = package("queries");
    let mut looked_at = 0;
    let mut wrong = String::new();
    for path in files(&folder, ".sql") {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().trim_end_matches(".sql").to_owned();
        let is_twin = path.with_extension("postgres.sql").exists();
        let mut text = std::fs::read_to_string(&path).unwrap();
        // Lists of one column's values; those of rows are others.
        if text.trim_end().ends_with(" IN (") && !text.trim_end().ends_with(") IN (") {
            let bound = parameters(&text);
            text = format!("{}${}, ${})", text.trim_end(), bound + 1, bound + 2);
        } else if BEGINNINGS.contains(&&*name) {
            continue;
        }
        if is_twin || WHOLE.contains(&&*name) {
            continue;
        }
        looked_at += 1;
        let plan = explain(&mut conn, &text).await;
        if let Some(why) = reads_too_much(&plan) {
            writeln!(wrong, "{name}: {why}\n{}", plan.join("\n")).unwrap();
        }
    }
    for (queue, filters) in queues(&clinic) {
        looked_at += 1;
        let plan = explain(&mut conn, &queue.page_sql(&filters)).await;
        if let Some(why) = reads_too_much(&plan) {
            writeln!(wrong, "{queue:?} {filters:?}: {why}\n{}", plan.join("\n")).unwrap();
        }
    }
    conn.close().await.unwrap();
    assert!(looked_at > 80, "{looked_at} queries: is this the right folder?");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(reads_too_much(&["Seq Scan on messages".to_owned()]).is_some(), "this finds nothing");
}

/// Each queue as it is, and narrowed by each filter.
fn queues(clinic: &Clinic) -> Vec<(Queue, Filters)> {
    let words = || vec!["one".to_owned(), "two".to_owned()];
    let filters = [
        Filters::default(),
        Filters { facilities: vec![clinic.facility], ..Filters::default() },
        Filters { numbers: vec![clinic.number], ..Filters::default() },
        Filters { teams: vec![clinic.team], ..Filters::default() },
        Filters { tags: words(), ..Filters::default() },
        Filters { categories: words(), ..Filters::default() },
        Filters { priorities: vec![Priority::Urgent], ..Filters::default() },
    ];
    let queues = [
        Queue::Unassigned,
        Queue::Mine(clinic.staff),
        Queue::Team(clinic.staff),
        Queue::All,
        Queue::Snoozed,
        Queue::Closed,
    ];
    queues.iter().flat_map(|queue| filters.iter().map(|filters| (*queue, filters.clone()))).collect()
}

/// How many parameters a query has.
fn parameters(sql: &str) -> usize {
    (1..30).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0)
}

/// The plan for any values.
async fn explain(conn: &mut PgConnection, sql: &str) -> Vec<String> {
    let parameters = parameters(sql);
    let values = vec!["NULL"; parameters].join(", ");
    let values = if parameters == 0 { String::new() } else { format!("({values})") };
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE looked_at AS {sql}"))).execute(&mut *conn).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE looked_at{values}"));
    let plan: Vec<(String,)> = sqlx::query_as(explain).persistent(false).fetch_all(&mut *conn).await.unwrap();
    sqlx::raw_sql("DEALLOCATE looked_at").execute(conn).await.unwrap();
    plan.into_iter().map(|(line,)| line).collect()
}

fn reads_too_much(plan: &[String]) -> Option<String> {
    let growing = |line: &String| GROWING.iter().any(|table| line.contains(&format!(" on {table}")));
    for (at, line) in plan.iter().enumerate() {
        if line.contains("Seq Scan") && growing(line) {
            return Some(format!("reads the whole table: {}", line.trim()));
        }
        let only_the_organization = |line: &String| {
            let condition = line.trim();
            condition.starts_with("Index Cond: (organization_id = ") && !condition.contains(" AND ")
        };
        if line.contains("Index Scan") && growing(line) && plan.get(at + 1).is_some_and(only_the_organization)
        {
            return Some(format!("reads the whole organization: {}", line.trim()));
        }
    }
    None
}
