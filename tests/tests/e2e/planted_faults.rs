//! The scenarios of `examples/scenarios` find each fault that a test build of the server can plant:
//! they fail, and the name of the scenario states the rule that the fault breaks. What concerns the
//! process and no client has a test of its own instead.

use std::path::Path;

use futures_util::StreamExt as _;
use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::razorpay::WEBHOOK_SECRET;
use metaia_tests::server::Setup;
use metaia_tests::server::paths::package_path;

/// The environment variable that plants a fault.
const VARIABLE: &str = "METAIA_PLANTED_FAULT";

/// Each fault, and the file whose scenario finds it. The name of the scenario is the rule.
const FOUND_BY: [(&str, &str); 52] = [
    // Delivery.
    ("drop_event", "order_placed"),
    ("deliver_twice", "orders_at_once"),
    ("deliver_copy", "two_devices"),
    ("swap_events", "resume"),
    ("one_device_only", "two_devices"),
    ("admins_untold", "order_lifecycle"),
    ("courier_untold", "courier_assigned"),
    ("deliver_to_stranger", "stranger"),
    ("deliver_to_role", "stranger"),
    ("payment_to_strangers", "payment_completed"),
    ("emit_role_to_everyone", "emit_addressees"),
    ("volatile_replayed", "emit_volatile"),
    // Rooms and access.
    ("stranger_joins", "stranger"),
    ("owner_refused", "order_room"),
    ("never_revoked", "tailor_replaced"),
    ("revoked_late", "access_lost"),
    ("room_left_untold", "access_lost"),
    ("leave_ignored", "order_room"),
    ("rooms_forgotten", "resume_after_goodbye"),
    // Resume.
    ("resume_loses_one", "resume_after_goodbye"),
    ("replay_renamed", "resume"),
    ("recovered_always", "resume_by_nothing"),
    ("device_forgotten", "resume_after_goodbye"),
    // Sessions.
    ("expired_token_accepted", "token_refused"),
    ("bad_signature_accepted", "token_refused"),
    ("session_outlives_token", "token_expires"),
    ("disconnect_ignored", "session_ended"),
    ("rate_unlimited", "rate_limited"),
    // Orders.
    ("illegal_step_accepted", "order_step_refused"),
    ("forbidden_step_accepted", "order_roles"),
    ("stranger_reads_order", "stranger"),
    ("stranger_lists_orders", "orders_listed"),
    ("if_match_ignored", "order_if_match"),
    ("idempotency_ignored", "order_idempotent"),
    ("anyone_emits", "notification_sent"),
    ("tailor_status_untold", "tailor_status"),
    ("amount_missing", "order_payload"),
    ("status_stale", "order_payload"),
    ("version_stale", "order_payload"),
    // Notifications.
    ("step_unnoticed", "order_notices"),
    ("wrong_user_notified", "order_notices"),
    ("read_untold", "read_on_other_devices"),
    ("unread_count_wrong", "read_on_other_devices"),
    // Payments.
    ("payment_amount_wrong", "payment_refunded"),
    ("payment_steps_swapped", "payment_refunded"),
    ("tampered_payment_accepted", "payment_tampered"),
    ("tampered_webhook_accepted", "payment_tampered"),
    ("webhook_applied_twice", "payment_twice"),
    ("wrong_amount_pays", "payment_wrong_amount"),
    ("cancelled_unflagged", "payment_after_cancel"),
    ("second_capture_unflagged", "payment_second_capture"),
    ("late_success_unflagged", "payment_late"),
];

/// Faults that no scenario finds, because they concern the process: each with the test that does.
const FOUND_BY_TESTS: [(&str, &str); 2] = [
    (
        "disk_full",
        "storage::full::a_full_disk_is_said_once_and_not_for_each_write",
    ),
    (
        "stuck_runtime",
        "log_output::watchdog::a_server_whose_runtime_is_stuck_ends_all_the_same",
    ),
];

#[tokio::test]
async fn an_unknown_fault_ends_the_server_with_the_list_of_faults() {
    let setup = Setup::new().env(VARIABLE, "nothing");
    let output = setup.run_to_end().await.expect_code(2).output();
    assert!(output.contains("`nothing` is no fault"), "{output}");
    let listed = output.lines().filter_map(|line| line.strip_prefix("  "));
    let listed: Vec<&str> = listed.filter_map(|line| line.split(": ").next()).collect();
    let known = FOUND_BY.iter().chain(&FOUND_BY_TESTS);
    let known: Vec<&str> = known.map(|(fault, _)| *fault).collect();
    assert_eq!(listed, known, "{output}");
}

/// `METAIA_LONG=1` runs all scenarios with each fault, in some minutes.
#[tokio::test]
async fn each_planted_fault_breaks_a_rule_that_a_scenario_names() {
    let all = std::env::var_os("METAIA_LONG").is_some();
    let judged = futures_util::stream::iter(FOUND_BY).map(|(fault, file)| async move {
        let found_by = format!("{file}.yaml");
        missing(fault, &found_by, if all { "" } else { &found_by }).await
    });
    // The files of a folder run side by side as well.
    let missing = judged.buffer_unordered(if all { 2 } else { 4 });
    let missing: Vec<String> = missing.filter_map(std::future::ready).collect().await;
    assert!(missing.is_empty(), "{}", missing.concat());
}

/// Runs a file, or all for an empty path, on a server with the fault. Returns what is wrong unless
/// the program fails with exit 6 and names the scenario of `found_by`.
async fn missing(fault: &str, found_by: &str, path: &str) -> Option<String> {
    let server = Setup::new().env(VARIABLE, fault).start().await;
    let cli = Cli::for_server(&server).env("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET);
    let folder = package_path("../examples/scenarios");
    let path = folder.join(path).display().to_string();
    let output = cli.run(&["test", &path, "--jobs", "4"]).await;
    let has_failed = format!("✗ {}", name_of(&folder.join(found_by)));
    let mut lines = output.stdout.lines();
    if output.code == Some(6) && lines.any(|line| line.starts_with(&has_failed)) {
        return None;
    }
    Some(format!(
        "\n{fault}: expected exit 6 and `{has_failed}`: {output:#?}"
    ))
}

/// Returns the name of the scenario in a file.
fn name_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("scenario: "));
    name.expect("a scenario").to_owned()
}
