//! The layers of each crate, as its imports show them: imports lead down, and there are no circles.
//!
//! [`tree`] reads the modules, [`resolve`] follows names to the files that define them, through
//! re-exports, and [`imports`](mod@self::imports) are the arrows between files. [`heights`] and
//! [`known`] judge them by the tables in [`levels`], which are the only part to change when the
//! crates change.
//!
//! Uses without a name in the source are not seen: a method of a value that another file handed
//! over, and names that a macro puts together.

mod circles;
mod heights;
mod imports;
mod known;
mod levels;
mod module;
mod parse;
mod print;
mod published;
mod reader;
mod resolve;
mod tree;
mod undeclared;
mod use_tree;

use super::source::Source;
use circles::{Circle, circles};
use imports::imports;
use levels::{PLANS, Plan};

pub(super) use published::published_names;
pub(super) use tree::Tree;

/// Returns the findings for all crates.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    PLANS
        .iter()
        .flat_map(|plan| check_crate(plan, sources))
        .collect()
}

fn check_crate(plan: &Plan, sources: &[Source]) -> Vec<String> {
    let tree = Tree::read(sources, plan.src);
    let imports = imports(&tree);
    let mut found = undeclared::check(sources, plan.src);
    found.extend(heights::check(plan, &tree, &imports));
    found.extend(known::check(
        plan,
        &tree,
        &circles(&imports, tree.live_files().len()),
    ));
    found
}

/// Returns the graph of all crates as text.
pub(super) fn graph(sources: &[Source]) -> String {
    let texts = PLANS
        .iter()
        .map(|plan| print::crate_text(&Tree::read(sources, plan.src), plan.src));
    texts.collect::<Vec<_>>().join("\n")
}

/// Returns the size of the largest circle of a crate: of all, and of those that are not accepted.
pub(super) fn largest_circles(sources: &[Source], src: &str) -> [usize; 2] {
    let tree = Tree::read(sources, src);
    let all = circles(&imports(&tree), tree.live_files().len());
    let accepted = |circle: &&Circle| {
        let plan = PLANS.iter().find(|plan| plan.src == src);
        let mut known = plan.into_iter().flat_map(|plan| plan.circles);
        !known.any(|known| known::covers(known, &tree, circle))
    };
    let size = |circle: &Circle| circle.files.len();
    let largest = all.iter().map(size).max().unwrap_or(0);
    let largest_unknown = all.iter().filter(accepted).map(size).max().unwrap_or(0);
    [largest, largest_unknown]
}
