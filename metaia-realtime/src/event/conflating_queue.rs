//! A bounded queue in which newer volatile events replace older ones. A pure kernel.
//!
//! An item *supersedes* an older one of the same key: see [`Conflated`]. While there is space, all
//! items wait. A full queue drops as many as it must: first superseded items, and after those the
//! newest of a key, each in the order of sending. One item always fits. From then until it is
//! empty, each item of a key that waits replaces a superseded one: otherwise a reader that is a
//! little too slow would always be a full queue behind.
//!
//! [`conflate`](ConflatingQueue::conflate) drops all superseded items, until the queue is empty.

use std::collections::VecDeque;

/// An item of a [`ConflatingQueue`].
pub(crate) trait Conflated {
    /// Returns the size in bytes.
    fn size(&self) -> usize;

    /// Returns whether the reader needs no `older` item once it has this one.
    fn supersedes(&self, older: &Self) -> bool;
}

/// The order in which a queue hands out its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueOrder {
    /// The order of sending.
    Sent,
    /// The order in which the keys began to wait: a newer item takes the place of the one that it
    /// replaces. So each key has its turn, however often it is replaced.
    Turns,
}

/// The items that wait. Each has a place in the queue, with a `P` that stays with the place.
#[derive(Debug)]
pub(crate) struct ConflatingQueue<T, P = ()> {
    waiting: VecDeque<Waiting<T, P>>,
    order: QueueOrder,
    max_items: usize,
    max_bytes: usize,
    /// The size of the items that wait.
    bytes: usize,
    /// The number of items that were added.
    added: u64,
    mode: Mode,
}

/// The way in which the queue takes an item that supersedes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It waits, too.
    All,
    /// The queue was full: the item waits, and a superseded one is dropped.
    Full,
    /// The reader fell behind: the item replaces the older one.
    Conflating,
}

/// An item that waits.
#[derive(Debug)]
struct Waiting<T, P> {
    item: T,
    place: P,
    /// Rises with each item that is added.
    number: u64,
    /// A newer item of the key waits behind it.
    is_superseded: bool,
}

