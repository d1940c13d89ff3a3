//! A small correct server with writers and clients, driven by seeded random choices. It produces
//! correct histories.

use std::time::Duration;

use super::super::{Fact, History, Resource, Write};
use super::story::{Story, got, placed, position, write};
use crate::fixtures::seeded_rng::SeededRng;

const USERS: [&str; 3] = ["ann", "bob", "cem"];
const ROOMS: [&str; 5] = ["everyone", "user-ann", "user-bob", "user-cem", "order-1"];

/// Returns the history of this seed.
pub(super) fn history(seed: u64) -> History {
    let mut world = World::new(SeededRng::new(seed));
    world.begin();
    // A token can then have ended long before any delivery.
    world.story.wait(Duration::from_secs(6));
    for _ in 0..150 {
        world.step();
    }
    world.end();
    world.story.history
}

#[derive(Debug)]
struct Entry {
    value: String,
    room: String,
}

#[derive(Debug)]
struct Client {
    name: &'static str,
    rooms: Vec<&'static str>,
    /// The position up to which the client has the log: epoch and number.
    has: (u64, usize),
    ready: bool,
    /// True if the server resumes the client by its device, which may be a little behind.
    by_device: bool,
}

#[derive(Debug)]
struct World {
    rng: SeededRng,
    story: Story,
    /// True if the log survives a kill.
    durable: bool,
    epoch: u64,
    log: Vec<Entry>,
    clients: Vec<Client>,
    /// Keyed writes whose outcome their writer does not know.
    pending: Vec<Write>,
    written: u32,
}

impl World {
    fn new(mut rng: SeededRng) -> Self {
        let durable = rng.percent(75);
        let clients = USERS.iter().map(|name| Client {
            name,
            rooms: Vec::new(),
            has: (1, 0),
            ready: false,
            by_device: *name == "cem",
        });
        let clients = clients.collect();
        let story = Story::default();
        Self {
            rng,
            story,
            durable,
            epoch: 1,
            log: Vec::new(),
            clients,
            pending: Vec::new(),
            written: 0,
        }
    }

