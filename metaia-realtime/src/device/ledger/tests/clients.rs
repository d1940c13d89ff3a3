//! The ledger of one node, tested against a model of real clients.

use super::*;

/// A real phone: the number up to which it has received everything, and its connection if that is
/// unbroken, with the number of its pongs.
#[derive(Default)]
struct Phone {
    received: Option<u64>,
    connection: Option<(SessionId, u64)>,
}

struct World {
    ledger: Ledger,
    stored: Option<DeviceRecord>,
    head: u64,
    now: i64,
    /// Broken connections that the server still takes for live ones.
    ghosts: Vec<SessionId>,
}

impl World {
    fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            stored: None,
            head: 0,
            now: 0,
            ghosts: Vec::new(),
        }
    }

    fn save(&mut self) {
        if let Some((_, record)) = self.ledger.take_changed(self.now).pop() {
            self.stored = Some(record);
        }
        self.ledger.forget_stored();
    }

    /// Connects the phone and returns the number from which the server continues.
    fn connect(&mut self, phone: &mut Phone) -> Option<u64> {
        self.break_silently(phone);
        let session = SessionId::random();
        self.ledger.learn(&key(), self.stored.clone());
        let found = self.ledger.connect(&key(), session, sign(0), &[], self.now);
        let from = found.map(|(position, _)| position.n());
        phone.connection = Some((session, 0));
        let start = from.unwrap_or(self.head);
        self.update(session, start, 0);
        self.save();
        from
    }

    fn update(&mut self, session: SessionId, n: u64, pongs: u64) {
        let progress = progress(n, sign(pongs));
        self.ledger.update(&key(), session, progress);
    }

    /// Has the phone receive everything, and the server learn of it.
    fn confirm(&mut self, phone: &mut Phone) {
        let Some((session, pongs)) = &mut phone.connection else {
            return;
        };
        phone.received = Some(self.head);
        *pongs += 1;
        let session = *session;
        let pongs = *pongs;
        self.update(session, self.head, pongs);
    }

    /// Breaks the phone's line so that the server notices.
    fn lose(&mut self, phone: &mut Phone) {
        if let Some((session, _)) = phone.connection.take() {
            self.now += 1;
            self.ledger.end(&key(), session, self.now, LastSign::Recent);
        }
    }

    /// Breaks the phone's line so that the server does not notice.
    fn break_silently(&mut self, phone: &mut Phone) {
        let broken = phone.connection.take();
        self.ghosts.extend(broken.map(|(session, _)| session));
    }

    /// Has the server notice that a broken connection is dead.
    fn bury(&mut self, which: usize) {
        if !self.ghosts.is_empty() {
            let ghost = self.ghosts.swap_remove(which % self.ghosts.len());
            self.now += 1;
            self.ledger.end(&key(), ghost, self.now, LastSign::LongAgo);
        }
    }

    fn crash(&mut self, phones: &mut [Phone]) {
        self.ledger = Ledger::default();
        self.ghosts.clear();
        for phone in phones {
            phone.connection = None;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever happens to its line and to the server, one phone continues no later than where it
    /// really was, and not before the position that the server last stored.
    #[test]
    fn a_phone_continues_where_it_was(steps in proptest::collection::vec(0u8..7, 0..60)) {
        let mut world = World::new();
        let mut phones = [Phone::default()];
        let mut stored = 0;
        for step in steps {
            world.head += 1;
            // The starts of former connections count no longer.
            world.now += CLAIM_GRACE_MS;
            match step {
                0 | 1 => {
                    let known = phones[0].received;
                    let from = world.connect(&mut phones[0]);
                    if let Some(known) = known {
                        let in_range = from.is_some_and(|from| (stored..=known).contains(&from));
                        prop_assert!(in_range, "{from:?} for {known}");
                    }
                    if from.is_none() {
                        phones[0].received = Some(world.head);
                    }
                }
                2 | 3 => world.confirm(&mut phones[0]),
                4 => world.lose(&mut phones[0]),
                5 => world.bury(0),
                _ => world.crash(&mut phones),
            }
            if step != 6 {
                world.save();
                stored = world.stored.as_ref().map_or(0, |record| record.position.n());
            }
        }
    }

    /// Of two phones with one token, whose lines break so that the server notices, neither
    /// continues later than where it was.
    #[test]
    fn phones_that_share_a_token_miss_nothing(
        steps in proptest::collection::vec((0u8..4, 0usize..2), 0..60),
    ) {
        let mut world = World::new();
        let mut phones = [Phone::default(), Phone::default()];
        // The server knows both before anything happens.
        for phone in &mut phones {
            world.connect(phone);
            world.confirm(phone);
        }
        for (step, which) in steps {
            world.head += 1;
            match step {
                0 | 1 if phones[which].connection.is_none() => {
                    let from = world.connect(&mut phones[which]);
                    prop_assert!(from <= phones[which].received && from.is_some());
                }
                2 => world.confirm(&mut phones[which]),
                3 => world.lose(&mut phones[which]),
                _ => {}
            }
            world.save();
        }
    }

    /// Of the clients of one device, all of which the server knows, none continues later than where
    /// it was, whatever breaks, and in whatever order the server notices.
    #[test]
    fn clients_of_one_device_miss_nothing(
        steps in proptest::collection::vec((0u8..9, 0usize..3), 0..80),
        pause in 0..2 * CLAIM_GRACE_MS,
    ) {
        let mut world = World::new();
        let mut clients = [(); 3].map(|()| Phone::default());
        for client in &mut clients {
            world.connect(client);
        }
        for client in &mut clients {
            world.confirm(client);
        }
        world.save();
        for (step, which) in steps {
            world.head += 1;
            world.now += pause;
            let client = &mut clients[which];
            match step {
                0 | 1 => {
                    let from = world.connect(client);
                    let received = client.received;
                    prop_assert!(from.is_some() && from <= received, "{from:?} for {received:?}");
                }
                2..=4 => world.confirm(client),
                5 => world.lose(client),
                6 => world.break_silently(client),
                7 => world.bury(which),
                _ => world.crash(&mut clients),
            }
            if step != 8 {
                world.save();
            }
        }
    }

    /// Nothing of the broken connections is left once all clients are back and have given a sign of
    /// life: a closed position would be replayed for ever.
    #[test]
    fn nothing_waits_once_all_clients_are_back(
        steps in proptest::collection::vec((0u8..8, 0usize..3), 0..80),
    ) {
        let mut world = World::new();
        let mut clients = [(); 3].map(|()| Phone::default());
        for client in &mut clients {
            world.connect(client);
        }
        for client in &mut clients {
            world.confirm(client);
        }
        world.save();
        for (step, which) in steps {
            world.head += 1;
            let client = &mut clients[which];
            match step {
                0 | 1 => drop(world.connect(client)),
                2..=4 => world.confirm(client),
                5 => world.lose(client),
                6 => world.break_silently(client),
                _ => world.bury(which),
            }
        }
        for client in &mut clients {
            if client.connection.is_none() {
                world.connect(client);
            }
        }
        while !world.ghosts.is_empty() {
            world.bury(0);
        }
        world.head += 1;
        world.now += CLAIM_GRACE_MS;
        for client in &mut clients {
            world.confirm(client);
        }
        world.save();
        let stored = world.stored.unwrap();
        prop_assert_eq!((stored.position.n(), stored.connections), (world.head, 3));
    }
}
