//! A real Chromium without a window, driven over its DevTools protocol.

mod page;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::eventually::within;
use crate::server::host::Host;
use crate::server::process::Process;
use crate::server::temp_folder::TempFolder;

pub use page::PageServer;

/// The text that Chromium writes before the address of its DevTools.
const ADDRESS: &str = "DevTools listening on ";

/// The options of a browser that shows nothing, keeps nothing and asks nobody.
const OPTIONS: [&str; 8] = [
    "--headless",
    // Tests may run as root, for whom the sandbox refuses to work.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-port=0",
];

/// A browser with one page. Dropping it kills the process.
#[derive(Debug)]
pub struct Browser {
    devtools: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u64,
    /// The session of the page.
    session: Option<String>,
    // Dropped in this order: the process ends before its folder is removed.
    _process: Process,
    _profile: TempFolder,
}

impl Browser {
    /// Starts a browser with an empty page.
    pub async fn start() -> Self {
        let profile = TempFolder::new();
        let folder = profile.path().display();
        let mut command = Host::local().command("chromium");
        command
            .args(OPTIONS)
            .arg(format!("--user-data-dir={folder}"));
        let process = Process::start_named("chromium", command);
        let line = process
            .stderr
            .first("the DevTools", |line| line.starts_with(ADDRESS))
            .await;
        let address = line.trim_start_matches(ADDRESS);
        let (devtools, _) = within("the DevTools", connect_async(address))
            .await
            .expect("the DevTools");
        let mut browser = Self {
            devtools,
            calls: 0,
            session: None,
            _process: process,
            _profile: profile,
        };
        browser.attach().await;
        browser
    }

    /// Makes a page, and attaches to it.
    async fn attach(&mut self) {
        let blank = json!({"url": "about:blank"});
        let target = self.call("Target.createTarget", blank).await;
        let page = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", page).await;
        let session = attached["sessionId"].as_str().expect("a session");
        self.session = Some(session.to_owned());
    }

    /// Opens a page, and waits until it is loaded.
    pub async fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({"url": url})).await;
        assert_eq!(opened["errorText"], Value::Null, "{url}");
        self.evaluate(
            "new Promise((loaded) => document.readyState === 'complete'
                ? loaded() : addEventListener('load', () => loaded()))",
        )
        .await;
    }

    /// Returns the value of an expression in the page. Waits for a promise.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let expression = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
        });
        let evaluated = self.call("Runtime.evaluate", expression).await;
        let exception = &evaluated["exceptionDetails"];
        assert!(exception.is_null(), "{exception:#}");
        evaluated["result"]["value"].clone()
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        let sent = self.devtools.send(Message::text(call.to_string())).await;
        sent.expect("the DevTools");
        within(method, self.answer()).await
    }

    /// Returns the answer to the last call. Events are left out.
    async fn answer(&mut self) -> Value {
        loop {
            let message = self.devtools.next().await;
            let message = message.expect("a message").expect("the DevTools");
            let Message::Text(text) = message else {
                continue;
            };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.calls {
                assert!(answer["error"].is_null(), "{answer:#}");
                return answer["result"].take();
            }
        }
    }
}
