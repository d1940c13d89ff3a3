//! The words of a command line that choose what is measured.

/// The choice of what to measure: `[--quick] [--only SERVER,…] [--pattern PATTERN,…]`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Choice {
    /// True for a short run.
    pub is_quick: bool,
    /// The names of the servers. None are named: all of them.
    pub servers: Vec<String>,
    /// The names of the patterns. None are named: all of them.
    pub patterns: Vec<String>,
}

impl Choice {
    /// Parses the words. Each name must be among the known ones.
    ///
    /// # Errors
    /// Returns what is wrong with the first word that is not understood.
    pub fn parse(words: &[&str], servers: &[&str], patterns: &[&str]) -> Result<Self, String> {
        let mut choice = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--quick" => choice.is_quick = true,
                "--only" => choice.servers = names(word, words.next(), servers)?,
                "--pattern" => choice.patterns = names(word, words.next(), patterns)?,
                _ => return Err(format!("unknown argument `{word}`")),
            }
        }
        Ok(choice)
    }

    /// Returns whether a server is measured.
    #[must_use]
    pub fn has_server(&self, name: &str) -> bool {
        has(&self.servers, name)
    }

    /// Returns whether a pattern is measured.
    #[must_use]
    pub fn has_pattern(&self, name: &str) -> bool {
        has(&self.patterns, name)
    }
}

fn has(chosen: &[String], name: &str) -> bool {
    chosen.is_empty() || chosen.iter().any(|one| one == name)
}

fn names(option: &str, list: Option<&&str>, known: &[&str]) -> Result<Vec<String>, String> {
    let all = known.join(", ");
    let list = list.ok_or_else(|| format!("{option} needs names, separated by commas: {all}"))?;
    let check = |name: &str| {
        if known.contains(&name) {
            return Ok(name.to_owned());
        }
        Err(format!("{option}: `{name}` is not one of {all}"))
    };
    list.split(',').map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Choice, String> {
        Choice::parse(words, &["memory", "floor"], &["fan-out", "idle"])
    }

    #[test]
    fn without_words_everything_is_measured() {
        let choice = parse(&[]).unwrap();
        assert!(!choice.is_quick);
        assert!(choice.has_server("memory"));
        assert!(choice.has_pattern("idle"));
    }

    #[test]
    fn names_narrow_it_down() {
        let choice = parse(&["--only", "memory", "--quick", "--pattern", "idle,fan-out"]).unwrap();
        assert!(choice.is_quick);
        assert!(choice.has_server("memory"));
        assert!(!choice.has_server("floor"));
        assert_eq!(choice.patterns, ["idle", "fan-out"]);
    }

    #[test]
    fn each_mistake_is_named() {
        let check = |words: &[&str], expected: &str| {
            assert_eq!(parse(words), Err(expected.to_owned()));
        };
        check(&["memory"], "unknown argument `memory`");
        check(
            &["--only"],
            "--only needs names, separated by commas: memory, floor",
        );
        check(
            &["--only", "memory,node"],
            "--only: `node` is not one of memory, floor",
        );
        check(
            &["--pattern", ""],
            "--pattern: `` is not one of fan-out, idle",
        );
    }
}
