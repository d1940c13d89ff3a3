//! The words that choose what is measured.

/// The number of idle connections, unless another one is asked for.
const CONNECTIONS: usize = 100_000;

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Thousands of clients that connect at once.
    Storm,
    /// As many idle connections as asked.
    Idle,
}

/// The choice of what to measure: `[storm|idle] [--connections NUMBER]`.
#[derive(Debug)]
pub(super) struct Choice {
    /// The only part. Absent for all of them.
    only: Option<Part>,
    /// The number of idle connections.
    pub(super) connections: usize,
}

impl Choice {
    /// Parses the words. The error says which of them is wrong.
    pub(super) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut choice = Self {
            only: None,
            connections: CONNECTIONS,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "storm" => choice.only = Some(Part::Storm),
                "idle" => choice.only = Some(Part::Idle),
                "--connections" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    choice.connections = number.ok_or("--connections needs a number")?;
                }
                _ => return Err(format!("unknown argument `{word}`")),
            }
        }
        Ok(choice)
    }

    /// Returns whether a part is measured.
    pub(super) fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}
