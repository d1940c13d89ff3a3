//! The compact form of a token: header, claims and signature (RFC 7515, section 7.1).

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of a JSON object, each as it is written: numbers are not rounded. An object that
/// has a member twice is refused, since its two readers might each take another one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TokenMembers(BTreeMap<String, Box<RawValue>>);

impl TokenMembers {
    /// Returns a member as JSON.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(|value| &**value)
    }

    /// Returns the names and the members, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<'de> Deserialize<'de> for TokenMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = TokenMembers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TokenMembers, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(TokenMembers(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A token, taken apart. Nothing of it is verified.
pub(super) struct CompactToken<'a> {
    pub(super) header: TokenMembers,
    pub(super) claims: TokenMembers,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> CompactToken<'a> {
    /// Takes a token apart. The error says which part is malformed.
    pub(super) fn parse(token: &'a str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, claims, signature] = parts.as_slice() else {
            return Err("it is not three parts with dots between them");
        };
        let bytes = |part| URL_SAFE_NO_PAD.decode(part).ok();
        let members = |part| serde_json::from_slice(&bytes(part)?).ok();
        Ok(Self {
            header: members(header).ok_or("its header is not a JSON object in base64url")?,
            claims: members(claims).ok_or("its claims are not a JSON object in base64url")?,
            signed: &token[..header.len() + 1 + claims.len()],
            signature: bytes(signature).ok_or("its signature is not base64url")?,
        })
    }

    /// Returns the result of `verify` for what was signed and the signature.
    pub(super) fn is_signed_with(&self, verify: impl FnOnce(&[u8], &Vec<u8>) -> bool) -> bool {
        verify(self.signed.as_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, claims: &str, expected: Result<(), &str>) {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{header}.{claims}.c2ln");
        let parsed = CompactToken::parse(&token).map(|_| ());
        assert_eq!(
            parsed.map_err(|error| error.split(' ').nth(1).unwrap()),
            expected
        );
    }

    #[test]
    fn a_token_consists_of_two_objects_and_a_signature() {
        check("{}", "{}", Ok(()));
        check(r#"{"a":1e400}"#, r#"{"b":[{"c":1,"c":2}]}"#, Ok(()));
        check("", "{}", Err("header"));
        check("[]", "{}", Err("header"));
        check(r#"{"alg":"HS256","alg":"HS256"}"#, "{}", Err("header"));
        check("{}", "7", Err("claims"));
        check("{}", "{", Err("claims"));
        check("{}", "{} {}", Err("claims"));
        check("{}", r#"{"a":1,"\u0061":2}"#, Err("claims"));
        for token in [
            "",
            "..",
            "e30.e30",
            "e30.e30.a.a",
            "e30.e30.!!!!",
            "e30=.e30.c2ln",
        ] {
            assert!(CompactToken::parse(token).is_err(), "{token}");
        }
    }
}
