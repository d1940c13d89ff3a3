//! Positions that the server never issued: a reset with the reason, or a refusal, and never an
//! event of other users.

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{all_until_now, emit, names, raise_fence, up_to_fence};
use metaia_tests::server::Server;
use serde_json::{Value, json};

fn auth(user: &str, since: &Value) -> Value {
    json!({"token": token("customer", user), "since": since})
}

/// Connects `c1` with this position and returns its events up to `rt:ready`.
async fn with_position(server: &Server, since: &Value) -> Vec<Event> {
    Phone::connected(server, &auth("c1", since))
        .await
        .until("rt:ready")
        .await
}

/// Emits three events to `c1`, each followed by one to another user. Returns the position of the
/// first event.
async fn emit_history(server: &Server) -> String {
    let mut first = String::new();
    for n in 0..3 {
        let sent = emit(server, &json!({"user": "c1"}), "mine", &json!({"n": n})).await;
        if n == 0 {
            first = sent["at"].as_str().unwrap().to_owned();
        }
        emit(server, &json!({"user": "c2"}), "not_mine", &json!({})).await;
    }
    first
}

#[tokio::test]
async fn every_position_is_resumed_exactly_or_reset() {
    let server = Server::start().await;
    let at = emit_history(&server).await;
    let (start, n) = at.rsplit_once('.').unwrap();
    let (epoch, check) = start.split_once('-').unwrap();
    let other_check = if check.starts_with('0') {
        check.replacen('0', "1", 1)
    } else {
        "0".repeat(8)
    };
    let cases = [
        (at.clone(), None),
        (format!("{start}.{}", u64::MAX), Some("malformed")),
        (format!("{start}.9007199254740991"), Some("ahead")),
        (format!("{start}.9007199254740992"), Some("malformed")),
        (format!("{start}.18446744073709551616"), Some("malformed")),
        (format!("{start}.-1"), Some("malformed")),
        (format!("{start}.0x1"), Some("malformed")),
        (format!("{start}.1e1"), Some("malformed")),
        (format!("{start}. {n}"), Some("malformed")),
        (format!("{at}\u{0}"), Some("malformed")),
        (format!("{epoch}-{other_check}.{n}"), Some("epoch_changed")),
        (
            format!("{}-{check}.{n}", "f".repeat(16)),
            Some("epoch_changed"),
        ),
        (format!("{epoch}{epoch}-{check}.{n}"), Some("malformed")),
        (format!("{start}.{}", "1".repeat(2_000)), Some("malformed")),
        ("9007199254740992".to_owned(), Some("malformed")),
    ];
    for (since, reason) in cases {
        let events = with_position(&server, &json!(since)).await;
        match reason {
            None => assert_eq!(names(&events), ["mine", "mine", "rt:ready"], "{since}"),
            Some(reason) => {
                assert_eq!(names(&events), ["rt:reset", "rt:ready"], "{since}");
                assert_eq!(events[0].data["reason"], reason, "{since}");
                assert_eq!(events[1].data["recovered"], false, "{since}");
            }
        }
    }
}

#[tokio::test]
async fn positions_that_are_no_text_are_malformed() {
    let server = Server::start().await;
    emit_history(&server).await;
    for since in [
        json!(0),
        json!(-1),
        json!(9_007_199_254_740_992_u64),
        json!(1.5),
        json!(true),
        json!(["a"]),
    ] {
        let events = with_position(&server, &since).await;
        assert_eq!(names(&events), ["rt:reset", "rt:ready"], "{since}");
        assert_eq!(events[0].data["reason"], "malformed", "{since}");
    }
}

#[tokio::test]
async fn a_position_of_64_kib_ends_only_its_connection() {
    let server = Server::start().await;
    let mut good = Phone::ready_as(&server, "customer", "c2").await;
    let mut phone = Phone::open(&server).await;
    let refused = phone
        .connect(&auth("c1", &json!("1".repeat(64 * 1024))))
        .await;
    assert_eq!(refused, Err("closed".to_owned()));
    raise_fence(&server).await;
    up_to_fence(&mut good).await;
}

#[tokio::test]
async fn a_position_of_another_user_replays_only_ones_own_events() {
    let server = Server::start().await;
    let mut other = Phone::ready_as(&server, "customer", "c2").await;
    emit_history(&server).await;
    let theirs = other.until("not_mine").await.pop().unwrap().at().to_owned();
    let events = with_position(&server, &json!(theirs)).await;
    assert_eq!(names(&events), ["mine", "mine", "rt:ready"]);
}

/// A client that sends the same old position again and again.
#[tokio::test]
async fn a_repeated_old_position_is_served_within_a_budget() {
    const ENTRIES: usize = 5_000;
    let server = Server::start().await;
    let old = with_position(&server, &Value::Null)
        .await
        .pop()
        .unwrap()
        .at()
        .to_owned();
    flood(&server, ENTRIES).await;
    let mut served = 0;
    let mut last = Vec::new();
    for _ in 0..20 {
        last = with_position(&server, &json!(old)).await;
        served += last.len();
        if last[0].name == "rt:reset" {
            break;
        }
        assert_eq!(last.len(), ENTRIES + 1, "all or nothing");
    }
    assert_eq!(
        names(&last),
        ["rt:reset", "rt:ready"],
        "{served} entries were served"
    );
    assert_eq!(last[0].data["reason"], "too_old");
    let other = Phone::connected(&server, &auth("c2", &json!(old)))
        .await
        .until("rt:ready")
        .await;
    assert_eq!(other.len(), ENTRIES + 1, "another user has its own budget");
}

async fn flood(server: &Server, entries: usize) {
    use futures_util::{StreamExt, stream};
    let backend = server.admin();
    let body = json!({"to": {"role": "customer"}, "event": "load", "data": {}});
    let sending = stream::iter(0..entries).map(|_| async {
        backend.post("/api/realtime/emit", &body).await.ok(202);
    });
    sending.buffer_unordered(64).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn resumes_without_a_hold_are_refused_and_many_of_them_do_not_close_the_connection() {
    let server = Server::start().await;
    let at = emit_history(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let answer = phone.call("rt:resume", &json!({"since": at})).await;
    assert_eq!(
        (&answer["status"], &answer["code"]),
        (&json!("error"), &json!("not_held")),
        "{answer}"
    );
    for _ in 0..200 {
        phone.emit("rt:resume", &json!({"since": at})).await;
    }
    let events = all_until_now(&server, &mut phone).await;
    assert!(
        names(&events).iter().all(|name| *name == "rt:error"),
        "{:?}",
        names(&events)
    );
}

#[tokio::test]
async fn a_malformed_resume_is_answered_and_the_hold_ends_by_itself() {
    let server = Server::start().await;
    emit_history(&server).await;
    for since in [json!("banana"), json!(7), json!("x".repeat(10_000))] {
        let auth = json!({"token": token("customer", "c1"), "hold": true});
        let mut phone = Phone::connected(&server, &auth).await;
        let answer = phone.call("rt:resume", &json!({"since": since})).await;
        assert_ne!(answer["recovered"], true, "{answer}");
        let events = phone.until("rt:ready").await;
        assert!(
            !names(&events).contains(&"mine") && !names(&events).contains(&"not_mine"),
            "{events:#?}"
        );
    }
}
