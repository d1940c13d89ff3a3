//! One run under load: a server that ends again and again, one way or the other, writers, readers, and the checker's
//! judgement at the end.

use metaia_tests::chance::Chance;
use metaia_tests::checker::{Fact, Recorder, assert_correct};
use metaia_tests::driver::Driver;
use metaia_tests::load::{self, Official, Reader, Way, Who, Writer};
use metaia_tests::ports::Port;
use metaia_tests::rest::{Api, http_client};
use metaia_tests::server::{API_KEY, Listening, Server, Setup};
use metaia_tests::token::token;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Run {
    recorder: Recorder,
    /// Empty only while it is being killed.
    server: Option<Server>,
    quit: watch::Sender<bool>,
    writers: JoinSet<()>,
    readers: Vec<Reader>,
    official: Vec<Official>,
}

impl Run {
    pub(crate) async fn start(setup: Setup) -> Self {
        let limits = "rest_per_s=100000,handshakes_per_s=100000";
        let server = setup.env("METAIA_LIMITS", limits).at_one_port().start().await;
        let recorder = Recorder::new();
        recorder.note(Fact::Started);
        let (port, quit) = (Port(server.port()), watch::Sender::new(false));
        let readers = phones().iter().map(|who| Reader::start(who, port, &recorder)).collect();
        let official = vec![
            Official::start(Driver::node(), &apps("js"), &port, &recorder).await,
            Official::start(Driver::python(), &apps("python"), &port, &recorder).await,
        ];
        let mut run =
            Self { recorder, server: Some(server), quit, writers: JoinSet::new(), readers, official };
        run.heal().await;
        run.start_writers(port);
        run
    }

    fn start_writers(&mut self, port: Port) {
        let api = Api::new(&port.url(), http_client());
        let [admin, customer, backend] = [
            api.bearer(&token("admin", "a1")),
            api.bearer(&token("customer", "c1")),
            api.header("x-api-key", API_KEY),
        ];
        let writer =
            |name: &str, api: &Api| Writer::new(name, api.clone(), &self.recorder, &self.quit.subscribe());
        let [orders, more, payments] = ["order", "work", "bill"].map(|name| writer(name, &customer));
        let (notices, emits) = (writer("notice", &backend), writer("emit", &backend));
        let same = admin.clone();
        self.writers.spawn(async move { load::orders(orders, admin, "c1", None).await });
        self.writers.spawn(async move { load::orders(more, same, "c1", Some("t1")).await });
        self.writers.spawn(async move { load::payments(payments, "c1").await });
        self.writers.spawn(async move { load::notifications(notices, "c2").await });
        self.writers.spawn(async move { load::emits(emits, &targets()).await });
    }

    /// Waits until more has happened: sometimes hardly anything, so that clients are cut off while they catch up.
    pub(crate) async fn make_some_noise(&self, chance: &mut Chance) {
        let most = *chance.pick(&[5, 60, 250]);
        let more = usize::try_from(1 + chance.below(most)).unwrap();
        self.recorder.more(more).await;
    }

    /// Kills it as a power cut would, and starts it again in the same folder.
    pub(crate) async fn kill(&mut self) {
        let setup = self.server.take().unwrap().killed().await;
        self.recorder.note(Fact::Killed);
        self.restart(setup).await;
    }

    /// Starts it so that it dies when it passes this point for the `nth` time, waits for that, and starts it again.
    pub(crate) async fn crash_at(&mut self, point: &str, nth: u64) {
        self.crash(&format!("{point}:{nth}"), async |_: &Server| ()).await;
    }

    /// Starts it so that it dies at this point, which it passes when it is asked to end, and starts it again.
    pub(crate) async fn crash_while_ending_at(&mut self, point: &str) {
        self.crash(point, async |server: &Server| server.signal("TERM").await).await;
    }

    async fn crash(&mut self, point: &str, provoke: impl AsyncFnOnce(&Server)) {
        let setup = self.server.take().unwrap().killed().await;
        self.recorder.note(Fact::Killed);
        let setup = match setup.env("METAIA_CRASH", point).try_start().await {
            Ok(server) => {
                self.recorder.note(Fact::Started);
                provoke(&server).await;
                server.crashed().await
            }
            Err(setup) => setup,
        };
        self.recorder.note(Fact::Killed);
        self.restart(setup.without("METAIA_CRASH")).await;
    }