    fn begin(&mut self) {
        self.story.add(Fact::Started);
        self.sample();
        for client in &mut self.clients {
            client.rooms = ROOMS
                .into_iter()
                .filter(|room| may(client.name, room))
                .collect();
            for room in &client.rooms {
                self.story.grant(client.name, room);
            }
            self.story.connect(client.name, false);
            self.story
                .ready(client.name, false, &client.rooms, position(1, 0));
            client.ready = true;
        }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..=8 => self.write(),
            9..=13 => self.deliver_some(),
            14 | 15 => self.lose_connection(),
            16 | 17 => self.reconnect(),
            18 => self.retry(),
            _ if self.rng.percent(30) => self.kill(),
            _ => self.lose_room(),
        }
    }

    fn write(&mut self) {
        self.written += 1;
        let value = format!("v{}", self.written);
        let room = *self.rng.pick(&ROOMS);
        let write = write(&value, room, self.rng.percent(50));
        self.story.add(Fact::Attempted(write.clone()));
        let outcome = self.rng.below(10);
        if outcome == 9 {
            self.story.refuse(&value);
            return;
        }
        if outcome != 8 {
            self.log.push(Entry {
                value: value.clone(),
                room: room.to_owned(),
            });
        }
        if outcome < 7 {
            self.acknowledge(&write);
            return;
        }
        self.story.unknown(&value);
        if write.keyed {
            self.pending.push(write);
        }
    }

    /// Records a response. Half of the responses name the position.
    fn acknowledge(&mut self, write: &Write) {
        let index = self.log.iter().position(|entry| entry.value == write.name);
        let known = index.filter(|_| self.rng.percent(50));
        let at = known.map(|index| position(self.epoch, index as u64 + 1));
        let placed = at.map(|at| placed(&write.name, at)).into_iter().collect();
        self.story.add(Fact::Acknowledged {
            write: write.name.clone(),
            made: write.name.clone(),
            placed,
        });
    }

    fn retry(&mut self) {
        let Some(write) = self.pending.pop() else {
            return;
        };
        self.story.add(Fact::Attempted(write.clone()));
        if !self.log.iter().any(|entry| entry.value == write.name) {
            let room = write.effects[0].1.first().cloned().unwrap_or_default();
            self.log.push(Entry {
                value: write.name.clone(),
                room,
            });
        }
        self.acknowledge(&write);
    }

    fn deliver_some(&mut self) {
        let client = self.random_client();
        let most = self.rng.below(8) as usize;
        if self.clients[client].ready {
            self.deliver(client, most);
        }
    }

    /// Delivers up to `most` of the next entries that are for the client.
    fn deliver(&mut self, client: usize, most: usize) {
        let client = &mut self.clients[client];
        let mut left = most;
        while left > 0 && client.has.1 < self.log.len() {
            let entry = &self.log[client.has.1];
            client.has.1 += 1;
            if client.rooms.contains(&entry.room.as_str()) {
                left -= 1;
                let at = position(self.epoch, client.has.1 as u64);
                self.story.add(Fact::Received {
                    client: client.name.to_owned(),
                    got: got(&entry.value, at),
                });
            }
        }
    }

    fn lose_connection(&mut self) {
        let index = self.random_client();
        if std::mem::take(&mut self.clients[index].ready) {
            self.story.disconnect(self.clients[index].name);
        }
    }

    fn reconnect(&mut self) {
        let index = self.random_client();
        self.resume(index);
    }

    fn resume(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if client.ready {
            return;
        }
        self.story.connect(client.name, true);
        let recovered = client.has.0 == self.epoch;
        if recovered && client.by_device {
            client.has.1 = client.has.1.saturating_sub(self.rng.below(3) as usize);
        }
        let head = self.log.len();
        if !recovered {
            self.story
                .reset(client.name, position(self.epoch, head as u64));
            client.has = (self.epoch, head);
        }
        client.ready = true;
        self.deliver(index, usize::MAX);
        let client = &self.clients[index];
        self.story.ready(
            client.name,
            recovered,
            &client.rooms,
            position(self.epoch, head as u64),
        );
    }

    fn lose_room(&mut self) {
        let client = &mut self.clients[0];
        if client.rooms.pop_if(|room| *room == "order-1").is_some() {
            self.story.withdraw(client.name, "order-1");
        }
    }

    fn kill(&mut self) {
        for client in self.clients.iter_mut().filter(|client| client.ready) {
            client.ready = false;
            self.story.disconnect(client.name);
        }
        self.story.add(Fact::Killed).add(Fact::Started);
        if !self.durable {
            self.epoch += 1;
            self.log.clear();
            self.pending.clear();
        }
    }

    fn end(&mut self) {
        self.story.add(Fact::Healed);
        for index in 0..self.clients.len() {
            self.resume(index);
        }
        while !self.pending.is_empty() {
            self.retry();
        }
        let fence = write("fence", "everyone", false);
        self.log.push(Entry {
            value: "fence".to_owned(),
            room: "everyone".to_owned(),
        });
        self.story.add(Fact::Attempted(fence.clone()));
        self.acknowledge(&fence);
        for index in 0..self.clients.len() {
            self.deliver(index, usize::MAX);
        }
        self.story.wait(Duration::from_secs(31));
        for client in &self.clients {
            self.story.add(Fact::Left {
                client: client.name.to_owned(),
            });
        }
        self.sample();
        self.story
            .add(Fact::Printed("the end".to_owned()))
            .add(Fact::AskedToEnd)
            .add(Fact::Ended { code: Some(0) });
    }

    fn sample(&mut self) {
        for resource in [Resource::Descriptors, Resource::Memory, Resource::Sessions] {
            self.story.add(Fact::Sampled {
                resource,
                amount: 20,
            });
        }
    }

    fn random_client(&mut self) -> usize {
        usize::try_from(self.rng.below(3)).expect("an index fits into usize")
    }
}

fn may(user: &str, room: &str) -> bool {
    room == "everyone" || room == format!("user-{user}") || (room == "order-1" && user != "cem")
}

#[test]
fn a_seed_repeats_its_history() {
    assert_eq!(history(7).facts, history(7).facts);
}
