//! Looks orders up, as an admin if possible.

use metaia_realtime::{OrderId, Role};
use reqwest::Method;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::members::object_member;

/// The most pages of orders, of 100 each, that are searched for a number.
const SEARCHED_PAGES: usize = 100;

/// The result of looking an order up.
pub(super) enum Lookup {
    Found,
    /// The owner of these credentials does not see it. An admin sees every order.
    Missing(Authority),
}

/// Looks an order up with the first credentials that the server accepts.
pub(super) async fn look_up(order: &OrderId, context: &Context) -> Result<Lookup, Failure> {
    let (reader, found) = read(&format!("/api/orders/{order}"), context).await?;
    match found {
        Ok(data) => object_member(&data, "order").map(|_| Lookup::Found),
        // A server without a list of orders has not answered either.
        Err(failure) if failure.status == Some(404) && failure.exit != Exit::Unreachable => {
            Ok(Lookup::Missing(reader))
        }
        Err(failure) => {
            let reader = reader.label();
            Err(failure.within(format!("order {order} cannot be looked up as {reader}")))
        }
    }
}

pub(super) fn is_admin(reader: &Authority) -> bool {
    matches!(reader, Authority::Token(identity) if identity.has_role(Role::Admin))
}

/// Returns the id of the order with this number; `None` if the server does not know it, or has no
/// list of orders.
pub(super) async fn find_by_number(
    number: &str,
    context: &Context,
) -> Result<Option<String>, Failure> {
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

/// Sends a request with the first credentials that the server accepts. Returns them, and the
/// data.
async fn read(
    path: &str,
    context: &Context,
) -> Result<(Authority, Result<Value, Failure>), Failure> {
    let api = context.api()?;
    let mut readers = readers(context)?.into_iter().peekable();
    while let Some(reader) = readers.next() {
        let found = api.send(Method::GET, path, &reader, None).await;
        let is_refused = matches!(&found, Err(failure) if failure.status == Some(401));
        if !is_refused || readers.peek().is_none() {
            return Ok((reader, found.map(|found| found.data)));
        }
    }
    Err(Failure::new(
        Exit::Failed,
        "there are no credentials to look orders up with",
    ))
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

/// Returns the credentials to look orders up with: a supplied token of an admin; otherwise a minted
/// one, then the supplied token, since the secret that is known here may be that of another server.
fn readers(context: &Context) -> Result<Vec<Authority>, Failure> {
    if let Some(admin) = context.token_owner_with_role(Role::Admin)? {
        return Ok(vec![Authority::Token(admin)]);
    }
    let owner = context.token_owner()?;
    let readers = match context.default_admin() {
        Ok(minted) => [Some(minted), owner],
        Err(failure) if owner.is_none() => return Err(failure),
        Err(_) => [owner, None],
    };
    let readers = readers.into_iter().flatten();
    Ok(readers.map(Authority::Token).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
}
