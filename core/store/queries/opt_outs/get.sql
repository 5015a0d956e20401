SELECT id, peer, number_id, source, created_at, cleared_at, asked_at, via, note, recorded_by, cleared_by, clear_note
FROM opt_outs WHERE organization_id = $1 AND id = $2
