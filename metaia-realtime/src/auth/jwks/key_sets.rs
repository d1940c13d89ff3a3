//! The key sets of an authenticator. The issuer of a token decides which one is asked.

use std::{sync::Arc, time::Duration};

use super::{
    JwksError,
    key_set::KeySet,
    lookup::Lookup,
    source::{DuplicateIssuer, JwksSource},
    stats::KeySetStats,
};
use crate::auth::{algorithm::PublicAlgorithm, compact::CompactToken};

/// Key sets of different issuers.
#[derive(Default)]
pub(in crate::auth) struct KeySets(Vec<KeySet>);

/// The set of the issuer of a token.
pub(in crate::auth) struct FoundSet<'a>(&'a KeySet);

impl KeySets {
    pub(in crate::auth) fn add(&mut self, source: JwksSource) -> Result<(), DuplicateIssuer> {
        if self.0.iter().any(|set| set.issuer == source.issuer) {
            return Err(DuplicateIssuer);
        }
        self.0.push(KeySet::open(source));
        Ok(())
    }

    pub(in crate::auth) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::auth) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the set of an issuer; otherwise the set without an issuer, if there is one.
    pub(in crate::auth) fn of_issuer(&self, issuer: Option<&str>) -> Option<FoundSet<'_>> {
        let of = |issuer: Option<&str>| {
            let mut sets = self.0.iter();
            sets.find(|set| set.issuer.as_deref() == issuer)
        };
        of(issuer).or_else(|| of(None)).map(FoundSet)
    }

    /// Returns the audiences of the tokens of an issuer.
    pub(in crate::auth) fn audiences(&self, issuer: Option<&str>) -> &[String] {
        match self.of_issuer(issuer) {
            Some(FoundSet(set)) => &set.audiences,
            None => &[],
        }
    }

    pub(in crate::auth) fn stats(&self) -> Vec<KeySetStats> {
        self.0.iter().map(KeySet::stats).collect()
    }

    /// Waits for the first attempt of each set, and returns the first error with its place.
    pub(in crate::auth) async fn first_attempts(&self) -> Result<(), (String, Arc<JwksError>)> {
        for set in &self.0 {
            let attempt = set.first_attempt().await;
            attempt.map_err(|error| (set.place().to_owned(), error))?;
        }
        Ok(())
    }
}

impl FoundSet<'_> {
    pub(in crate::auth) fn look_up(
        &self,
        token: &CompactToken<'_>,
        id: Option<&str>,
        algorithm: PublicAlgorithm,
    ) -> Lookup {
        self.0.look_up(token, id, algorithm)
    }

    /// Has the keys loaded if that is allowed, and waits for it. Returns false if a later load
    /// might find other keys than the last one.
    pub(in crate::auth) async fn ask(&self) -> bool {
        self.0.ask().await
    }

    pub(in crate::auth) fn has_removed(&self, id: &str) -> bool {
        self.0.has_removed(id)
    }

    pub(in crate::auth) fn until_news(&self) -> Duration {
        self.0.until_news()
    }
}
