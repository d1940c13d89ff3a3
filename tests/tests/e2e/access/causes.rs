//! The cause of each event of the table: it makes the server send the event.

use futures_util::StreamExt as _;
use metaia_tests::fixtures::razorpay::webhook_body;
use metaia_tests::fixtures::token::{Token, in_seconds};
use metaia_tests::fixtures::{assign, deliver_webhook, emit, set_status, verification};
use metaia_tests::server::Server;
use serde_json::json;

use super::crowd::{Crowd, Listener};
use super::people::{Column, Relation};
use super::table::Row;
use super::world::World;

/// Events after which a position that was sent before them has grown old, and a few more.
const EVENTS_TO_GROW_OLD: usize = 2_100;

/// The seconds that a token has which is about to expire.
const LAST_SECONDS: i64 = 45;

/// Emits an event to the room of a row. Its name is unlike all others.
pub(super) async fn emit_to(server: &Server, row: &Row, world: &World) {
    let to = match row.request.as_str() {
        "everyone" => json!("everyone"),
        "user- and the owner's id" => json!({"user": Relation::Owner.user()}),
        "order- and the order's id" => json!({"order": world.order}),
        room => match room.strip_suffix("-room") {
            Some(role) => json!({"role": role}),
            None => panic!("docs/access.md: there is no event for the room {room}"),
        },
    };
    emit(server, &to, "test:room", &json!({})).await;
}

/// Makes the server send the event of a row.
pub(super) async fn provoke(server: &Server, row: &Row, world: &World, crowd: &mut Crowd) {
    let owner_api = server.api("customer", Relation::Owner.user());
    match (row.name.as_str(), row.request.as_str()) {
        ("rt:ready", "connecting") => {}
        ("order_update", "no client is in the order's room") => {
            set_status(server, &world.order, "confirmed").await;
        }
        ("new_notification", "one for the owner") => {
            let user = Relation::Owner.user();
            let body = json!({"user": user, "type": "system", "title": "t", "message": "m"});
            server
                .admin()
                .post("/api/notifications", &body)
                .await
                .ok(201);
        }
        ("notification_read", "one of the owner") => {
            let path = format!("/api/notifications/{}/read", world.notification);
            owner_api.put(&path, &json!({})).await.ok(200);
        }
        ("payment_update", "the owner's payment completes") => {
            let body = verification(&world.payment, "pay_A");
            owner_api.post("/api/payments/verify", &body).await.ok(200);
        }
        ("payment_update", "it gets another flag") => {
            let body = webhook_body("payment.captured", "pay_B", &world.payment);
            assert_eq!(deliver_webhook(server, &body).await, "applied");
        }
        ("tailor_status_update", "of the confirmed order's tailor, after the joins") => {
            crowd.try_to_join(&world.order).await;
            let tailor = server.api("tailor", Relation::Tailor.user());
            let body = json!({"status": "busy"});
            tailor.put("/api/tailors/me/status", &body).await.ok(200);
        }
        ("rt:position", "2,100 events to another user") => {
            age_positions(server).await;
            for listener in &mut crowd.0 {
                listener.wait_long_for("rt:position").await;
            }
        }
        ("rt:room_left", "the tailor is replaced") => {
            assign(server, &world.order, &json!({"tailor": "t2"})).await;
            let tailor = crowd.the(Column::Tailor, Relation::Tailor);
            tailor.wait_for("rt:room_left").await;
        }
        ("rt:drain", "the server shuts down") => {
            let owner = crowd.the(Column::Customer, Relation::Owner);
            owner.reconnect(server, None).await;
            server.signal("TERM").await;
            for listener in &mut crowd.0 {
                listener.wait_for_end().await;
            }
        }
        (name, cause) => {
            let owner = crowd.the(Column::Customer, Relation::Owner);
            provoke_at(server, name, cause, owner).await;
        }
    }
}

/// Makes the server send an event to one session.
async fn provoke_at(server: &Server, name: &str, cause: &str, owner: &mut Listener) {
    match (name, cause) {
        ("rt:error", "the owner's own event is unknown") => {
            owner.phone.emit("no_such_event", &json!({})).await;
        }
        ("rt:expiring", "the owner's own token is about to expire") => {
            let claims = json!({
                "userId": owner.person.relation.user(),
                "role": owner.person.role,
                "exp": in_seconds(LAST_SECONDS),
            });
            let token = json!({"token": Token::with_claims(&claims).sign()});
            let answer = owner.phone.call("rt:refresh", &token).await;
            assert_eq!(answer["status"], "ok", "{answer}");
        }
        ("rt:reset", "the owner's own position is malformed") => {
            owner.reconnect(server, Some("x")).await;
        }
        ("rt:end", "an admin ends the owner's own session") => {
            let user = owner.person.relation.user();
            let path = format!("/api/realtime/sessions?role=customer&user={user}");
            let listed = server.admin().get(&path).await.data(200);
            let sessions = listed["sessions"].as_array().expect("a list");
            assert_eq!(sessions.len(), 1, "{listed}");
            let id = sessions[0]["id"].as_str().expect("an id");
            let path = format!("/api/realtime/sessions/{id}");
            server.admin().send("DELETE", &path, None).await.ok(200);
            return owner.wait_for_end().await;
        }
        _ => panic!("docs/access.md: nothing is known that causes {name} ({cause})"),
    }
    owner.wait_for(name).await;
}

async fn age_positions(server: &Server) {
    let to = json!({"user": "someone-else"});
    let data = json!({});
    let emits = (0..EVENTS_TO_GROW_OLD).map(|_| emit(server, &to, "test:age", &data));
    let emits = futures_util::stream::iter(emits).buffer_unordered(32);
    emits.for_each(|_| std::future::ready(())).await;
}
