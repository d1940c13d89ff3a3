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
    /// Begins a page one record too late.
    LosesTheFirstOfAPage,
    /// Begins a page with the last record of the page before it.
    RepeatsTheLastOfAPage,
    /// Goes on with the time of the last record of a page: others may have the same.
    GoesOnAfterTheTime,
    IgnoresTheLimit,
    EndsAfterAPage,
    /// Reads by keys, and takes the end of a pass for its beginning.
    ForgetsWhatWasPutBetweenPages,
    NeverEnds,
}

/// Changes of one time.
const PER_TICK: u64 = 4;

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
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        let mut place = since.map_or_else(Place::default, |cursor| Place::read(&cursor));
        let last = *self.last.lock().unwrap();
        if place.after.is_none() {
            place.until = last;
        }
        let changed = self.changed_in_order(place.since);
        let mut begin = changed
            .iter()
            .filter(|it| self.is_behind(it, &place))
            .count();
        if self.has(Flaw::LosesTheFirstOfAPage) && begin > 0 {
            begin += 1;
        }
        let end = match self.flaw {
            Some(Flaw::IgnoresTheLimit) => changed.len(),
            _ => changed.len().min(begin + limit),
        };
        let page = &changed[begin.min(end)..end];
        let has_more = match self.flaw {
            Some(Flaw::EndsAfterAPage) => false,
            Some(Flaw::NeverEnds) => true,
            _ => end < changed.len(),
        };
        let next = if has_more {
            place.after_page(page)
        } else if self.has(Flaw::ForgetsWhatWasPutBetweenPages) {
            Place::between_passes(last)
        } else {
            Place::between_passes(place.until)
        };
        let records = page.iter();
        Ok(RevocationChanges {
            revocations: records
                .filter_map(|(_, key, bound)| Revocation::from_stored(key, *bound))
                .collect(),
            cursor: next.write(),
            has_more,
        })
    }
}

/// A changed record: the time of the change, the key and the bound.
type Changed = (u64, String, i64);

/// The place of a reader: what earlier passes have read, and where the pass goes on.
#[derive(Debug, Clone, Default)]
struct Place {
    /// The last change before the pass before this one began.
    since: u64,
    /// The last change before this pass began.
    until: u64,
    after: Option<(u64, String)>,
}

impl Place {
    const fn between_passes(since: u64) -> Self {
        Self {
            since,
            until: since,
            after: None,
        }
    }

    fn after_page(mut self, page: &[Changed]) -> Self {
        if let Some((number, key, _)) = page.last() {
            self.after = Some((*number, key.clone()));
        }
        self
    }

    fn write(&self) -> RevocationCursor {
        let (number, key) = self.after.clone().unzip();
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let key = key.unwrap_or_default();
        RevocationCursor::new(format!("{},{},{number},{key}", self.since, self.until))
    }

    fn read(cursor: &RevocationCursor) -> Self {
        let parts: Vec<&str> = cursor.as_str().splitn(4, ',').collect();
        let number = parts[2].parse().ok();
        Self {
            since: parts[0].parse().unwrap(),
            until: parts[1].parse().unwrap(),
            after: number.map(|number| (number, parts[3].to_owned())),
        }
    }
}

impl Flawed {
    /// Returns what was changed since, by the time of the change, of which several have one, and
    /// then by the key.
    fn changed_in_order(&self, since: u64) -> Vec<Changed> {
        let records = self.records.lock().unwrap();
        let tick = |number: u64| match self.flaw {
            Some(Flaw::ForgetsWhatWasPutBetweenPages) => 0,
            _ => number.div_ceil(PER_TICK),
        };
        let mut changed: Vec<_> = records
            .iter()
            .filter(|(_, (_, number))| *number > since)
            .map(|(key, (bound, number))| (tick(*number), key.clone(), *bound))
            .collect();
        changed.sort();
        changed
    }

    /// Returns whether a record comes before the next page.
    fn is_behind(&self, (number, key, _): &Changed, place: &Place) -> bool {
        let Some((last, last_key)) = &place.after else {
            return false;
        };
        match self.flaw {
            Some(Flaw::GoesOnAfterTheTime) => number <= last,
            Some(Flaw::RepeatsTheLastOfAPage) => (number, key) < (last, last_key),
            _ => (number, key) <= (last, last_key),
        }
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
    a_first_record_of_a_page_that_is_lost: Paged catches LosesTheFirstOfAPage,
    a_last_record_of_a_page_that_comes_twice: Paged catches RepeatsTheLastOfAPage,
    records_of_one_time_on_two_pages: Paged catches GoesOnAfterTheTime,
    a_page_without_a_limit: Paged catches IgnoresTheLimit,
    a_pass_that_ends_too_soon: Paged catches EndsAfterAPage,
    a_pass_without_an_end: Paged catches NeverEnds,
    a_change_between_pages: PutBetweenPages catches ForgetsWhatWasPutBetweenPages,
    a_change_that_is_seen_behind_the_cursor: AtOnce catches NumbersBeforeItInserts,
    a_raised_bound_that_is_no_change: Changed catches OmitsRaisedBounds,
    a_loss_when_it_is_closed: Reopened catches LosesTheLast,
    a_lower_bound_in_a_story: Modelled catches KeepsTheLast,
    records_of_another_node: Shared catches SeesOnlyItsOwn,
}
