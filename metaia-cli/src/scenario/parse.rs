//! Reads a scenario file into its document. What is wrong with it is said with its place.

use serde_saphyr::Error;

use super::document::Document;
use super::located::Located;
use super::steps::Step;
use crate::source_file::{FilePosition, Mistake, SourceFile};
use crate::suggestion;

/// Parses the file.
pub(super) fn parse(file: &SourceFile) -> Result<Document, Mistake> {
    serde_saphyr::from_str(&file.text).map_err(|error| mistake(&error, file))
}

/// Parses a file that has only steps, for `include`.
pub(super) fn parse_steps(file: &SourceFile) -> Result<Vec<Located<Step>>, Mistake> {
    serde_saphyr::from_str(&file.text).map_err(|error| mistake(&error, file))
}

fn mistake(error: &Error, file: &SourceFile) -> Mistake {
    let error = error.without_snippet();
    let position = error.location().map(FilePosition::from).unwrap_or_default();
    let position = file.with_bytes(position);
    let said = |message: String| Mistake::new(&position, message);
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => unknown(
            said(format!("there is no member `{field}` here")),
            field,
            expected,
        ),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => unknown(said(no_variant(variant, expected)), variant, expected),
        Error::SerdeMissingField { field, .. } => said(format!("the member `{field}` is missing")),
        Error::DuplicateMappingKey { key, .. } => {
            let name = key.as_deref().unwrap_or("this member");
            said(format!("`{name}` is given twice"))
        }
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => {
            said("a step has one verb".to_owned()).help("begin the next step with `- `")
        }
        other => no_yaml(said, &other.to_string()),
    }
}

/// Returns the mistake of a text that the parser refuses in its own words.
fn no_yaml(said: impl Fn(String) -> Mistake, text: &str) -> Mistake {
    let mistake = said(plain(text));
    if text.contains("parsing a flow") {
        return mistake.help("within { } a text with [ ] { } or a comma needs quotes");
    }
    mistake
}

fn no_variant(variant: &str, expected: &[&str]) -> String {
    let kind = if expected.contains(&"place") {
        "step"
    } else {
        "value"
    };
    format!("there is no {kind} `{variant}` here")
}

/// Adds the name that was probably meant, or all of them.
fn unknown(mistake: Mistake, name: &str, known: &[&'static str]) -> Mistake {
    match suggestion::nearest(name, known.iter().copied()) {
        Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
        None => mistake.help(format!("there are: {}", known.join(", "))),
    }
}

/// Words of YAML's own, and those that its readers use.
const WORDS: [(&str, &str); 3] = [
    ("mapping start", "a map, such as { as: buyer }"),
    ("string scalar", "a text"),
    ("sequence start", "a list"),
];

/// Returns a text of the parser in plain words, without the place at its end: the excerpt shows it.
fn plain(text: &str) -> String {
    let end = text.rfind(" at line ").unwrap_or(text.len());
    let mut text = text[..end].to_owned();
    if text.starts_with("budget breached") {
        return "this is too large, or too deeply nested, for a scenario".to_owned();
    }
    for (word, plain) in WORDS {
        text = text.replace(word, plain);
    }
    text
}
