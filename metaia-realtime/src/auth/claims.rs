//! Reads the claims of a token (RFC 7519).

use std::{fmt::Display, str::FromStr};

use serde_json::value::RawValue;

use super::{compact::TokenMembers, flaw::TokenFlaw};
use crate::{
    Role, UserId,
    values::{JsonNumber, UnknownRole},
};

/// The greatest whole number that every JSON parser reads exactly: 2^53 - 1.
const MAX_ID: i64 = (1 << 53) - 1;

/// Reads a time as ms since the Unix epoch. It is a number of seconds in any form that JSON has:
/// with a fraction, with an exponent, negative. `null` counts as absent.
pub(super) fn time(claims: &TokenMembers, name: &'static str) -> Result<Option<i64>, TokenFlaw> {
    let Some(value) = given(claims, name) else {
        return Ok(None);
    };
    match JsonNumber::parse(value.get()) {
        Some(seconds) => Ok(Some(seconds.floor_thousandfold())),
        None => Err(TokenFlaw::NoTime(name)),
    }
}

/// Reads the user: `userId`, or `sub` if there is no `userId`.
pub(super) fn user(claims: &TokenMembers) -> Result<UserId, TokenFlaw> {
    for name in ["userId", "sub"] {
        if let Some(value) = given(claims, name) {
            let id = id(value).ok_or_else(|| flaw(name, value, "not text or a whole number"))?;
            return parse(name, value, &id);
        }
    }
    Err(TokenFlaw::NoUser)
}

/// Reads the token's own id.
pub(super) fn token_id(claims: &TokenMembers) -> Result<Option<String>, TokenFlaw> {
    let Some(value) = given(claims, "jti") else {
        return Ok(None);
    };
    let id = id(value).ok_or_else(|| flaw("jti", value, "not text or a whole number"))?;
    Ok(Some(id))
}

/// Reads the role.
pub(super) fn role(claims: &TokenMembers) -> Result<Role, TokenFlaw> {
    let value = given(claims, "role").ok_or(TokenFlaw::NoRole)?;
    let name = text(value).ok_or_else(|| flaw("role", value, "not text"))?;
    name.parse()
        .map_err(|error: UnknownRole| TokenFlaw::UnknownRole {
            role: name,
            reason: error.to_string(),
        })
}

/// Returns the issuer, if the token names one.
pub(super) fn issuer(claims: &TokenMembers) -> Option<String> {
    text(given(claims, "iss")?)
}

/// Returns whether a token is for one of these audiences. It names one, or a list of them (RFC
/// 7519, section 4.1.3).
pub(super) fn is_for(claims: &TokenMembers, audiences: &[String]) -> bool {
    let Some(named) = given(claims, "aud") else {
        return false;
    };
    let one = || text(named).map(|one| vec![one]);
    let several = || serde_json::from_str::<Vec<String>>(named.get()).ok();
    let named = one().or_else(several).unwrap_or_default();
    named.iter().any(|one| audiences.contains(one))
}

/// Returns the id of the key that the header of a token names.
#[cfg(feature = "jwks")]
pub(super) fn key_id(header: &TokenMembers) -> Result<Option<String>, TokenFlaw> {
    let Some(value) = header.get("kid") else {
        return Ok(None);
    };
    let id = text(value).ok_or_else(|| flaw("kid", value, "not text"))?;
    Ok(Some(id))
}

/// Returns a claim; `null` counts as absent.
fn given<'a>(claims: &'a TokenMembers, name: &str) -> Option<&'a RawValue> {
    claims.get(name).filter(|value| value.get() != "null")
}

/// Returns an id: a text, or a whole number from 0 to 2^53 - 1 as its decimal text.
fn id(value: &RawValue) -> Option<String> {
    let number = || {
        let number = JsonNumber::parse(value.get())?.to_whole()?;
        (0..=MAX_ID).contains(&number).then(|| number.to_string())
    };
    text(value).or_else(number)
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn parse<T: FromStr<Err: Display>>(
    claim: &'static str,
    value: &RawValue,
    text: &str,
) -> Result<T, TokenFlaw> {
    text.parse()
        .map_err(|error: T::Err| flaw(claim, value, &error.to_string()))
}

fn flaw(claim: &'static str, value: &RawValue, reason: &str) -> TokenFlaw {
    TokenFlaw::InvalidClaim {
        claim,
        value: value.get().to_owned(),
        reason: reason.to_owned(),
    }
}
