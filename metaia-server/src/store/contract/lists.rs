//! Lists and their pages.

use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};

use super::*;

const USERS: [&str; 2] = ["u1", "u2"];
const STATUSES: [OrderStatus; 2] = [OrderStatus::Pending, OrderStatus::Ready];

fn whose() -> impl Strategy<Value = Whose> {
    let user = || select(&USERS[..]).prop_map(user);
    prop_oneof![
        Just(Whose::All),
        user().prop_map(Whose::Customer),
        user().prop_map(Whose::Tailor),
        user().prop_map(Whose::Courier)
    ]
}

prop_compose! {
    /// An order; many are made in the same millisecond.
    fn any_order()(
        customer in select(&USERS[..]),
        tailor in option::of(select(&USERS[..])),
        courier in option::of(select(&USERS[..])),
        status in select(&STATUSES[..]),
        ms in 0i64..3,
    ) -> Order {
        let created_at = Timestamp::from_ms(ms).unwrap();
        Order {
            customer: user(customer),
            tailor: tailor.map(user),
            delivery_partner: courier.map(user),
            status,
            created_at,
            ..order()
        }
    }
}

fn wanted(order: &Order, query: &OrderQuery) -> bool {
    let mine = match &query.whose {
        Whose::All => true,
        Whose::Customer(user) => order.customer == *user,
        Whose::Tailor(user) => order.tailor.as_ref() == Some(user),
        Whose::Courier(user) => order.delivery_partner.as_ref() == Some(user),
    };
    mine && query.status.is_none_or(|status| order.status == status)
}

async fn paged<S: Site>(orders: &[Order], mut query: OrderQuery) -> Vec<Order> {
    let site = S::new().await;
    let writes = orders.iter().cloned().map(Write::NewOrder).collect();
    site.store()
        .commit(change(writes, vec![], None))
        .await
        .unwrap();
    let mut seen = Vec::new();
    loop {
        let page = site.store().orders(query.clone()).await.unwrap();
        assert!(page.items.len() <= usize::from(query.page.limit));
        seen.extend(page.items);
        query.page.cursor = page.next;
        if query.page.cursor.is_none() {
            return seen;
        }
    }
}

/// Compares with the naive model: filter all orders, newest first.
pub(crate) fn pages_together_are_what_filtering_everything_gives<S: Site>() {
    let cases = (
        vec(any_order(), 0..20),
        whose(),
        option::of(select(&STATUSES[..])),
        1u16..7,
    );
    let mut runner = TestRunner::new(ProptestConfig::with_cases(S::CASES));
    let run = |(mut orders, whose, status, limit): (Vec<Order>, _, _, _)| {
        let query = OrderQuery {
            whose,
            status,
            ..all(limit)
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let seen = runtime.block_on(paged::<S>(&orders, query.clone()));
        orders.retain(|order| wanted(order, &query));
        orders.sort_by(|a, b| (b.created_at, b.id.as_str()).cmp(&(a.created_at, a.id.as_str())));
        prop_assert_eq!(seen, orders);
        Ok(())
    };
    runner.run(&cases, run).unwrap();
}
