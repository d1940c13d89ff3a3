//! The tables of settings in `docs/` name every setting with its default.

use super::{Sources, load, reader::Setting};

/// The table of all settings.
const EVENTS: &str = include_str!("../../../docs/events.md");
/// The table of the settings of several nodes.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// Returns the names and the defaults in a table: the first two cells of each row.
fn table(text: &str, heading: &str) -> Vec<(String, String)> {
    let (_, section) = text.split_once(heading).unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let mut cells = row.split('|').skip(1);
        let names = cells.next().unwrap().replace("**G**", "");
        let names = names.replace(['`', ' '], "");
        let default = cells.next().unwrap_or_default().replace('`', "");
        with_defaults(&names, default.trim())
    })
    .collect()
}

/// Pairs the names of one row with their defaults: as many, or one text for all.
fn with_defaults(names: &str, default: &str) -> Vec<(String, String)> {
    let names: Vec<&str> = names.split(',').collect();
    let defaults: Vec<&str> = default.split(", ").collect();
    let pair = |(n, name): (usize, &&str)| {
        let own = if names.len() == defaults.len() {
            defaults[n]
        } else {
            default
        };
        ((*name).to_owned(), own.to_owned())
    };
    names.iter().enumerate().map(pair).collect()
}

/// Returns the default of a setting if it has a fixed one.
fn fixed_default<'a>(settings: &'a [Setting], name: &str) -> Option<&'a str> {
    let setting = settings.iter().find(|setting| setting.name == name);
    let shown = setting
        .unwrap_or_else(|| panic!("{name} is no setting"))
        .shown
        .as_str();
    let is_described = shown == "-" || shown.contains(' ');
    (!is_described).then_some(shown)
}

#[track_caller]
fn check(settings: &[Setting], name: &str, documented: &str) {
    if let Some(default) = fixed_default(settings, name) {
        let word = documented.split(' ').next();
        assert_eq!(word, Some(default), "{name}: {documented}");
    }
}

#[test]
fn the_table_of_all_settings_has_each_with_its_default() {
    let settings = load(Sources::default()).settings;
    let documented = table(EVENTS, "\n## Settings\n");
    for (name, default) in &documented {
        check(&settings, name, default);
    }
    let mut names: Vec<&str> = documented.iter().map(|(name, _)| name.as_str()).collect();
    let mut expected: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

/// A row without a default leaves it to the table of all settings.
#[test]
fn the_table_of_several_nodes_has_the_same_defaults() {
    let settings = load(Sources::default()).settings;
    for (name, default) in table(OPERATIONS, "\n## Settings of several nodes\n") {
        if !default.is_empty() && !name.ends_with('…') {
            check(&settings, &name, &default);
        }
    }
}

#[test]
fn the_table_of_limits_has_the_rate_of_rest() {
    let rate = super::limits::ServerLimits::default().rest_per_s;
    let documented = format!("| {rate} per second, {} at once;", rate.get() * 2);
    assert!(EVENTS.contains(&documented), "{documented}");
}
