//! Checks that `docker-compose.yml`, `Dockerfile` and `docs/deployment` refer only to settings,
//! ports, paths and hosts that exist. Docker itself is not run.

use std::collections::BTreeMap;
use std::fs;

use metaia_tests::server::paths::package_path;
use metaia_tests::server::process::{Process, ProcessOutput};
use metaia_tests::server::{Listening as _, Server, Setup};
use tokio::process::Command;

fn file(name: &str) -> String {
    fs::read_to_string(package_path("..").join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the text between two markers.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text
        .split_once(begin)
        .unwrap_or_else(|| panic!("no {begin:?}"));
    rest.split_once(end)
        .unwrap_or_else(|| panic!("no {end:?} after {begin:?}"))
        .0
}

/// Returns the part of the file that is indented under this line.
fn section<'a>(compose: &'a str, line: &str) -> &'a str {
    let (_, rest) = compose
        .split_once(&format!("\n{line}\n"))
        .unwrap_or_else(|| panic!("no {line:?}"));
    let indent = line.len() - line.trim_start().len();
    let ends =
        |line: &str| !line.trim().is_empty() && line.len() - line.trim_start().len() <= indent;
    let length: usize = rest
        .split_inclusive('\n')
        .take_while(|line| !ends(line))
        .map(str::len)
        .sum();
    &rest[..length]
}

/// Returns the environment that the servers are started with, with placeholders for the required
/// secrets.
fn environment() -> BTreeMap<String, String> {
    let compose = file("docker-compose.yml");
    let lines = section(&compose, "  environment: &server-environment").to_owned();
    let pairs = lines
        .lines()
        .map(|line| line.trim().split_once(": ").expect("NAME: value"));
    let pairs =
        pairs.map(|(name, value)| (name.to_owned(), filled_in(name, value.trim_matches('"'))));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// Replaces `${NAME:?why}` by a secret and `${NAME:-default}` by its default.
fn filled_in(name: &str, value: &str) -> String {
    let Some((before, rest)) = value.split_once("${") else {
        return value.to_owned();
    };
    let (variable, after) = rest.split_once('}').expect("a closing brace");
    let filled = match variable.split_once(":-") {
        Some((_, default)) => default.to_owned(),
        None if name == "CORS_ORIGINS" => "https://app.metaia.example".to_owned(),
        None => "0123456789abcdef".repeat(4),
    };
    filled_in(name, &format!("{before}{filled}{after}"))
}

#[tokio::test]
async fn the_servers_settings_exist_and_are_sufficient() {
    let environment = environment();
    let mut setup = Setup::new();
    for name in [
        "RAZORPAY_KEY_ID",
        "RAZORPAY_KEY_SECRET",
        "RAZORPAY_WEBHOOK_SECRET",
        "JWT_SECRET",
    ] {
        setup = setup.without(name);
    }
    setup = setup.without("METAIA_API_KEY");
    let with = environment
        .iter()
        .fold(setup, |setup, (name, value)| setup.env(name, value));
    let shown = Process::run(with.command_with(&["config"]))
        .await
        .expect_code(0)
        .stdout;
    for name in environment.keys() {
        let known = shown.lines().any(|line| {
            line.split_whitespace().next() == Some(name) && line.trim_end().ends_with("environment")
        });
        assert!(known, "{name} is no setting of the server:\n{shown}");
    }
}

#[test]
fn the_image_uses_known_settings_and_paths() {
    let dockerfile = file("Dockerfile");
    let compose = file("docker-compose.yml");
    let port = &environment()["PORT"];
    assert!(
        dockerfile.contains(&format!("EXPOSE {port} "))
            && dockerfile.contains(&format!("PORT={port} "))
    );
    assert!(dockerfile.contains("STOPSIGNAL SIGTERM") && dockerfile.contains("\nUSER 10001"));
    assert!(dockerfile.contains("--locked"));
    let grace = between(
        section(&compose, "x-server: &server"),
        "stop_grace_period: ",
        "s\n",
    );
    assert!(
        grace.parse::<u32>().unwrap() > 15,
        "a node has 15 s to end by itself"
    );
    let mounted = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ./"));
    let mounted: Vec<&str> = mounted.collect();
    assert!(!mounted.is_empty(), "the proxy's configuration is mounted");
    for path in mounted {
        let path = path.split(':').next().unwrap();
        assert!(
            package_path("..").join(path).is_file(),
            "{path} is mounted, and not there"
        );
    }
}

#[test]
fn the_proxy_forwards_to_the_servers() {
    let compose = file("docker-compose.yml");
    let nginx = file("docs/deployment/nginx.conf");
    let inside = between(&compose, "ports: [\"${HTTP_PORT:-80}:", "\"]");
    assert!(
        nginx.contains(&format!("listen {inside} ")),
        "nginx listens where it is published"
    );
    let port = &environment()["PORT"];
    let named = nginx
        .lines()
        .filter_map(|line| line.trim().strip_prefix("server server-"));
    let mut seen = 0;
    for server in named.map(|rest| rest.split([' ', ';']).next().unwrap()) {
        let (number, at) = server.split_once(':').unwrap();
        assert_eq!(at, port);
        let own = section(&compose, &format!("  server-{number}:"));
        let address = between(own, "ipv4_address: ", " }");
        assert!(
            compose.contains(&format!("\"server-{number}:{address}\"")),
            "server-{number} is at {address}"
        );
        seen += 1;
    }
    assert_eq!(seen, 6, "each of three groups has both");
    let members = between(&compose, "@mongo-1,", "/metaia?");
    assert!(
        members
            .split(',')
            .all(|name| compose.contains(&format!("\n  {name}:\n"))),
        "{members}"
    );
}

#[tokio::test]
async fn health_checks_use_existing_routes() {
    let dockerfile = file("Dockerfile");
    let compose = file("docker-compose.yml");
    let script = between(&dockerfile, "/usr/local/bin/answers\n", "\nSCRIPT");
    let server = Server::start().await;
    let asked = async |path: &str| -> ProcessOutput {
        let mut command = Command::new("bash");
        command
            .args(["-c", script, "answers", path])
            .env("PORT", server.port().to_string());
        Process::run(command).await
    };
    for (text, path) in [(&dockerfile, "/livez"), (&compose, "/readyz")] {
        assert!(
            text.contains(&format!("\"answers\", \"{path}\"]")),
            "{path}"
        );
        asked(path).await.expect_code(0);
    }
    asked("/nothing").await.expect_code(1);
    let port = server.port();
    server.stop().await;
    let mut command = Command::new("bash");
    command
        .args(["-c", script, "answers", "/livez"])
        .env("PORT", port.to_string());
    Process::run(command).await.expect_code(1);
}
