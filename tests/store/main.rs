//! The store on a real database. Each body is written once and run on every engine: an engine is a way to
//! make a [`harness::Fresh`] and one line at the end of this file.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]

mod backtests;
mod claims;
#[path = "../flow/support/clock.rs"]
mod clock;
mod conversations;
mod decisions;
mod directory;
mod events;
mod group_commit;
mod harness;
mod idempotency;
mod inbound;
mod isolation;
mod media;
mod merges;
mod numbers;
mod opt_outs;
mod outbound;
mod overviews;
mod plans;
mod queries;
mod rosters;
mod schema;
mod sealing;
mod search;
mod search_speed;
mod support;
mod verifications;
mod webhooks;

/// A test of each body on one engine.
macro_rules! tests {
    ($engine:ident: $($module:ident { $($body:ident)* })*) => {
        mod $engine {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $body() {
                        crate::$module::$body(&crate::harness::Fresh::$engine().await).await;
                    }
                )*
            })*
        }
    };
}

/// Every body; one that is not named here is dead code, which the lints refuse.
macro_rules! suite {
    ($engine:ident) => {
        tests! { $engine:
            queries {
                every_file_is_prepared
                every_file_is_used
            }
            schema {
                every_key_leads_with_the_organization
                migrations_have_twins
            }
            group_commit {
                a_failing_job_takes_back_only_its_own_rows
                a_job_alone_that_fails_or_panics_takes_back_its_rows
                a_write_is_finished_where_its_caller_has_gone
            }
            inbound {
                a_second_delivery_is_a_duplicate
                of_many_deliveries_at_once_one_is_stored
                the_same_id_of_another_account_is_another_message
                one_that_can_not_be_opened_keeps_nobody_waiting
            }
            overviews {
                many_at_once_are_told_as_each_alone
            }
            claims {
                the_oldest_of_each_lane_is_leased
                a_lane_is_a_peer_on_a_number_of_an_organization
                a_lost_lease_can_not_finish
                a_postponed_message_holds_back_its_own_lane_only
                the_dead_hold_nobody_back
                claims_at_once_never_share_a_message
                released_leases_are_taken_up_again
            }
            outbound {
                a_lane_is_sent_in_order
                what_nobody_saw_the_end_of_is_in_doubt
                a_lost_lease_still_tells_the_carriers_id
                a_receipt_may_be_faster_than_the_answer
                receipts_in_any_order_end_in_the_same_state
                a_receipt_and_the_answer_never_pass_each_other
                each_end_leaves_its_moments
                only_what_did_not_go_out_is_tried_again
                a_stop_blocks_what_waits_and_nothing_else
            }
            events {
                two_hundred_writes_at_once_leave_no_gap
                each_organization_counts_for_itself
                listeners_are_woken_after_the_commit
            }
            backtests {
                each_is_leased_to_one_node
                who_lost_it_can_not_end_it
                a_cancelled_one_is_nobodys
            }
            webhooks {
                one_node_tells_it_and_another_goes_on
                what_an_admin_changes_counts_before_what_was_under_way
                nothing_of_one_is_readable_on_disk_or_by_others
            }
            rosters {
                each_run_is_leased_to_one_node_in_its_sources_order
                a_batch_counts_only_from_where_the_run_is
                a_folder_is_looked_into_by_one_node
                nothing_of_a_roster_is_on_disk_in_the_clear
            }
            media {
                a_texts_files_are_noted_once
                each_file_is_leased_to_one_node
                a_lost_lease_ends_nothing
                an_upload_goes_with_one_text
                a_list_is_looked_into_by_one_node_from_where_it_was
            }
            decisions {
                each_follows_on_the_one_before
                writes_at_once_make_one_chain
                what_is_changed_missing_or_cut_off_is_named
                a_part_is_verified_by_itself
                filters_narrow_the_list
            }
            conversations {
                a_change_of_what_was_read_before_is_outdated
                one_for_each_peer_and_number
                of_fifty_who_accept_at_once_one_wins
                queues_hold_what_they_say
                snoozed_ones_stand_in_the_order_they_come_back_and_closed_ones_newest_first
                filters_let_through_what_has_one_of_each
                views_are_seen_by_those_they_are_shared_with
                a_snooze_is_due_at_its_moment
            }
            idempotency {
                a_key_stands_for_one_request
                a_failed_request_forgets_its_key
            }
            opt_outs {
                one_number_or_all
                stop_everywhere_widens_what_the_carrier_said
            }
            sealing {
                nothing_of_a_patient_is_on_disk_in_the_clear
                another_master_key_opens_nothing
                a_cell_moved_to_another_row_does_not_open
                placeholders_never_share_a_name
                look_ups_find_by_phone_and_birthday
            }
            verifications {
                attempts_count_where_they_were_made
                a_verification_is_read_as_it_was_stored
                what_is_due_is_found_and_nothing_else
                a_lock_holds_whom_it_names_until_it_ends
            }
            directory {
                staff_find_people_as_they_type
                a_search_is_read_page_by_page
                rows_from_before_are_indexed_later
                every_change_is_told_audited_and_remembered
                a_phone_says_who_only_where_it_is_one_persons
                a_roster_is_taken_over_once
                a_deleted_patient_leaves_texts_and_nothing_else
            }
            search {
                texts_are_found_before_and_after_they_are_indexed
                pages_join_on_while_the_index_grows
                a_phone_or_a_number_leads_to_its_conversations
                each_segment_is_made_once
                nobody_else_finds_or_reads_it
            }
            merges {
                an_undo_restores_every_byte
                what_came_since_stays
                what_can_not_be_merged_is_refused
                any_sequence_keeps_each_text_reachable_once
                fifty_at_once_leave_one_survivor
            }
            numbers {
                each_number_is_asked_about_by_one_node
                what_may_come_again_is_expected_until_it_is_settled
                a_link_is_one_nodes_until_it_is_not_heard_of
                a_delivery_is_kept_once
            }
            support {
                a_question_is_sealed_and_nobody_elses
                a_mail_is_leased_once_and_a_lost_lease_ends_nothing
            }
            isolation {
                others_rows_can_not_be_read
                others_rows_can_not_be_changed
            }
        }
    };
}

suite!(sqlite);
mod only_postgres {
    tests! { postgres: plans { busy_queries_stay_flat } }
}
// PostgreSQL groups commits itself.
mod only_sqlite {
    tests! { sqlite: group_commit { jobs_that_wait_share_one_commit } }
}
suite!(postgres);
