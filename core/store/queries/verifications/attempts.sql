-- What didn't match since then: of this phone, and how many people it said to be; on this number; everywhere.
SELECT
    (SELECT COUNT(*) FROM verifications WHERE organization_id = $1 AND peer_hash = $2 AND ended_at >= $4
        AND state IN ('none', 'several', 'another', 'locked')) AS phone,
    (SELECT COUNT(DISTINCT identity_hash) FROM verifications WHERE organization_id = $1 AND peer_hash = $2
        AND ended_at >= $4 AND state IN ('none', 'several', 'another', 'locked')) AS identities,
    (SELECT COUNT(*) FROM verifications WHERE organization_id = $1 AND number_id = $3 AND ended_at >= $5
        AND state IN ('none', 'several', 'another', 'locked')) AS number,
    (SELECT COUNT(*) FROM verifications WHERE organization_id = $1 AND ended_at >= $5
        AND state IN ('none', 'several', 'another', 'locked')) AS organization
