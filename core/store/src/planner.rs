//! What `SQLite`'s query planner is told of the tables.
//!
//! Without statistics it takes ten rows to share any first column of an index, and so reads all rows of an
//! organization, by primary key, where that saves it a sort: a clinic's hundred-thousandth text would cost a
//! hundred thousand reads. Real statistics would depend on when they were gathered and make plans change
//! overnight. So the table that `ANALYZE` fills is filled here, from the schema: an organization's rows are
//! many, whatever else an index starts with leaves a few, and a unique key leaves one.

use crate::conn::Conn;

const STATISTICS: &str = r#"
BEGIN IMMEDIATE;
-- Makes the table where it is missing.
ANALYZE organizations;
DELETE FROM sqlite_stat1;
-- Rows in all, then rows that share the first column, the first two, and so on. The primary key of a table
-- without rowid goes by the table's name.
INSERT INTO sqlite_stat1 (tbl, idx, stat)
SELECT t.name, CASE WHEN i.origin = 'pk' AND t.wr THEN t.name ELSE i.name END,
    '1000000 100000' || substr(' 10 10 10 10 10 10 10 10', 1, 3 * (COUNT(*) - 1 - i."unique"))
        || CASE WHEN i."unique" THEN ' 1' ELSE '' END
FROM pragma_table_list AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
WHERE t.schema = 'main' AND t.type = 'table'
GROUP BY t.name, i.name
HAVING COUNT(*) > 1 AND MIN(CASE c.seqno WHEN 0 THEN c.name END) = 'organization_id';
COMMIT;
-- Read again by this connection; those opened later read it as they open.
ANALYZE sqlite_schema;
"#;

/// Tells the planner. Cheap: it reads the schema and nothing else.
pub(crate) async fn inform(conn: &mut Conn) -> Result<(), sqlx::Error> {
    conn.execute(STATISTICS).await
}

#[cfg(test)]
mod tests {
    use anteroom_model::{
        ids::{FacilityId, Ids, StaffId, TeamId},
        states::Priority,
        time::Timestamp,
    };
    use std::sync::Arc;

    use crate::{Filters, MasterKey, Queue, Store, StoreOptions, among::completed, conn::on, sql};

    /// Queries over tables that grow with every text: an index must find their rows.
    const BUSY: &[(&str, &str)] = &[
        (sql!("reports/last_span"), "conversation_spans_of"),
        (sql!("reports/spans"), "opened_at>?"),
        (sql!("reports/by_quarter"), "quarter>?"),
        (sql!("reports/by_key"), "quarter>?"),
        (sql!("messages/automatic"), "messages_of_conversation"),
        (sql!("messages/of_conversation"), "messages_of_conversation"),
        (sql!("events/of_conversation"), "events_of_conversation"),
        (sql!("decisions/of_conversation"), "decisions_of_conversation"),
        (sql!("decisions/of_policy"), "decisions_of_policy"),
        (sql!("decisions/chain"), "decisions_in_chain"),
        (sql!("decisions/walk"), "decisions_in_chain"),
        (sql!("verifications/of_conversation"), "verifications_of_conversation"),
        (sql!("verifications/attempts"), "verifications_of_phone"),
        (sql!("verifications/due"), "verifications_due"),
        (sql!("patients/by_record_number"), "patient_external_ids_by_value"),
        (sql!("patients/by_phone"), "phone_hash=?"),
        (sql!("patients/by_birth_date"), "patients_by_birth_date"),
        (sql!("patients/known_now"), "organization_id=? AND id=?"),
        (sql!("patients/phones_of_maybe_several"), "organization_id=? AND phone_hash=?"),
        (sql!("messages/newest"), "messages_of_conversation"),
        (sql!("opt_outs/standing_among"), "opt_outs_by_peer"),
        (sql!("looks/marks"), "messages_of_conversation"),
        (sql!("patients/phones"), "patient_phones_by_patient"),
        (sql!("messages/back_to"), "messages_of_conversation"),
        (sql!("search/items_before"), "organization_id=? AND seq>? AND seq<?"),
        (sql!("search/blocks"), "organization_id=? AND bucket=? AND segment>? AND segment<?"),
    ];

    /// Queues, each as it is and narrowed: they are read in the order of an index that knows what filters ask.
    fn queues() -> Vec<(String, &'static str)> {
        let tagged = Filters { tags: vec!["late".to_owned()], ..Filters::default() };
        let narrow = Filters {
            teams: vec![TeamId::LEAST],
            facilities: vec![FacilityId::LEAST],
            priorities: vec![Priority::Urgent],
            ..Filters::default()
        };
        let mut all = vec![(Queue::Closed.page_sql(&tagged), "conversation_tags_in_use")];
        for (queue, index) in [
            (Queue::Unassigned, "INDEX conversations_open"),
            (Queue::Mine(StaffId::LEAST), "INDEX conversations_open"),
            (Queue::Team(StaffId::LEAST), "INDEX conversations_open"),
            (Queue::All, "INDEX conversations_open"),
            // Few are: they may as well be found by their state and sorted.
            (Queue::Snoozed, "INDEX conversations_"),
            (Queue::Closed, "INDEX conversations_closed"),
        ] {
            all.push((queue.page_sql(&Filters::default()), index));
            all.push((queue.page_sql(&narrow), index));
        }
        all
    }

    #[derive(Debug)]
    struct Noon;

    impl anteroom_model::time::Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(1_795_000_000_000_000)
        }
    }

    #[tokio::test]
    async fn busy_queries_never_read_a_whole_organization() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::sqlite(&folder.path().join("anteroom.db"));
        let ids = Arc::new(Ids::from_seed([1; 32]));
        let open = || Store::open(&options, MasterKey::new([2; 32]), ids.clone(), Arc::new(Noon));
        // The second time, they are there already.
        for store in [open().await.unwrap(), open().await.unwrap()] {
            let whole_text = |query: &str| {
                let is_beginning = query.trim_end().ends_with("IN (");
                if is_beginning { completed(query, 8, &[0; 2]).0 } else { query.to_owned() }
            };
            let busy = BUSY.iter().map(|&(query, index)| (whole_text(query), index));
            for (query, index) in busy.chain(queues()) {
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
                let mut conn = store.reader().await.unwrap();
                let plan: Vec<(i64, i64, i64, String)> =
                    on!(&mut conn, c => sqlx::query_as(explain).fetch_all(c).await.unwrap());
                let steps: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
                assert!(steps.iter().any(|step| step.contains(index)), "{query}\n{steps:?}");
                // Who is in which team is a small table.
                let whole = |step: &String| {
                    step.ends_with("(organization_id=?)") && !step.starts_with("SEARCH team_members ")
                };
                assert!(!steps.iter().any(whole), "{query}\n{steps:?}");
            }
        }
    }
}
