//! jq filters, by jaq. A filter is parsed once and applied to many values.
//!
//! A filter depends on its input and its variables only: the names that read files, the
//! environment or the clock are not there ([`pure`]). It cannot run for ever: [`steps`] stops it,
//! on the thread that applies it, so that no thread is left behind.

mod children;
mod convert;
mod invalid;
mod metered;
mod mistakes;
mod parsing;
mod pure;
mod running;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use invalid::InvalidFilter;
pub(crate) use running::FilterFailed;

/// The values of `$name` in filters, by name without `$`.
pub(crate) type FilterValues = BTreeMap<String, Value>;

/// A parsed jq filter. A clone shares it.
#[derive(Clone)]
pub(crate) struct Filter {
    text: Arc<str>,
    /// The variables that the filter uses, with `$`, in the order of the program.
    variables: Arc<[String]>,
    program: Arc<jaq_core::Filter<steps::Stepped>>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Filter").field(&self.text).finish()
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::any_json;
