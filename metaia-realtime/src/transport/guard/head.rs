//! Finds where the head of an HTTP/1 request begins and ends. A pure kernel.

/// Looks for one head in the bytes of a connection, wherever reads divide them.
///
/// Line ends before the head are skipped, as HTTP does: some clients send one after a body. A line
/// may end without a carriage return.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    has_begun: bool,
    /// The current line has bytes other than its end.
    has_line: bool,
}

impl HeadScanner {
    /// Returns whether a byte of the head has come.
    pub(crate) const fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Takes the next bytes up to the end of the head. Returns how many follow it, or `None` if the
    /// head has not ended.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.iter().position(|byte| self.ends_with(*byte))?;
        Some(bytes.len() - end - 1)
    }

    /// Takes a byte. Returns whether the head ends with it.
    const fn ends_with(&mut self, byte: u8) -> bool {
        match byte {
            b'\r' => false,
            b'\n' => {
                let is_empty_line = !self.has_line;
                self.has_line = false;
                self.has_begun && is_empty_line
            }
            _ => {
                self.has_begun = true;
                self.has_line = true;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<usize>) {
        assert_eq!(
            HeadScanner::default().scan(text.as_bytes()),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        check("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Some(0));
        check("GET / HTTP/1.1\r\nHost: x\r\n\r\nbody", Some(4));
        check("GET / HTTP/1.1\nHost: x\n\nbody", Some(4));
        check("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Some(0));
        check("GET / HTTP/1.1\r\nHost: x\r\n", None);
        check("\r\n\r\n\r\n", None);
        check("", None);
    }

    #[test]
    fn line_ends_do_not_begin_a_head() {
        let mut scanner = HeadScanner::default();
        scanner.scan(b"\r\n\r\n");
        assert!(!scanner.has_begun());
        scanner.scan(b"G");
        assert!(scanner.has_begun());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_reads_divide_the_bytes(
            before in "[\r\n]{0,4}",
            head in "[a-c]{1,4}(\r?\n[a-c]{1,4}){0,4}",
            after in "[a\r\n]{0,6}",
            cuts in proptest::collection::vec(0usize..40, 0..6),
        ) {
            let text = format!("{before}{head}\r\n\r\n{after}");
            let mut scanner = HeadScanner::default();
            let mut rest = text.as_bytes();
            let mut found = None;
            for cut in cuts {
                let (part, later) = rest.split_at(cut.min(rest.len()));
                found = found.or_else(|| scanner.scan(part).map(|surplus| surplus + later.len()));
                rest = later;
            }
            prop_assert_eq!(found.or_else(|| scanner.scan(rest)), Some(after.len()));
        }
    }
}
