//! A client as its handshake describes it, in texts that may be shown.
//!
//! The texts are the client's: they are cut, characters that do not print are escaped, and what may
//! be a secret is left out (a query string, the user of a URL, a token).

use crate::node::TransportKind;

/// The most bytes of a text.
pub(super) const MAX_BYTES: usize = 256;

/// The mark in place of something that is left out.
const LEFT_OUT: char = '…';

/// The beginning of every JWT: `{"` in Base64.
const JWT: &str = "eyJ";

/// A client as its handshake describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientDescription {
    pub(super) transport: Option<TransportKind>,
    pub(super) origin: Option<Box<str>>,
    pub(super) user_agent: Option<Box<str>>,
}

impl ClientDescription {
    /// Returns a description from the values of headers.
    pub(crate) fn new(
        transport: Option<TransportKind>,
        origin: Option<&[u8]>,
        user_agent: Option<&[u8]>,
    ) -> Self {
        Self {
            transport,
            origin: origin.map(printable),
            user_agent: user_agent.map(printable),
        }
    }

    /// Returns the same client over another transport: it may have moved.
    pub(crate) fn now_over(mut self, transport: TransportKind) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Returns the description of a client of which its transport alone is known.
    pub(crate) const fn over(transport: TransportKind) -> Self {
        Self {
            transport: Some(transport),
            origin: None,
            user_agent: None,
        }
    }
}

/// Returns a text that may be shown, of at most [`MAX_BYTES`].
fn printable(bytes: &[u8]) -> Box<str> {
    // No character is longer than what is written for it.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES + 1)]);
    let mut shown = String::new();
    for (n, word) in text.split(' ').enumerate() {
        let space = if n == 0 { "" } else { " " };
        let word = without_secrets(word);
        for character in space.chars().chain(word.chars()) {
            if !push_escaped(&mut shown, character) {
                return shown.into();
            }
        }
    }
    shown.into()
}

/// Adds a character. Returns false if it has no place: the text is complete then.
fn push_escaped(shown: &mut String, character: char) -> bool {
    let escaped = character.escape_debug();
    if shown.len() + escaped.clone().map(char::len_utf8).sum::<usize>()
        > MAX_BYTES - LEFT_OUT.len_utf8()
    {
        shown.push(LEFT_OUT);
        return false;
    }
    shown.extend(escaped);
    true
}

/// Returns a word without what may be a secret.
fn without_secrets(word: &str) -> String {
    let (word, query) = match word.find(['?', '#']) {
        Some(end) => (&word[..end], true),
        None => (word, false),
    };
    let (scheme, rest) = match word.find("://") {
        Some(end) => word.split_at(end + 3),
        None => ("", word),
    };
    let host = rest.rfind('@').filter(|_| !scheme.is_empty());
    let rest = host.map_or(rest, |end| &rest[end + 1..]);
    let rest = rest.find(JWT).map_or(rest, |start| &rest[..start]);
    let is_cut = query || scheme.len() + rest.len() < word.len();
    let mark = if is_cut { "…" } else { "" };
    format!("{scheme}{rest}{mark}")
}
