//! Pages of another origin in a real Chromium, with the official client and with `fetch`.

use metaia_tests::clients::browser::{Browser, PageServer};
use metaia_tests::fixtures::token::token;
use metaia_tests::server::{Listening as _, Server, Setup};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// The host of the page that is listed. To a browser, `localhost` is another origin.
const LISTED: &str = "127.0.0.1";
const FOREIGN: &str = "localhost";

/// Browsers are large: the tests of this file run one after the other.
static ONE_BROWSER: Mutex<()> = Mutex::const_new(());

/// A server that lists one page, and a browser.
struct Scene {
    server: Server,
    pages: PageServer,
    browser: Browser,
    // Dropped after the browser.
    _only: MutexGuard<'static, ()>,
}

impl Scene {
    /// Starts all of it, and opens the page under the name of this host.
    async fn on(host: &str) -> Self {
        let pages = PageServer::start().await;
        let server = Setup::new().env("CORS_ORIGINS", &pages.origin(LISTED));
        Self::with(server.start().await, pages, host).await
    }

    async fn with(server: Server, pages: PageServer, host: &str) -> Self {
        let only = ONE_BROWSER.lock().await;
        let mut scene = Self {
            server,
            pages,
            browser: Browser::start().await,
            _only: only,
        };
        let origin = scene.pages.origin(host);
        scene.browser.open(&origin).await;
        // Cookies do not know ports: with credentials, the browser sends this one to the server.
        scene
            .browser
            .evaluate("document.cookie = 'session=1'")
            .await;
        scene
    }

    /// Connects as a page does. Returns the transport, or that the connection was refused.
    async fn connect(&mut self, options: Value) -> String {
        let mut options = options;
        options["auth"] = json!({"token": token("customer", "c1")});
        options["forceNew"] = json!(true);
        options["reconnection"] = json!(false);
        let url = self.server.url();
        let connecting = format!(
            "new Promise((done) => {{
                const socket = io('{url}', {options});
                const end = (result) => {{ socket.disconnect(); done(result); }};
                socket.on('rt:ready', () => end(socket.io.engine.transport.name));
                socket.on('connect_error', () => end('refused'));
            }})"
        );
        self.text(&connecting).await
    }

    /// Sends a REST request. Returns the status and whether its id can be read, or that the page
    /// learns nothing.
    async fn fetch(&mut self, options: Value) -> String {
        let mut options = options;
        let authorization = format!("Bearer {}", token("customer", "c1"));
        options["headers"]["authorization"] = json!(authorization);
        let url = self.server.url();
        let fetching = format!(
            "fetch('{url}/api/orders', {options}).then(
                (answer) => answer.status + ' ' + (answer.headers.get('x-request-id') !== null),
                () => 'refused')"
        );
        self.text(&fetching).await
    }

    async fn text(&mut self, expression: &str) -> String {
        let value = self.browser.evaluate(expression).await;
        value.as_str().expect("a text").to_owned()
    }
}

/// Ways to connect, and the transport on which each is ready.
fn ways() -> [(Value, &'static str); 6] {
    let header = json!({"x-app-version": "7"});
    [
        (json!({"transports": ["polling"]}), "polling"),
        (
            json!({"transports": ["polling"], "extraHeaders": header}),
            "polling",
        ),
        (
            json!({"transports": ["polling"], "withCredentials": true}),
            "polling",
        ),
        (
            json!({"transports": ["polling"], "withCredentials": true, "extraHeaders": header}),
            "polling",
        ),
        (json!({"transports": ["websocket"]}), "websocket"),
        (
            json!({"transports": ["websocket"], "withCredentials": true}),
            "websocket",
        ),
    ]
}

/// REST requests, with a header of the app's own and with credentials.
fn requests() -> [Value; 3] {
    let header = json!({"x-app-version": "7"});
    [
        json!({}),
        json!({"headers": header}),
        json!({"headers": header, "credentials": "include"}),
    ]
}

#[tokio::test]
async fn a_listed_page_connects_in_every_way() {
    let mut scene = Scene::on(LISTED).await;
    for (options, transport) in ways() {
        assert_eq!(scene.connect(options.clone()).await, transport, "{options}");
    }
    for options in requests() {
        assert_eq!(scene.fetch(options.clone()).await, "200 true", "{options}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_listed_is_refused_in_every_way() {
    let mut scene = Scene::on(FOREIGN).await;
    for (options, _) in ways() {
        assert_eq!(scene.connect(options.clone()).await, "refused", "{options}");
    }
    for options in requests() {
        assert_eq!(scene.fetch(options.clone()).await, "refused", "{options}");
    }
}

/// Browsers do not accept `*` for a request with credentials.
#[tokio::test]
async fn in_development_every_page_connects_without_credentials() {
    let pages = PageServer::start().await;
    let mut scene = Scene::with(Server::start().await, pages, FOREIGN).await;
    for (options, transport) in ways() {
        if options["withCredentials"] == true && transport == "polling" {
            continue;
        }
        assert_eq!(scene.connect(options.clone()).await, transport, "{options}");
    }
    for options in &requests()[..2] {
        assert_eq!(scene.fetch(options.clone()).await, "200 true", "{options}");
    }
}
