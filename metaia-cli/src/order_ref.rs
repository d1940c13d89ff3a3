//! The ways to name an order on the command line: its id, its room, or its number.

use std::fmt;
use std::str::FromStr;

use metaia_realtime::client::ReceivedEvent;
use metaia_realtime::values::InvalidId;
use metaia_realtime::{OrderId, Role};
use reqwest::Method;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;

/// The most pages of orders, of 100 each, that are searched for a number.
const SEARCHED_PAGES: usize = 100;

/// An order as the user of the CLI names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OrderRef {
    /// `ID` or `order-ID`.
    Id(OrderId),
    /// `MT-261129-M636WW`, as people see it.
    Number(String),
}

impl FromStr for OrderRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("order-").unwrap_or(text);
        if is_number(name) {
            return Ok(Self::Number(name.to_owned()));
        }
        name.parse().map(Self::Id).map_err(|_| {
            "expected an order: its id (1 to 64 of A-Z a-z 0-9 _ -), its room (order-ID) or its \
             number (MT-…)"
                .to_owned()
        })
    }
}

impl fmt::Display for OrderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Number(number) => f.write_str(number),
        }
    }
}

/// Returns true for capital letters, digits, and digits or capital letters, with `-` between them.
fn is_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [prefix, middle, tail] = parts[..] else {
        return false;
    };
    let all = |part: &str, test: fn(u8) -> bool| !part.is_empty() && part.bytes().all(test);
    all(prefix, |c| c.is_ascii_uppercase())
        && all(middle, |c| c.is_ascii_digit())
        && all(tail, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

impl OrderRef {
    /// Returns the order's id. For a number the server is asked, as an admin if possible; if it
    /// knows no such number, the text is taken for an id.
    pub(crate) async fn resolve(&self, context: &Context) -> Result<OrderId, Failure> {
        let number = match self {
            Self::Id(id) => return Ok(id.clone()),
            Self::Number(number) => number,
        };
        let id = find_by_number(number, context).await?;
        let id = id.as_deref().unwrap_or(number);
        id.parse().map_err(|error: InvalidId| {
            Failure::usage(format!("{id:?} is no order")).caused_by(error)
        })
    }
}

/// Resolves all of them, in order.
pub(crate) async fn resolve_all(
    orders: &[OrderRef],
    context: &Context,
) -> Result<Vec<OrderId>, Failure> {
    let mut ids = Vec::new();
    for order in orders {
        ids.push(order.resolve(context).await?);
    }
    Ok(ids)
}

/// Returns an error unless the server has this order. A refused join proves something only then:
/// the server refuses a join of an order that does not exist with the same code.
pub(crate) async fn prove_existence(order: &OrderId, context: &Context) -> Result<(), Failure> {
    let (reader, found) = read(&format!("/api/orders/{order}"), context).await?;
    match found {
        Ok(_) => Ok(()),
        Err(failure) if failure.status == Some(404) => Err(Failure::usage(format!(
            "a refusal proves nothing: {reader} finds no order {order}"
        ))
        .hint("check the order's id; an admin sees every order")),
        Err(failure) => {
            Err(failure.within(format!("order {order} cannot be looked up as {reader}")))
        }
    }
}

/// Returns the failure for an event that refuses the room of one of these orders for good: the
/// session will receive nothing of it.
pub(crate) fn refusal(who: &str, event: &ReceivedEvent, orders: &[OrderId]) -> Option<Failure> {
    if event.name == "rt:error" {
        refusal_by(who, &event.data, orders)
    } else {
        None
    }
}

fn refusal_by(who: &str, error: &Value, orders: &[OrderId]) -> Option<Failure> {
    let text = |member: &str| error.get(member).and_then(Value::as_str);
    let code = text("code").filter(|code| matches!(*code, "forbidden" | "invalid_order_id"))?;
    let reference = text("ref")?;
    let order = orders.iter().find(|order| order.as_str() == reference)?;
    let message = format!("{who} may not join order-{order}: {code}");
    let hint = "the order is not this user's, or there is no such order";
    Some(Failure::new(Exit::Denied, message).hint(hint))
}

/// Returns the id of the order with this number; `None` if the server does not know it, or has no
/// list of orders.
async fn find_by_number(number: &str, context: &Context) -> Result<Option<String>, Failure> {
    let mut cursor = None;
    for _ in 0..SEARCHED_PAGES {
        let (_, page) = read(&page_path(cursor.as_deref()), context).await?;
        let page = match page {
            Ok(page) => page,
            Err(failure) if failure.status == Some(404) => return Ok(None),
            Err(failure) => {
                return Err(failure.within(format!("order {number} cannot be looked up")));
            }
        };
        if let Some(id) = id_in_page(&page, number) {
            return Ok(Some(id.to_owned()));
        }
        let next = page.get("nextCursor").and_then(Value::as_str);
        let Some(next) = next else {
            return Ok(None);
        };
        cursor = Some(next.to_owned());
    }
    let pages = SEARCHED_PAGES * 100;
    Err(Failure::usage(format!(
        "none of the {pages} newest orders has the number {number}: use the order's id"
    )))
}

/// Sends a request with the first credentials that the server accepts. Returns the name of their
/// owner, and the data.
async fn read(path: &str, context: &Context) -> Result<(String, Result<Value, Failure>), Failure> {
    let api = context.api()?;
    let mut readers = readers(context)?.into_iter().peekable();
    while let Some(reader) = readers.next() {
        let found = api.send(Method::GET, path, &reader, None).await;
        let is_refused = matches!(&found, Err(failure) if failure.status == Some(401));
        if !is_refused || readers.peek().is_none() {
            return Ok((reader.label().to_owned(), found.map(|found| found.data)));
        }
    }
    Err(Failure::new(Exit::Failed, "nobody can look at orders"))
}

fn page_path(cursor: Option<&str>) -> String {
    let cursor = cursor.map(|cursor| {
        let encoded: String = byte_serialize(cursor.as_bytes()).collect();
        format!("&cursor={encoded}")
    });
    format!("/api/orders?limit=100{}", cursor.unwrap_or_default())
}

fn id_in_page<'a>(page: &'a Value, number: &str) -> Option<&'a str> {
    let orders = page.get("orders")?.as_array()?;
    let order = orders
        .iter()
        .find(|order| order.get("orderNumber").and_then(Value::as_str) == Some(number))?;
    order.get("_id")?.as_str()
}

