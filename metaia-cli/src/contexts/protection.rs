//! Protected contexts: nothing is written to their servers without `--yes`.

use super::name::ContextName;
use crate::exit::Failure;

/// Headers that name another method than that of the request.
const OVERRIDING: [&str; 3] = [
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];

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

    /// Refuses a header that makes some servers treat a GET as another method.
    ///
    /// # Errors
    /// A usage failure that names the header. Nothing has been sent then.
    pub(crate) fn permit_headers<'a>(
        &self,
        mut names: impl Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        match names.find(|name| OVERRIDING.contains(name)) {
            Some(name) => Err(self.refusal(&format!("a request with the header {name}"))),
            None => Ok(()),
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
    fn a_header_that_names_another_method_is_refused() {
        let protection = Protection::new(&"production".parse().unwrap(), "http://h".to_owned());
        for name in OVERRIDING {
            let names = ["user-agent", name].into_iter();
            let failure = protection.permit_headers(names).unwrap_err();
            assert!(failure.chain().contains(name), "{}", failure.chain());
        }
        let names = ["user-agent"].into_iter();
        assert!(protection.permit_headers(names).is_ok());
    }

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
