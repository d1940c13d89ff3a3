//! The REST requests of the matrix: each shows whether a caller may make it, and changes nothing
//! that matters.
//!
//! A server checks who calls before it checks what is asked. So a request that no role may make as
//! it is (a version that no order has, an order without items, an event with a member too many)
//! shows by its status that the caller might make it otherwise, and changes nothing.

/// A version that no order has.
pub(super) const NO_VERSION: &str = "\"999999999\"";

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RouteProbe {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// The route, as the server's OpenAPI document names it.
    pub(super) route: &'static str,
    /// The path, with placeholders such as `{order}`.
    pub(super) path: &'static str,
    /// JSON with placeholders; empty for none.
    pub(super) body: &'static str,
    /// True if the request is for a version that no order has.
    pub(super) is_for_no_version: bool,
    /// The statuses by which the server shows that the caller may.
    pub(super) tried: &'static [u16],
    /// True if the caller plays no part in the answer, so that the request is sent once, without a
    /// token.
    pub(super) is_sent_once: bool,
    /// The list in the answer's data, and the placeholder of the record that it must contain.
    pub(super) contains: Option<(&'static str, &'static str)>,
}

const fn probe(
    section: &'static str,
    name: &'static str,
    method: &'static str,
    route: &'static str,
    path: &'static str,
) -> RouteProbe {
    RouteProbe {
        section,
        name,
        method,
        route,
        path,
        body: "",
        is_for_no_version: false,
        tried: &[],
        is_sent_once: false,
        contains: None,
    }
}

/// Returns the request to move the order to a status.
const fn step(name: &'static str, body: &'static str) -> RouteProbe {
    RouteProbe {
        body,
        is_for_no_version: true,
        tried: &[412],
        ..probe(
            ORDERS,
            name,
            "PUT",
            "/api/orders/{id}/status",
            "/api/orders/{order}/status",
        )
    }
}

const ORDERS: &str = "Orders";
const PAYMENTS: &str = "Payments";
const NOTIFICATIONS: &str = "Notifications and tailors";
const REALTIME: &str = "Realtime";

/// The request that is made again after the tailor was replaced.
pub(super) const READ_ORDER: RouteProbe = probe(
    ORDERS,
    "read the order",
    "GET",
    "/api/orders/{id}",
    "/api/orders/{order}",
);

