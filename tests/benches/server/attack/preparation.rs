//! The records that an attacker has before the attack.

use std::time::Duration;

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{id_of, order_body, place_order};
use metaia_tests::server::Server;
use metaia_tests::server::rest::Api;
use serde_json::{Value, json};

use super::kind::Attack;
use crate::cluster::wait;
use crate::workers::run_all;

const LARGE_ORDERS: usize = 100;
/// The notes of a large order of some 60 KB: 60 items of 1,000 characters.
const ITEMS: usize = 60;
const NOTES: usize = 1_000;
const TAILORS_ORDERS: usize = 8_000;
/// The customers that place them, at the same time.
const CUSTOMERS: usize = 200;
/// The pause after a request that is refused for now.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Prepares an attack. Returns the further arguments of its program.
pub(super) async fn prepare(attack: Attack, server: &Server) -> Vec<String> {
    match attack {
        Attack::OldPositions => {
            let auth = json!({"token": token("customer", "positions")});
            let mut phone = Phone::connected(server, &auth).await;
            let ready = phone.event("rt:ready").await;
            let position = ready["at"].as_str().expect("a position").to_owned();
            phone.drop_connection();
            vec![position]
        }
        Attack::Joins => {
            let order = place_order(server, "owner").await;
            vec![id_of(&order).to_owned()]
        }
        Attack::Lists => {
            place_all(server.api("customer", "lists"), large_order(), LARGE_ORDERS).await;
            Vec::new()
        }
        Attack::TailorStatus => {
            let mut body = order_body();
            body["tailor"] = "attacker".into();
            let each = TAILORS_ORDERS / CUSTOMERS;
            let customer = |n| server.api("customer", &format!("of-tailor-{n}"));
            let placed = run_all(CUSTOMERS, |n| place_all(customer(n), body.clone(), each)).await;
            for order in placed.concat() {
                let confirmed = json!({"status": "confirmed"});
                let path = format!("/api/orders/{order}/status");
                server.admin().put(&path, &confirmed).await.ok(200);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Places so many orders, as fast as the server lets the customer. Returns their ids.
async fn place_all(customer: Api, body: Value, count: usize) -> Vec<String> {
    let mut placed = Vec::with_capacity(count);
    while placed.len() < count {
        let answer = customer.try_post("/api/orders", &body).await;
        match answer {
            Some(answer) if answer.status == 201 => {
                placed.push(id_of(&answer.data(201)["order"]).to_owned());
            }
            Some(answer) if answer.status == 409 => {
                eprintln!("  {} of {count} orders: {}", placed.len(), answer.text);
                return placed;
            }
            _ => wait(RETRY_PAUSE).await,
        }
    }
    placed
}

fn large_order() -> Value {
    let notes = "n".repeat(NOTES);
    let item = json!({"garment": "shirt", "quantity": 1, "price": 45_000, "notes": notes});
    json!({"items": vec![item; ITEMS]})
}