impl<T: Conflated, P: Copy> ConflatingQueue<T, P> {
    /// Returns a queue for `max_items` items of `max_bytes` together, or for one larger item.
    pub(crate) fn new(order: QueueOrder, max_items: usize, max_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            order,
            max_items,
            max_bytes,
            bytes: 0,
            added: 0,
            mode: Mode::All,
        }
    }

    /// Keeps no superseded item from the next [`push`](Self::push) on, until the queue is empty.
    pub(crate) fn conflate(&mut self) {
        self.mode = Mode::Conflating;
    }

    /// Adds an item at the end. Returns the number of items that were dropped for it.
    pub(crate) fn push(&mut self, item: T, place: P) -> usize {
        let is_new_key = self.append(item, place);
        let mut dropped = match self.mode {
            Mode::Full if !is_new_key => usize::from(self.drop_superseded()),
            Mode::Full | Mode::All => 0,
            Mode::Conflating => self.drop_all_superseded(),
        };
        while self.is_over() {
            self.mode = self.mode.when_full();
            if !self.drop_superseded() {
                self.drop_first_sent();
            }
            dropped += 1;
        }
        dropped
    }

    /// Adds an item at the end. Returns whether none of its key has waited.
    fn append(&mut self, item: T, place: P) -> bool {
        let mut newest = self.waiting.iter_mut().filter(|it| !it.is_superseded);
        let older = newest.find(|waiting| item.supersedes(&waiting.item));
        let is_new_key = older.is_none();
        if let Some(older) = older {
            older.is_superseded = true;
        }
        self.added += 1;
        self.bytes += item.size();
        self.waiting.push_back(Waiting {
            item,
            place,
            number: self.added,
            is_superseded: false,
        });
        is_new_key
    }

    fn is_over(&self) -> bool {
        let is_over = self.waiting.len() > self.max_items || self.bytes > self.max_bytes;
        is_over && self.waiting.len() > 1
    }

    /// Drops the superseded items. Returns their number.
    fn drop_all_superseded(&mut self) -> usize {
        let mut dropped = 0;
        while self.drop_superseded() {
            dropped += 1;
        }
        dropped
    }

    /// Drops the superseded item that was sent first. Returns `false` if there is none.
    fn drop_superseded(&mut self) -> bool {
        let superseded = self.waiting.iter().enumerate();
        let superseded = superseded.filter(|(_, waiting)| waiting.is_superseded);
        let Some((mut place, _)) = superseded.min_by_key(|(_, waiting)| waiting.number) else {
            return false;
        };
        if self.order == QueueOrder::Turns {
            place = self.move_key_up(place);
        }
        self.remove(place);
        true
    }

    /// Moves the newer items of the key of the item at `place` up by one turn. Returns the place
    /// that the item has then.
    fn move_key_up(&mut self, mut place: usize) -> usize {
        while let Some(next) = self.next_of_key(place) {
            self.swap(place, next);
            place = next;
        }
        place
    }

    /// Returns the next place that has an item of the key of the one at `place`.
    fn next_of_key(&self, place: usize) -> Option<usize> {
        let this = &self.waiting[place].item;
        let mut behind = self.waiting.range(place + 1..);
        let next = behind.position(|waiting| waiting.item.supersedes(this));
        next.map(|offset| place + 1 + offset)
    }

    /// Swaps the items at two places.
    fn swap(&mut self, place: usize, other: usize) {
        let stays = self.waiting[place].place;
        self.waiting.swap(place, other);
        self.waiting[other].place = self.waiting[place].place;
        self.waiting[place].place = stays;
    }

    fn drop_first_sent(&mut self) {
        let numbers = self.waiting.iter().map(|waiting| waiting.number);
        let first = numbers.enumerate().min_by_key(|(_, number)| *number);
        if let Some((index, _)) = first {
            self.remove(index);
        }
    }

    fn remove(&mut self, place: usize) -> Option<T> {
        let removed = self.waiting.remove(place)?;
        self.bytes -= removed.item.size();
        Some(removed.item)
    }

    /// Returns the first item, and the `P` of its place.
    pub(crate) fn first(&self) -> Option<(&T, P)> {
        let first = self.waiting.front()?;
        Some((&first.item, first.place))
    }

    /// Removes the first item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let first = self.remove(0)?;
        self.rest_if_empty();
        Some(first)
    }

    /// Removes the items for which `goes` returns true, and returns them in their order.
    pub(crate) fn extract(&mut self, goes: impl Fn(&T) -> bool) -> Vec<T> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (gone, stay): (VecDeque<_>, _) = waiting.partition(|waiting| goes(&waiting.item));
        self.waiting = stay;
        self.bytes = self.waiting.iter().map(|it| it.item.size()).sum();
        self.mark_superseded();
        self.rest_if_empty();
        gone.into_iter().map(|waiting| waiting.item).collect()
    }

    /// Marks the items that a newer one supersedes, and no others: the newest of a key may have
    /// gone.
    fn mark_superseded(&mut self) {
        for place in 0..self.waiting.len() {
            let older = &self.waiting[place];
            let supersedes = |newer: &Waiting<T, P>| {
                newer.number > older.number && newer.item.supersedes(&older.item)
            };
            let is_superseded = self.waiting.iter().any(supersedes);
            self.waiting[place].is_superseded = is_superseded;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn rest_if_empty(&mut self) {
        if self.waiting.is_empty() {
            self.mode = Mode::All;
            // Frees the memory: most queues are empty most of the time.
            self.waiting = VecDeque::new();
        }
    }
}

impl Mode {
    const fn when_full(self) -> Self {
        match self {
            Self::All | Self::Full => Self::Full,
            Self::Conflating => Self::Conflating,
        }
    }
}

#[cfg(test)]
impl<T, P> ConflatingQueue<T, P> {
    /// Returns the number of items that wait, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.waiting.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An item with a key and a size, and its number.
    type Item = (u8, usize, usize);

    impl Conflated for Item {
        fn size(&self) -> usize {
            self.1
        }

        fn supersedes(&self, older: &Self) -> bool {
            self.0 == older.0
        }
    }

    /// The rules of the queue in the order of sending, without anything that makes them fast.
    #[derive(Default)]
    struct Model {
        items: Vec<Item>,
        was_full: bool,
        conflates: bool,
    }

    impl Model {
        fn push(&mut self, item: Item, max_items: usize, max_bytes: usize) {
            let is_new_key = self.items.iter().all(|other| other.0 != item.0);
            self.items.push(item);
            if self.conflates {
                while self.drop_superseded() {}
            } else if self.was_full && !is_new_key {
                self.drop_superseded();
            }
            let bytes = |items: &[Item]| items.iter().map(|item| item.1).sum::<usize>();
            while self.items.len() > 1
                && (self.items.len() > max_items || bytes(&self.items) > max_bytes)
            {
                self.was_full = true;
                if !self.drop_superseded() {
                    self.items.remove(0);
                }
            }
        }

        fn drop_superseded(&mut self) -> bool {
            let is_superseded = |(i, item): (usize, &Item)| {
                self.items[i + 1..].iter().any(|newer| newer.0 == item.0)
            };
            let place = self.items.iter().enumerate().position(is_superseded);
            place.is_some_and(|place| {
                self.items.remove(place);
                true
            })
        }
    }

    /// A step of a story: an item is added, the queue conflates, all items leave, or those with a
    /// number of this remainder.
    #[derive(Debug, Clone)]
    enum Step {
        Push(u8, usize),
        Conflate,
        TakeAll,
        TakeSome(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            30 => (0u8..9, 1usize..9).prop_map(|(key, size)| Step::Push(key, size)),
            2 => (0u8..9, 9usize..60).prop_map(|(key, size)| Step::Push(key, size)),
            1 => Just(Step::Conflate),
            1 => Just(Step::TakeAll),
            2 => (0usize..3).prop_map(Step::TakeSome),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// In both orders the same items wait, those that the rules name. In the order of turns
        /// each key stands where its first item stood, and its items are in the order of sending.
        #[test]
        fn the_items_that_wait_are_those_of_a_simple_model(
            steps in steps(),
            max_items in 1usize..8,
            max_bytes in 1usize..40,
        ) {
            let mut sent = ConflatingQueue::new(QueueOrder::Sent, max_items, max_bytes);
            let mut turns = ConflatingQueue::new(QueueOrder::Turns, max_items, max_bytes);
            let mut model = Model::default();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(key, size) => {
                        let item = (key, size, number);
                        let before = model.items.len();
                        model.push(item, max_items, max_bytes);
                        let dropped = before + 1 - model.items.len();
                        prop_assert_eq!(sent.push(item, ()), dropped);
                        prop_assert_eq!(turns.push(item, number), dropped);
                    }
                    Step::Conflate => {
                        model.conflates = true;
                        sent.conflate();
                        turns.conflate();
                    }
                    Step::TakeAll => {
                        let expected = std::mem::take(&mut model).items;
                        prop_assert_eq!(sent.extract(|_| true), expected);
                        turns.extract(|_| true);
                    }
                    Step::TakeSome(remainder) => {
                        let goes = |item: &Item| item.2 % 3 == remainder;
                        let gone = model.items.extract_if(.., |item| goes(item));
                        let expected: Vec<_> = gone.collect();
                        prop_assert_eq!(sent.extract(goes), expected);
                        turns.extract(goes);
                        if model.items.is_empty() {
                            model = Model::default();
                        }
                    }
                }
                let places: Vec<_> = turns.waiting.iter().map(|it| it.place).collect();
                prop_assert!(places.is_sorted(), "the places: {places:?}");
                let mut items: Vec<_> = turns.waiting.iter().map(|it| it.item).collect();
                for key in 0..9 {
                    let of_key = items.iter().filter(|item| item.0 == key);
                    prop_assert!(of_key.is_sorted_by_key(|item| item.2), "{items:?}");
                }
                items.sort_unstable_by_key(|item| item.2);
                prop_assert_eq!(&items, &model.items);
                let bytes = items.iter().map(|item| item.1).sum();
                prop_assert_eq!(turns.size(), (items.len(), bytes));
            }
        }

        /// Of the last keys as many have their newest item as may wait, in whatever order they are
        /// sent, and however many older items are sent before.
        #[test]
        fn the_newest_item_of_each_of_the_last_keys_waits(
            keys in proptest::collection::vec(0u8..20, 1..300),
            max_items in 1usize..30,
        ) {
            let mut queue = ConflatingQueue::new(QueueOrder::Sent, max_items, usize::MAX);
            for (number, key) in keys.iter().enumerate() {
                queue.push((*key, 1, number), ());
            }
            let items = queue.extract(|_| true);
            let mut last_keys = Vec::new();
            for (number, key) in keys.iter().enumerate().rev() {
                if !last_keys.contains(key) && last_keys.len() < max_items {
                    last_keys.push(*key);
                    prop_assert!(items.contains(&(*key, 1, number)), "{items:?}");
                }
            }
        }
    }
}
