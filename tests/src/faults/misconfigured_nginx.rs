//! A real `nginx` before one server, with TLS and with the mistakes that are made in its
//! configuration, each on a port of its own.

use tokio::process::Command;

use crate::eventually::eventually;
use crate::server::Listening;
use crate::server::host::Host;
use crate::server::paths::{nginx, package_path};
use crate::server::ports;
use crate::server::process::Process;
use crate::server::rest::{Api, http_client};
use crate::server::temp_folder::TempFolder;

/// The behaviour of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It speaks TLS, with the self-signed certificate of the fixtures, and passes everything on.
    Tls,
    /// It passes no `Upgrade` on.
    WithoutUpgrade,
    /// It passes no `Authorization` on.
    WithoutAuthorization,
    /// It wants the user `u` with the password `p`, by basic authentication.
    Guarded,
    /// It redirects everything to the port with TLS.
    Redirect,
    /// It passes everything on to a port that is closed.
    Down,
    /// It knows no path.
    Unknown,
    /// It passes `/api/` on, and serves a page of its own for every other path.
    RestAlone,
    /// It cuts a connection on which nothing comes from the server for a second.
    Impatient,
    /// It sends each request to the next of two servers.
    Alternating,
    /// It takes bodies of at most 1 KiB.
    SmallBodies,
    /// It speaks TLS, with an expired certificate of the authority of the fixtures.
    Expired,
    /// It hides the header that lets a page of a browser read an answer.
    HiddenFromPages,
    /// It changes the bodies of answers.
    Rewriting,
    /// It limits the rate of requests to `/livez`, and the limit is reached.
    Limited,
    /// It passes no query on.
    WithoutQuery,
    /// It speaks TLS, and wants a certificate of the client.
    ClientCertificate,
    /// It lets nobody emit.
    WithoutEmit,
}

const DOORS: [Door; 18] = [
    Door::Tls,
    Door::WithoutUpgrade,
    Door::WithoutAuthorization,
    Door::Guarded,
    Door::Redirect,
    Door::Down,
    Door::Unknown,
    Door::RestAlone,
    Door::Impatient,
    Door::Alternating,
    Door::SmallBodies,
    Door::Expired,
    Door::HiddenFromPages,
    Door::Rewriting,
    Door::Limited,
    Door::WithoutQuery,
    Door::ClientCertificate,
    Door::WithoutEmit,
];

const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection \"upgrade\"; proxy_set_header Host $http_host;";

/// A proxy. Dropping it kills the process.
#[derive(Debug)]
pub struct MisconfiguredNginx {
    // Dropped in this order: the process ends before its folder is removed.
    _process: Process,
    _folder: TempFolder,
    ports: [u16; DOORS.len()],
}

impl MisconfiguredNginx {
    /// Starts a proxy before this server.
    pub async fn before(server: &impl Listening) -> Self {
        Self::before_two(server, server).await
    }

    /// Starts a proxy before these servers. Only [`Door::Alternating`] uses the second one.
    pub async fn before_two(server: &impl Listening, other: &impl Listening) -> Self {
        let folder = TempFolder::new();
        let ports = DOORS.map(|_| ports::unused());
        let servers = [server.port(), other.port()];
        let process = Process::start_named("nginx", command(&folder, ports, servers));
        let nginx = Self {
            _process: process,
            _folder: folder,
            ports,
        };
        let api = Api::new(&nginx.url(Door::WithoutUpgrade), http_client());
        eventually("nginx to answer", async || api.try_get("/readyz").await).await;
        nginx
    }

    /// Returns the URL of a port.
    #[must_use]
    pub fn url(&self, door: Door) -> String {
        let scheme = if door.is_tls() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port(door))
    }

    /// Returns the number of a port.
    #[must_use]
    pub fn port(&self, door: Door) -> u16 {
        let at = DOORS.iter().position(|known| *known == door);
        self.ports[at.expect("every door has a port")]
    }
}

impl Door {
    fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Expired | Self::ClientCertificate)
    }
}

