//! The entries against a plain list.

use super::*;
use crate::{NewEntry, values::Epoch};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

/// One change of the entries. The numbers are rooms.
#[derive(Debug, Clone)]
enum Step {
    Push(Vec<u8>),
    /// An entry after a gap.
    PushLater(Vec<u8>),
    PopOldest,
    PopExcess,
    Clear,
}

/// The same entries as a plain list.
#[derive(Debug, Default)]
struct Model {
    entries: Vec<Arc<Entry>>,
    head: u64,
}

impl Model {
    fn push(&mut self, entry: Arc<Entry>) {
        if entry.n() != self.head + 1 {
            self.entries.clear();
        }
        self.head = entry.n();
        self.entries.push(entry);
    }

    fn bytes(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| entry.content().size())
            .sum()
    }

    fn pop(&mut self) -> Option<u64> {
        let has_one = !self.entries.is_empty();
        has_one.then(|| self.entries.remove(0).n())
    }

    fn numbers(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<u64> {
        let wanted = self.entries.iter().filter(|entry| wanted(entry));
        wanted.map(|entry| entry.n()).collect()
    }
}

const BOUNDS: Bounds = Bounds {
    entries: 6,
    bytes: 1_300,
};

fn room(index: u8) -> Room {
    Room::User(format!("u{index}").parse().unwrap())
}

fn entry(n: u64, rooms: &[u8]) -> Arc<Entry> {
    let text = "x".repeat(usize::from(rooms[0]) * 40);
    let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
    let new = NewEntry::event(rooms, ("e", json!({ "text": text }))).unwrap();
    Arc::new(Entry::new(Epoch::from_bits(1), n, 0, new))
}

fn numbers<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>) -> Vec<u64> {
    entries.map(|entry| entry.n()).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rooms = || vec(0u8..4, 1..4);
    let step = prop_oneof![
        12 => rooms().prop_map(Step::Push),
        1 => rooms().prop_map(Step::PushLater),
        3 => Just(Step::PopOldest),
        6 => Just(Step::PopExcess),
        1 => Just(Step::Clear),
    ];
    vec(step, 0..60)
}

/// Makes the change in both, and returns what was removed from each.
fn change(last: &mut LastEntries, model: &mut Model, step: Step) -> (Option<u64>, Option<u64>) {
    match step {
        Step::Push(rooms) => {
            let pushed = entry(model.head + 1, &rooms);
            last.push(Arc::clone(&pushed));
            model.push(pushed);
            (None, None)
        }
        Step::PushLater(rooms) => {
            let pushed = entry(model.head + 3, &rooms);
            last.push(Arc::clone(&pushed));
            model.push(pushed);
            (None, None)
        }
        Step::PopOldest => (last.pop_oldest().map(|entry| entry.n()), model.pop()),
        Step::PopExcess => {
            let is_excess = model.entries.len() > 6 || model.bytes() > 1_300;
            let removed = last.pop_excess().map(|entry| entry.n());
            (removed, is_excess.then(|| model.pop()).flatten())
        }
        Step::Clear => {
            last.clear();
            model.entries.clear();
            (None, None)
        }
    }
}

proptest! {
    #[test]
    fn it_finds_what_a_search_of_all_entries_finds(
        steps in steps(),
        wanted in vec(0u8..4, 0..4),
        back in 0u64..12,
        limit in 0usize..8,
    ) {
        let mut last = LastEntries::new(Position::start(Epoch::from_bits(1)), BOUNDS);
        let mut model = Model::default();
        let rooms: Vec<Room> = wanted.iter().copied().map(room).collect();
        for step in steps {
            let (removed, expected) = change(&mut last, &mut model, step);
            prop_assert_eq!(removed, expected);
            prop_assert_eq!(last.head().n(), model.head);
            prop_assert_eq!(last.bytes, model.bytes());
            prop_assert_eq!(last.len(), model.entries.len());

            let after = model.head.saturating_sub(back);
            let following = model.numbers(|entry| entry.n() > after);
            prop_assert_eq!(numbers(last.after(after)), following.clone());
            let is_whole = following.len() as u64 == model.head - after;
            prop_assert_eq!(last.reaches(after), is_whole);
            for n in after..=model.head {
                let is_here = model.entries.iter().any(|entry| entry.n() == n);
                prop_assert_eq!(last.entry(n).is_some(), is_here);
            }

            let is_in_rooms = |entry: &Entry| {
                let mut named = entry.content().rooms().iter();
                named.any(|room| rooms.contains(room))
            };
            let mut matching = model.numbers(|entry| entry.n() > after && is_in_rooms(entry));
            matching.truncate(limit);
            prop_assert_eq!(numbers(last.in_rooms(rooms.iter(), after, limit)), matching);
        }
        // Nothing of a removed entry stays behind.
        let indexed: usize = last.rooms.values().map(Numbers::len).sum();
        let named = model.entries.iter().map(|entry| entry.content().rooms().len());
        let named: usize = named.sum();
        prop_assert_eq!(indexed, named);
    }
}
