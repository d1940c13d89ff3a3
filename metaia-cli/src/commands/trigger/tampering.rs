//! `--tamper`: a change of what the provider signed. The server must refuse it.

use clap::ValueEnum;

use super::flow::Flow;
use crate::exit::Failure;
use crate::provider::{PayTamper, WebhookTamper};

/// The changed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Tampering {
    /// Sign with another secret
    Signature,
    /// payment_update: name another payment than was signed
    Payment,
    /// payment.webhook: name another amount than was signed
    Amount,
    /// payment.webhook: change the body after it was signed
    Body,
}

impl Tampering {
    /// Refuses a change of a part that the flow does not send.
    pub(super) fn check(self, flow: Flow) -> Result<(), Failure> {
        let parts = match flow {
            Flow::PaymentUpdate if self.of_confirmation().is_none() => "signature or payment",
            Flow::PaymentWebhook if self.of_webhook().is_none() => "signature, amount or body",
            _ => return Ok(()),
        };
        let name = self.name();
        let text = format!("--tamper {name} does not apply to {}", flow.name());
        Err(Failure::usage(text).hint(format!("use {parts}")))
    }

    pub(super) fn of_confirmation(self) -> Option<PayTamper> {
        match self {
            Self::Signature => Some(PayTamper::Signature),
            Self::Payment => Some(PayTamper::Payment),
            Self::Amount | Self::Body => None,
        }
    }

    pub(super) fn of_webhook(self) -> Option<WebhookTamper> {
        match self {
            Self::Signature => Some(WebhookTamper::Signature),
            Self::Amount => Some(WebhookTamper::Amount),
            Self::Body => Some(WebhookTamper::Body),
            Self::Payment => None,
        }
    }

    /// Returns the name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Payment => "payment",
            Self::Amount => "amount",
            Self::Body => "body",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_changes_only_what_it_sends() {
        for part in Tampering::value_variants() {
            let is_of_payment = matches!(part, Tampering::Signature | Tampering::Payment);
            assert_eq!(part.check(Flow::PaymentUpdate).is_ok(), is_of_payment);
            let is_of_webhook = *part != Tampering::Payment;
            assert_eq!(part.check(Flow::PaymentWebhook).is_ok(), is_of_webhook);
            let listed = part.to_possible_value().unwrap();
            assert_eq!(listed.get_name(), part.name());
        }
        let failure = Tampering::Body.check(Flow::PaymentUpdate).unwrap_err();
        insta::assert_snapshot!(
            failure.chain(),
            @"--tamper body does not apply to payment_update"
        );
    }
}
