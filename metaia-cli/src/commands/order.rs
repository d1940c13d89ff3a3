//! `metaia order`: orders by REST, as one person, one command each.

use clap::builder::PossibleValuesParser;
use metaia_realtime::UserId;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::operations::table;
use super::trigger::STATUSES;
use crate::actor::Actor;
use crate::context::Context;
use crate::event_line::amount;
use crate::example_order::example_order;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::members::{PagedList, check_texts, object_member, with_query};
use crate::order_ref::OrderRef;
use crate::payload_args::{PayloadArg, extended};
use crate::printer::{Paint, Report};
use crate::rest::{Body, Exchange};
use crate::terminal::one_line;

const EXAMPLES: &str = "\
Examples:
  metaia order ls --as customer:u1
  metaia order place --as customer:u1
  metaia order place @order.json tailor=t1 --as customer:u1
  metaia order assign MT-261130-M636WW --tailor t1 --courier d1
  metaia order move MT-261130-M636WW ready --as tailor:t1
  metaia order show MT-261130-M636WW -o json | jq .items";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: OrderAction,
    /// Act as this role and user (default: METAIA_TOKEN, or admin:metaia-cli)
    #[arg(long = "as", global = true, value_name = "ROLE:USER")]
    actor: Option<Actor>,
}

#[derive(Debug, clap::Subcommand)]
enum OrderAction {
    /// List the orders that this person may see, the newest first
    Ls {
        /// Only those with this status
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
    },
    /// Show one order
    Show { order: OrderRef },
    /// Place an order: a sherwani and two pairs of trousers, unless ITEMs say otherwise
    Place {
        /// k=v adds a string, n:=1 adds JSON, @file.json is the whole order
        #[arg(value_name = "ITEM")]
        items: Vec<PayloadArg>,
    },
    /// Assign a tailor, a courier, or both
    Assign {
        order: OrderRef,
        #[arg(long, value_name = "U", required_unless_present = "courier")]
        tailor: Option<UserId>,
        #[arg(long, value_name = "U")]
        courier: Option<UserId>,
    },
    /// Move an order to a status
    Move {
        order: OrderRef,
        #[arg(value_parser = statuses())]
        status: String,
        /// Only if the order has this version
        #[arg(long, value_name = "VERSION")]
        if_match: Option<u64>,
    },
    /// Cancel an order
    Cancel { order: OrderRef },
}

impl Args {
    /// Returns the words for what the action writes.
    pub(crate) fn writes(&self) -> Option<String> {
        let action = match self.action {
            OrderAction::Ls { .. } | OrderAction::Show { .. } => return None,
            OrderAction::Place { .. } => "place",
            OrderAction::Assign { .. } => "assign",
            OrderAction::Move { .. } => "move",
            OrderAction::Cancel { .. } => "cancel",
        };
        Some(format!("order {action}"))
    }
}

/// Returns the parser of the statuses that an order can be moved to.
fn statuses() -> PossibleValuesParser {
    let known = STATUSES.into_iter().chain(["cancelled"]);
    PossibleValuesParser::new(known)
}

/// The texts that each order has.
const TEXTS: [&str; 4] = ["_id", "orderNumber", "status", "customer"];

/// One order.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct OrderLine {
    order: Value,
}

impl Report for OrderLine {
    fn text(&self, paint: Paint) -> String {
        let mut parts: Vec<String> = cells(&self.order)
            .iter()
            .map(|cell| one_line(cell).into_owned())
            .filter(|cell| !cell.is_empty())
            .collect();
        if let Some(number) = parts.first_mut() {
            *number = paint.name(number);
        }
        if let Some(id) = parts.last_mut() {
            *id = paint.dim(id);
        }
        parts.join("  ")
    }
}

/// Returns the columns of an order. A person that it does not have is an empty one.
fn cells(order: &Value) -> Vec<String> {
    let text = |member: &str| table::text(order, member);
    let minor = order["amount"].as_i64().unwrap_or_default();
    let person = |member: &str, name: &str| match order[member].as_str() {
        Some(user) => format!("{name} {user}"),
        None => String::new(),
    };
    vec![
        text("orderNumber"),
        text("status"),
        amount(minor, &text("currency")),
        format!("v{}", order["version"]),
        format!("customer {}", text("customer")),
        person("tailor", "tailor"),
        person("deliveryPartner", "courier"),
        text("_id"),
    ]
}

