//! `metaia emit`: sends any event to a user, a role, the room of an order, or everyone.

use std::str::FromStr;

use metaia_realtime::values::{InvalidId, UnknownRole};
use metaia_realtime::{Role, UserId};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::context::{Context, default_admin};
use crate::exit::{Exit, Failure};
use crate::members::{check_texts, is_lacking};
use crate::order_ref::OrderRef;
use crate::payload_args::{PayloadArg, payload};
use crate::printer::{Paint, Report};

const EXAMPLES: &str = "\
Examples:
  metaia emit user:u1 stock_low sku=thread left:=3
  metaia emit role:tailor holiday @holiday.json
  metaia emit order:ORDER courier_position lat:=12.97 lon:=77.59 --volatile
  METAIA_API_KEY=… metaia emit everyone maintenance minutes:=5";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// user:U, role:R, order:ORDER (its id, its room or its number) or everyone
    to: Target,
    /// The name of the event
    event: String,
    /// k=v adds a string, n:=1 adds JSON, @file.json is the whole payload
    #[arg(value_name = "ITEM")]
    payload: Vec<PayloadArg>,
    /// Send a volatile event: not stored, never replayed; a slow client receives only the newest
    #[arg(long)]
    volatile: bool,
    /// Send as this admin (default: METAIA_TOKEN, METAIA_API_KEY, or admin:metaia-cli)
    #[arg(long = "as", value_name = "ROLE:USER")]
    actor: Option<Actor>,
}

/// The receivers of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    User(UserId),
    Role(Role),
    Order(OrderRef),
    Everyone,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected user:U, role:R, order:ORDER or everyone".to_owned();
        let invalid_id = |error: InvalidId| error.to_string();
        let unknown_role = |error: UnknownRole| error.to_string();
        if text == "everyone" {
            return Ok(Self::Everyone);
        }
        let (kind, name) = text.split_once(':').ok_or_else(expected)?;
        match kind {
            "user" => name.parse().map(Self::User).map_err(invalid_id),
            "order" => name.parse().map(Self::Order),
            "role" => name.parse().map(Self::Role).map_err(unknown_role),
            _ => Err(expected()),
        }
    }
}

impl Target {
    /// Returns the member `to` of the request. An order must exist.
    async fn json(&self, context: &Context) -> Result<Value, Failure> {
        Ok(match self {
            Self::User(user) => json!({"user": user}),
            Self::Role(role) => json!({"role": role}),
            Self::Order(order) => json!({"order": order.resolve_existing(context).await?}),
            Self::Everyone => json!("everyone"),
        })
    }
}

/// The id and the position that the server gave to the event.
#[derive(Debug, Serialize)]
struct Emitted {
    event: String,
    /// Null for a volatile event, as is the position.
    #[serde(skip_serializing_if = "Value::is_null")]
    id: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    at: Value,
}

pub(crate) async fn emit(args: Args, context: &Context) -> Result<Exit, Failure> {
    let data = payload(&args.payload)?;
    let authority = context.authority(args.actor.as_ref(), &default_admin()?)?;
    let api = context.api()?;
    let body = json!({
        "to": args.to.json(context).await?,
        "event": args.event,
        "data": data,
        "volatile": args.volatile,
    });
    let response = api
        .send(Method::POST, "/api/realtime/emit", &authority, Some(&body))
        .await?;
    let emitted = Emitted::of_answer(args.event, args.volatile, &response.data)?;
    context.printer.report(&emitted)?;
    Ok(Exit::Ok)
}

impl Emitted {
    /// Reads the data of an answer. An event that is not volatile has an id and a position.
    fn of_answer(event: String, is_volatile: bool, data: &Value) -> Result<Self, Failure> {
        if !data.is_object() {
            return Err(is_lacking("object `data`"));
        }
        if !is_volatile {
            check_texts(data, &["id", "at"])?;
        }
        Ok(Self {
            event,
            id: data["id"].clone(),
            at: data["at"].clone(),
        })
    }
}

impl Report for Emitted {
    fn text(&self, paint: Paint) -> String {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let mut line = paint.name(&self.event);
        if !self.id.is_null() {
            line.push_str(&format!(" {}", text(&self.id)));
        }
        if self.at.is_null() {
            line.push_str(" volatile");
        } else {
            line.push_str(&format!(" at {}", text(&self.at)));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_kind_and_a_name() {
        let target = |text: &str| text.parse::<Target>().unwrap();
        assert_eq!(target("user:u1"), Target::User("u1".parse().unwrap()));
        assert_eq!(
            target("role:delivery_partner"),
            Target::Role(Role::Delivery)
        );
        let order = "order-o1".parse().unwrap();
        assert_eq!(target("order:order-o1"), Target::Order(order));
        assert_eq!(target("everyone"), Target::Everyone);
    }

    #[test]
    fn an_invalid_target_is_refused() {
        for text in [
            "",
            "u1",
            "planet:earth",
            "user:",
            "role:chef",
            "user:a b",
            "order:",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_answer_without_an_id_is_no_success_unless_the_event_is_volatile() {
        let read = |is_volatile, data| Emitted::of_answer("e".into(), is_volatile, &data);
        assert!(read(true, json!({})).is_ok());
        assert!(read(false, json!({"id": "e1", "at": "p.1"})).is_ok());
        for (is_volatile, data) in [
            (true, Value::Null),
            (false, Value::Null),
            (false, json!({})),
            (false, json!({"id": "e1"})),
            (false, json!({"id": 1, "at": "p.1"})),
        ] {
            let failure = read(is_volatile, data.clone()).unwrap_err();
            assert_eq!(failure.exit, Exit::Unreachable, "{data}");
        }
    }

    #[test]
    fn a_logged_event_has_an_id_and_a_position_and_a_volatile_one_has_neither() {
        let emitted = |id: Value, at: Value| Emitted {
            event: "stock_low".into(),
            id,
            at,
        };
        let logged = emitted(json!("e1"), json!("p.1"));
        let volatile = emitted(Value::Null, Value::Null);
        insta::assert_snapshot!(logged.text(Paint::PLAIN), @"stock_low e1 at p.1");
        insta::assert_snapshot!(volatile.text(Paint::PLAIN), @"stock_low volatile");
        insta::assert_snapshot!(
            serde_json::to_string(&volatile).unwrap(),
            @r#"{"event":"stock_low"}"#
        );
        insta::assert_snapshot!(
            serde_json::to_string(&logged).unwrap(),
            @r#"{"event":"stock_low","id":"e1","at":"p.1"}"#
        );
    }
}