/// All requests, in the order of the rows.
pub(super) const PROBES: &[RouteProbe] = &[
    RouteProbe {
        body: r#"{"items": []}"#,
        tried: &[422],
        ..probe(
            ORDERS,
            "place an order",
            "POST",
            "/api/orders",
            "/api/orders",
        )
    },
    READ_ORDER,
    probe(
        ORDERS,
        "read the other's order",
        "GET",
        "/api/orders/{id}",
        "/api/orders/{other}",
    ),
    RouteProbe {
        contains: Some(("orders", "order")),
        ..probe(
            ORDERS,
            "find it in the list",
            "GET",
            "/api/orders",
            "/api/orders?limit=100",
        )
    },
    step("move to confirmed", r#"{"status": "confirmed"}"#),
    step("move to in_progress", r#"{"status": "in_progress"}"#),
    step("move to ready", r#"{"status": "ready"}"#),
    step(
        "move to out_for_delivery",
        r#"{"status": "out_for_delivery"}"#,
    ),
    step("move to delivered", r#"{"status": "delivered"}"#),
    step("cancel", r#"{"status": "cancelled"}"#),
    RouteProbe {
        body: r#"{"tailor": "{user}"}"#,
        is_for_no_version: true,
        tried: &[412],
        ..probe(
            ORDERS,
            "assign",
            "PUT",
            "/api/orders/{id}/assign",
            "/api/orders/{order}/assign",
        )
    },
    // The payment is open already: opening it again returns it as it is.
    RouteProbe {
        body: "{}",
        ..probe(
            PAYMENTS,
            "open a payment",
            "POST",
            "/api/payments/orders/{orderId}",
            "/api/payments/orders/{order}",
        )
    },
    RouteProbe {
        body: r#"{
            "razorpay_order_id": "{provider_order}",
            "razorpay_payment_id": "pay_unsigned",
            "razorpay_signature": "00"
        }"#,
        tried: &[422],
        ..probe(
            PAYMENTS,
            "confirm the payment",
            "POST",
            "/api/payments/verify",
            "/api/payments/verify",
        )
    },
    probe(
        PAYMENTS,
        "list payments",
        "GET",
        "/api/payments",
        "/api/payments?limit=1",
    ),
    // A server takes few wrong signatures a minute: one for each caller would use them up.
    RouteProbe {
        body: "{}",
        is_sent_once: true,
        ..probe(
            PAYMENTS,
            "webhook, unsigned",
            "POST",
            "/api/payments/webhook",
            "/api/payments/webhook",
        )
    },
    RouteProbe {
        body: r#"{"user": "{user}", "type": "system", "title": "", "message": ""}"#,
        tried: &[422],
        ..probe(
            NOTIFICATIONS,
            "send a notification",
            "POST",
            "/api/notifications",
            "/api/notifications",
        )
    },
    RouteProbe {
        contains: Some(("notifications", "notification")),
        ..probe(
            NOTIFICATIONS,
            "find the owner's",
            "GET",
            "/api/notifications",
            "/api/notifications?limit=100",
        )
    },
    probe(
        NOTIFICATIONS,
        "mark the owner's as read",
        "PUT",
        "/api/notifications/{id}/read",
        "/api/notifications/{notification}/read",
    ),
    probe(
        NOTIFICATIONS,
        "mark all own as read",
        "PUT",
        "/api/notifications/read-all",
        "/api/notifications/read-all",
    ),
    RouteProbe {
        body: r#"{"status": "available"}"#,
        ..probe(
            NOTIFICATIONS,
            "set own availability",
            "PUT",
            "/api/tailors/me/status",
            "/api/tailors/me/status",
        )
    },
    // Only a volatile event may have a key.
    RouteProbe {
        body: r#"{"to": {"user": "{user}"}, "event": "matrix.probe", "data": {}, "key": "k"}"#,
        tried: &[422],
        ..probe(
            REALTIME,
            "emit an event",
            "POST",
            "/api/realtime/emit",
            "/api/realtime/emit",
        )
    },
    probe(
        REALTIME,
        "list sessions",
        "GET",
        "/api/realtime/sessions",
        "/api/realtime/sessions?limit=1",
    ),
    // There is no such session.
    RouteProbe {
        tried: &[404],
        ..probe(
            REALTIME,
            "end a session",
            "DELETE",
            "/api/realtime/sessions/{id}",
            "/api/realtime/sessions/{session}",
        )
    },
    // An empty body revokes nothing.
    RouteProbe {
        body: "{}",
        tried: &[422],
        ..probe(
            REALTIME,
            "revoke tokens",
            "POST",
            "/api/realtime/revoke",
            "/api/realtime/revoke",
        )
    },
    probe(
        REALTIME,
        "list rooms",
        "GET",
        "/api/realtime/rooms",
        "/api/realtime/rooms?limit=1",
    ),
    probe(
        REALTIME,
        "presence",
        "GET",
        "/api/realtime/presence",
        "/api/realtime/presence?user={user}",
    ),
    probe(
        REALTIME,
        "statistics",
        "GET",
        "/api/realtime/stats",
        "/api/realtime/stats",
    ),
    probe(
        REALTIME,
        "refusals",
        "GET",
        "/api/realtime/refusals",
        "/api/realtime/refusals?since=2100-01-01T00:00:00Z",
    ),
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_row_has_its_own_name() {
        for (n, one) in PROBES.iter().enumerate() {
            let is_same = |other: &RouteProbe| other.name == one.name;
            assert!(!PROBES[..n].iter().any(is_same), "{}", one.name);
            assert!(one.name.len() <= 24, "{}", one.name);
        }
    }

    #[test]
    fn each_body_is_json() {
        for probe in PROBES.iter().filter(|probe| !probe.body.is_empty()) {
            let body: Value = serde_json::from_str(probe.body).unwrap();
            assert!(body.is_object(), "{}", probe.name);
        }
    }
}
