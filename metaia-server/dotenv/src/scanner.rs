//! Finds assignments as the regular expression of npm's `dotenv` does:
//!
//! ```text
//! /(?:^|^)\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)
//!  (\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?
//!  \s*(?:#.*)?(?:$|$)/mg
//! ```
//!
//! Each function is a part of it. Where the expression goes back and tries again, the function says
//! what it tries.

/// The characters of a text, with `\n` as the only end of a line that Windows and old Macs have.
pub(crate) struct Scanner(Vec<char>);

/// An assignment.
pub(crate) struct KeyValue {
    pub(crate) name: String,
    /// The value as it is written, with its quotes and with blanks around it.
    pub(crate) written: String,
    pub(crate) line: usize,
    /// The place after it, and after the comment that follows it.
    pub(crate) end: usize,
}

impl Scanner {
    pub(crate) fn new(text: &str) -> Self {
        Self(
            text.replace("\r\n", "\n")
                .replace('\r', "\n")
                .chars()
                .collect(),
        )
    }

    /// Returns the first beginning of a line at this place or after it.
    pub(crate) fn line_start(&self, from: usize) -> Option<usize> {
        let is_start = |at: &usize| *at == 0 || is_line_end(self.0[at - 1]);
        (from..=self.0.len()).find(is_start)
    }

    /// Reads the assignment that begins at the beginning of a line. Blank lines before it are
    /// skipped.
    pub(crate) fn assignment(&self, line_start: usize) -> Option<KeyValue> {
        let start = self.skip_blanks(line_start);
        // `export` before a name is skipped; without a name behind it, it is the name.
        let exported = self.after_export(start);
        let exported = exported.and_then(|name| self.named(name));
        exported.or_else(|| self.named(start))
    }

    /// Returns the place behind `export` and blanks.
    fn after_export(&self, start: usize) -> Option<usize> {
        let rest = self.0.get(start..)?;
        if !rest.iter().copied().take(6).eq("export".chars()) {
            return None;
        }
        let name = self.skip_blanks(start + 6);
        (name > start + 6).then_some(name)
    }

    /// Reads an assignment from its name on.
    fn named(&self, start: usize) -> Option<KeyValue> {
        let end = self.skip_while(start, is_name);
        if end == start {
            return None;
        }
        let (written, end_of_all) = self.value(self.after_operator(end)?);
        Some(KeyValue {
            name: self.text(start, end),
            written,
            line: 1 + self.0[..start].iter().filter(|c| **c == '\n').count(),
            end: end_of_all,
        })
    }

    /// Returns the place behind `=`, before which there may be blanks, or behind `:` and a blank.
    fn after_operator(&self, name_end: usize) -> Option<usize> {
        let operator = self.skip_blanks(name_end);
        if self.at(operator) == Some('=') {
            return Some(operator + 1);
        }
        let is_colon = self.at(name_end) == Some(':');
        let blank = self.at(name_end + 1).is_some_and(is_blank);
        (is_colon && blank).then_some(name_end + 2)
    }

    /// Reads a value: in quotes, otherwise up to the first `#` or the end of the line.
    fn value(&self, start: usize) -> (String, usize) {
        let quote = self.skip_blanks(start);
        if let Some((end, end_of_all)) = self.quoted(quote) {
            return (self.text(start, end), end_of_all);
        }
        let end = self.skip_while(start, |c| c != '#' && c != '\n');
        (self.text(start, end), self.rest_of_line(end).unwrap_or(end))
    }

    /// Reads a value in quotes, whose end is followed by nothing but a comment.
    ///
    /// It ends with the first quote that has no backslash before it. If other text follows that
    /// one, or if there is none, one with a backslash may be the end: the last of them first.
    fn quoted(&self, start: usize) -> Option<(usize, usize)> {
        let quote = self.at(start).filter(|c| is_quote(*c))?;
        let mut ends = Vec::new();
        for at in start + 1..self.0.len() {
            if self.0[at] == quote {
                ends.push(at + 1);
                if self.0[at - 1] != '\\' {
                    break;
                }
            }
        }
        ends.into_iter()
            .rev()
            .find_map(|end| Some((end, self.rest_of_line(end)?)))
    }

    /// Returns the end of the line, or of a comment, if only blanks precede it. Blank lines are
    /// skipped.
    fn rest_of_line(&self, start: usize) -> Option<usize> {
        let end = self.skip_blanks(start);
        match self.at(end) {
            None => Some(end),
            Some('#') => Some(self.skip_while(end, |c| !is_line_end(c))),
            Some(_) => (start..end).rev().find(|at| is_line_end(self.0[*at])),
        }
    }

    fn at(&self, place: usize) -> Option<char> {
        self.0.get(place).copied()
    }

    fn skip_blanks(&self, from: usize) -> usize {
        self.skip_while(from, is_blank)
    }

    fn skip_while(&self, from: usize, is_skipped: impl Fn(char) -> bool) -> usize {
        let rest = self.0.iter().skip(from);
        from + rest.take_while(|c| is_skipped(**c)).count()
    }

    fn text(&self, start: usize, end: usize) -> String {
        self.0[start..end].iter().collect()
    }
}

/// Returns whether JavaScript counts a character as white space. It counts the byte order mark, and
/// the ends of lines.
pub(crate) fn is_blank(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Returns whether JavaScript counts a character as the end of a line.
pub(crate) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

pub(crate) fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"' | '`')
}
