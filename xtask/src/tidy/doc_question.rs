//! Docs begin with a verb or with the thing that they describe, never with a question word: those
//! of functions, types, members and modules, in tests, too.

use super::finding::Finding;
use super::source::Source;

const QUESTIONS: [&str; 9] = [
    "What", "Who", "Whose", "Whom", "Whether", "Where", "When", "How", "Why",
];

const MARKS: [&str; 2] = ["///", "//!"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().map(str::trim_start).collect();
    let openings = (0..lines.len()).filter_map(|at| opening(&lines, at).map(|word| (at + 1, word)));
    let wrong = openings.filter(|(_, word)| QUESTIONS.contains(word));
    wrong.map(|(line, word)| finding(line, word)).collect()
}

fn finding(line: usize, word: &str) -> Finding {
    Finding::new(
        line,
        format!("docs begin with a verb or with what they describe, not with `{word}`"),
    )
}

/// Returns the first word of the docs that begin in line `at`.
fn opening<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    let mark = MARKS.into_iter().find(|mark| lines[at].starts_with(mark))?;
    let continues = at > 0 && lines[at - 1].starts_with(mark);
    if continues {
        return None;
    }
    let text = lines[at][mark.len()..].trim_start();
    let words = text.split(|c: char| !c.is_alphabetic());
    words.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_lines(path: &str, text: &str, expected: &[usize]) {
        let found = check(&Source::new(path, text));
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_question_is_found_above_any_item() {
        let file = "a/src/lib.rs";
        check_lines(
            file,
            "//! What it is.\n\n/// Whether.\nconst A: u8 = 1;",
            &[1, 3],
        );
        check_lines(file, "struct A {\n    /// How often.\n    a: u8,\n}", &[2]);
        check_lines(
            file,
            "/// Why's that?\nenum A {}\n/// Who\nfn a() {}",
            &[1, 3],
        );
        check_lines("tests/src/a.rs", "//!Where it is.", &[1]);
    }

    #[test]
    fn other_words_and_later_lines_are_fine() {
        let file = "a/src/lib.rs";
        check_lines(file, "/// A thing.\n/// What it does.\nstruct A;", &[]);
        check_lines(
            file,
            "/// Whatever.\nstruct A;\n/// Returns how.\nfn a() {}",
            &[],
        );
        check_lines(
            file,
            "// What follows is code.\n/// `What`.\nstruct A;",
            &[],
        );
    }
}
