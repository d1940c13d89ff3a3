//! The members of an expected value beside what came, as short texts.

use console::measure_text_width;
use serde_json::Value;

use crate::expectation::subset::fits;
use crate::terminal::one_line;

/// The columns of a value, at most.
const VALUE_WIDTH: usize = 32;

/// The characters before the first difference that are shown of a long value.
const BEFORE_DIFFERENCE: usize = 8;

const ABSENT: &str = "(absent)";

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// `a.b` or `items[0].price`; empty for the whole value.
    pub(super) name: String,
    pub(super) expected: String,
    pub(super) got: String,
    pub(super) differs: bool,
}

impl Cell {
    /// Returns the text before the value.
    pub(super) fn label(&self) -> String {
        if self.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.name)
        }
    }

    /// Returns the columns of the wider value.
    pub(super) fn width(&self) -> usize {
        measure_text_width(&self.expected).max(measure_text_width(&self.got))
    }

    /// Returns the columns with the label.
    pub(super) fn columns(&self) -> usize {
        measure_text_width(&self.label()) + self.width()
    }

    /// Returns what stands below the value that came.
    pub(super) fn carets(&self) -> String {
        if self.differs {
            "^".repeat(measure_text_width(&self.got).max(1))
        } else {
            String::new()
        }
    }
}

/// Returns the expected members in their order, those of members in place of these.
pub(super) fn cells(expected: &Value, got: &Value) -> Vec<Cell> {
    let mut found = Vec::new();
    collect("", expected, Some(got), &mut found);
    found
}

fn collect(name: &str, expected: &Value, got: Option<&Value>, found: &mut Vec<Cell>) {
    match (expected, got) {
        (Value::Object(members), Some(Value::Object(came))) if !members.is_empty() => {
            for (member, expected) in members {
                collect(&joined(name, member), expected, came.get(member), found);
            }
        }
        (Value::Array(items), Some(Value::Array(came)))
            if items.len() == came.len() && !items.is_empty() =>
        {
            for (index, (expected, got)) in items.iter().zip(came).enumerate() {
                collect(&format!("{name}[{index}]"), expected, Some(got), found);
            }
        }
        (expected, got) => found.push(cell(name, expected, got)),
    }
}

fn joined(name: &str, member: &str) -> String {
    let member = one_line(member);
    if name.is_empty() {
        member.into_owned()
    } else {
        format!("{name}.{member}")
    }
}

fn cell(name: &str, expected: &Value, got: Option<&Value>) -> Cell {
    // Quotes around one of two texts would look like a difference.
    let quoted = is_quoted(expected) || got.is_some_and(is_quoted);
    let wanted = text(expected, quoted);
    let came = got.map_or_else(|| ABSENT.to_owned(), |got| text(got, quoted));
    let start = cut_start(&wanted, &came);
    Cell {
        name: name.to_owned(),
        expected: cut(&wanted, start),
        got: cut(&came, start),
        differs: !got.is_some_and(|got| fits(expected, got)),
    }
}

/// Returns the value as it is written in a scenario.
fn text(value: &Value, quoted: bool) -> String {
    match value {
        Value::String(text) if !quoted => text.clone(),
        _ => one_line(&value.to_string()).into_owned(),
    }
}

/// Returns whether the value is a text that could be taken for something else.
fn is_quoted(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !is_plain(text))
}

fn is_plain(text: &str) -> bool {
    let is_other = serde_json::from_str::<Value>(text).is_ok();
    let mut characters = text.chars();
    let is_word = characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    // A text of combining characters alone has no columns.
    measure_text_width(text) > 0 && is_word && !is_other
}

/// Returns the number of characters that are left out at the beginning of two long values, so that
/// their first difference is shown.
fn cut_start(one: &str, other: &str) -> usize {
    let fits = |text: &str| measure_text_width(text) <= VALUE_WIDTH;
    if fits(one) && fits(other) {
        return 0;
    }
    let pairs = one.chars().zip(other.chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    if same < VALUE_WIDTH / 2 || one == other {
        return 0;
    }
    same - BEFORE_DIFFERENCE
}

/// Returns the part of the text from this character on that fits the column.
fn cut(text: &str, start: usize) -> String {
    let mut cut = String::new();
    if start > 0 {
        cut.push('…');
    }
    for c in text.chars().skip(start) {
        // A place is left for the mark of the end.
        if measure_text_width(&cut) + measure_text_width(c.encode_utf8(&mut [0; 4])) >= VALUE_WIDTH
        {
            cut.push('…');
            return cut;
        }
        cut.push(c);
    }
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::expectation::filter::any_json;
    use crate::expectation::subset::differences;

    #[test]
    fn a_text_has_quotes_only_if_it_needs_them() {
        let values = json!([
            "ready",
            "6b0c05aa",
            "12",
            "a b",
            "true",
            "",
            "\u{112e3}",
            12,
            null
        ]);
        let texts: Vec<String> = values
            .as_array()
            .unwrap()
            .iter()
            .map(|value| text(value, is_quoted(value)))
            .collect();
        let expected =
            "ready | 6b0c05aa | \"12\" | \"a b\" | \"true\" | \"\" | \"\u{112e3}\" | 12 | null";
        assert_eq!(texts.join(" | "), expected);
    }

    #[test]
    fn long_values_are_cut_where_they_differ() {
        let long = |end: &str| json!("a".repeat(100) + end);
        let cell = cell("x", &long("one and more of it"), Some(&long("two")));
        insta::assert_snapshot!(format!("{}\n{}", cell.expected, cell.got), @r#"
        …aaaaaaaaone and more of it"
        …aaaaaaaatwo"
        "#);
        let cell = super::cell("x", &json!("日本".repeat(20)), None);
        assert!(measure_text_width(&cell.expected) <= VALUE_WIDTH);
    }

    proptest! {
        #[test]
        fn each_difference_is_in_a_cell(one in any_json(), other in any_json()) {
            let differing = cells(&one, &other).iter().filter(|cell| cell.differs).count();
            prop_assert_eq!(differing, differences(&one, &other).len());
        }

        #[test]
        fn no_value_is_wider_than_its_column(one in any_json(), other in any_json()) {
            for cell in cells(&one, &other) {
                prop_assert!(cell.width() <= VALUE_WIDTH);
            }
        }
    }
}
