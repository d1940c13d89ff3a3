//! The ids of keys that an issuer has removed. Such a key is no new one, so that its tokens need
//! not wait for news.

use std::collections::VecDeque;

use super::document::KeyTable;

/// The largest number of ids. Then the one that was removed first is forgotten.
const MAX_IDS: usize = 100;
/// The longest id that is kept, in bytes. A token with a longer one is not read.
const MAX_ID_BYTES: usize = 4_096;

/// The ids of the keys that were removed last, the oldest first.
#[derive(Debug, Default)]
pub(super) struct RemovedKeys(VecDeque<String>);

impl RemovedKeys {
    /// Notes the keys that the old table has and the new one has not.
    pub(super) fn replaced(&mut self, old: &KeyTable, new: &KeyTable) {
        let is_gone = |id: &&str| id.len() <= MAX_ID_BYTES && !new.has(id);
        let gone = old.ids().filter(is_gone).map(str::to_owned);
        self.0.extend(gone);
        self.0.retain(|id| !new.has(id));
        while self.0.len() > MAX_IDS {
            self.0.pop_front();
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|removed| removed == id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::auth::jwks::testing::{TestKey, document};

    fn table(ids: impl IntoIterator<Item = impl AsRef<str>>) -> KeyTable {
        let key = TestKey::ed();
        let keys = ids.into_iter().map(|id| key.jwk(id.as_ref()));
        let keys: Vec<Value> = keys.collect();
        KeyTable::parse(document(&keys).as_bytes()).unwrap()
    }

    #[test]
    fn a_key_is_removed_until_it_is_there_again() {
        let mut removed = RemovedKeys::default();
        let [both, one] = [table(["a", "b"]), table(["a"])];
        removed.replaced(&both, &one);
        assert!(removed.has("b") && !removed.has("a") && !removed.has("new"));
        removed.replaced(&one, &both);
        assert!(!removed.has("b"));
    }

    #[test]
    fn the_ids_are_bounded() {
        let mut removed = RemovedKeys::default();
        let long = "x".repeat(MAX_ID_BYTES + 1);
        let few = table(["last"]);
        for round in 0..3 {
            let ids = (0..60).map(|n| format!("{round}-{n}"));
            removed.replaced(&table(ids.chain([long.clone()])), &few);
        }
        assert_eq!(removed.0.len(), MAX_IDS);
        assert!(removed.has("2-59") && !removed.has("0-0") && !removed.has(&long));
    }
}
