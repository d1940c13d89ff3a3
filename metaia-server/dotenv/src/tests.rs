//! The cases of `tests/fixtures/dotenv`, whose values npm's `dotenv` read: an end-to-end test asks
//! it again.

use std::{collections::BTreeMap, path::Path};

use proptest::prelude::*;

use crate::{parse, read_text};

const CASES: &str = include_str!("../../../tests/fixtures/dotenv/cases.json");

fn values(text: &str) -> BTreeMap<String, String> {
    let variables = parse(text).into_iter();
    variables
        .map(|variable| (variable.name, variable.value))
        .collect()
}

#[test]
fn each_text_is_read_as_npms_dotenv_reads_it() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 100);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        assert_eq!(serde_json::json!(values(text)), case["values"], "{text:?}");
    }
}

#[test]
fn a_variable_knows_its_line() {
    let variables = parse("# a\r\n\r\nA=1\rB='x\ny'\nexport\nC=2");
    let lines: Vec<_> = variables.iter().map(|v| (&*v.name, v.line)).collect();
    assert_eq!(lines, [("A", 3), ("B", 4), ("C", 7)]);
}

#[test]
fn no_value_is_shown() {
    let variables = parse("JWT_SECRET=hush");
    assert!(!format!("{variables:?}").contains("hush"));
}

#[test]
fn no_file_and_a_folder_are_empty() {
    assert_eq!(read_text(Path::new("no such file")).unwrap(), "");
    assert_eq!(read_text(Path::new(".")).unwrap(), "");
    assert_eq!(read_text(Path::new("/dev/null")).unwrap(), "");
}

#[test]
fn what_has_no_end_is_refused() {
    let refused = |path: &Path| read_text(path).unwrap_err().to_string();
    let zero = refused(Path::new("/dev/zero"));
    assert_eq!(zero, "it is a pipe or a device, not a file");
    let large = std::env::temp_dir().join(format!("metaia-dotenv-{}", std::process::id()));
    std::fs::write(&large, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert_eq!(refused(&large), "it is larger than 1 MiB");
    std::fs::remove_file(large).unwrap();
}

proptest! {
    #[test]
    fn no_text_panics(text in "[A=:'\"`#\\\\ \n\rne$\u{feff}\u{2028}é]{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_value_without_special_characters_is_read_as_it_is(value in "[!-!$-&(-_a-~]{1,60}") {
        let read = values(&format!("JWT_SECRET={value}"));
        prop_assert_eq!(&read["JWT_SECRET"], &value);
    }
}
