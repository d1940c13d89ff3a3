//! The instructions of the benchmark to a server, one line each.

use std::{error::Error, fmt, num::ParseIntError, ops::Range, str::FromStr};

/// A line of the benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// `everyone TIMES`: publish so many events at once, each of them to all clients.
    Everyone(usize),
    /// `users FIRST COUNT`: publish at once one event to each of these users.
    Users(Range<usize>),
}

/// A line that is no instruction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidInstruction(String);

impl fmt::Display for InvalidInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an instruction: {}", self.0)
    }
}

impl Error for InvalidInstruction {}

impl FromStr for Instruction {
    type Err = InvalidInstruction;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidInstruction(line.to_owned());
        let (kind, numbers) = line.split_once(' ').ok_or_else(invalid)?;
        let numbers: Result<Vec<usize>, ParseIntError> =
            numbers.split(' ').map(str::parse).collect();
        let numbers = numbers.map_err(|_| invalid())?;
        match (kind, numbers.as_slice()) {
            ("everyone", [times]) => Ok(Self::Everyone(*times)),
            ("users", [first, count]) => Ok(Self::Users(*first..first + count)),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read() {
        assert_eq!("everyone 4".parse(), Ok(Instruction::Everyone(4)));
        assert_eq!("users 64 32".parse(), Ok(Instruction::Users(64..96)));
    }

    #[test]
    fn other_lines_are_named() {
        for line in [
            "",
            "everyone",
            "everyone x",
            "everyone 1 2",
            "users 1",
            "stop 1",
        ] {
            let error = line.parse::<Instruction>().unwrap_err();
            assert_eq!(error.to_string(), format!("not an instruction: {line}"));
        }
    }
}
