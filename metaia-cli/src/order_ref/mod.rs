//! The ways to name an order on the command line: its id, its room, or its number.

mod lookup;

use std::fmt;
use std::str::FromStr;

use metaia_realtime::OrderId;
use metaia_realtime::client::ReceivedEvent;
use metaia_realtime::values::InvalidId;
use serde_json::Value;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use lookup::{Lookup, find_by_number, is_admin, look_up};

const CHECK_HINT: &str = "check the order's id or number";

/// Advice to let `metaia` look orders up as an admin.
const ADMIN_HINT: &str = "set JWT_SECRET or METAIA_DATA to the server's, so that metaia can ask \
                          as an admin";

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
            Failure::usage(format!("{id:?} is not an order's id")).caused_by(error)
        })
    }

    /// Returns the id of an order that exists. If no admin can be asked, the order is taken to
    /// exist, and a note says so.
    pub(crate) async fn resolve_existing(&self, context: &Context) -> Result<OrderId, Failure> {
        let order = self.resolve(context).await?;
        let reason = match look_up(&order, context).await {
            Ok(Lookup::Found) => return Ok(order),
            Ok(Lookup::Missing(reader)) => self.missing_for(&reader)?,
            Err(failure) if is_without_admin(&failure) => failure.chain(),
            Err(failure) => return Err(failure),
        };
        context.printer.note(&format!(
            "order {order} may not exist, no admin at hand: {reason}"
        ));
        Ok(order)
    }

    /// Returns the reason why an order that this reader does not see may exist all the same.
    fn missing_for(&self, reader: &Authority) -> Result<String, Failure> {
        if is_admin(reader) {
            let failure = Failure::usage(format!("there is no order {self}"));
            return Err(failure.hint(CHECK_HINT));
        }
        let reader = reader.label();
        match self {
            Self::Id(_) => Ok(format!("{reader} does not see it")),
            // The text is no id, so its room is always empty.
            Self::Number(_) => {
                let message = format!("no admin at hand, and {reader} finds no order {self}");
                Err(Failure::usage(message).hint(ADMIN_HINT))
            }
        }
    }
}

/// Returns true for a failure to look an order up that another reader might not have.
fn is_without_admin(failure: &Failure) -> bool {
    matches!(
        failure.exit,
        Exit::Usage | Exit::Unauthenticated | Exit::Denied
    )
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
    let reader = match look_up(order, context).await? {
        Lookup::Found => return Ok(()),
        Lookup::Missing(reader) => reader,
    };
    let label = reader.label();
    let failure = if is_admin(&reader) {
        let message = format!("a refusal proves nothing: {label} finds no order {order}");
        Failure::usage(message).hint(CHECK_HINT)
    } else {
        let message = "a refusal proves nothing: no admin at hand";
        Failure::usage(format!("{message}, and {label} does not see order {order}"))
            .hint(ADMIN_HINT)
    };
    Err(failure)
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
