//! The suite against revocations in memory, and against stores with planted defects.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use tokio::task::yield_now;

use super::{Clause, Subject, check};
use crate::{
    revocation::{
        MemoryRevocations, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationStore,
    },
    testing::contract::plant,
    values::time,
};

mod memory {
    use super::{MemoryRevocations, Subject};

    struct InMemory;

    impl Subject for InMemory {
        type Store = MemoryRevocations;
        const DURABLE: bool = false;
        const SHARED: bool = false;

        fn new() -> Self {
            Self
        }

        async fn open(&self) -> MemoryRevocations {
            MemoryRevocations::default()
        }
    }

    crate::revocation_contract!(InMemory);
}

mod shared_memory {
    use super::{MemoryRevocations, Subject};

    struct InSharedMemory(MemoryRevocations);

    impl Subject for InSharedMemory {
        type Store = MemoryRevocations;
        const DURABLE: bool = true;
        const SHARED: bool = true;

        fn new() -> Self {
            Self(MemoryRevocations::shared())
        }

        async fn open(&self) -> MemoryRevocations {
            self.0.clone()
        }
    }

    crate::revocation_contract!(InSharedMemory);
}

/// A planted defect of a store. The names say what the store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    KeepsTheLast,
    ReturnsWhatWasPut,
    IgnoresCase,
    CutsKeys,
    AddsUp,
    KeepsForEver,
    ForgetsUsersToo,
    ForgetsTooSoon,
    /// Takes a number for a change, and lets it be seen later.
    NumbersBeforeItInserts,
    OmitsRaisedBounds,
    LosesTheLast,
    SeesOnlyItsOwn,
}

/// A record: its bound, and the number of its last change.
type Numbered = (i64, u64);

#[derive(Debug, Clone, Default)]
struct Flawed {
    flaw: Option<Flaw>,
    records: Arc<Mutex<BTreeMap<String, Numbered>>>,
    last: Arc<Mutex<u64>>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn key(&self, revocation: &Revocation) -> String {
        let mut key = revocation.key();
        match self.flaw {
            Some(Flaw::IgnoresCase) => key.make_ascii_lowercase(),
            Some(Flaw::CutsKeys) => key.truncate(key.find('\0').unwrap_or(key.len())),
            _ => {}
        }
        key
    }

    fn next_number(&self) -> u64 {
        let mut last = self.last.lock().unwrap();
        *last += 1;
        *last
    }

    fn is_kept(&self, key: &str, bound: i64) -> bool {
        let now = time::unix_ms();
        match self.flaw {
            Some(Flaw::KeepsForEver) => true,
            Some(Flaw::ForgetsUsersToo) => bound > now - 60_000,
            Some(Flaw::ForgetsTooSoon) => !key.starts_with("token ") || bound > now,
            _ => Revocation::from_stored(key, bound).is_some_and(|it| !it.has_ended(now)),
        }
    }

    fn insert(&self, key: &str, bound: i64, number: u64) -> i64 {
        let mut records = self.records.lock().unwrap();
        let before = records.get(key).copied();
        let stands = match before {
            Some(_) if self.has(Flaw::KeepsTheLast) => bound,
            Some((before, _)) if self.has(Flaw::AddsUp) => before.saturating_add(bound),
            Some((before, _)) => bound.max(before),
            None => bound,
        };
        let number = match before {
            Some((_, before)) if self.has(Flaw::OmitsRaisedBounds) => before,
            _ => number,
        };
        records.insert(key.to_owned(), (stands, number));
        records.retain(|key, (bound, _)| self.is_kept(key, *bound));
        stands
    }
}

impl RevocationStore for Flawed {
    fn is_shared(&self) -> bool {
        true
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let key = self.key(&revocation);
        let bound = if self.has(Flaw::NumbersBeforeItInserts) {
            let number = self.next_number();
            for _ in 0..20 {
                yield_now().await;
            }
            self.insert(&key, revocation.bound(), number)
        } else {
            // The number and the record are visible at once.
            let last = Arc::clone(&self.last);
            let mut last = last.lock().unwrap();
            *last += 1;
            self.insert(&key, revocation.bound(), *last)
        };
        if self.has(Flaw::ReturnsWhatWasPut) {
            return Ok(revocation);
        }
        Ok(Revocation::from_stored(&revocation.key(), bound).unwrap_or(revocation))
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
    ) -> Result<RevocationChanges, RevocationError> {
        let since: u64 = since.map_or(0, |cursor| cursor.as_str().parse().unwrap());
        let last = self.last.lock().unwrap();
        let records = self.records.lock().unwrap();
        let changed = records.iter().filter(|(_, (_, number))| *number > since);
        let revocations =
            changed.filter_map(|(key, (bound, _))| Revocation::from_stored(key, *bound));
        Ok(RevocationChanges {
            revocations: revocations.collect(),
            cursor: RevocationCursor::new(last.to_string()),
        })
    }
}

trait Plan: Send + Sync + 'static {
    const FLAW: Flaw;
}

struct Planted<P>(Flawed, PhantomData<P>);

impl<P: Plan> Subject for Planted<P> {
    type Store = Flawed;
    const DURABLE: bool = true;
    const SHARED: bool = true;

    fn new() -> Self {
        let store = Flawed {
            flaw: Some(P::FLAW),
            ..Flawed::default()
        };
        Self(store, PhantomData)
    }

    async fn open(&self) -> Flawed {
        if self.0.has(Flaw::SeesOnlyItsOwn) {
            return Flawed::default();
        }
        self.0.clone()
    }

    async fn close(&self, store: Flawed) {
        if store.has(Flaw::LosesTheLast) {
            store.records.lock().unwrap().pop_last();
        }
    }
}

mod sound {
    use super::{Flaw, Plan, Planted};

    struct Sound;

    impl Plan for Sound {
        const FLAW: Flaw = Flaw::None;
    }

    crate::revocation_contract!(Planted<Sound>);
}

plant! {
    a_bound_that_is_lowered: Monotone catches KeepsTheLast,
    a_record_that_does_not_stand: Monotone catches ReturnsWhatWasPut,
    keys_alike_but_for_case: Apart catches IgnoresCase,
    keys_that_are_cut: Apart catches CutsKeys,
    a_repetition_that_changes_the_bound: Repeated catches AddsUp,
    a_record_for_ever: Ended catches KeepsForEver,
    users_that_are_forgotten: Ended catches ForgetsUsersToo,
    a_token_that_is_forgotten_too_soon: Ended catches ForgetsTooSoon,
    a_change_that_is_seen_behind_the_cursor: AtOnce catches NumbersBeforeItInserts,
    a_raised_bound_that_is_no_change: Changed catches OmitsRaisedBounds,
    a_loss_when_it_is_closed: Reopened catches LosesTheLast,
    a_lower_bound_in_a_story: Modelled catches KeepsTheLast,
    records_of_another_node: Shared catches SeesOnlyItsOwn,
}
