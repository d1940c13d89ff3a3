//! One run under load: a server that is stopped and started again and again in several ways, and
//! the checker's verdict at the end.

use metaia_tests::checker::{Fact, Recorder};
use metaia_tests::clients::driver::Driver;
use metaia_tests::fixtures::seeded_rng::SeededRng;
use metaia_tests::server::ports::Port;
use metaia_tests::server::{Listening, Server, Setup};

use crate::traffic::Traffic;

pub(crate) struct Run {
    traffic: Traffic,
    /// Absent only while the server is stopped.
    server: Option<Server>,
}

impl Run {
    pub(crate) async fn start(setup: Setup) -> Self {
        let limits = "rest_per_s=100000,handshakes_per_s=100000";
        let server = setup
            .env("METAIA_LIMITS", limits)
            .with_fixed_port()
            .start()
            .await;
        let recorder = Recorder::new();
        recorder.note(Fact::Started);
        let traffic = Traffic::start(Port(server.port()), recorder, Driver::python()).await;
        Self {
            traffic,
            server: Some(server),
        }
    }

    fn note(&self, fact: Fact) {
        self.traffic.recorder.note(fact);
    }

    /// Waits until more facts have been recorded. The number is sometimes very small, so that
    /// clients are disconnected while they catch up.
    pub(crate) async fn wait_for_traffic(&self, rng: &mut SeededRng) {
        let most = *rng.pick(&[5, 60, 250]);
        let more = usize::try_from(1 + rng.below(most)).unwrap();
        self.traffic.recorder.wait_for_more(more).await;
    }

    /// Kills the server with SIGKILL, as a power cut would, and starts it again in the same folder.
    pub(crate) async fn kill(&mut self) {
        let setup = self.server.take().unwrap().kill().await;
        self.note(Fact::Killed);
        self.restart(setup).await;
    }

    /// Restarts the server so that it crashes when it passes this point for the `nth` time, waits
    /// for the crash, and starts it again.
    pub(crate) async fn crash_at(&mut self, point: &str, nth: u64) {
        self.crash(&format!("{point}:{nth}"), async |_: &Server| ())
            .await;
    }

    /// Restarts the server so that it crashes at this point of its shutdown, asks it to end, and
    /// starts it again.
    pub(crate) async fn crash_at_shutdown(&mut self, point: &str) {
        self.crash(point, async |server: &Server| server.signal("TERM").await)
            .await;
    }

    async fn crash(&mut self, point: &str, provoke: impl AsyncFnOnce(&Server)) {
        let setup = self.server.take().unwrap().kill().await;
        self.note(Fact::Killed);
        let setup = match setup.env("METAIA_CRASH", point).try_start().await {
            Ok(server) => {
                self.note(Fact::Started);
                provoke(&server).await;
                server.wait_for_crash().await
            }
            Err(setup) => setup,
        };
        self.note(Fact::Killed);
        self.restart(setup.without("METAIA_CRASH")).await;
    }

    /// Stops the server with SIGTERM, waits until it has ended, and starts it again.
    pub(crate) async fn restart_with_sigterm(&mut self) {
        let server = self.server.take().unwrap();
        self.note(Fact::AskedToEnd);
        let setup = server.stop().await;
        self.note(Fact::Ended { code: Some(0) });
        self.restart(setup).await;
    }

    async fn restart(&mut self, setup: Setup) {
        self.server = Some(setup.start().await);
        self.note(Fact::Started);
    }

    /// Waits until every client has received one more event, which is sent now. No fault may happen
    /// meanwhile.
    pub(crate) async fn heal(&self) {
        self.traffic
            .heal(&self.server.as_ref().unwrap().anonymous())
            .await;
    }

    /// Ends everything and lets the checker judge the history. Returns how often a client was reset
    /// although it had sent its position.
    pub(crate) async fn judge(mut self, what: &str) -> usize {
        let server = self.server.take().unwrap();
        self.traffic.end(&server.anonymous()).await;
        self.end(server).await;
        self.traffic.judge(what)
    }

    async fn end(&self, mut server: Server) {
        self.note(Fact::AskedToEnd);
        server.signal("TERM").await;
        let code = server.wait().await.code();
        self.note(Fact::Ended { code });
        for line in server.output_lines() {
            self.note(Fact::Printed(line));
        }
    }
}
