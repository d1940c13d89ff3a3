//! The page `docs/access.md`: its rows, and the answer that each cell expects.

use metaia_tests::server::paths::package_path;

use super::people::{Column, Person, Relation};

/// The word between the answer to some and the answer to all others.
const OTHERWISE: &str = ", else ";

/// A row of one of the page's tables.
#[derive(Debug)]
pub(super) struct Row {
    /// The route, event or room.
    pub(super) name: String,
    /// The request, or the cause.
    pub(super) request: String,
    cells: Vec<Cell>,
}

/// An expectation: `200`, or `200 owner tailor, else 404`.
#[derive(Debug)]
struct Cell {
    some: Option<(String, Vec<Relation>)>,
    others: String,
}

/// Returns the rows of the table below this heading.
pub(super) fn rows(heading: &str) -> Vec<Row> {
    let path = package_path("../docs/access.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (_, section) = page
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("docs/access.md has no section {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut lines = section.lines().filter(|line| line.starts_with('|'));
    let columns = cells(lines.next().expect("a head"));
    assert_eq!(columns[2..], Column::ALL.map(Column::name), "{heading}");
    let rows: Vec<Row> = lines.skip(1).map(Row::parse).collect();
    assert!(!rows.is_empty(), "{heading}");
    rows
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_matches('|');
    inner.split('|').map(str::trim).collect()
}

impl Row {
    fn parse(line: &str) -> Self {
        let cells = cells(line);
        assert_eq!(cells.len(), 2 + Column::ALL.len(), "{line}");
        Self {
            name: cells[0].trim_matches('`').to_owned(),
            request: cells[1].replace('`', ""),
            cells: cells[2..].iter().map(|text| Cell::parse(text)).collect(),
        }
    }

    /// Returns the answer that a person is to get.
    pub(super) fn expected(&self, person: &Person) -> &str {
        let cell = &self.cells[person.column as usize];
        match &cell.some {
            Some((answer, relations)) if relations.contains(&person.relation) => answer,
            _ => &cell.others,
        }
    }

    /// Returns a mismatch as it is reported, if there is one.
    pub(super) fn mismatch(&self, person: &Person, got: &str) -> Option<String> {
        let expected = self.expected(person);
        let Self { name, request, .. } = self;
        let text = || format!("{name} ({request}) by {person}: expected {expected}, got {got}");
        (expected != got).then(text)
    }
}

impl Cell {
    fn parse(text: &str) -> Self {
        let Some((some, others)) = text.split_once(OTHERWISE) else {
            assert!(!text.contains(' ') && !text.is_empty(), "a cell: {text:?}");
            return Self {
                some: None,
                others: text.to_owned(),
            };
        };
        let mut words = some.split(' ');
        let answer = words.next().unwrap_or_default().to_owned();
        let relations = words.map(Relation::named).collect();
        Self {
            some: Some((answer, relations)),
            others: others.to_owned(),
        }
    }
}