/// Carries out one action, and prints the order as it is then.
pub(crate) async fn order(args: Args, context: &Context) -> Result<Exit, Failure> {
    let authority = Authority::Token(context.identity_or_admin(args.actor.as_ref())?);
    let client = OrderClient { authority, context };
    match args.action {
        OrderAction::Ls { status } => return client.list(status.as_deref()).await,
        OrderAction::Show { order } => {
            let path = path(&order, "", context).await?;
            client.send(Method::GET, &path, None, None).await
        }
        OrderAction::Place { items } => client.place(&items).await,
        OrderAction::Assign {
            order,
            tailor,
            courier,
        } => {
            let path = path(&order, "/assign", context).await?;
            let mut body = Map::new();
            for (name, user) in [("tailor", tailor), ("deliveryPartner", courier)] {
                if let Some(user) = user {
                    body.insert(name.to_owned(), json!(user));
                }
            }
            let body = Value::Object(body);
            client.send(Method::PUT, &path, Some(&body), None).await
        }
        OrderAction::Move {
            order,
            status,
            if_match,
        } => {
            let path = path(&order, "/status", context).await?;
            let body = json!({"status": status});
            client.send(Method::PUT, &path, Some(&body), if_match).await
        }
        OrderAction::Cancel { order } => {
            let path = path(&order, "/status", context).await?;
            let body = json!({"status": "cancelled"});
            client.send(Method::PUT, &path, Some(&body), None).await
        }
    }
}

async fn path(order: &OrderRef, action: &str, context: &Context) -> Result<String, Failure> {
    let id = order.resolve(context).await?;
    Ok(format!("/api/orders/{id}{action}"))
}

/// One person's requests about orders.
struct OrderClient<'a> {
    authority: Authority,
    context: &'a Context,
}

impl OrderClient<'_> {
    async fn place(&self, items: &[PayloadArg]) -> Result<Exit, Failure> {
        let body = extended(example_order(), items)?;
        self.send(Method::POST, "/api/orders", Some(&body), None)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        if_match: Option<u64>,
    ) -> Result<Exit, Failure> {
        let version = if_match.map(|version| ("if-match".to_owned(), format!("\"{version}\"")));
        let headers: Vec<(String, String)> = version.into_iter().collect();
        let data = self.data(method, path, body, &headers).await?;
        let order = Value::Object(object_member(&data, "order")?.clone());
        check_texts(&order, &TEXTS)?;
        // The order has changed, whether somebody reads it or not.
        self.context.printer.verdict(&OrderLine { order }, Exit::Ok)
    }

    async fn list(&self, status: Option<&str>) -> Result<Exit, Failure> {
        let mut list = PagedList::new("orders", &TEXTS);
        let mut cursor: Option<String> = None;
        loop {
            let cursor_and_status = [("cursor", cursor.as_deref()), ("status", status)];
            let query = cursor_and_status.into_iter();
            let query = query.filter_map(|(name, value)| Some((name, value?)));
            let path = with_query("/api/orders", query);
            let page = self.data(Method::GET, &path, None, &[]).await?;
            cursor = list.take(&page)?;
            if cursor.is_none() {
                break;
            }
        }
        let count = list.entries.len();
        table::print(list.entries, cells, self.context)?;
        table::note_count(count, "order", self.context);
        Ok(Exit::Ok)
    }

    /// Sends a request, and returns the data of its answer.
    async fn data(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(String, String)],
    ) -> Result<Value, Failure> {
        let api = self.context.api()?;
        let exchange = Exchange {
            method,
            path,
            authority: Some(&self.authority),
            headers,
            body: body.map_or(Body::None, Body::Json),
        };
        let reply = api.exchange_patiently(exchange.clone()).await?;
        let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        match api.refusal(&exchange, reply).await {
            Some(failure) => Err(failure),
            None => Ok(answer["data"].clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_one_line() {
        let order = json!({
            "_id": "6b0d", "orderNumber": "MT-1", "status": "ready", "amount": 1_610_000,
            "currency": "INR", "version": 4, "customer": "u1", "tailor": "t1",
            "deliveryPartner": null,
        });
        insta::assert_snapshot!(
            OrderLine { order }.text(Paint::PLAIN),
            @"MT-1  ready  ₹16,100.00  v4  customer u1  tailor t1  6b0d"
        );
        let strange = OrderLine { order: json!(null) };
        assert!(strange.text(Paint::PLAIN).starts_with("-  -  "));
    }
}
