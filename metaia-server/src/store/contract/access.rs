//! Records are found by the users to whom they belong alone.

use super::*;

/// Users whose ids are texts, and users whose ids MongoDB stores as ObjectIds.
const USERS: [[&str; 3]; 2] = [
    ["c1", "t1", "d1"],
    [
        "64f000000000000000000001",
        "64f000000000000000000002",
        "64f000000000000000000003",
    ],
];

/// Returns the order, as it is found among the orders of each of these.
async fn found<S: Site>(site: &S, id: &OrderId, whose: &[Whose]) -> Vec<bool> {
    let mut found = Vec::new();
    for whose in whose {
        let order = site.store().order(whose, id).await.unwrap();
        let latest = site.store().latest_order(whose, id).await.unwrap();
        assert_eq!(order, latest, "{whose:?}");
        assert!(order.as_ref().is_none_or(|order| order.id == *id));
        found.push(order.is_some());
    }
    found
}

fn roles_of(name: &str) -> [Whose; 3] {
    let user = user(name);
    [
        Whose::Customer(user.clone()),
        Whose::Tailor(user.clone()),
        Whose::Courier(user),
    ]
}

pub(crate) async fn an_order_is_found_by_its_users_alone<S: Site>() {
    let site = S::new().await;
    for [customer, tailor, courier] in USERS {
        let order = Order {
            customer: user(customer),
            tailor: Some(user(tailor)),
            delivery_partner: Some(user(courier)),
            ..order()
        };
        site.store().commit(placed(&order)).await.unwrap();
        let find = async |name| found(&site, &order.id, &roles_of(name)).await;
        assert_eq!(find(customer).await, [true, false, false]);
        assert_eq!(find(tailor).await, [false, true, false]);
        assert_eq!(find(courier).await, [false, false, true]);
        assert_eq!(find("x1").await, [false; 3]);
        assert_eq!(found(&site, &order.id, &[Whose::All]).await, [true]);
        let missing = new_order_id();
        assert_eq!(
            found(&site, &missing, &roles_of(customer)).await,
            [false; 3]
        );
        assert_eq!(found(&site, &missing, &[Whose::All]).await, [false]);
    }
}

pub(crate) async fn an_order_is_lost_with_its_assignment<S: Site>() {
    let site = S::new().await;
    let first = Order {
        tailor: Some(user("t1")),
        delivery_partner: Some(user("d1")),
        ..order()
    };
    let second = Order {
        tailor: Some(user("t2")),
        delivery_partner: None,
        version: first.version + 1,
        ..first.clone()
    };
    let users = [
        Whose::Tailor(user("t1")),
        Whose::Tailor(user("t2")),
        Whose::Courier(user("d1")),
    ];
    site.store().commit(placed(&first)).await.unwrap();
    assert_eq!(found(&site, &first.id, &users).await, [true, false, true]);
    let write = vec![Write::Order(second)];
    site.store()
        .commit(change(write, vec![], None))
        .await
        .unwrap();
    assert_eq!(found(&site, &first.id, &users).await, [false, true, false]);
}

pub(crate) async fn a_payment_is_found_by_its_customer_alone<S: Site>() {
    let site = S::new().await;
    for [customer, other, _] in USERS {
        let order = Order {
            customer: user(customer),
            ..order()
        };
        let id = PaymentId::random();
        let opened = Payment::open(id, &order, format!("order_{id}"), order.created_at);
        let write = vec![Write::NewPayment(opened.clone())];
        site.store()
            .commit(change(write, vec![], None))
            .await
            .unwrap();
        let find = async |name, id: &str| site.store().own_payment(&user(name), id).await.unwrap();
        let provider_order = &opened.razorpay_order_id;
        assert_eq!(find(customer, provider_order).await, Some(opened.clone()));
        assert_eq!(find(other, provider_order).await, None);
        assert_eq!(find(customer, "order_missing").await, None);
    }
}
