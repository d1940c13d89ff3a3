//! `metaia emit`: any event, to whom it concerns.

use std::str::FromStr;

use metaia_realtime::{OrderId, Role, UserId};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::{payload_args as items, payload_args::Item};

const EXAMPLES: &str = "\
Examples:
  metaia emit user:u1 stock_low sku=thread left:=3
  metaia emit role:tailor holiday @holiday.json
  metaia emit order:ORDER courier_position lat:=12.97 lon:=77.59 --volatile
  METAIA_API_KEY=… metaia emit everyone maintenance minutes:=5";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// user:U, role:R, order:ID or everyone
    to: Target,
    /// The event's name
    event: String,
    /// k=v is a string, n:=1 is JSON, @file.json is the whole payload
    #[arg(value_name = "ITEM")]
    items: Vec<Item>,
    /// Newest wins, may be dropped, never replayed
    #[arg(long)]
    volatile: bool,
    /// Send as this admin instead of with METAIA_API_KEY or as admin:metaia-cli
    #[arg(long = "as", value_name = "ROLE:USER")]
    who: Option<Actor>,
}

/// Whom an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    User(UserId),
    Role(Role),
    Order(OrderId),
    Everyone,
}

impl FromStr for Target {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "write user:U, role:R, order:ID or everyone".to_owned();
        if text == "everyone" {
            return Ok(Self::Everyone);
        }
        let (kind, name) = text.split_once(':').ok_or_else(expected)?;
        let id_error = |error: metaia_realtime::values::InvalidId| error.to_string();
        match kind {
            "user" => name.parse().map(Self::User).map_err(id_error),
            "order" => name.parse().map(Self::Order).map_err(id_error),
            "role" => name
                .parse()
                .map(Self::Role)
                .map_err(|error: metaia_realtime::values::UnknownRole| error.to_string()),
            _ => Err(expected()),
        }
    }
}

impl Target {
    fn json(&self) -> Value {
        match self {
            Self::User(user) => json!({"user": user}),
            Self::Role(role) => json!({"role": role}),
            Self::Order(order) => json!({"order": order}),
            Self::Everyone => json!("everyone"),
        }
    }
}

/// What became of the event.
#[derive(Debug, Serialize)]
struct Emitted {
    event: String,
    id: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    at: Value,
}

pub(crate) async fn emit(args: Args, context: &Context) -> Result<Exit, Failure> {
    let data = items::payload(&args.items)?;
    let body =
        json!({"to": args.to.json(), "event": args.event, "data": data, "volatile": args.volatile});
    let authority = context.authority(args.who.as_ref(), &admin()?)?;
    let answer = context
        .api()?
        .send(Method::POST, "/api/realtime/emit", &authority, Some(&body))
        .await?;
    let member = |name: &str| answer.data.get(name).cloned().unwrap_or(Value::Null);
    context.printer.report(&Emitted {
        event: args.event,
        id: member("id"),
        at: member("at"),
    })?;
    Ok(Exit::Ok)
}

fn admin() -> Result<Actor, Failure> {
    "admin:metaia-cli"
        .parse()
        .map_err(|error: String| Failure::new(Exit::Failed, error))
}

impl Report for Emitted {
    fn text(&self, paint: Paint) -> String {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let at = match &self.at {
            Value::Null => "volatile".to_owned(),
            at => format!("at {}", text(at)),
        };
        format!("{} {} {at}", paint.name(&self.event), text(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_what_the_server_takes() {
        let json = |text: &str| text.parse::<Target>().unwrap().json();
        assert_eq!(json("user:u1"), json!({"user": "u1"}));
        assert_eq!(json("role:delivery_partner"), json!({"role": "delivery"}));
        assert_eq!(json("order:o1"), json!({"order": "o1"}));
        assert_eq!(json("everyone"), json!("everyone"));
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in ["", "u1", "planet:earth", "user:", "role:chef", "user:a b"] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_emitted_event_has_an_id_and_a_position() {
        let emitted = |at| Emitted {
            event: "stock_low".into(),
            id: json!("e1"),
            at,
        };
        insta::assert_snapshot!(emitted(json!("p.1")).text(Paint::PLAIN), @"stock_low e1 at p.1");
        insta::assert_snapshot!(emitted(Value::Null).text(Paint::PLAIN), @"stock_low e1 volatile");
        insta::assert_snapshot!(serde_json::to_string(&emitted(json!("p.1"))).unwrap(), @r#"{"event":"stock_low","id":"e1","at":"p.1"}"#);
    }
}
