//! The text of a file that people write, and excerpts of it that point at what is wrong.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::bounded_file::{ByteLimit, ReadFault, text_of_file};
use crate::exit::Failure;

/// The lines before the one that an excerpt points at.
const CONTEXT_LINES: usize = 2;

/// A position in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FilePosition {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// The bytes of the text. Empty if only its beginning is known.
    pub(crate) bytes: Range<usize>,
}

impl FilePosition {
    /// Returns the position of these bytes of a text.
    pub(crate) fn of_bytes(text: &str, bytes: Range<usize>) -> Self {
        let before = text.get(..bytes.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            bytes,
        }
    }
}

/// A file that people write: a scenario, or contexts.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A mistake in a file: where, what, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) position: FilePosition,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Mistake {
    pub(crate) fn new(position: &FilePosition, message: impl Into<String>) -> Self {
        Self {
            position: position.clone(),
            message: message.into(),
            help: None,
        }
    }

    /// Adds what to do about it.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Moves the mistake to a part of a text that stands in the file as it is, without escapes.
    pub(crate) fn within(self, file: &SourceFile, text: &str, part: Range<usize>) -> Self {
        let Some(written) = file.text.get(self.position.bytes.clone()) else {
            return self;
        };
        let Some(begin) = written.find(text) else {
            return self;
        };
        let start = self.position.bytes.start + begin + part.start;
        let bytes = start..start + part.len();
        let position = FilePosition {
            column: self.position.column + begin + part.start,
            bytes,
            ..self.position
        };
        Self { position, ..self }
    }
}

impl SourceFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A usage failure if it cannot be read, is too large, or is not text.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let named = path.display();
        let text = text_of_file(path, ByteLimit::WRITTEN).map_err(|fault| match fault {
            ReadFault::NotAFile => Failure::usage(format!("{named} is not a file"))
                .hint("it is a folder, a pipe or a device: name a file"),
            ReadFault::TooLarge(limit) => {
                Failure::usage(format!("{named} is larger than {}", limit.shown()))
                    .hint("such a file is short: is this the right file?")
            }
            ReadFault::NotText => {
                Failure::usage(format!("{named} is not UTF-8")).hint("save it as UTF-8")
            }
            ReadFault::System(error) => {
                Failure::usage(format!("{named} cannot be read")).caused_by(error)
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// Returns `path:line`.
    pub(crate) fn line(&self, position: &FilePosition) -> String {
        format!("{}:{}", self.path.display(), position.line)
    }

    /// Adds the bytes to a position of which only the line and the column are known, as that of a
    /// text that is no YAML.
    pub(crate) fn with_bytes(&self, position: FilePosition) -> FilePosition {
        if position.line <= 1 || position.bytes.start > 0 {
            return position;
        }
        let before = self.text.split_inclusive('\n').take(position.line - 1);
        let line = before.map(str::len).sum::<usize>();
        let rest = self.text.get(line..).unwrap_or_default();
        let mut columns = rest.char_indices().map(|(at, _)| at);
        let column = columns.nth(position.column.saturating_sub(1));
        let start = line + column.unwrap_or(rest.len());
        FilePosition {
            bytes: start..start,
            ..position
        }
    }

    /// Returns the position of a text at or behind another position; the other one if it is not
    /// there.
    pub(crate) fn find(&self, text: &str, from: &FilePosition) -> FilePosition {
        let start = from.bytes.start.min(self.text.len());
        let found = self.text.get(start..).and_then(|rest| rest.find(text));
        let Some(start) = found.map(|at| start + at) else {
            return from.clone();
        };
        FilePosition::of_bytes(&self.text, start..start + text.len())
    }

    /// Formats an excerpt of the file that points at a position, with the lines before it.
    pub(crate) fn excerpt(&self, position: &FilePosition, label: &str, coloured: bool) -> String {
        let (start, first_line) = self.lines_before(position, CONTEXT_LINES);
        let marked = self.marked(position);
        let end = self.text[marked.end..]
            .find('\n')
            .map_or(self.text.len(), |at| marked.end + at);
        let span = marked.start - start..marked.end - start;
        let snippet = Snippet::source(&self.text[start..end])
            .line_start(first_line)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(span).label(label));
        let groups = [Group::with_level(Level::ERROR).element(snippet)];
        renderer(coloured).render(&groups)
    }

    /// Formats the text, which is one line with this number, with a mark.
    pub(crate) fn excerpt_of_line(&self, number: usize, mark: Range<usize>) -> String {
        let snippet = Snippet::source(self.text.as_str())
            .line_start(number)
            .annotation(AnnotationKind::Primary.span(mark));
        let groups = [Group::with_level(Level::ERROR).element(snippet)];
        renderer(false).render(&groups)
    }

    /// Returns the beginning of a line, at most this many before the position's, and its number.
    fn lines_before(&self, position: &FilePosition, lines: usize) -> (usize, usize) {
        let at = position.bytes.start.min(self.text.len());
        let before = self.text.get(..at).unwrap_or_default();
        let mut starts = before.rmatch_indices('\n').map(|(end, _)| end + 1);
        let start = starts.nth(lines).unwrap_or_default();
        let skipped = before[start..].matches('\n').count();
        (start, position.line.saturating_sub(skipped).max(1))
    }

    /// Formats a mistake with its excerpt.
    pub(crate) fn explain(&self, mistake: &Mistake, coloured: bool) -> String {
        let path = self.path.display().to_string();
        let snippet = self.snippet(&mistake.position, "", &path);
        let title = Level::ERROR.primary_title(mistake.message.as_str());
        let mut groups = vec![title.element(snippet)];
        if let Some(help) = &mistake.help {
            groups.push(Group::with_title(
                Level::HELP.secondary_title(help.as_str()),
            ));
        }
        renderer(coloured).render(&groups)
    }

    fn snippet<'a>(
        &'a self,
        position: &FilePosition,
        label: &'a str,
        path: &'a str,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mut annotation = AnnotationKind::Primary.span(self.marked(position));
        if !label.is_empty() {
            annotation = annotation.label(label);
        }
        Snippet::source(self.text.as_str())
            .path(path)
            .annotation(annotation)
    }

    /// Returns the bytes to mark. A position without a length marks the word that begins there.
    fn marked(&self, position: &FilePosition) -> Range<usize> {
        let end = self.text.len();
        let start = position.bytes.start.min(end);
        if position.bytes.len() > 1 && self.text.get(position.bytes.clone()).is_some() {
            return position.bytes.clone();
        }
        let Some(rest) = self.text.get(start..) else {
            return end..end;
        };
        let is_word = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        start..start + word.max(first)
    }
}

fn renderer(coloured: bool) -> Renderer {
    if coloured {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_read() {
        for path in ["/dev/zero", "/"] {
            let failure = SourceFile::read(Path::new(path)).unwrap_err();
            assert_eq!(failure.chain(), format!("{path} is not a file"));
        }
    }
}
