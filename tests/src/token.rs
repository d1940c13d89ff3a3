//! Tokens, made by hand so that bad ones can be made too: a good library refuses to sign most of these.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// The secret that the servers under test are started with.
pub const SECRET: &str = "e2e-secret-a2f7c1de904b4f0d8d1b7c35";

/// A good token for an hour.
#[must_use]
pub fn token(role: &str, user: &str) -> String {
    Token::of(role, user).sign()
}

/// Unix seconds from now; negative is the past.
#[must_use]
pub fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(now.as_secs()).expect("this century") + seconds
}

/// A token to be: claims, header and secret can each be replaced.
#[derive(Debug, Clone)]
pub struct Token {
    header: String,
    claims: String,
    secret: String,
}

impl Token {
    /// The guide's claims, with an hour to live.
    #[must_use]
    pub fn of(role: &str, user: &str) -> Self {
        Self::claiming(&json!({"userId": user, "role": role, "exp": in_seconds(3600)}))
    }

    /// Exactly these claims.
    #[must_use]
    pub fn claiming(claims: &Value) -> Self {
        Self::saying(&claims.to_string())
    }

    /// Exactly this text where the claims belong, JSON or not.
    #[must_use]
    pub fn saying(claims: &str) -> Self {
        let header = json!({"alg": "HS256", "typ": "JWT"}).to_string();
        Self { header, claims: claims.to_owned(), secret: SECRET.to_owned() }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, header: &Value) -> Self {
        self.header = header.to_string();
        self
    }

    /// Signed with this secret.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// `header.claims`, without a signature.
    #[must_use]
    pub fn unsigned(&self) -> String {
        format!("{}.{}", base64url(self.header.as_bytes()), base64url(self.claims.as_bytes()))
    }

    /// Signed with HMAC-SHA256, whatever the header says.
    #[must_use]
    pub fn sign(&self) -> String {
        self.signed_by::<Hmac<Sha256>>()
    }

    /// Signed with HMAC-SHA384.
    #[must_use]
    pub fn sign_384(&self) -> String {
        self.signed_by::<Hmac<Sha384>>()
    }

    /// Signed with HMAC-SHA512.
    #[must_use]
    pub fn sign_512(&self) -> String {
        self.signed_by::<Hmac<Sha512>>()
    }

    fn signed_by<M: Mac + KeyInit>(&self) -> String {
        let signed = self.unsigned();
        let mut mac = <M as KeyInit>::new_from_slice(self.secret.as_bytes()).expect("any key length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", base64url(&mac.finalize().into_bytes()))
    }
}

/// Base64 with the URL alphabet and no padding, as JWTs use it.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let padded =
            chunk.iter().chain(&[0, 0]).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(padded >> (18 - 6 * index) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_of_each_length() {
        let texts = ["", "f", "fo", "foo", "foob"].map(|text| base64url(text.as_bytes()));
        assert_eq!(texts, ["", "Zg", "Zm8", "Zm9v", "Zm9vYg"]);
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_known_token() {
        // The first example of jwt.io, signed with "your-256-bit-secret".
        let claims = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
        let token = Token { header: r#"{"alg":"HS256","typ":"JWT"}"#.into(), ..Token::saying(claims) };
        let signature = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        assert!(token.secret("your-256-bit-secret").sign().ends_with(signature));
    }
}
