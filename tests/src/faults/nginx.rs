//! A real `nginx` with the configuration of `docs/deployment`, in front of our servers.

use std::fs;

use tokio::process::Command;

use crate::eventually::eventually;
use crate::server::Listening;
use crate::server::host::Host;
use crate::server::paths::{nginx, package_path};
use crate::server::ports::{self, Port};
use crate::server::process::{Process, ProcessOutput};
use crate::server::rest::{Api, http_client};
use crate::server::temp_folder::TempFolder;

/// A proxy. Dropping it kills the process.
#[derive(Debug)]
pub struct Nginx {
    // Dropped in this order: the process ends before its folder is removed.
    process: Process,
    _folder: TempFolder,
    port: u16,
}

impl Nginx {
    /// Starts a proxy in front of these two servers, whose ports must not change.
    pub async fn start(nodes: [Port; 2]) -> Self {
        let folder = TempFolder::new();
        let port = ports::unused();
        let process = Process::start_named("nginx", command(&folder, port, nodes));
        let nginx = Self {
            process,
            _folder: folder,
            port,
        };
        let api = Api::new(&nginx.url(), http_client());
        eventually("nginx to answer", async || api.try_get("/readyz").await).await;
        nginx
    }

    /// Runs nginx's own check of the configuration.
    pub async fn check() -> ProcessOutput {
        let folder = TempFolder::new();
        let nodes = [Port(1), Port(2)];
        let mut command = command(&folder, 3, nodes);
        command.arg("-t");
        Process::run(command).await
    }

    /// Returns the lines of its access log and of its error log.
    #[must_use]
    pub fn output_lines(&self) -> Vec<String> {
        self.process.output_lines()
    }
}

impl Listening for Nginx {
    fn port(&self) -> u16 {
        self.port
    }
}

fn command(folder: &TempFolder, port: u16, nodes: [Port; 2]) -> Command {
    let file = folder.write(
        "nginx.conf",
        adapted(&folder.path().display().to_string(), port, nodes),
    );
    let mut command = Host::local().command(nginx());
    command.arg("-c").arg(file).args(["-g", "daemon off;"]);
    command
}

/// Returns the configuration with this test's addresses instead of the containers', and with one
/// process, so that no worker outlives its master.
fn adapted(folder: &str, port: u16, [one, other]: [Port; 2]) -> String {
    let text = fs::read_to_string(package_path("../docs/deployment/nginx.conf"))
        .expect("the configuration");
    let text = text.replace("server-1:5000", &format!("127.0.0.1:{}", one.0));
    let text = text.replace("server-2:5000", &format!("127.0.0.1:{}", other.0));
    let text = text.replace("listen 8080", &format!("listen 127.0.0.1:{port}"));
    let text = text.replace("worker_processes auto;", "master_process off;");
    text.replace("/tmp/", &format!("{folder}/"))
}
