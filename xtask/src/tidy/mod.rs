//! Rules about our own source that no other tool checks. Each rule is a file: a pure function from
//! one source file, or from all of them, to its findings, tested with a planted defect.

mod doc_opening;
mod doc_paths;
mod doc_question;
mod examples;
mod figures;
mod finding;
mod folders;
mod function_length;
mod functions;
mod ignored;
mod layers;
mod layout;
mod length;
mod module_header;
mod names;
mod root_names;
mod sleep;
mod source;
mod test_code;
mod tokens;
mod transport;
mod tuple_assignment;
mod walk;
mod width;

use crate::package;
use crate::paths::root;
use finding::Finding;
use source::Source;

type Rule = fn(&Source) -> Vec<Finding>;

/// A rule that needs all files; its findings name their files themselves.
type WholeRule = fn(&[Source]) -> Vec<String>;

/// Broken, the check fails.
const RULES: [Rule; 10] = [
    module_header::check,
    ignored::check,
    sleep::check,
    transport::check,
    tuple_assignment::check,
    doc_opening::check,
    doc_question::check,
    examples::check,
    width::check,
    root_names::check,
];

/// Broken, the check fails.
const WHOLE_RULES: [WholeRule; 3] = [layers::check, names::check, folders::check];

/// Broken, a reader should look.
const ADVICE: [Rule; 2] = [length::check, function_length::check];

/// Checks every Rust file of the workspace.
pub(crate) fn run() -> Result<(), String> {
    let sources = walk::sources()?;
    for finding in findings(&sources, &ADVICE) {
        eprintln!("tidy: advice: {finding}");
    }
    let mut broken = findings(&sources, &RULES);
    broken.extend(WHOLE_RULES.iter().flat_map(|rule| rule(&sources)));
    broken.extend(layout::check(root())?);
    broken.extend(package::check(root())?);
    broken.extend(doc_paths::check(root(), &sources)?);
    if broken.is_empty() {
        let share = function_length::share(&sources);
        eprintln!("tidy: {} files checked, {share}", sources.len());
        return Ok(());
    }
    Err(format!("tidy:\n  {}", broken.join("\n  ")))
}

/// Prints the import graph of each crate.
pub(crate) fn graph() -> Result<(), String> {
    print!("{}", layers::graph(&walk::sources()?));
    Ok(())
}

/// Prints the figures of each crate and of all.
pub(crate) fn figures() -> Result<(), String> {
    print!("{}", figures::text(&walk::sources()?));
    Ok(())
}

fn findings(sources: &[Source], rules: &[Rule]) -> Vec<String> {
    sources
        .iter()
        .flat_map(|source| of_source(source, rules))
        .collect()
}

fn of_source(source: &Source, rules: &[Rule]) -> Vec<String> {
    let found = rules.iter().flat_map(|rule| rule(source));
    found
        .map(|finding| format!("{}:{}: {}", source.path, finding.line, finding.what))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        assert_eq!(super::run(), Ok(()));
    }
}