fn command(folder: &TempFolder, ports: [u16; DOORS.len()], nodes: [u16; 2]) -> Command {
    let tls = ports[0];
    let servers = DOORS.into_iter().zip(ports);
    let servers: String = servers
        .map(|(door, port)| section(door, port, nodes[0], tls))
        .collect();
    let [one, other] = nodes;
    let path = folder.path().display();
    let file = folder.write(
        "nginx.conf",
        format!(
            "master_process off; pid {path}/nginx.pid; error_log stderr warn; events {{}}\n\
             http {{ access_log off; client_body_temp_path {path}/body;\n\
             proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/fastcgi;\n\
             uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;\n\
             upstream both {{ server 127.0.0.1:{one}; server 127.0.0.1:{other}; }}\n{servers}}}\n"
        ),
    );
    let mut command = Host::local().command(nginx());
    command.arg("-c").arg(file).args(["-g", "daemon off;"]);
    command
}

fn section(door: Door, port: u16, server: u16, tls: u16) -> String {
    let pass = format!("proxy_pass http://127.0.0.1:{server};");
    let rules = match door {
        Door::Tls => format!(
            "{} location / {{ {UPGRADE} {pass} }}",
            tls_files("self-signed")
        ),
        Door::Expired => format!("{} location / {{ {UPGRADE} {pass} }}", tls_files("expired")),
        Door::RestAlone => format!(
            "location /api/ {{ {pass} }} location / {{ return 200 '<title>Shop</title>'; }}"
        ),
        Door::Impatient => format!("location / {{ proxy_read_timeout 1s; {UPGRADE} {pass} }}"),
        Door::Alternating => format!("location / {{ {UPGRADE} proxy_pass http://both; }}"),
        Door::SmallBodies => {
            format!("client_max_body_size 1k; location / {{ {UPGRADE} {pass} }}")
        }
        Door::WithoutUpgrade => format!("location / {{ {pass} }}"),
        Door::WithoutAuthorization => {
            format!("location / {{ {UPGRADE} proxy_set_header Authorization \"\"; {pass} }}")
        }
        Door::Guarded => format!(
            "location / {{ if ($http_authorization != \"Basic dTpw\") {{ return 401; }} \
             {UPGRADE} {pass} }}"
        ),
        Door::Redirect => format!("return 301 https://127.0.0.1:{tls}$request_uri;"),
        Door::HiddenFromPages => format!(
            "location / {{ proxy_hide_header Access-Control-Allow-Origin; {UPGRADE} {pass} }}"
        ),
        Door::Rewriting => {
            format!("sub_filter_types *; sub_filter sid SID; location / {{ {UPGRADE} {pass} }}")
        }
        Door::Limited => {
            format!("location = /livez {{ return 429; }} location / {{ {UPGRADE} {pass} }}")
        }
        Door::WithoutQuery => {
            let pass = pass.replace(';', "$uri;");
            format!("location / {{ {UPGRADE} {pass} }}")
        }
        Door::ClientCertificate => format!(
            "{} ssl_verify_client on; ssl_client_certificate {}; \
             location / {{ {UPGRADE} {pass} }}",
            tls_files("self-signed"),
            package_path("fixtures/tls/authority.pem").display()
        ),
        Door::WithoutEmit => format!(
            "location = /api/realtime/emit {{ return 403; }} location / {{ {UPGRADE} {pass} }}"
        ),
        Door::Down => "location / { proxy_pass http://127.0.0.1:1; }".to_owned(),
        Door::Unknown => "return 404;".to_owned(),
    };
    let options = if door.is_tls() { " ssl" } else { "" };
    // The certificate is for 127.0.0.1, and not for this other address of the same machine.
    let other = match door {
        Door::Tls => format!("listen 127.0.0.2:{port} ssl; "),
        _ => String::new(),
    };
    format!("server {{ listen 127.0.0.1:{port}{options}; {other}{rules} }}\n")
}

/// Returns the lines for a certificate of the fixtures and its key.
fn tls_files(name: &str) -> String {
    let folder = package_path("fixtures/tls");
    let folder = folder.display();
    format!("ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}-key.pem;")
}
