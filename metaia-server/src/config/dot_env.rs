//! `.env`, read as npm's `dotenv` reads it, and what the version before read differently.

use std::collections::{BTreeMap, BTreeSet};

/// The variables of a `.env` file.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    values: BTreeMap<String, String>,
    reread: Vec<Reread>,
}

/// A variable that has another value than in the version before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reread {
    pub(super) name: String,
    /// The line that it is in, or was in if it is no variable any more.
    line: usize,
    /// False if it is no variable any more.
    is_set: bool,
}

impl DotEnv {
    /// Reads the text of a `.env` file. The last of several lines for one name counts, as it did
    /// for the old backend.
    pub(super) fn parse(text: &str) -> Self {
        let mut values = BTreeMap::new();
        let mut lines = BTreeMap::new();
        for variable in metaia_dotenv::parse(text) {
            lines.insert(variable.name.clone(), variable.line);
            values.insert(variable.name, variable.value);
        }
        let changed = changed(&before(text), &values).into_iter();
        let reread = changed.map(|name| Reread {
            line: lines
                .get(&name)
                .copied()
                .unwrap_or_else(|| line_before(text, &name)),
            is_set: values.contains_key(&name),
            name,
        });
        Self {
            reread: reread.collect(),
            values,
        }
    }

    pub(super) const fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Returns what has another value than in the version before.
    pub(super) fn reread(&self) -> &[Reread] {
        &self.reread
    }
}

impl Reread {
    /// Describes it for the operator, without the value, which may be a secret.
    pub(super) fn notice(&self) -> String {
        let Self { name, line, .. } = self;
        if self.is_set {
            format!(
                ".env, line {line}: {name} has another value than in the version before: .env is \
                 read as npm's dotenv reads it, and no `$` is replaced. Check that it is the \
                 value that you mean"
            )
        } else {
            format!(
                ".env, line {line}: {name} is not set, which it was in the version before: .env \
                 is read as npm's dotenv reads it. Check that the line is not inside another value"
            )
        }
    }
}

/// The result of the earlier reader for a file.
struct Before {
    values: BTreeMap<String, String>,
    /// True if it could not read a line, because of which it did not start.
    was_refused: bool,
}

/// Reads a file as the version before did, which replaced `$NAME` in values.
fn before(text: &str) -> Before {
    let text = text.trim_start_matches('\u{feff}');
    let mut before = Before {
        values: BTreeMap::new(),
        was_refused: false,
    };
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        match line {
            Ok((name, value)) => {
                before.values.insert(name, value);
            }
            Err(_) => before.was_refused = true,
        }
    }
    before
}

/// Returns the number of the last line that sets a variable for the version before, which does not
/// say where it found one.
fn line_before(text: &str, name: &str) -> usize {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    let found = lines.iter().rposition(|line| is_assignment(line, name));
    found.map_or(lines.len(), |index| index + 1)
}

/// Returns whether the version before took a line for `NAME=…` or `export NAME=…`.
fn is_assignment(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let exported = line.strip_prefix("export").map(str::trim_start);
    [Some(line), exported].into_iter().flatten().any(|line| {
        let after_name = line.strip_prefix(name).map(str::trim_start);
        after_name.is_some_and(|rest| rest.starts_with('='))
    })
}

/// Returns the names whose values differ. A name that only the present version reads counts if the
/// version before started without it.
fn changed(before: &Before, now: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut names: BTreeSet<&String> = before.values.keys().collect();
    if !before.was_refused {
        names.extend(now.keys());
    }
    let differs = |name: &&String| before.values.get(*name) != now.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, usize)]) {
        let dot_env = DotEnv::parse(text);
        let reread = dot_env.reread().iter();
        let reread: Vec<_> = reread.map(|one| (&*one.name, one.line)).collect();
        assert_eq!(reread, expected, "{text}");
    }

    #[test]
    fn a_value_that_is_read_as_before_is_not_named() {
        check(
            "A=1\nexport B='a $b'\nC=\"x\\ny\" # c\nD=\n\nE='1\n2'\nF=a#b",
            &[("F", 8)],
        );
        check("A=1\nA=2\r\n# it's\nB=\"b\"", &[]);
    }

    #[test]
    fn a_value_that_is_read_differently_is_named_with_its_line() {
        check("A=1\n\nSECRET=abc$def\nB=x", &[("SECRET", 3)]);
        check("A=\"a$b c\"", &[("A", 1)]);
        check("A=1\nA=$A", &[("A", 2)]);
        check("A=a\\ b\nB=`b`", &[("A", 1), ("B", 2)]);
        check("A='1\nB=2'\nC='\nD=4\n", &[]);
    }

    #[test]
    fn a_line_that_the_version_before_refused_hides_no_other() {
        check("alias ll='ls -l'\nA=$x\nB=b c\nC: 1", &[("A", 2)]);
    }

    #[test]
    fn a_variable_that_only_the_version_before_read_is_named_with_its_line() {
        check("A=`1\nB=2`\nC=3", &[("A", 1), ("B", 2)]);
        check(
            "A=`1\r\nB=2\r\n\r\n  export B\t= 3\r\nBB=4`",
            &[("A", 1), ("B", 4), ("BB", 5)],
        );
        let dot_env = DotEnv::parse("\u{feff}A=`\nJWT_SECRET=hush`");
        let notice = dot_env.reread()[1].notice();
        let start = ".env, line 2: JWT_SECRET is not set, which it was in the version before";
        assert!(notice.starts_with(start), "{notice}");
        assert!(!notice.contains("hush"), "{notice}");
    }

    #[test]
    fn a_notice_does_not_show_the_value() {
        let dot_env = DotEnv::parse("JWT_SECRET=hush$hush");
        let notice = dot_env.reread()[0].notice();
        assert!(
            notice.starts_with(".env, line 1: JWT_SECRET has"),
            "{notice}"
        );
        assert!(!notice.contains("hush"), "{notice}");
    }
}
