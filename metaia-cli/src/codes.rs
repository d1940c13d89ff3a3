//! The stable codes that users meet, each with its meaning and what to do about it.

/// The place in which a code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodePlace {
    /// The exit code of a command.
    Exit,
    /// A refused handshake or CONNECT, and the list of `metaia refusals`.
    Connection,
    /// `rt:end`.
    End,
    /// `rt:reset`.
    Reset,
    /// The answer to an event of a client, and `rt:error`.
    Event,
    /// The reason for which a session ended, in the lists and the metrics of a server.
    Reason,
    /// A refused REST request.
    Rest,
    /// The status of an answer by HTTP.
    Http,
    /// A report of `metaia test` and `metaia expect`.
    Report,
    /// A check of `metaia doctor`.
    Doctor,
}

impl CodePlace {
    /// Returns the place that the table names.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "exit" => Self::Exit,
            "connection" => Self::Connection,
            "end" => Self::End,
            "reset" => Self::Reset,
            "event" => Self::Event,
            "reason" => Self::Reason,
            "rest" => Self::Rest,
            "http" => Self::Http,
            "report" => Self::Report,
            "doctor" => Self::Doctor,
            _ => return None,
        })
    }

    /// Returns the event that has such codes, if it is one.
    pub(crate) fn event(self) -> Option<&'static str> {
        match self {
            Self::End => Some("rt:end"),
            Self::Reset => Some("rt:reset"),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit code",
            Self::Connection => "in a refused connection",
            Self::End => "in rt:end",
            Self::Reset => "in rt:reset",
            Self::Event => "in an answer, or in rt:error",
            Self::Reason => "why a session ended",
            Self::Rest => "in a refused REST request",
            Self::Http => "a status of HTTP",
            Self::Report => "in a report of metaia test",
            Self::Doctor => "a check of metaia doctor",
        }
    }
}

/// One code.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) place: CodePlace,
    pub(crate) meaning: &'static str,
    /// Empty if there is nothing to do.
    pub(crate) cure: &'static str,
}

/// The table: a line for each code, in the order of their places.
const TABLE: &str = include_str!("codes.txt");

/// Returns all codes.
pub(crate) fn codes() -> impl Iterator<Item = Code> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(parse)
}

/// Reads `place | code | meaning | what to do`; the last may be missing.
fn parse(line: &'static str) -> Option<Code> {
    let mut cells = line.split('|').map(str::trim);
    Some(Code {
        place: CodePlace::of(cells.next()?)?,
        name: cells.next()?,
        meaning: cells.next()?,
        cure: cells.next().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the codes in the first column of the tables behind a heading or a line of a page.
    fn documented(page: &str, from: &str) -> Vec<String> {
        let start = page.find(from).unwrap();
        let table = page[start..]
            .lines()
            .skip(1)
            .skip_while(|line| !line.starts_with('|'));
        let rows = table.take_while(|line| line.starts_with('|'));
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .filter(|code| *code != "code")
            .map(str::to_owned)
            .collect()
    }

    #[track_caller]
    fn check(page: &str, from: &str, place: CodePlace) {
        let documented = documented(page, from);
        assert!(documented.len() > 3, "{from}: {documented:?}");
        for name in documented {
            let is_known = codes().any(|code| code.name == name && code.place == place);
            assert!(is_known, "{name} is not explained");
        }
    }

    #[test]
    fn each_documented_reason_is_explained() {
        let events = include_str!("../../docs/events.md");
        let reasons = documented(events, "| reason | cause |");
        assert!(reasons.contains(&"slow_consumer".to_owned()));
        for reason in reasons {
            assert!(codes().any(|code| code.name == reason), "{reason}");
        }
    }

    #[test]
    fn each_documented_code_is_explained() {
        let events = include_str!("../../docs/events.md");
        let operations = include_str!("../../docs/operations.md");
        check(events, "| code | means |", CodePlace::Event);
        check(events, "| reason | means |", CodePlace::Reset);
        check(operations, "| `code` | the client |", CodePlace::Connection);
    }

    #[test]
    fn each_line_of_the_table_is_a_code_and_none_is_there_twice() {
        let codes: Vec<Code> = codes().collect();
        assert_eq!(codes.len(), TABLE.lines().count() - 1);
        for (n, one) in codes.iter().enumerate() {
            let same = |other: &Code| other.name == one.name && other.place == one.place;
            assert!(!codes[..n].iter().any(same), "{}", one.name);
            assert!(!one.meaning.is_empty(), "{}", one.name);
        }
    }
}
