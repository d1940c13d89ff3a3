//! Sessions, of which one can take an unchanging view at any moment: the dispatcher walks a large
//! room without keeping connections and joins waiting.
//!
//! The sessions stand in chunks, and a view shares the chunks. A change copies the chunks that it
//! affects, two at most, if a view still has them: its cost does not grow with the room.

use std::sync::Arc;

use foldhash::HashMap;

use crate::{session::Session, values::SessionId};

/// The most sessions of a chunk.
const CHUNK: usize = 64;

/// A member of a set.
pub(super) trait HasSessionId: Clone {
    /// Returns the id of the session.
    fn id(&self) -> SessionId;
}

impl HasSessionId for Arc<Session> {
    fn id(&self) -> SessionId {
        self.id
    }
}

/// The sessions that stand together.
pub(super) type Chunk<M = Arc<Session>> = Arc<Vec<M>>;

/// Sessions, each once.
#[derive(Debug)]
pub(super) struct SessionSet<M = Arc<Session>> {
    /// All but the last are full.
    chunks: Vec<Chunk<M>>,
    /// The place of each session, counted through all chunks.
    places: HashMap<SessionId, usize>,
}

impl<M> Default for SessionSet<M> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            places: HashMap::default(),
        }
    }
}

impl<M: HasSessionId> SessionSet<M> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&M> {
        let place = *self.places.get(&id)?;
        self.chunks[place / CHUNK].get(place % CHUNK)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &M> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Returns the sessions as they are now, in chunks.
    pub(super) fn view(&self) -> Vec<Chunk<M>> {
        self.chunks.clone()
    }

    /// Adds a session, unless it is there.
    pub(super) fn add(&mut self, session: &M) {
        let place = self.len();
        if self.places.contains_key(&session.id()) {
            return;
        }
        self.places.insert(session.id(), place);
        if place.is_multiple_of(CHUNK) {
            self.chunks.push(Chunk::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(session.clone());
        }
    }

    /// Removes a session: the last one takes its place. Returns whether it was there.
    pub(super) fn remove(&mut self, id: SessionId) -> bool {
        let Some(place) = self.places.remove(&id) else {
            return false;
        };
        let last = self.pop_last();
        if let Some(last) = last.filter(|last| last.id() != id) {
            self.places.insert(last.id(), place);
            Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK] = last;
        }
        if self.places.capacity() > 4 * self.places.len() + CHUNK {
            self.places.shrink_to(2 * self.places.len());
        }
        true
    }

    fn pop_last(&mut self) -> Option<M> {
        let chunk = self.chunks.last_mut()?;
        let last = Arc::make_mut(chunk).pop();
        if chunk.is_empty() {
            self.chunks.pop();
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Named(SessionId, usize);

    impl HasSessionId for Named {
        fn id(&self) -> SessionId {
            self.0
        }
    }

    fn numbers(chunks: &[Chunk<Named>]) -> Vec<usize> {
        let members = chunks.iter().flat_map(|chunk| chunk.iter());
        let mut numbers: Vec<usize> = members.map(|member| member.1).collect();
        numbers.sort_unstable();
        numbers
    }

    proptest! {
        /// Adds where a number is even and removes where it is odd, more of the one or of the other
        /// by `lean`, and takes a view now and then.
        #[test]
        fn a_set_agrees_with_a_map_and_its_views_do_not_change(
            steps in vec((0usize..200, 0u8..10), 0..600),
            lean in 2u8..9,
        ) {
            let ids: Vec<SessionId> = (0..200).map(|_| SessionId::random()).collect();
            let mut set = SessionSet::default();
            let mut model = BTreeMap::new();
            let mut views = Vec::new();
            for (number, chance) in steps {
                let member = Named(ids[number], number);
                if chance < lean {
                    set.add(&member);
                    model.insert(number, member);
                } else {
                    prop_assert_eq!(set.remove(member.id()), model.remove(&number).is_some());
                }
                if number % 16 == 0 {
                    views.push((set.view(), model.keys().copied().collect::<Vec<_>>()));
                }
                prop_assert_eq!(set.len(), model.len());
                prop_assert_eq!(set.is_empty(), model.is_empty());
            }
            for (number, id) in ids.iter().enumerate() {
                prop_assert_eq!(set.get(*id), model.get(&number));
            }
            prop_assert_eq!(set.iter().count(), set.len());
            views.push((set.view(), model.keys().copied().collect()));
            for (view, expected) in views {
                prop_assert!(view.iter().rev().skip(1).all(|chunk| chunk.len() == CHUNK));
                prop_assert_eq!(numbers(&view), expected);
            }
        }
    }

    #[test]
    fn a_change_copies_two_chunks_of_a_view_at_most() {
        let mut set = SessionSet::default();
        let members: Vec<Named> = (0..10 * CHUNK)
            .map(|n| Named(SessionId::random(), n))
            .collect();
        for member in &members {
            set.add(member);
        }
        let view = set.view();
        set.remove(members[0].id());
        let shared = view.iter().zip(set.view());
        let copied = shared.filter(|(before, after)| !Arc::ptr_eq(before, after));
        // The first chunk, and the last one, whose last session takes the place.
        assert_eq!(copied.count(), 2);
    }
}
