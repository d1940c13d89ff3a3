//! Protected contexts: nothing is written to their servers without `--yes`.

use super::name::ContextName;
use crate::exit::Failure;

/// The protection of a context that is in use, and for which `--yes` is not given.
#[derive(Debug, Clone)]
pub(crate) struct Protection {
    context: ContextName,
    /// The server's address, with the place that it is from.
    address: String,
}

impl Protection {
    pub(crate) fn new(context: &ContextName, address: String) -> Self {
        Self {
            context: context.clone(),
            address,
        }
    }

    /// Returns the failure of something that would write, such as `emit` or `POST /api/orders`.
    /// Nothing has been sent then.
    pub(crate) fn refusal(&self, action: &str) -> Failure {
        let Self { context, address } = self;
        let text = format!("{address}: the context {context} is protected, and {action} writes");
        Failure::usage(text).hint("nothing was sent; add --yes to write to this server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_context_the_address_and_what_to_do() {
        let address = "https://h (from the context production)".to_owned();
        let protection = Protection::new(&"production".parse().unwrap(), address);
        let failure = protection.refusal("emit");
        let text = failure.chain().replacen(": ", "\n", 1);
        insta::assert_snapshot!(text, @r"
        https://h (from the context production)
        the context production is protected, and emit writes
        ");
        let hint = failure.hint.unwrap();
        insta::assert_snapshot!(hint, @"nothing was sent; add --yes to write to this server");
    }
}