    /// Asks it to end, waits until it has, and starts it again.
    pub(crate) async fn restart_politely(&mut self) {
        let server = self.server.take().unwrap();
        self.recorder.note(Fact::Asked);
        let setup = server.stopped().await;
        self.recorder.note(Fact::Ended { code: Some(0) });
        self.restart(setup).await;
    }

    async fn restart(&mut self, setup: Setup) {
        self.server = Some(setup.start().await);
        self.recorder.note(Fact::Started);
    }

    /// Nothing breaks until everybody has got one more event, sent now.
    pub(crate) async fn heal(&self) {
        let server = self.server.as_ref().unwrap();
        self.recorder.note(Fact::Healed);
        self.recorder.all_ready(&everybody().into_iter().map(|who| who.name).collect::<Vec<_>>()).await;
        let fence = Writer::new("fence", server.admin(), &self.recorder, &self.quit.subscribe());
        let value = format!("fence at {:?}", self.recorder.now());
        let write = Writer::write(&value, vec![(value.clone(), vec!["everyone".to_owned()])], true);
        let body = json!({"to": "everyone", "event": "load", "data": {"value": value}});
        fence.post_keyed(&write, "/api/realtime/emit", &body).await;
        for reader in &self.readers {
            reader.gets(&self.recorder, &value).await;
        }
        for official in &self.official {
            official.get(&value).await;
        }
    }

    /// Lets everybody finish, looks into the store, ends the server, and has the checker judge it all. Answers how often
    /// a client was told to reload although it said where it was. (What a device has for certain is known by its pings:
    /// of a server that dies again and again within seconds it may have missed too much.)
    pub(crate) async fn judge(mut self, what: &str) -> usize {
        self.quit.send_replace(true);
        while let Some(ended) = self.writers.join_next().await {
            ended.expect("a writer does not panic");
        }
        self.heal().await;
        for reader in self.readers.drain(..) {
            reader.leave().await;
        }
        for official in self.official.drain(..) {
            official.leave().await;
        }
        let server = self.server.take().unwrap();
        for fact in load::audit(&self.recorder.history(), &server.admin()).await {
            self.recorder.note(fact);
        }
        self.end(server).await;
        let mut history = self.recorder.history();
        load::name_values(&mut history);
        assert_correct(what, &history);
        let precise: Vec<_> = everybody().into_iter().filter(|who| who.way == Way::Since).collect();
        let reset = |fact: &Fact| match fact {
            Fact::Reset { client, .. } => precise.iter().any(|who| who.name == *client),
            _ => false,
        };
        history.facts.iter().filter(|(_, fact)| reset(fact)).count()
    }

    async fn end(&self, mut server: Server) {
        self.recorder.note(Fact::Asked);
        server.signal("TERM").await;
        let code = server.wait().await.code();
        self.recorder.note(Fact::Ended { code });
        for line in server.said() {
            self.recorder.note(Fact::Said(line));
        }
    }
}

fn everybody() -> Vec<Who> {
    phones().into_iter().chain(apps("js")).chain(apps("python")).collect()
}

/// Hand-made phones of all kinds.
fn phones() -> Vec<Who> {
    vec![
        Who::new("admin", "admin", "a1", Way::Since),
        Who::new("customer", "customer", "c1", Way::Since),
        Who::new("tailor", "tailor", "t1", Way::Since),
        Who::new("phone with a device", "customer", "c2", Way::Device),
        Who::new("phone with a jti", "customer", "c2", Way::TokenId),
    ]
}

/// Official clients: one that keeps positions, one that has never heard of them.
fn apps(kind: &str) -> [Who; 2] {
    let name = |way: &str| format!("{kind} {way}");
    [
        Who::new(&name("with positions"), "customer", "c1", Way::Since),
        Who::new(&name("by device"), "customer", "c2", Way::Device),
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
