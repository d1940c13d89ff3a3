//! The table for people: a row of marks for each act, in 80 columns, or with longer headings in
//! 120.

use console::measure_text_width;

use super::cell::CellValue;
use super::grid::{AccessGrid, AccessRow, CellDifference};
use crate::printer::Paint;

/// The columns that a table with long headings needs.
const WIDE: usize = 120;

/// The columns of the names of the rows.
const NAME_WIDTH: usize = 24;

/// The columns of a cell in a narrow table.
const NARROW_CELL: usize = 4;

const LEGEND: &str = "\
✓ may, or receives it   · receives nothing   401 not authorized   403 forbidden
404 hidden, as if it did not exist   - not measured   ? the server was busy
! another answer   anonymous: without a token   backend: with the API key
owner as tailor: the owner's user id in the role of a tailor";

const NARROW_LEGEND: &str = "\
anon: anonymous   own: owner   oth: other   cust: customer   tail: tailor
cour: courier   adm: admin   back: backend
own tail: owner as tailor   tail cust: tailor as customer";

/// Returns the table. Cells that differ are marked.
pub(super) fn table(
    grid: &AccessGrid,
    differences: &[CellDifference],
    columns: usize,
    paint: Paint,
) -> String {
    let is_wide = columns >= WIDE;
    let headings: Vec<[&str; 2]> = grid
        .subjects
        .iter()
        .map(|subject| {
            if is_wide {
                subject.wide_heading()
            } else {
                subject.narrow_heading()
            }
        })
        .collect();
    let widths: Vec<usize> = headings
        .iter()
        .map(|lines| lines.iter().map(|line| line.len()).max().unwrap_or(0))
        .map(|width| width.max(NARROW_CELL))
        .collect();
    let mut lines = Vec::new();
    for number in 0..2 {
        let cells = headings.iter().map(|heading| heading[number].to_owned());
        lines.push(paint.strong(&line("", cells, &widths)));
    }
    let mut section = "";
    for row in &grid.rows {
        if row.section != section {
            section = &row.section;
            lines.push(paint.name(section));
        }
        lines.push(row_line(row, grid, differences, &widths, paint));
    }
    lines.push(String::new());
    lines.push(LEGEND.to_owned());
    if !is_wide {
        lines.push(NARROW_LEGEND.to_owned());
    }
    lines.join("\n")
}

fn row_line(
    row: &AccessRow,
    grid: &AccessGrid,
    differences: &[CellDifference],
    widths: &[usize],
    paint: Paint,
) -> String {
    let cells = grid.subjects.iter().zip(&row.cells);
    let cells = cells.map(|(subject, cell)| {
        let differs = differences.iter().any(|one| one.is_at(row, *subject));
        painted(cell, differs, paint)
    });
    line(&row.name, cells, widths)
}

fn painted(cell: &CellValue, differs: bool, paint: Paint) -> String {
    let mark = cell.mark();
    match cell {
        _ if differs => paint.bad(&mark),
        CellValue::Allowed | CellValue::Received => paint.good(&mark),
        CellValue::Other(_) => paint.warn(&mark),
        _ => paint.dim(&mark),
    }
}

/// Returns a line: the name, then the cells in their columns.
fn line(name: &str, cells: impl Iterator<Item = String>, widths: &[usize]) -> String {
    let mut line = format!("{name:<NAME_WIDTH$}");
    for (cell, width) in cells.zip(widths) {
        let missing = width.saturating_sub(measure_text_width(&cell));
        line.push(' ');
        line.push_str(&cell);
        line.push_str(&" ".repeat(missing));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::grid::fixture::grid;
    use super::super::probes::PROBES;
    use super::super::subject::Subject;
    use super::*;

    #[test]
    fn a_narrow_table_has_short_headings() {
        insta::assert_snapshot!(table(&grid(), &[], 80, Paint::PLAIN), @"
                                 anon own  oth
                                           cust
        Rooms
        join the order's room    -    ✓    403
        Orders
        read the order           401  ✓    404
        place an order           401  !500 ✓

        ✓ may, or receives it   · receives nothing   401 not authorized   403 forbidden
        404 hidden, as if it did not exist   - not measured   ? the server was busy
        ! another answer   anonymous: without a token   backend: with the API key
        owner as tailor: the owner's user id in the role of a tailor
        anon: anonymous   own: owner   oth: other   cust: customer   tail: tailor
        cour: courier   adm: admin   back: backend
        own tail: owner as tailor   tail cust: tailor as customer
        ");
    }

    #[test]
    fn a_wide_table_has_long_headings() {
        insta::assert_snapshot!(table(&grid(), &[], 120, Paint::PLAIN), @"
                                 anonymous owner other
                                                 customer
        Rooms
        join the order's room    -         ✓     403
        Orders
        read the order           401       ✓     404
        place an order           401       !500  ✓

        ✓ may, or receives it   · receives nothing   401 not authorized   403 forbidden
        404 hidden, as if it did not exist   - not measured   ? the server was busy
        ! another answer   anonymous: without a token   backend: with the API key
        owner as tailor: the owner's user id in the role of a tailor
        ");
    }

    #[test]
    fn a_cell_that_differs_is_marked() {
        let mut found = grid();
        found.rows[1].cells[2] = CellValue::Allowed;
        let differences = grid().differences(&found);
        let coloured = table(&found, &differences, 80, Paint::COLOURED);
        assert!(coloured.contains(&Paint::COLOURED.bad("✓")), "{coloured}");
    }

    #[test]
    fn the_whole_table_fits_each_width() {
        let cells = vec![CellValue::other("HTTP 500"); Subject::ALL.len()];
        let rows = PROBES
            .iter()
            .map(|probe| AccessRow::new(probe.section, probe.name, cells.clone()));
        let whole = AccessGrid {
            subjects: Subject::ALL.to_vec(),
            rows: rows.collect(),
        };
        for columns in [80, 120] {
            for line in table(&whole, &[], columns, Paint::PLAIN).lines() {
                assert!(measure_text_width(line) <= columns, "{line}");
            }
        }
    }
}
