//! Texts of several pieces, each with its tone. The width of a text is known, since styles come
//! last.

use metaia_realtime::Role;

use super::width::{cut, fits, width};
use crate::printer::Paint;
use crate::terminal::one_line;

/// The importance or the meaning of a piece, which becomes its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
    Of(Role),
}

impl Tone {
    fn painted(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Strong => paint.strong(text),
            Self::Dim => paint.dim(text),
            Self::Good => paint.good(text),
            Self::Warn => paint.warn(text),
            Self::Bad => paint.bad(text),
            Self::Of(role) => paint.role(role, text),
        }
    }
}

/// One line of text, in pieces. No character of it acts on a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Phrase {
    pieces: Vec<(Tone, String)>,
}

impl Phrase {
    pub(crate) fn new(tone: Tone, text: &str) -> Self {
        Self::default().with(tone, text)
    }

    pub(super) fn plain(text: &str) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// Appends a text of others.
    pub(crate) fn with(mut self, tone: Tone, text: &str) -> Self {
        if !text.is_empty() {
            self.pieces.push((tone, one_line(text).into_owned()));
        }
        self
    }

    pub(super) fn then(mut self, next: Self) -> Self {
        self.pieces.extend(next.pieces);
        self
    }

    /// Joins phrases, with commas between them.
    pub(super) fn list(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            if !joined.pieces.is_empty() {
                joined = joined.with(Tone::Plain, ", ");
            }
            joined = joined.then(part);
        }
        joined
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| width(text)).sum()
    }

    /// Appends spaces up to this width.
    pub(super) fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.with(Tone::Plain, &" ".repeat(missing))
    }

    /// Returns the beginning of the phrase, with an ellipsis if it is wider than this.
    pub(super) fn cut(self, columns: usize) -> Self {
        if fits(&self.text(), columns) {
            return self;
        }
        let whole = self.text();
        let kept = cut(&whole, columns);
        let ellipsis = if kept.is_empty() { "" } else { "…" };
        let mut left = kept.len() - ellipsis.len();
        let mut pieces = Vec::new();
        for (tone, mut text) in self.pieces {
            text.truncate(left);
            left -= text.len();
            pieces.push((tone, text));
            if left == 0 {
                break;
            }
        }
        if let Some((_, last)) = pieces.last_mut() {
            last.push_str(ellipsis);
        }
        Self { pieces }
    }

    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    pub(crate) fn painted(&self, paint: Paint) -> String {
        let pieces = self.pieces.iter();
        pieces
            .map(|(tone, text)| tone.painted(paint, text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase() -> Phrase {
        Phrase::plain("pending → ").with(Tone::Strong, "confirmed")
    }

    #[test]
    fn a_phrase_is_cut_in_the_piece_where_it_is_too_wide() {
        assert_eq!(phrase().width(), 19);
        assert_eq!(phrase().cut(19), phrase());
        let cut = phrase().cut(14);
        let expected = Phrase::plain("pending → ").with(Tone::Strong, "con…");
        assert_eq!(cut, expected);
        assert_eq!(phrase().cut(8), Phrase::plain("pending…"));
        assert_eq!(phrase().cut(0).text(), "");
    }

    #[test]
    fn styles_do_not_change_the_text() {
        assert_eq!(phrase().painted(Paint::PLAIN), phrase().text());
        let coloured = phrase().painted(Paint::COLOURED);
        assert_eq!(console::strip_ansi_codes(&coloured), phrase().text());
        assert_ne!(coloured, phrase().text());
    }

    #[test]
    fn a_list_has_commas() {
        let parts = [phrase(), Phrase::plain("tailor w3")];
        assert_eq!(Phrase::list(parts).text(), "pending → confirmed, tailor w3");
        assert!(Phrase::list([]).is_empty());
    }
}
