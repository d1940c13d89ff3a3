//! The answer of the server in one cell.

/// The answer to one subject: whether it may, or whether an event reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CellValue {
    Allowed,
    /// HTTP 403, or a join that was refused.
    Forbidden,
    /// HTTP 404, or a list without the record.
    Hidden,
    /// HTTP 401, or a connection that was refused.
    Unauthorized,
    Received,
    /// No such event came.
    Nothing,
    /// It was not measured: the subject cannot do it at all, or the server has no such route.
    Absent,
    /// The server had no answer for this request at present (429, 5xx), in a few words.
    Unmeasured(String),
    /// An answer that is none of these, in a few words.
    Other(String),
}

/// The longest text of an unusual answer.
const OTHER_CHARS: usize = 40;

/// The mark that begins the text of an unusual answer.
const OTHER_MARK: char = '!';

/// The mark that begins the text of what could not be measured. No golden file has it.
const UNMEASURED_MARK: char = '?';

impl CellValue {
    /// Returns an unusual answer. Nothing in it acts on a terminal, or ends a cell of a file.
    pub(super) fn other(text: &str) -> Self {
        Self::Other(shortened(text))
    }

    pub(super) fn is_unmeasured(&self) -> bool {
        matches!(self, Self::Unmeasured(_))
    }

    /// Returns the answer to a request with this status and code. `tried` are the statuses by which
    /// a harmless request shows that the caller may make it.
    pub(super) fn of_status(status: u16, code: &str, tried: &[u16]) -> Self {
        match status {
            _ if tried.contains(&status) => Self::Allowed,
            200..300 => Self::Allowed,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::Hidden,
            // They tell about the server's state, and nothing about the caller.
            429 | 500.. => Self::Unmeasured(shortened(&format!("HTTP {status} {code}"))),
            _ => Self::other(&format!("HTTP {status} {code}")),
        }
    }

    /// Returns the word in files.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Allowed => "allowed".to_owned(),
            Self::Forbidden => "forbidden".to_owned(),
            Self::Hidden => "hidden".to_owned(),
            Self::Unauthorized => "unauthorized".to_owned(),
            Self::Received => "received".to_owned(),
            Self::Nothing => "nothing".to_owned(),
            Self::Absent => "-".to_owned(),
            Self::Unmeasured(text) => format!("{UNMEASURED_MARK} {text}"),
            Self::Other(text) => format!("{OTHER_MARK} {text}"),
        }
    }

    /// Returns the value of a word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "allowed" => Self::Allowed,
            "forbidden" => Self::Forbidden,
            "hidden" => Self::Hidden,
            "unauthorized" => Self::Unauthorized,
            "received" => Self::Received,
            "nothing" => Self::Nothing,
            "-" => Self::Absent,
            other => Self::other(other.strip_prefix(OTHER_MARK)?.trim()),
        })
    }

    /// Returns the mark in a table: at most four columns.
    pub(super) fn mark(&self) -> String {
        match self {
            Self::Allowed | Self::Received => "✓".to_owned(),
            Self::Forbidden => "403".to_owned(),
            Self::Hidden => "404".to_owned(),
            Self::Unauthorized => "401".to_owned(),
            Self::Nothing => "·".to_owned(),
            Self::Absent => "-".to_owned(),
            Self::Unmeasured(text) => format!("{UNMEASURED_MARK}{}", status_in(text)),
            Self::Other(text) => format!("{OTHER_MARK}{}", status_in(text)),
        }
    }
}

/// Returns the status in the text of an answer, or nothing.
fn status_in(text: &str) -> &str {
    let status = text.strip_prefix("HTTP ").and_then(|rest| rest.get(..3));
    status.unwrap_or_default()
}

fn shortened(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '|' || c == ' ';
    let text = text.chars().take(OTHER_CHARS);
    let text: String = text.map(|c| if is_plain(c) { c } else { '?' }).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let of = |status| CellValue::of_status(status, "code", &[412]);
        assert_eq!(of(201), CellValue::Allowed);
        assert_eq!(of(412), CellValue::Allowed);
        assert_eq!(of(401), CellValue::Unauthorized);
        assert_eq!(of(403), CellValue::Forbidden);
        assert_eq!(of(404), CellValue::Hidden);
        assert_eq!(of(409), CellValue::Other("HTTP 409 code".to_owned()));
        assert_eq!(of(409).mark(), "!409");
        assert_eq!(of(500).mark(), "?500");
        assert_eq!(of(429).word(), "? HTTP 429 code");
        assert!(of(429).is_unmeasured() && of(503).is_unmeasured());
        assert!(!of(409).is_unmeasured());
        // For this request, "not found" comes after the permission.
        assert_eq!(CellValue::of_status(404, "", &[404]), CellValue::Allowed);
    }

    proptest! {
        #[test]
        fn every_value_is_that_of_its_word(text in any::<String>()) {
            let other = CellValue::other(&text);
            prop_assert_eq!(CellValue::of_word(&other.word()), Some(other.clone()));
            let breaks_out = other.word().contains(['|', '\n', '\u{1b}']);
            prop_assert!(!breaks_out);
            prop_assert!(other.mark().chars().count() <= 4);
        }
    }

    #[test]
    fn every_usual_value_is_that_of_its_word() {
        for value in [
            CellValue::Allowed,
            CellValue::Forbidden,
            CellValue::Hidden,
            CellValue::Unauthorized,
            CellValue::Received,
            CellValue::Nothing,
            CellValue::Absent,
        ] {
            assert_eq!(CellValue::of_word(&value.word()), Some(value));
        }
        assert_eq!(CellValue::of_word("permitted"), None);
    }
}
