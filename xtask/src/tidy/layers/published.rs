//! The names that a file publishes to other crates.

use super::use_tree::{Leaf, leaves};
use crate::tidy::tokens::{Token, begins, group_end};

/// Returns the names of all `pub use`, except those behind `#[doc(hidden)]`.
pub(in crate::tidy) fn published_names(tokens: &[Token]) -> Vec<String> {
    let mut found: Vec<Leaf> = Vec::new();
    let mut is_hidden = false;
    let mut at = 0;
    while at < tokens.len() {
        if begins(tokens, at, &["#", "["]) {
            is_hidden |= begins(tokens, at + 2, &["doc", "(", "hidden", ")"]);
            at = group_end(tokens, at + 1);
            continue;
        }
        if begins(tokens, at, &["pub", "use"]) && !is_hidden {
            found.extend(leaves(&tokens[at + 2..]));
        }
        // The attributes belong to the item up to its end.
        is_hidden &= !tokens[at].is_one_of(&[";", "}"]);
        at += 1;
    }
    found.into_iter().map(|leaf| leaf.name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::tokens::tokens;
    use super::*;

    #[test]
    fn a_hidden_item_hides_only_itself() {
        let text = "#[doc(hidden)] pub use a::B; pub use c::{D, E as F}; pub(crate) use g::H;
            #[doc(hidden)] pub mod i {} pub use j::*;";
        assert_eq!(published_names(&tokens(text)), ["D", "F", "*"]);
    }
}
