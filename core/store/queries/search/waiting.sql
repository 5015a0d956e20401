-- Organizations with at least $1 events that no segment covers: how far the segments come, and the events.
SELECT id, until_seq, event_seq FROM (
    SELECT o.id, o.event_seq, COALESCE((SELECT s.until_seq FROM search_segments s
        WHERE s.organization_id = o.id ORDER BY s.segment DESC LIMIT 1), 0) AS until_seq
    FROM organizations o
) AS indexed WHERE event_seq >= until_seq + $1
