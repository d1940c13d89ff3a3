//! Servers with a planted fault: each is a mismatch of its own row.

use futures_util::StreamExt as _;

use super::table::{Row, rows};
use super::world::{Site, Store};
use super::{judge_client_events, judge_rooms, judge_routes, judge_server_events};

const ROUTES: &str = "Routes";
const CLIENT_EVENTS: &str = "Events of clients";
const ROOMS: &str = "Rooms";
const SERVER_EVENTS: &str = "Events of the server";

/// A fault, the table and the row that it breaks, and a mismatch that is reported.
const SHOWN_BY: [(&str, &str, &str, &str); 14] = [
    (
        "stranger_reads_order",
        ROUTES,
        "GET /api/orders/{id}",
        "customer with the id of the stranger: expected 404, got 200",
    ),
    (
        "stranger_lists_orders",
        ROUTES,
        "GET /api/orders",
        "customer with the id of the stranger: expected lacks, got lists",
    ),
    (
        "forbidden_step_accepted",
        ROUTES,
        "PUT /api/orders/{id}/status",
        "customer with the id of the owner: expected 403, got 200",
    ),
    (
        "anyone_emits",
        ROUTES,
        "POST /api/realtime/emit",
        "customer with the id of the owner: expected 403, got 202",
    ),
    (
        "tampered_webhook_accepted",
        ROUTES,
        "POST /api/payments/webhook",
        "(not signed) by anonymous: expected 401, got 200",
    ),
    (
        "stranger_joins",
        CLIENT_EVENTS,
        "join_order_room",
        "tailor with the id of the owner: expected forbidden, got ok",
    ),
    (
        "owner_refused",
        CLIENT_EVENTS,
        "join_order_room",
        "customer with the id of the owner: expected ok, got forbidden",
    ),
    (
        "emit_role_to_everyone",
        ROOMS,
        "Role",
        "(admin-room) by customer with the id of the owner: expected –, got hears",
    ),
    (
        "deliver_to_stranger",
        SERVER_EVENTS,
        "new_notification",
        "customer with the id of the stranger: expected –, got hears",
    ),
    (
        "deliver_to_role",
        SERVER_EVENTS,
        "order_update",
        "customer with the id of the stranger: expected –, got hears",
    ),
    (
        "admins_untold",
        SERVER_EVENTS,
        "order_update",
        "admin with the id of the stranger: expected hears, got –",
    ),
    (
        "courier_untold",
        SERVER_EVENTS,
        "order_update",
        "delivery_partner with the id of the courier: expected hears, got –",
    ),
    (
        "payment_to_strangers",
        SERVER_EVENTS,
        "payment_update",
        "customer with the id of the stranger: expected –, got hears",
    ),
    (
        "tailor_status_untold",
        SERVER_EVENTS,
        "tailor_status_update",
        "admin with the id of the admin: expected hears, got –",
    ),
];

async fn mismatches(fault: &str, heading: &str, name: &str) -> Vec<String> {
    let site = Site::start_with_fault(Store::Sqlite, fault).await;
    let of_name: Vec<Row> = rows(heading)
        .into_iter()
        .filter(|row| row.name == name)
        .collect();
    assert!(!of_name.is_empty(), "{heading}: {name}");
    match heading {
        ROUTES => judge_routes(&site.server, &of_name).await,
        CLIENT_EVENTS => judge_client_events(&site.server, &of_name).await,
        ROOMS => judge_rooms(&site.server, &of_name).await,
        _ => judge_server_events(&site.server, &of_name).await,
    }
}

#[tokio::test]
async fn each_planted_fault_is_a_mismatch_of_its_row() {
    let judged =
        futures_util::stream::iter(SHOWN_BY).map(|(fault, heading, name, part)| async move {
            let found = mismatches(fault, heading, name).await;
            let is_shown = found.iter().any(|mismatch| mismatch.contains(part));
            (!is_shown).then(|| format!("\n{fault}: expected `{part}`: {found:#?}"))
        });
    let missing = judged.buffer_unordered(3);
    let missing: Vec<String> = missing.filter_map(std::future::ready).collect().await;
    assert!(missing.is_empty(), "{}", missing.concat());
}
