//! The data folder: the modes of what the server creates, and what it refuses because other users
//! of the machine can change it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::issuer::{IssuerKey, key_set};
use metaia_tests::fixtures::place_order;
use metaia_tests::server::paths::binary;
use metaia_tests::server::{Server, Setup};

/// The files beside the database that one start creates.
const FILES: [&str; 7] = [
    "metaia.db",
    "metaia.db-wal",
    "metaia.db-shm",
    "metaia.db.lock",
    "metaia.db.mark",
    "jwt-secret",
    "razorpay-secret",
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn data(setup: &Setup) -> PathBuf {
    setup.folder().join("data")
}

/// Returns a setup whose server generates its secrets.
fn without_secrets() -> Setup {
    Setup::new()
        .without("JWT_SECRET")
        .without("RAZORPAY_KEY_SECRET")
}

fn production() -> Setup {
    Setup::new()
        .env("NODE_ENV", "production")
        .env("CORS_ORIGINS", "https://app.metaia.example")
        .env("RAZORPAY_URL", "https://api.razorpay.com")
}

/// Makes the setup start its server by a shell that runs this line first.
fn after_line(setup: Setup, line: &str) -> Setup {
    let program = binary("metaia-server");
    let script = format!("#!/bin/sh\n{line}\nexec {} \"$@\"\n", program.display());
    let script = setup.folder().write("start.sh", script);
    set_mode(&script, 0o755);
    setup.program(&script)
}

#[track_caller]
fn assert_private(folder: &Path) {
    for name in FILES {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

async fn assert_private_after(umask: &str) {
    let setup = after_line(without_secrets(), umask);
    let server = setup.start().await;
    place_order_with_generated_secret(&server).await;
    let folder = data(server.setup());
    assert_private(&folder);
    assert_eq!(mode(&folder), 0o700);
    server.stop().await;
}

/// Writes to the database, so that it has its log file.
async fn place_order_with_generated_secret(server: &Server) {
    let secret = fs::read_to_string(data(server.setup()).join("jwt-secret")).unwrap();
    let token = metaia_tests::fixtures::token::Token::new("customer", "c1").secret(secret.trim());
    let api = server.anonymous().bearer(&token.sign());
    let order = metaia_tests::fixtures::order_body();
    api.post("/api/orders", &order).await.ok(201);
}

#[tokio::test]
async fn modes_do_not_depend_on_the_umask() {
    assert_private_after("umask 000").await;
    assert_private_after("umask 077").await;
    assert_private_after("umask 022").await;
}

#[tokio::test]
async fn files_that_an_earlier_version_left_readable_are_made_private() {
    let server = without_secrets().start().await;
    place_order_with_generated_secret(&server).await;
    let setup = server.stop().await;
    let folder = data(&setup);
    for file in fs::read_dir(&folder).unwrap() {
        set_mode(&file.unwrap().path(), 0o644);
    }
    let server = setup.start().await;
    server
        .wait_for_output("metaia.db was open to other users (mode 0644): its mode is now 0600")
        .await;
    place_order_with_generated_secret(&server).await;
    assert_private(&folder);
    server.stop().await;
}

/// Starts and stops a server in production, changes its data folder, and checks that the next start
/// is refused with exit code 2 and these texts.
async fn assert_refused_after(change: impl FnOnce(&Path), mentions: &[&str]) {
    let setup = production().start().await.stop().await;
    change(&data(&setup));
    let ended = setup.run_to_end().await.expect_code(2);
    for mention in mentions {
        assert!(ended.stderr.contains(mention), "{mention}: {ended:#?}");
    }
    assert!(!ended.output().contains("panicked"), "{ended:#?}");
}

#[tokio::test]
async fn production_refuses_what_other_users_can_change_and_lists_all_of_it() {
    let change = |folder: &Path| {
        set_mode(folder, 0o777);
        set_mode(&folder.join("metaia.db"), 0o620);
        fs::write(folder.join("jwt-secret"), "a\n").unwrap();
        set_mode(&folder.join("jwt-secret"), 0o602);
    };
    let mentions = [
        "data can be changed by other users (mode 0777)",
        "metaia.db can be changed by other users (mode 0620)",
        "jwt-secret can be changed by other users (mode 0602)",
        "chmod go-rwx",
    ];
    assert_refused_after(change, &mentions).await;
}

#[tokio::test]
async fn a_link_is_judged_by_its_target() {
    let change = |folder: &Path| {
        let target = folder.with_file_name("elsewhere.db");
        fs::rename(folder.join("metaia.db"), &target).unwrap();
        set_mode(&target, 0o666);
        symlink(&target, folder.join("metaia.db")).unwrap();
    };
    let mention = "metaia.db can be changed by other users (mode 0666)";
    assert_refused_after(change, &[mention]).await;
}

#[tokio::test]
async fn development_starts_with_what_other_users_can_change_and_says_so() {
    let setup = Server::start().await.stop().await;
    let folder = data(&setup);
    set_mode(&folder, 0o777);
    set_mode(&folder.join("metaia.db"), 0o666);
    let server = setup.start().await;
    for part in [
        "data can be changed by other users (mode 0777)",
        "metaia.db can be changed by other users (mode 0666)",
    ] {
        server.wait_for_output(part).await;
    }
    place_order(&server, "c1").await;
    server.stop().await;
}

#[tokio::test]
async fn a_link_to_nothing_is_refused_and_its_target_is_not_made() {
    let setup = Setup::new();
    fs::create_dir(data(&setup)).unwrap();
    let target = setup.folder().join("made-by-a-link.db");
    symlink(&target, data(&setup).join("metaia.db")).unwrap();
    let ended = setup.run_to_end().await.expect_code(2);
    assert!(
        ended
            .stderr
            .contains("metaia.db is a link to a file that does not exist"),
        "{ended:#?}"
    );
    assert!(!target.exists());
}

#[tokio::test]
async fn a_secret_that_is_no_regular_file_is_refused_and_not_waited_for() {
    let setup = without_secrets();
    fs::create_dir(data(&setup)).unwrap();
    let pipe = data(&setup).join("jwt-secret");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let ended = setup.run_to_end().await.expect_code(2);
    assert!(
        ended.stderr.contains("jwt-secret is not a regular file"),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn a_dot_env_that_other_users_can_change_is_refused_in_production() {
    let setup = production();
    let file = setup.folder().write(".env", "METAIA_LOG=text\n");
    set_mode(&file, 0o666);
    let ended = setup.run_to_end().await.expect_code(2);
    let mention = ".env: can be changed by other users (mode 0666): check its content";
    assert!(ended.stderr.contains(mention), "{ended:#?}");
    set_mode(&file, 0o644);
    setup.start().await.stop().await;

    let setup = Setup::new();
    let file = setup.folder().write(".env", "METAIA_LOG=text\n");
    set_mode(&file, 0o666);
    let server = setup.start().await;
    let mention = ".env can be changed by other users (mode 0666)";
    server.wait_for_output(mention).await;
}

/// Starts servers whose file is in a folder with this mode. Production refuses it with this text,
/// and development says it.
async fn assert_judged(configure: impl Fn(Setup) -> Setup, place: &str, mention: &str) {
    let setup = configure(production());
    let folder = setup.folder().join(place);
    set_mode(&folder, 0o777);
    let ended = setup.run_to_end().await.expect_code(2);
    assert!(ended.stderr.contains(mention), "{mention}: {ended:#?}");
    assert!(ended.stderr.contains("chmod go-w"), "{ended:#?}");
    // In a sticky folder, others can neither rename nor remove it.
    set_mode(&folder, 0o1777);
    setup.start().await.stop().await;

    let setup = configure(Setup::new());
    set_mode(&setup.folder().join(place), 0o777);
    let server = setup.start().await;
    server.wait_for_output(mention).await;
    server.stop().await;
}

fn with_dot_env(setup: Setup) -> Setup {
    setup.folder().write(".env", "METAIA_LOG=text\n");
    setup
}

#[tokio::test]
async fn a_dot_env_in_a_folder_that_others_can_write_is_refused_in_production() {
    let mention = "can be replaced, because";
    assert_judged(with_dot_env, "", mention).await;
}

fn with_keys(setup: Setup) -> Setup {
    fs::create_dir_all(setup.folder().join("keys/of")).unwrap();
    let keys = key_set(&[&IssuerKey::eddsa("k")]);
    setup.folder().write("keys/of/keys.json", keys);
    setup
        .env("JWKS_URL", "keys/of/keys.json")
        .env("JWT_AUDIENCE", "metaia")
}

#[tokio::test]
async fn a_key_file_below_a_folder_that_others_can_write_is_refused_in_production() {
    let mention = "keys.json\": can be replaced, because";
    assert_judged(with_keys, "keys", mention).await;
}

fn with_data_below(setup: Setup) -> Setup {
    fs::create_dir_all(setup.folder().join("above/data")).unwrap();
    set_mode(&setup.folder().join("above/data"), 0o700);
    setup.env("METAIA_DATA", "above/data")
}

#[tokio::test]
async fn a_data_folder_below_one_that_others_can_write_is_refused_in_production() {
    let mention = "above/data can be replaced, because";
    assert_judged(with_data_below, "above", mention).await;
}

/// Kubernetes mounts a volume so: the server's folder is in it.
#[tokio::test]
async fn a_data_folder_below_one_that_a_group_can_write_is_said_in_production() {
    let setup = with_data_below(production());
    set_mode(&setup.folder().join("above"), 0o2775);
    let server = setup.start().await;
    let mention = "above can be changed by other users (mode 2775)";
    server.wait_for_output(mention).await;
    let output = server.output_lines().join("\n");
    assert!(!output.contains("production would refuse"), "{output}");
}

#[tokio::test]
async fn a_certificate_of_the_database_that_others_can_write_is_refused_in_production() {
    let setup = production();
    let file = setup.folder().write("ca.pem", "a certificate");
    set_mode(&file, 0o666);
    let uri = format!(
        "mongodb://127.0.0.1:1/?tls=true&tlsCAFile={}",
        file.display()
    );
    let ended = setup.env("MONGODB_URI", &uri).run_to_end().await;
    let ended = ended.expect_code(2);
    assert!(ended.stderr.contains("MONGODB_URI: "), "{ended:#?}");
    assert!(ended.stderr.contains("mode 0666"), "{ended:#?}");
}

#[tokio::test]
async fn a_key_file_is_judged_again_before_it_is_read_again() {
    let [old, new] = [IssuerKey::eddsa("old"), IssuerKey::es256("new")];
    let setup = production()
        .env("JWKS_URL", "keys.json")
        .env("METAIA_JWKS_REFRESH_MS", "1000");
    let file = setup.folder().write("keys.json", key_set(&[&old]));
    let server = setup.start().await;
    let status = async |key: &IssuerKey| {
        let api = server.anonymous().bearer(&key.token("customer", "c1"));
        api.get("/api/orders").await.status
    };
    assert_eq!(status(&old).await, 200);
    set_mode(&file, 0o666);
    fs::write(&file, key_set(&[&old, &new])).unwrap();
    server
        .wait_for_output("the file is not trusted: can be changed by other users (mode 0666)")
        .await;
    assert_eq!(status(&old).await, 200);
    assert_ne!(status(&new).await, 200);
    set_mode(&file, 0o644);
    let is_accepted = async || (status(&new).await == 200).then_some(());
    eventually("the new key", is_accepted).await;
}

#[tokio::test]
async fn development_reads_a_changed_key_file_that_others_can_write_and_says_so() {
    let [old, new] = [IssuerKey::eddsa("old"), IssuerKey::es256("new")];
    let setup = Setup::new()
        .env("JWKS_URL", "keys.json")
        .env("METAIA_JWKS_REFRESH_MS", "1000");
    let file = setup.folder().write("keys.json", key_set(&[&old]));
    let server = setup.start().await;
    set_mode(&file, 0o666);
    fs::write(&file, key_set(&[&new])).unwrap();
    server
        .wait_for_output("production would not read the keys: keys.json can be changed")
        .await;
    let is_accepted = async || {
        let api = server.anonymous().bearer(&new.token("customer", "c1"));
        (api.get("/api/orders").await.status == 200).then_some(())
    };
    eventually("the new key", is_accepted).await;
}
