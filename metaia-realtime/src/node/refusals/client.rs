//! A client as its handshake describes it.
//!
//! What a handshake costs a client that connects is a copy of the beginnings of two headers. They
//! are made fit to be shown when a refusal is listed, and not before: they are the client's, so
//! that characters that do not print are escaped, and what may be a secret is left out (a query
//! string, the user of a URL, a token).

use crate::node::TransportKind;

/// The most bytes of a text.
pub(super) const MAX_BYTES: usize = 256;

/// The mark in place of something that is left out.
const LEFT_OUT: &str = "…";

/// The beginning of every JWT: `{"` in Base64.
const JWT: &str = "eyJ";

/// A client as its handshake describes it. It has no `Debug`: headers may hold secrets.
#[derive(Clone, Default)]
pub(crate) struct ClientDescription {
    pub(super) transport: Option<TransportKind>,
    origin: Option<HeaderStart>,
    user_agent: Option<HeaderStart>,
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
            origin: origin.map(HeaderStart::new),
            user_agent: user_agent.map(HeaderStart::new),
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

    /// Returns the origin as it may be shown.
    pub(super) fn shown_origin(&self) -> Option<Box<str>> {
        self.origin.as_ref().map(HeaderStart::shown)
    }

    /// Returns the user agent as it may be shown.
    pub(super) fn shown_user_agent(&self) -> Option<Box<str>> {
        self.user_agent.as_ref().map(HeaderStart::shown)
    }
}

/// The first [`MAX_BYTES`] of a header, and one more if it has more.
#[derive(Clone)]
struct HeaderStart(Box<[u8]>);

impl HeaderStart {
    fn new(value: &[u8]) -> Self {
        Self(value[..value.len().min(MAX_BYTES + 1)].into())
    }

    /// Returns a text that may be shown, of at most [`MAX_BYTES`].
    fn shown(&self) -> Box<str> {
        let is_cut = self.0.len() > MAX_BYTES;
        let text = String::from_utf8_lossy(&self.0);
        let mut shown = String::new();
        for word in text.split_inclusive(' ') {
            // Only the last word has no space behind it.
            let is_word_cut = is_cut && !word.ends_with(' ');
            let parts = without_secrets(word, is_word_cut);
            for character in parts.into_iter().flat_map(str::chars) {
                if !push_escaped(&mut shown, character) {
                    return shown.into();
                }
            }
        }
        shown.into()
    }
}

/// Adds a character. Returns false if it has no place: the text is complete then.
fn push_escaped(shown: &mut String, character: char) -> bool {
    let escaped = character.escape_debug();
    let bytes: usize = escaped.clone().map(char::len_utf8).sum();
    if shown.len() + bytes > MAX_BYTES - LEFT_OUT.len() {
        shown.push_str(LEFT_OUT);
        return false;
    }
    shown.extend(escaped);
    true
}

/// Returns a word without what may be a secret, in parts. `is_cut`: its end is missing.
fn without_secrets(word: &str, is_cut: bool) -> [&str; 4] {
    let (word, space) = match word.strip_suffix(' ') {
        Some(word) => (word, " "),
        None => (word, ""),
    };
    let secrets = [word.find(['?', '#']), word.find(JWT)];
    let end = secrets.into_iter().flatten().min().unwrap_or(word.len());
    let kept = &word[..end];
    let (scheme, rest) = match kept.find("://") {
        Some(end) => kept.split_at(end + 3),
        None => ("", kept),
    };
    let goes_on = if end < word.len() {
        word[end..].starts_with(JWT)
    } else {
        is_cut
    };
    let shown = match rest.rfind('@') {
        _ if scheme.is_empty() => rest,
        Some(user) => &rest[user + 1..],
        // Its host may be missing. It begins with its user then.
        None if goes_on && !rest.contains('/') => "",
        None => rest,
    };
    let is_complete = scheme.len() + shown.len() == word.len();
    let mark = if is_complete { "" } else { LEFT_OUT };
    [scheme, shown, mark, space]
}