/// Returns the credentials to look at orders with: a supplied token of an admin; otherwise a minted
/// one, then the supplied token, since the secret that is known here may be that of another server.
fn readers(context: &Context) -> Result<Vec<Authority>, Failure> {
    if let Some(admin) = context.token_owner_with_role(Role::Admin) {
        return Ok(vec![Authority::Token(admin)]);
    }
    let admin = Actor {
        role: Role::Admin,
        user: "metaia-cli"
            .parse()
            .map_err(|error: InvalidId| Failure::new(Exit::Failed, "no admin").caused_by(error))?,
    };
    let owner = context.token_owner();
    let readers = match context.mint_for(&admin) {
        Ok(minted) => [Some(minted), owner],
        Err(failure) if owner.is_none() => return Err(failure),
        Err(_) => [owner, None],
    };
    let readers = readers.into_iter().flatten();
    Ok(readers.map(Authority::Token).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: OrderRef) {
        assert_eq!(text.parse(), Ok(expected), "{text:?}");
    }

    #[test]
    fn an_order_is_named_by_its_id_its_room_or_its_number() {
        let id = |id: &str| OrderRef::Id(id.parse().unwrap());
        let number = |number: &str| OrderRef::Number(number.into());
        check("o1", id("o1"));
        check("order-o1", id("o1"));
        check("655f3a7be4c7a4f5b2d1c908", id("655f3a7be4c7a4f5b2d1c908"));
        check("MT-261129-M636WW", number("MT-261129-M636WW"));
        check("order-MT-261129-M636WW", number("MT-261129-M636WW"));
        check("ORD-1624634510-42", number("ORD-1624634510-42"));
        for text in ["MT-261129", "MT-x-1", "my-1-order", "-1-A", "A-1-"] {
            check(text, id(text));
        }
    }

    #[test]
    fn a_text_that_cannot_be_an_order_is_refused() {
        let long = "a".repeat(65);
        for text in ["", "order-", "a b", "a/b", "ordre é", &long] {
            assert!(text.parse::<OrderRef>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_found_in_a_page() {
        let page = json!({"orders": [
            {"_id": "a", "orderNumber": "MT-1-A"},
            {"_id": "b", "orderNumber": "MT-1-B"},
        ]});
        assert_eq!(id_in_page(&page, "MT-1-B"), Some("b"));
        assert_eq!(id_in_page(&page, "MT-1-C"), None);
        assert_eq!(page_path(None), "/api/orders?limit=100");
        assert_eq!(page_path(Some("a&b")), "/api/orders?limit=100&cursor=a%26b");
    }

    #[test]
    fn a_refused_join_names_its_order() {
        let orders: Vec<OrderId> = ["o1", "o2"].map(|id| id.parse().unwrap()).into();
        let refused = |code: &str, reference: &str| {
            let error = json!({"event": "join_order_room", "code": code, "ref": reference});
            refusal_by("tailor:t1", &error, &orders).map(|failure| failure.chain())
        };
        assert_eq!(
            refused("forbidden", "o2").as_deref(),
            Some("tailor:t1 may not join order-o2: forbidden")
        );
        assert_eq!(refused("forbidden", "o3"), None);
        assert_eq!(refused("rate_limited", "o1"), None);
        assert!(refusal_by("tailor:t1", &json!({}), &orders).is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<OrderRef>();
        }
    }
}
