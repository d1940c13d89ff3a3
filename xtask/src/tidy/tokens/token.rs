//! One token: a word, a mark, a literal.

/// The sort of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tidy) enum Kind {
    /// A name or a keyword.
    Word,
    /// A text, a character or a number.
    Literal,
    Lifetime,
    /// A line of `///`.
    Doc,
    /// Punctuation: one character, or one of the few longer ones such as `::`.
    Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tidy) struct Token<'a> {
    pub(in crate::tidy) kind: Kind,
    pub(in crate::tidy) text: &'a str,
    /// The line that it begins on, from 1.
    pub(in crate::tidy) line: usize,
}

impl Token<'_> {
    /// Returns true if it is this keyword or mark.
    pub(in crate::tidy) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Word | Kind::Mark)
    }

    /// Returns true if it is one of these keywords or marks.
    pub(in crate::tidy) fn is_one_of(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    /// Returns the line that it ends on: a text may have several.
    pub(in crate::tidy) fn last_line(&self) -> usize {
        self.line + self.text.matches('\n').count()
    }
}
