//! A server on one of the stores, and the order that all requests are about.

use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::cluster::Database;
use metaia_tests::fixtures::{assign, id_of, open_payment, place_order_at, set_status};
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

use super::people::Relation;

/// The steps of an order, from the first.
const STEPS: [&str; 4] = ["confirmed", "in_progress", "ready", "out_for_delivery"];

/// The stores that a server may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Store {
    Sqlite,
    MongoDb,
}

/// A server whose limits do not affect the tests, and its database.
pub(super) struct Site {
    // Dropped in this order: the server ends before its database.
    pub(super) server: Server,
    _database: Option<Database>,
}

impl Site {
    pub(super) async fn start(store: Store) -> Self {
        Self::start_with_fault(store, "").await
    }

    /// Starts a server with a planted fault, or without one if it has no name.
    pub(super) async fn start_with_fault(store: Store, fault: &str) -> Self {
        let limits = "rest_per_s=100000,handshakes_per_s=100000,per_ip=0,per_user=50";
        // Each webhook without a signature comes from a network of its own.
        let setup = Setup::new()
            .env("METAIA_LIMITS", limits)
            .env("METAIA_TRUSTED_PROXIES", "127.0.0.1");
        let setup = match fault {
            "" => setup,
            fault => setup.env("METAIA_PLANTED_FAULT", fault),
        };
        let database = match store {
            Store::Sqlite => None,
            Store::MongoDb => Some(Database::new().await),
        };
        let setup = match &database {
            Some(database) => setup.env("MONGODB_URI", &database.uri()),
            None => setup,
        };
        let server = setup.start().await;
        server.ready().await;
        Self {
            server,
            _database: database,
        }
    }
}

/// An order of the owner with its tailor and courier, with a payment and a notification, and a
/// session of the owner.
pub(super) struct World {
    pub(super) order: String,
    pub(super) payment: Value,
    pub(super) notification: String,
    pub(super) session: String,
    _phone: Phone,
}

impl World {
    /// Places an order and moves it to this status.
    pub(super) async fn new(server: &Server, status: &str) -> Self {
        let user = Relation::user;
        let order = place_order_at(server, user(Relation::Owner), user(Relation::Tailor)).await;
        let order = id_of(&order).to_owned();
        let courier = json!({"deliveryPartner": user(Relation::Courier)});
        assign(server, &order, &courier).await;
        let last = STEPS.iter().position(|step| *step == status);
        for step in STEPS.iter().take(last.map_or(0, |last| last + 1)) {
            set_status(server, &order, step).await;
        }
        let owner = server.api("customer", user(Relation::Owner));
        let payment = open_payment(&owner, &order).await;
        let notifications = owner.get("/api/notifications?limit=1").await.data(200);
        let notification = id_of(&notifications["notifications"][0]).to_owned();
        let phone = Phone::ready_as(server, "customer", "watched").await;
        let sessions = "/api/realtime/sessions?user=watched";
        let sessions = server.admin().get(sessions).await.data(200);
        let session = sessions["sessions"][0]["id"].as_str().expect("a session");
        Self {
            order,
            payment,
            notification,
            session: session.to_owned(),
            _phone: phone,
        }
    }

    /// Returns what a refused request must not change. The position moves with every event.
    pub(super) async fn state(&self, server: &Server) -> [String; 5] {
        let admin = server.admin();
        let order = admin.get(&format!("/api/orders/{}", self.order)).await;
        let orders = admin.get("/api/orders?limit=1").await;
        let payments = admin.get("/api/payments?limit=1").await;
        let owner = server.api("customer", Relation::Owner.user());
        let notifications = owner.get("/api/notifications?limit=1").await;
        let position = order.header("x-realtime-position").to_owned();
        let [order, orders, payments, notifications] =
            [order, orders, payments, notifications].map(|answer| answer.text);
        [order, orders, payments, notifications, position]
    }
}
