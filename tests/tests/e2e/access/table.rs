//! The persons, the acts with the persons who may do them, and the order that they act on.

use metaia_tests::fixtures::{
    NO_ORDER, assign, id_of, open_payment, place_order_at, set_status, verification,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

/// Everyone who tries an act. The last two have the id of the owner or of the tailor, under another
/// role.
pub(super) const PEOPLE: [Person; 9] = [
    Person {
        name: "owner",
        role: "customer",
        user: "c1",
    },
    Person {
        name: "another customer",
        role: "customer",
        user: "c2",
    },
    Person {
        name: "the order's tailor",
        role: "tailor",
        user: "t1",
    },
    Person {
        name: "another tailor",
        role: "tailor",
        user: "t2",
    },
    Person {
        name: "the order's courier",
        role: "delivery",
        user: "d1",
    },
    Person {
        name: "another courier",
        role: "delivery",
        user: "d2",
    },
    Person {
        name: "admin",
        role: "admin",
        user: "a1",
    },
    Person {
        name: "a tailor with the owner's id",
        role: "tailor",
        user: "c1",
    },
    Person {
        name: "a customer with the tailor's id",
        role: "customer",
        user: "t1",
    },
];

#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    pub(super) user: &'static str,
}

impl Person {
    /// Returns whether the order concerns this person. Such a person may know that the order
    /// exists.
    pub(super) fn is_concerned(&self) -> bool {
        [
            "owner",
            "the order's tailor",
            "the order's courier",
            "admin",
        ]
        .contains(&self.name)
    }

    /// Returns the statuses by which an act may be refused. Only a person who may know the order
    /// may learn that its status does not allow the act.
    pub(super) fn refusals(&self) -> &'static [u16] {
        if self.is_concerned() {
            &[403, 404, 409]
        } else {
            &[403, 404]
        }
    }
}

/// One act on one order, and the persons who may do it. All others are refused.
pub(super) struct Act {
    pub(super) name: &'static str,
    /// The status of the order before the act.
    pub(super) from: &'static str,
    pub(super) method: &'static str,
    /// The path, with the placeholders `{order}` and `{notification}`.
    pub(super) path: &'static str,
    pub(super) body: fn(&World) -> Option<Value>,
    pub(super) success: u16,
    pub(super) allowed: &'static [&'static str],
}

pub(super) const ACTS: &[Act] = &[
    act(
        "read the order",
        "GET",
        "/api/orders/{order}",
        &[
            "owner",
            "the order's tailor",
            "the order's courier",
            "admin",
        ],
    ),
    Act {
        body: |_| Some(json!({"status": "cancelled"})),
        ..act(
            "cancel",
            "PUT",
            "/api/orders/{order}/status",
            &["owner", "admin"],
        )
    },
    Act {
        from: "confirmed",
        body: |_| Some(json!({"status": "cancelled"})),
        ..act(
            "cancel a confirmed order",
            "PUT",
            "/api/orders/{order}/status",
            &["admin"],
        )
    },
    Act {
        from: "confirmed",
        body: |_| Some(json!({"status": "in_progress"})),
        ..act(
            "start work",
            "PUT",
            "/api/orders/{order}/status",
            &["the order's tailor", "admin"],
        )
    },
    Act {
        from: "ready",
        body: |_| Some(json!({"status": "out_for_delivery"})),
        ..act(
            "start the delivery",
            "PUT",
            "/api/orders/{order}/status",
            &["the order's courier", "admin"],
        )
    },
    Act {
        body: |_| Some(json!({"tailor": "t2"})),
        ..act("assign", "PUT", "/api/orders/{order}/assign", &["admin"])
    },
    Act {
        success: 201,
        body: |_| Some(json!({})),
        ..act(
            "open a payment",
            "POST",
            "/api/payments/orders/{order}",
            &["owner"],
        )
    },
    Act {
        body: |world| Some(verification(&world.payment, "pay_matrix")),
        ..act(
            "verify a payment",
            "POST",
            "/api/payments/verify",
            &["owner"],
        )
    },
    act("list payments", "GET", "/api/payments", &["admin"]),
    // Notifications belong to a user id, and one person may have several roles.
    act(
        "read a notification",
        "PUT",
        "/api/notifications/{notification}/read",
        &["owner", "a tailor with the owner's id"],
    ),
    Act {
        success: 201,
        body: |_| Some(json!({"user": "c1", "type": "system", "title": "t", "message": "m"})),
        ..act("notify", "POST", "/api/notifications", &["admin"])
    },
    Act {
        success: 202,
        body: |_| Some(json!({"to": {"user": "c1"}, "event": "x", "data": {}})),
        ..act("emit", "POST", "/api/realtime/emit", &["admin"])
    },
    Act {
        body: |_| Some(json!({"status": "available"})),
        ..act(
            "set a tailor's status",
            "PUT",
            "/api/tailors/me/status",
            &[
                "the order's tailor",
                "another tailor",
                "a tailor with the owner's id",
            ],
        )
    },
];

const fn act(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    allowed: &'static [&'static str],
) -> Act {
    Act {
        name,
        from: "pending",
        method,
        path,
        body: |_| None,
        success: 200,
        allowed,
    }
}

/// An order of c1 with tailor t1 and courier d1, with a payment and a notification.
pub(super) struct World {
    pub(super) order: String,
    pub(super) payment: Value,
    pub(super) notification: String,
}

impl World {
    pub(super) async fn new(server: &Server, status: &str) -> Self {
        let order = id_of(&place_order_at(server, "c1", "t1").await).to_owned();
        assign(server, &order, &json!({"deliveryPartner": "d1"})).await;
        for step in ["confirmed", "in_progress", "ready"] {
            if status == "pending" {
                break;
            }
            set_status(server, &order, step).await;
            if step == status {
                break;
            }
        }
        let owner = server.api("customer", "c1");
        let payment = open_payment(&owner, &order).await;
        let notifications = owner.get("/api/notifications?limit=1").await.data(200);
        let notification = id_of(&notifications["notifications"][0]).to_owned();
        Self {
            order,
            payment,
            notification,
        }
    }

    pub(super) fn path(&self, act: &Act) -> String {
        act.path
            .replace("{order}", &self.order)
            .replace("{notification}", &self.notification)
    }

    /// Returns the path of the same request for objects that do not exist.
    pub(super) fn path_to_nothing(act: &Act) -> String {
        act.path
            .replace("{order}", NO_ORDER)
            .replace("{notification}", NO_ORDER)
    }
}
