//! The ledgers of several nodes that share a store, tested against a model of real clients.

use super::*;

/// The record that one node has saved.
#[derive(Clone)]
struct Slot {
    by: usize,
    /// The number of the save.
    stamp: usize,
    has_connections: bool,
    record: DeviceRecord,
}

/// A node, with the stamps of the slots that it has taken over and not yet replaced.
#[derive(Default)]
struct Node {
    ledger: Ledger,
    taken_over: Vec<usize>,
}

/// A real client: the number up to which it has received everything, and its connection with the
/// node and the number of its pongs.
#[derive(Default)]
struct Client {
    received: u64,
    connection: Option<(usize, SessionId, u64)>,
}

/// Nodes with a store that keeps the contract of `DeviceStore`.
struct Cluster {
    nodes: Vec<Node>,
    slots: Vec<Slot>,
    saves: usize,
    head: u64,
    now: i64,
}

impl Cluster {
    fn new(nodes: usize) -> Self {
        Self {
            nodes: (0..nodes).map(|_| Node::default()).collect(),
            slots: Vec::new(),
            saves: 0,
            head: 0,
            now: 0,
        }
    }

    fn connect(&mut self, client: &mut Client, to: usize) -> Option<u64> {
        let node = &mut self.nodes[to];
        let is_known = node.ledger.pin(&key());
        let (own, others): (Vec<Slot>, Vec<Slot>) =
            self.slots.iter().cloned().partition(|slot| slot.by == to);
        let others = others
            .into_iter()
            .filter(|slot| !node.taken_over.contains(&slot.stamp));
        let (elsewhere, left): (Vec<Slot>, Vec<Slot>) =
            others.partition(|slot| slot.has_connections);
        node.taken_over.extend(left.iter().map(|slot| slot.stamp));
        let own = own.into_iter().next().map(|slot| slot.record);
        node.ledger.learn(&key(), own.filter(|_| !is_known));
        node.ledger.adopt(&key(), records(left));
        let session = SessionId::random();
        let elsewhere = records(elsewhere);
        let found = node
            .ledger
            .connect(&key(), session, sign(0), &elsewhere, self.now);
        if is_known {
            node.ledger.unpin(&key());
        }
        let from = found.map(|(position, _)| position.n());
        let start = progress(from.unwrap_or(self.head), sign(0));
        node.ledger.update(&key(), session, start);
        client.connection = Some((to, session, 0));
        from
    }

    /// Has the client receive everything, and its node learn of it.
    fn confirm(&mut self, client: &mut Client) {
        let Some((node, session, pongs)) = &mut client.connection else {
            return;
        };
        client.received = self.head;
        *pongs += 1;
        let confirmed = progress(self.head, sign(*pongs));
        self.nodes[*node].ledger.update(&key(), *session, confirmed);
    }

    fn lose(&mut self, client: &mut Client) {
        if let Some((node, session, _)) = client.connection.take() {
            let ledger = &mut self.nodes[node].ledger;
            ledger.end(&key(), session, self.now, LastSign::Recent);
        }
    }

    /// Kills a node, and ends its lease. Another one starts in its place, under a new name.
    fn kill(&mut self, which: usize, clients: &mut [Client]) {
        self.nodes[which] = Node::default();
        for slot in self.slots.iter_mut().filter(|slot| slot.by == which) {
            slot.has_connections = false;
            slot.by = usize::MAX;
        }
        for client in clients {
            client.connection.take_if(|(node, ..)| *node == which);
        }
    }

    fn save(&mut self) {
        for (by, node) in self.nodes.iter_mut().enumerate() {
            let changed = node.ledger.take_changed(self.now).pop();
            let has_connections = node.ledger.is_here(&key());
            node.ledger.forget_stored();
            let Some((_, record)) = changed else {
                continue;
            };
            self.slots
                .retain(|slot| slot.by != by && !node.taken_over.contains(&slot.stamp));
            node.taken_over.clear();
            self.saves += 1;
            self.slots.push(Slot {
                by,
                stamp: self.saves,
                has_connections,
                record,
            });
        }
    }
}

fn records(slots: Vec<Slot>) -> Vec<DeviceRecord> {
    slots.into_iter().map(|slot| slot.record).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Of the clients of one device on several nodes, none continues later than where it was,
    /// however they connect, drop and return, and whichever nodes are killed.
    #[test]
    fn clients_of_one_device_miss_nothing_on_any_node(
        start in proptest::collection::vec(0usize..3, 3),
        steps in proptest::collection::vec((0u8..7, 0usize..3, 0usize..3), 0..80),
    ) {
        let mut cluster = Cluster::new(3);
        let mut clients = [(); 3].map(|()| Client::default());
        for (client, node) in clients.iter_mut().zip(start) {
            cluster.connect(client, node);
            cluster.save();
        }
        for client in &mut clients {
            cluster.confirm(client);
        }
        cluster.save();
        for (step, which, node) in steps {
            cluster.head += 1;
            // The starts of former connections count no longer.
            cluster.now += CLAIM_GRACE_MS;
            let client = &mut clients[which];
            match step {
                0..=2 if client.connection.is_none() => {
                    let from = cluster.connect(client, node);
                    let received = Some(client.received);
                    prop_assert!(from.is_some() && from <= received, "{from:?} for {received:?}");
                }
                3 | 4 => cluster.confirm(client),
                5 => cluster.lose(client),
                6 => cluster.kill(node, &mut clients),
                _ => {}
            }
            cluster.save();
        }
    }
}
