//! Rules about our own source that no other tool checks. Each rule is a file: a pure function from one source file
//! to its findings, tested with a planted defect.

mod functions;
mod ignored;
mod layers;
mod layout;
mod length;
mod module_header;
mod sleep;
mod test_code;
mod tokens;
mod transport;
mod walk;

use crate::paths::root;
use walk::Source;

/// What a rule found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// The line, from 1.
    line: usize,
    what: String,
}

impl Finding {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

type Rule = fn(&Source) -> Vec<Finding>;

/// Broken, the check fails.
const RULES: [Rule; 4] = [
    module_header::check,
    ignored::check,
    sleep::check,
    transport::check,
];

/// Broken, somebody should look.
const ADVICE: [Rule; 1] = [length::check];

/// Checks every Rust file of the workspace.
pub(crate) fn run() -> Result<(), String> {
    let sources = walk::sources()?;
    for finding in findings(&sources, &ADVICE) {
        eprintln!("tidy: advice: {finding}");
    }
    let mut broken = findings(&sources, &RULES);
    broken.extend(layout::check(root())?);
    broken.extend(layers::check(&sources));
    if broken.is_empty() {
        eprintln!("tidy: {} files checked", sources.len());
        return Ok(());
    }
    Err(format!("tidy:\n  {}", broken.join("\n  ")))
}

/// Prints the import graph of each crate.
pub(crate) fn graph() -> Result<(), String> {
    print!("{}", layers::graph(&walk::sources()?));
    Ok(())
}

fn findings(sources: &[Source], rules: &[Rule]) -> Vec<String> {
    let named = |source: &Source, finding: Finding| {
        format!("{}:{}: {}", source.path, finding.line, finding.what)
    };
    let of_source = |source| {
        let found = rules.iter().flat_map(move |rule| rule(source));
        found
            .map(move |finding| named(source, finding))
            .collect::<Vec<_>>()
    };
    sources.iter().flat_map(of_source).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        assert_eq!(super::run(), Ok(()));
    }
}
