//! The text about an event that nearly fits: what was expected and what came, member by member, in
//! columns, with carets under what differs.

mod cells;

use std::iter;

use console::{measure_text_width, truncate_str};

use super::expected::{Clause, Expectation};
use super::nearest::Nearest;
use super::received::Received;
use crate::printer::Paint;
use crate::terminal::one_line;
use cells::{Cell, cells};

const EXPECTED: &str = "expected  ";
const GOT: &str = "got       ";

impl Nearest {
    /// Returns the lines about this event, none wider than `width` columns if its texts allow it.
    ///
    /// `event` is the one at [`Nearest::index`].
    pub(crate) fn lines(
        &self,
        expectation: &Expectation,
        event: &Received,
        width: usize,
        paint: Paint,
    ) -> Vec<String> {
        let mut lines = columns(expectation, event, width, paint);
        lines.extend(self.suggestions());
        lines.extend(
            self.failed
                .iter()
                .filter_map(|clause| note(*clause, expectation, event)),
        );
        lines
    }

    fn suggestions(&self) -> impl Iterator<Item = String> {
        self.differences.iter().filter_map(|difference| {
            let near = difference.suggestion.as_ref()?;
            let (_, name) = difference.pointer.rsplit_once('/')?;
            let name = one_line(name);
            Some(format!(
                "no member `{name}`; did you mean `{}`?",
                one_line(near)
            ))
        })
    }
}

/// Returns the columns that fit the width, or the members that differ one below the other.
fn columns(expectation: &Expectation, event: &Received, width: usize, paint: Paint) -> Vec<String> {
    let name = name_cell(expectation, event);
    if expectation.matches.is_none() && !name.differs {
        return vec![payload_line(event, width)];
    }
    let all = expectation.matches.as_ref();
    let all = all.map_or_else(Vec::new, |matches| cells(matches, &event.data));
    let table = Table::new(&name, all.iter().collect(), all.len());
    if table.width() <= width {
        return table.lines(paint);
    }
    let differing: Vec<&Cell> = all.iter().filter(|cell| cell.differs).collect();
    let table = Table::new(&name, differing, all.len());
    if table.width() <= width {
        return table.lines(paint);
    }
    table.one_below_the_other(paint)
}

fn name_cell(expectation: &Expectation, event: &Received) -> Cell {
    let came = one_line(&event.event).into_owned();
    let expected = expectation.event.as_deref().map(one_line);
    let expected = expected.map_or_else(|| came.clone(), std::borrow::Cow::into_owned);
    Cell {
        name: String::new(),
        differs: expected != came,
        expected,
        got: came,
    }
}

/// Returns the event with as much of its payload as there is space for.
fn payload_line(event: &Received, width: usize) -> String {
    let mut payload = event.data.clone();
    if let Some(members) = payload.as_object_mut() {
        members.remove("_rt");
    }
    let line = format!("{GOT}{} {payload}", event.event);
    truncate_str(&one_line(&line), width, "…").into_owned()
}

/// Returns a sentence about a clause that no column shows.
fn note(clause: Clause, expectation: &Expectation, event: &Received) -> Option<String> {
    match clause {
        Clause::Event | Clause::Match => None,
        Clause::About => {
            let order = expectation.about.as_deref().unwrap_or_default();
            Some(format!("it does not concern order {}", one_line(order)))
        }
        Clause::Replayed if event.replayed => {
            Some("it was missed and replayed, not live".to_owned())
        }
        Clause::Replayed => Some("it came live, not replayed".to_owned()),
        Clause::Condition => {
            let condition = expectation.condition.as_ref()?.to_string();
            Some(format!("`{}` is false for it", one_line(&condition)))
        }
    }
}

/// The name of the event and some of the members.
struct Table<'a> {
    name: &'a Cell,
    cells: Vec<&'a Cell>,
    /// The number of members that are expected, also those that are not shown.
    all: usize,
}

impl<'a> Table<'a> {
    fn new(name: &'a Cell, cells: Vec<&'a Cell>, all: usize) -> Self {
        Self { name, cells, all }
    }

    fn width(&self) -> usize {
        let lines = [self.line(EXPECTED, expected), self.line(GOT, got)];
        let widths = lines.iter().map(|line| measure_text_width(line));
        widths.max().unwrap_or_default()
    }

    fn lines(&self, paint: Paint) -> Vec<String> {
        let mut lines = vec![self.line(EXPECTED, expected), self.line(GOT, got)];
        let carets = self.carets();
        if !carets.is_empty() {
            lines.push(paint.bad(&carets));
        }
        lines
    }

    fn line(&self, label: &str, text: fn(&Cell) -> &str) -> String {
        let mut line = format!("{label}{}", padded(text(self.name), self.name.width()));
        if self.all == 0 {
            return line.trim_end().to_owned();
        }
        let is_value = matches!(self.cells[..], [cell] if cell.name.is_empty());
        let last = self.cells.len().saturating_sub(1);
        let shown = self.cells.iter().enumerate().map(|(index, cell)| {
            let text = text(cell);
            let comma = if index == last { "" } else { "," };
            padded(
                &format!("{}{text}{comma}", cell.label()),
                cell.columns() + comma.len(),
            )
        });
        let shown: Vec<String> = shown.collect();
        line.push(' ');
        line.push_str(&if is_value {
            shown.join(" ")
        } else {
            format!("{{ {}{} }}", self.hidden(), shown.join(" "))
        });
        line.trim_end().to_owned()
    }

    /// Stands for the members that fit and are not shown.
    fn hidden(&self) -> &'static str {
        if self.cells.len() < self.all {
            "… "
        } else {
            ""
        }
    }

    fn carets(&self) -> String {
        let is_value = matches!(self.cells[..], [cell] if cell.name.is_empty());
        let opening = if is_value { 1 } else { 3 } + measure_text_width(self.hidden());
        let mut carets = " ".repeat(GOT.len());
        carets.push_str(&padded(&self.name.carets(), self.name.width() + opening));
        for cell in &self.cells {
            carets.push_str(&" ".repeat(measure_text_width(&cell.label())));
            carets.push_str(&padded(&cell.carets(), cell.width() + ", ".len()));
        }
        carets.trim_end().to_owned()
    }

    fn one_below_the_other(&self, paint: Paint) -> Vec<String> {
        let name = self.cells.iter().map(|cell| measure_text_width(&cell.name));
        let name = name.max().unwrap_or_default();
        let expected = self
            .cells
            .iter()
            .map(|cell| measure_text_width(&cell.expected));
        let expected = expected.max().unwrap_or_default();
        let count = self.cells.len();
        let title = format!("{}: {count} of {} members differ", self.name.got, self.all);
        let rows = self.cells.iter().map(|cell| {
            let name = padded(&cell.name, name);
            let wanted = padded(&cell.expected, expected);
            format!("  {name}  expected {wanted}  got {}", paint.bad(&cell.got))
        });
        iter::once(title).chain(rows).collect()
    }
}

fn expected(cell: &Cell) -> &str {
    &cell.expected
}

fn got(cell: &Cell) -> &str {
    &cell.got
}

/// Returns the text with blanks behind it.
fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(measure_text_width(text));
    text.to_owned() + &" ".repeat(blanks)
}

#[cfg(test)]
mod tests;
