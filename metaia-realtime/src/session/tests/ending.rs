//! The last packet of a session: it says why the server ends it.

use std::sync::Arc;

use serde_json::json;

use super::phone::{CountingPolicy, Phone, node_with};
use crate::{
    AccessDecision, AccessError, Identity, NewEntry, OrderAccess, OrderId, Role, Room,
    node::dispatch,
    session::{ConnectRequest, EndReason},
    values::time,
};

/// Ends a session that has packets to write. Returns the last packet that was written.
async fn last_packet(reason: EndReason) -> String {
    let node = node_with(CountingPolicy::default(), 128);
    let phone = Phone::connect(&node, "c1");
    phone.emit("unknown", json!({}));
    phone.wait_for_acks(1).await;
    node.end(&phone.session, reason);
    // A packet that comes after the end is not handed over.
    phone.session.push_control("after", Box::default());
    let event = NewEntry::event([Room::Everyone], ("after", json!({}))).unwrap();
    node.log().append(vec![event]).await.unwrap();
    dispatch(&node).await.unwrap();
    phone.wait_for_end(&node).await;
    let written = phone.written();
    assert!(!written.join("\n").contains("after"), "{written:?}");
    written.last().cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn the_last_packet_says_why_the_server_ends_a_session() {
    for (reason, code) in [
        (EndReason::OverUserCap, "too_many_sessions"),
        (EndReason::Replaced, "replaced"),
        (EndReason::Expired, "token_expired"),
        (EndReason::RateLimited, "rate_limited"),
        (EndReason::Draining, "draining"),
        (EndReason::Unavailable, "unavailable"),
        (EndReason::CutOff, "unavailable"),
    ] {
        let expected = format!(r#"rt:end {{"code":"{code}"}}"#);
        assert_eq!(last_packet(reason).await, expected, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_to_stay_away_is_sent_disconnect_after_it() {
    let expected = r#"rt:end {"code":"kicked"} DISCONNECT"#;
    assert_eq!(last_packet(EndReason::Kicked).await, expected);
    let expected = r#"rt:end {"code":"token_revoked"} DISCONNECT"#;
    assert_eq!(last_packet(EndReason::Revoked).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_gone_or_does_not_read_is_told_nothing() {
    for reason in [
        EndReason::Slow,
        EndReason::PingTimeout,
        EndReason::TransportLost,
        EndReason::ClientLeft,
    ] {
        let last = last_packet(reason).await;
        assert!(last.starts_with("ack 1 "), "{reason}: {last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_token_expires_is_told() {
    let node = node_with(CountingPolicy::default(), 128);
    let mut identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    identity.expires_at = Some(time::unix_ms() + 5);
    let phone = Phone::connect_as(&node, identity, ConnectRequest::default());
    phone.wait_for_end(&node).await;
    let written = phone.written();
    assert_eq!(
        written.last().unwrap(),
        r#"rt:end {"code":"token_expired"}"#
    );
}

struct PanickingPolicy;

impl OrderAccess for PanickingPolicy {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        panic!("a policy that panics");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_session_and_its_client_is_told_to_reconnect() {
    let node = node_with(PanickingPolicy, 128);
    let phone = Phone::connect(&node, "c1");
    phone.emit("join_order_room", json!("o1"));
    phone.wait_for_end(&node).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Failed));
    let written = phone.written();
    assert_eq!(written.last().unwrap(), r#"rt:end {"code":"unavailable"}"#);
    assert_eq!(Arc::strong_count(&phone.session), 1);
}
