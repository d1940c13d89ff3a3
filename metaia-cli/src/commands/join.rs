//! `metaia join`: checks whether a user may join the room of an order.

use clap::ValueEnum;
use metaia_realtime::OrderId;
use metaia_realtime::client::{JoinError, Joined, SendError};
use serde::Serialize;

use crate::actor::Actor;
use crate::connection;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::order_ref::{self, OrderRef};
use crate::printer::{Paint, Report};

const EXAMPLES: &str = "\
Examples:
  metaia join ORDER tailor:t1                      exit code 0 or 5
  metaia join ORDER --as tailor:t2 --expect deny   exit code 0 or 6
  metaia join MT-261129-M636WW --as customer:u1    by the order's number";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The order: its id, its room (order-ID) or its number (MT-…)
    order: OrderRef,
    /// Join as this role and user
    #[arg(value_name = "ROLE:USER")]
    who: Option<Actor>,
    /// Join as this role and user
    #[arg(long = "as", value_name = "ROLE:USER", conflicts_with = "who")]
    actor: Option<Actor>,
    /// The expected decision; exit with code 6 if it differs, and with 2 if a refusal would prove
    /// nothing because there is no such order
    #[arg(long, value_enum)]
    expect: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Allow,
    Deny,
}

/// The server's decision.
#[derive(Debug, Serialize)]
struct Decision {
    #[serde(rename = "as")]
    actor: String,
    order: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Verdict>,
}

pub(crate) async fn join(args: Args, context: &Context) -> Result<Exit, Failure> {
    let actor = args.who.as_ref().or(args.actor.as_ref());
    let identity = context.identity(actor)?;
    let order = find_order(&args, context).await?;
    let builder = connection::builder(context, &identity);
    let (client, _updates) = connection::connect(context, &identity, builder).await?;
    let joining = client.join_order(order.as_str());
    let joined = match tokio::time::timeout(context.timeout, joining).await {
        Ok(joined) => joined,
        Err(_) => Err(SendError::Timeout(context.timeout).into()),
    };
    let (verdict, code) = verdict(joined)?;
    client.close().await;
    let decision = Decision {
        actor: identity.label().to_owned(),
        order: order.to_string(),
        verdict,
        code,
        expected: args.expect,
    };
    context.printer.verdict(&decision, decision.exit())
}

/// Returns the order's id. If a refusal is expected, the order must exist: the server refuses the
/// join of any other id, too.
async fn find_order(args: &Args, context: &Context) -> Result<OrderId, Failure> {
    let order = args.order.resolve(context).await?;
    if args.expect == Some(Verdict::Deny) {
        order_ref::prove_existence(&order, context).await?;
    }
    Ok(order)
}

/// Returns the decision and the code of a refusal. If the server could not decide, that is a
/// failure and not a denial.
fn verdict(joined: Result<Joined, JoinError>) -> Result<(Verdict, Option<String>), Failure> {
    match joined {
        Ok(_) => Ok((Verdict::Allow, None)),
        Err(JoinError::Refused(code)) if code == "forbidden" => Ok((Verdict::Deny, Some(code))),
        Err(JoinError::Emit(error)) => Err(error.into()),
        Err(error) => Err(Failure::new(Exit::Failed, "the server did not decide").caused_by(error)),
    }
}

impl Decision {
    fn exit(&self) -> Exit {
        match (self.expected, self.verdict) {
            (Some(expected), verdict) if expected != verdict => Exit::Unexpected,
            (None, Verdict::Deny) => Exit::Denied,
            _ => Exit::Ok,
        }
    }
}

impl Report for Decision {
    fn text(&self, paint: Paint) -> String {
        let verdict = match self.verdict {
            Verdict::Allow => paint.good("may join"),
            Verdict::Deny => paint.bad("may not join"),
        };
        let code = self
            .code
            .as_deref()
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        let expected = match self.expected {
            Some(expected) if expected != self.verdict => {
                format!(", {}", paint.bad("unexpected"))
            }
            _ => String::new(),
        };
        format!(
            "{} {verdict} order-{}{code}{expected}",
            self.actor, self.order
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(verdict: Verdict, expected: Option<Verdict>) -> Decision {
        let code = match verdict {
            Verdict::Allow => None,
            Verdict::Deny => Some("forbidden".to_owned()),
        };
        Decision {
            actor: "tailor:t1".into(),
            order: "o1".into(),
            verdict,
            code,
            expected,
        }
    }

    #[test]
    fn an_expectation_decides_the_exit_code() {
        use Verdict::{Allow, Deny};
        for (verdict, expected, exit) in [
            (Allow, None, Exit::Ok),
            (Deny, None, Exit::Denied),
            (Allow, Some(Allow), Exit::Ok),
            (Deny, Some(Deny), Exit::Ok),
            (Allow, Some(Deny), Exit::Unexpected),
            (Deny, Some(Allow), Exit::Unexpected),
        ] {
            let decision = decision(verdict, expected);
            assert_eq!(decision.exit(), exit, "{decision:?}");
        }
    }

    #[test]
    fn a_decision_is_printed_as_a_sentence() {
        insta::assert_snapshot!(
            decision(Verdict::Deny, Some(Verdict::Allow)).text(Paint::PLAIN),
            @"tailor:t1 may not join order-o1 (forbidden), unexpected"
        );
        insta::assert_snapshot!(
            decision(Verdict::Allow, None).text(Paint::PLAIN),
            @"tailor:t1 may join order-o1"
        );
    }

    #[test]
    fn only_forbidden_is_a_denial() {
        let denied = verdict(Err(JoinError::Refused("forbidden".into()))).unwrap();
        assert_eq!(denied, (Verdict::Deny, Some("forbidden".to_owned())));
        for code in ["invalid_order_id", "too_many_rooms", "rate_limited"] {
            assert!(
                verdict(Err(JoinError::Refused(code.into()))).is_err(),
                "{code}"
            );
        }
        let failure = verdict(Err(JoinError::Refused("unavailable".into()))).unwrap_err();
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (
                Exit::Failed,
                "the server did not decide: refused: unavailable"
            )
        );
    }
}
