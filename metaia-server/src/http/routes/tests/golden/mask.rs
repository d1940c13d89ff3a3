//! Replaces what differs from run to run by its kind and a number: equal values get equal numbers.
//! Times get none, because two of them may be equal by chance.

use std::collections::HashMap;

/// The kinds of values with a fixed shape. In a shape `0` is a digit, `f` a hex digit and `A` a
/// digit or upper-case letter.
const SHAPES: [(&str, &str); 3] = [
    (TIME, "0000-00-00T00:00:00.000Z"),
    ("number", "MT-000000-AAAAAA"),
    ("position", "ffffffffffffffff-ffffffff"),
];

const TIME: &str = "time";

/// The length of the shortest run of hex digits that is an id.
const MIN_ID_CHARS: usize = 24;

/// The values that were replaced so far.
#[derive(Debug, Default)]
pub(super) struct Mask {
    numbers: HashMap<String, usize>,
}

impl Mask {
    /// Returns the text with each value replaced.
    pub(super) fn apply(&mut self, text: &str) -> String {
        let mut masked = String::new();
        let mut rest = text;
        let mut is_inside_word = false;
        while let Some(next) = rest.chars().next() {
            let found = if is_inside_word { None } else { value_at(rest) };
            let taken = match found {
                Some((kind, length)) => {
                    let value = &rest[..length];
                    masked.push_str(&self.name_of(&kind, value));
                    length
                }
                None => {
                    masked.push(next);
                    next.len_utf8()
                }
            };
            is_inside_word = next.is_ascii_alphanumeric();
            rest = &rest[taken..];
        }
        masked
    }

    fn name_of(&mut self, kind: &str, value: &str) -> String {
        if kind == TIME {
            return format!("<{kind}>");
        }
        let next = self.numbers.len() + 1;
        let number = self.numbers.entry(value.to_owned()).or_insert(next);
        format!("<{kind} {number}>")
    }
}

/// Returns the kind and the length of the value that the text begins with.
fn value_at(text: &str) -> Option<(String, usize)> {
    for (kind, shape) in SHAPES {
        if has_shape(text, shape) && ends_at(text, shape.len()) {
            return Some((kind.to_owned(), shape.len()));
        }
    }
    let digits = text.bytes().take_while(|&b| is_hex(b)).count();
    if digits >= MIN_ID_CHARS && ends_at(text, digits) {
        Some((format!("hex{digits}"), digits))
    } else {
        None
    }
}

fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'f' => is_hex(byte),
        b'A' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        literal => byte == literal,
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

fn ends_at(text: &str, length: usize) -> bool {
    let next = text.as_bytes().get(length);
    next.is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[test]
fn equal_values_get_equal_numbers_and_short_ones_stay() {
    let id = "0123456789abcdef01234567";
    let other = "1123456789abcdef01234567";
    let text = format!(
        "{id} x{id} order-{other} {id} c1 MT-261123-K7Q2ZD 2026-01-31T09:30:00.000Z \
         {}-{}.7",
        "0".repeat(16),
        "f".repeat(8)
    );
    assert_eq!(
        Mask::default().apply(&text),
        format!("<hex24 1> x{id} order-<hex24 2> <hex24 1> c1 <number 3> <time> <position 4>.7")
    );
}
