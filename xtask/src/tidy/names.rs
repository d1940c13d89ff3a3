//! Names that say what a thing is: no drawers for files, and one name for one type of a crate.

use std::collections::BTreeMap;

use super::source::Source;

const DRAWERS: [&str; 4] = ["/utils.rs", "/helpers.rs", "/common.rs", "/util/mod.rs"];

/// Names that several types of a crate may have: the arguments and subcommands of each command (as
/// clap's own documentation names them), and the subject and the clauses of each contract suite,
/// which are used by the path of their suite.
const REPEATED: [&str; 4] = ["Args", "Command", "Subject", "Clause"];

const DEFINING: [&str; 3] = ["struct", "enum", "trait"];

/// A name, a file, a line.
type Definition<'a> = (&'a str, &'a str, usize);

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut found: Vec<String> = sources.iter().filter_map(drawer).collect();
    found.extend(sources.iter().flat_map(patience));
    found.extend(second_types(sources));
    found
}

fn drawer(source: &Source) -> Option<String> {
    let is_drawer = DRAWERS.iter().any(|drawer| source.path.ends_with(drawer));
    is_drawer.then(|| format!("{}: name the file by what is in it", source.path))
}

fn patience(source: &Source) -> Vec<String> {
    let tokens = source.live_tokens();
    let pairs = tokens
        .windows(2)
        .filter(|pair| pair[0].is_one_of(&["const", "static"]));
    let named = pairs.filter(|pair| pair[1].is("PATIENCE"));
    named
        .map(|pair| {
            format!(
                "{}:{}: name it …_TIMEOUT, by its use",
                source.path, pair[1].line
            )
        })
        .collect()
}

/// Returns a finding for each but the first definition of such a name in a crate.
fn second_types(sources: &[Source]) -> Vec<String> {
    let mut first: BTreeMap<(&str, &str), String> = BTreeMap::new();
    let mut found = Vec::new();
    for (name, path, line) in sources.iter().flat_map(definitions) {
        let place = format!("{path}:{line}");
        let known = first
            .entry((crate_of(path), name))
            .or_insert_with(|| place.clone());
        if *known != place {
            found.push(format!("{place}: a second type `{name}`, see {known}"));
        }
    }
    found
}

fn definitions(source: &Source) -> Vec<Definition<'_>> {
    let tokens = source.live_tokens();
    let mut depth = 0usize;
    let mut found = Vec::new();
    for pair in tokens.windows(2) {
        depth += usize::from(pair[0].is("{"));
        depth = depth.saturating_sub(usize::from(pair[0].is("}")));
        // A `type` in braces belongs to a trait, which gave it its name.
        let defines = pair[0].is_one_of(&DEFINING) || (depth == 0 && pair[0].is("type"));
        // `type` can also be a word of an attribute, and names begin with a capital letter.
        let is_name = pair[1]
            .text
            .starts_with(|first: char| first.is_ascii_uppercase());
        if defines && is_name && !pair[1].is_one_of(&REPEATED) {
            found.push((pair[1].text, source.path.as_str(), pair[1].line));
        }
    }
    found
}

fn crate_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawer_is_found() {
        let found = check(&[
            Source::new("a/src/util/mod.rs", ""),
            Source::new("a/src/b.rs", ""),
        ]);
        assert_eq!(found, ["a/src/util/mod.rs: name the file by what is in it"]);
    }

    #[test]
    fn patience_is_found() {
        let text =
            "// const PATIENCE\n#[cfg(test)] const PATIENCE: u8 = 1;\nconst PATIENCE: u8 = 1;";
        let found = check(&[Source::new("a/src/b.rs", text)]);
        assert_eq!(found, ["a/src/b.rs:3: name it …_TIMEOUT, by its use"]);
    }

    #[test]
    fn a_second_type_of_a_name_is_found() {
        let found = check(&[
            Source::new("a/src/b.rs", "struct State; struct StateOfAll;"),
            Source::new(
                "a/src/c.rs",
                "#[cfg(test)] mod tests { enum State {} }\nenum State {}",
            ),
            Source::new("d/src/b.rs", "type State = u8; impl E { type State = (); }"),
        ]);
        assert_eq!(
            found,
            ["a/src/c.rs:2: a second type `State`, see a/src/b.rs:1"]
        );
    }

    #[test]
    fn each_command_may_have_its_arguments() {
        let found = check(&[
            Source::new(
                "a/src/b.rs",
                "struct Args {} macro_rules! m { (struct $name:ident) => {} }",
            ),
            Source::new("a/src/c.rs", "struct Args {}"),
        ]);
        assert_eq!(found, <Vec<String>>::new());
    }
}
