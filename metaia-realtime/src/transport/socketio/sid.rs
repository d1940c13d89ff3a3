//! The ids of Engine.IO sessions and of sockets.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Returns an id that cannot be guessed: 20 characters of base64, from 120 random bits.
pub(super) fn random_sid() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>())
}
