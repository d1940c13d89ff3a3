//! Traffic that the checker can judge: writers and clients of all kinds, and the record of what
//! they did and saw. The test that starts the traffic causes the faults.

use metaia_tests::checker::{Fact, Recorder, assert_correct};
use metaia_tests::clients::driver::Driver;
use metaia_tests::fixtures::token::token;
use metaia_tests::load::{self, Official, Reader, ReaderSpec, ResumeBy, Writer};
use metaia_tests::server::ports::Port;
use metaia_tests::server::rest::{Api, http_client};
use metaia_tests::server::{API_KEY, Listening as _};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Traffic {
    pub(crate) recorder: Recorder,
    quit: watch::Sender<bool>,
    writers: JoinSet<()>,
    readers: Vec<Reader>,
    official: Vec<Official>,
}

impl Traffic {
    /// Connects all clients at this address, waits until they are ready, and starts the writers.
    /// The test chooses the driver for Python, because that client polls unless it is configured
    /// otherwise.
    pub(crate) async fn start(address: Port, recorder: Recorder, python: Driver) -> Self {
        let readers = std::iter::zip(0.., phones())
            .map(|(number, spec)| Reader::start(&spec, number, address, &recorder))
            .collect();
        let official = vec![
            Official::start(Driver::node(), &official_clients("js"), &address, &recorder).await,
            Official::start(python, &official_clients("python"), &address, &recorder).await,
        ];
        let quit = watch::Sender::new(false);
        let writers = JoinSet::new();
        let mut traffic = Self {
            recorder,
            quit,
            writers,
            readers,
            official,
        };
        traffic.heal(&Api::new(&address.url(), http_client())).await;
        traffic.start_writers(address);
        traffic
    }

    fn start_writers(&mut self, address: Port) {
        let api = Api::new(&address.url(), http_client());
        let [admin, customer, backend] = [
            api.bearer(&token("admin", "a1")),
            api.bearer(&token("customer", "c1")),
            api.header("x-api-key", API_KEY),
        ];
        let writer = |name: &str, api: &Api| {
            Writer::new(name, api.clone(), &self.recorder, &self.quit.subscribe())
        };
        let [orders, more, payments] =
            ["order", "work", "bill"].map(|name| writer(name, &customer));
        let notices = writer("notice", &backend);
        let emits = writer("emit", &backend);
        let same = admin.clone();
        self.writers
            .spawn(async move { load::orders(orders, admin, "c1", None).await });
        self.writers
            .spawn(async move { load::orders(more, same, "c1", Some("t1")).await });
        self.writers
            .spawn(async move { load::payments(payments, "c1").await });
        self.writers
            .spawn(async move { load::notifications(notices, "c2").await });
        self.writers
            .spawn(async move { load::emits(emits, &targets()).await });
    }

    /// Records that all faults are over, waits until all clients are ready, and until each has
    /// received one more event, which is sent now to this API.
    pub(crate) async fn heal(&self, api: &Api) {
        self.recorder.note(Fact::Healed);
        self.recorder
            .wait_until_ready(
                &all_clients()
                    .into_iter()
                    .map(|spec| spec.name)
                    .collect::<Vec<_>>(),
            )
            .await;
        let admin = api.bearer(&token("admin", "a1"));
        let fence = Writer::new("fence", admin, &self.recorder, &self.quit.subscribe());
        let value = format!("fence at {:?}", self.recorder.now());
        let write = Writer::write(
            &value,
            vec![(value.clone(), vec!["everyone".to_owned()])],
            true,
        );
        let body = json!({"to": "everyone", "event": "load", "data": {"value": value}});
        fence.post_keyed(&write, "/api/realtime/emit", &body).await;
        for reader in &self.readers {
            reader.wait_for(&self.recorder, &value).await;
        }
        for official in &self.official {
            official.wait_for(&value).await;
        }
    }

    /// Stops the writers and the clients, and records what the store contains.
    pub(crate) async fn end(&mut self, api: &Api) {
        self.quit.send_replace(true);
        while let Some(ended) = self.writers.join_next().await {
            ended.expect("a writer does not panic");
        }
        self.heal(api).await;
        for reader in self.readers.drain(..) {
            reader.leave().await;
        }
        for official in self.official.drain(..) {
            official.leave().await;
        }
        for fact in load::audit(&self.recorder.history(), &api.bearer(&token("admin", "a1"))).await
        {
            self.recorder.note(fact);
        }
    }

    /// Lets the checker judge the history. Returns how often a client was reset although it had
    /// sent its position. Resets of clients without positions are not counted: the server knows
    /// what a device has only from its pings, so a device may have missed too much when the server
    /// dies again and again within seconds.
    pub(crate) fn judge(self, what: &str) -> usize {
        let mut history = self.recorder.history();
        load::name_values(&mut history);
        assert_correct(what, &history);
        let precise: Vec<_> = all_clients()
            .into_iter()
            .filter(|spec| spec.resume_by == ResumeBy::Since)
            .collect();
        let reset = |fact: &Fact| match fact {
            Fact::Reset { client, .. } => precise.iter().any(|spec| spec.name == *client),
            _ => false,
        };
        history.facts.iter().filter(|(_, fact)| reset(fact)).count()
    }
}

fn all_clients() -> Vec<ReaderSpec> {
    phones()
        .into_iter()
        .chain(official_clients("js"))
        .chain(official_clients("python"))
        .collect()
}

/// Returns hand-written phones of all kinds.
fn phones() -> Vec<ReaderSpec> {
    vec![
        ReaderSpec::new("admin", "admin", "a1", ResumeBy::Since),
        ReaderSpec::new("customer", "customer", "c1", ResumeBy::Since),
        ReaderSpec::new("tailor", "tailor", "t1", ResumeBy::Since),
        ReaderSpec::new("phone with a device", "customer", "c2", ResumeBy::Device),
        ReaderSpec::new("phone with a jti", "customer", "c2", ResumeBy::TokenId),
    ]
}

/// Returns official clients: one that stores positions and one that does not know them.
fn official_clients(kind: &str) -> [ReaderSpec; 2] {
    let name = |way: &str| format!("{kind} {way}");
    [
        ReaderSpec::new(&name("with positions"), "customer", "c1", ResumeBy::Since),
        ReaderSpec::new(&name("by device"), "customer", "c2", ResumeBy::Device),
    ]
}

fn targets() -> Vec<(serde_json::Value, String)> {
    vec![
        (json!({"user": "c1"}), "user-c1".to_owned()),
        (json!({"role": "customer"}), "customer-room".to_owned()),
        (json!({"user": "c2"}), "user-c2".to_owned()),
        (json!("everyone"), "everyone".to_owned()),
        (json!({"role": "tailor"}), "tailor-room".to_owned()),
    ]
}
