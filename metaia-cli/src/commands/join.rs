//! `metaia join`: may somebody join the room of an order?

use clap::ValueEnum;
use metaia_realtime::client::{JoinError, SendError};
use serde::Serialize;

use crate::actor::Actor;
use crate::connection as live;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};

const EXAMPLES: &str = "\
Examples:
  metaia join ORDER --as tailor:t1                 exit code 0 or 5
  metaia join ORDER --as tailor:t2 --expect deny   exit code 0 or 6";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The order's id
    order: String,
    /// Who asks
    #[arg(long = "as", value_name = "ROLE:USER")]
    who: Option<Actor>,
    /// What has to come out
    #[arg(long, value_enum)]
    expect: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Allow,
    Deny,
}

/// What the server decided.
#[derive(Debug, Serialize)]
struct Decision {
    #[serde(rename = "as")]
    who: String,
    order: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Verdict>,
}

pub(crate) async fn join(args: Args, context: &Context) -> Result<Exit, Failure> {
    let who = context.who(args.who.as_ref())?;
    let (client, _updates) = live::connect(live::builder(context, &who)).await?;
    let asked = tokio::time::timeout(context.timeout, client.join_order(&args.order)).await;
    let (verdict, code) = judge(asked.unwrap_or(Err(SendError::Timeout(context.timeout).into())))?;
    client.close().await;
    let decision = Decision {
        who: who.label().to_owned(),
        order: args.order,
        verdict,
        code,
        expected: args.expect,
    };
    context.printer.report(&decision)?;
    Ok(decision.exit())
}

/// A refusal because of access is a decision; a server that could not decide is a failure.
fn judge(
    joined: Result<metaia_realtime::client::Joined, JoinError>,
) -> Result<(Verdict, Option<String>), Failure> {
    match joined {
        Ok(_) => Ok((Verdict::Allow, None)),
        Err(JoinError::Refused(code))
            if matches!(code.as_str(), "forbidden" | "invalid_order_id") =>
        {
            Ok((Verdict::Deny, Some(code)))
        }
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
                format!(", {}", paint.bad("which was not expected"))
            }
            _ => String::new(),
        };
        format!(
            "{} {verdict} order-{}{code}{expected}",
            self.who, self.order
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(verdict: Verdict, expected: Option<Verdict>) -> Decision {
        let code = (verdict == Verdict::Deny).then(|| "forbidden".to_owned());
        Decision {
            who: "tailor:t1".into(),
            order: "o1".into(),
            verdict,
            code,
            expected,
        }
    }

    #[test]
    fn an_expectation_decides_the_exit_code() {
        use Verdict::{Allow, Deny};
        let exits = [
            (Allow, None),
            (Deny, None),
            (Allow, Some(Allow)),
            (Deny, Some(Deny)),
            (Allow, Some(Deny)),
            (Deny, Some(Allow)),
        ];
        let exits = exits.map(|(verdict, expected)| decision(verdict, expected).exit());
        assert_eq!(
            exits,
            [
                Exit::Ok,
                Exit::Denied,
                Exit::Ok,
                Exit::Ok,
                Exit::Unexpected,
                Exit::Unexpected
            ]
        );
    }

    #[test]
    fn a_decision_is_a_sentence() {
        insta::assert_snapshot!(decision(Verdict::Deny, Some(Verdict::Allow)).text(Paint::PLAIN), @"tailor:t1 may not join order-o1 (forbidden), which was not expected");
        insta::assert_snapshot!(decision(Verdict::Allow, None).text(Paint::PLAIN), @"tailor:t1 may join order-o1");
    }

    #[test]
    fn a_server_that_cannot_decide_is_no_denial() {
        let failure = judge(Err(JoinError::Refused("unavailable".into()))).unwrap_err();
        assert_eq!(
            (failure.exit, failure.chain().as_str()),
            (
                Exit::Failed,
                "the server did not decide: refused: unavailable"
            )
        );
    }
}
