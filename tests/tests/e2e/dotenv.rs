//! `.env` is read as npm's `dotenv` reads it.

use metaia_tests::fixtures::token::Token;
use metaia_tests::server::process::Process;
use metaia_tests::server::{Setup, paths};
use tokio::process::Command;

const SECRET: &str = "abc$def-a-secret-of-the-old-backend-${x}";

/// Returns a setup whose only secret for tokens is in `.env`.
fn with_dot_env(text: &str) -> Setup {
    let setup = Setup::new().without("JWT_SECRET");
    setup.folder().write(".env", text);
    setup
}

#[tokio::test]
async fn a_secret_with_a_dollar_is_the_old_backends_and_its_line_is_named() {
    let text = format!("# the old backend\nNODE_ENV=development\nJWT_SECRET={SECRET} # keep\n");
    let server = with_dot_env(&text).start().await;
    let token = Token::new("customer", "c1").secret(SECRET).sign();
    let api = server.anonymous().bearer(&token);
    api.get("/api/orders").await.ok(200);
    let cut = Token::new("customer", "c1").secret("abc").sign();
    let api = server.anonymous().bearer(&cut);
    api.get("/api/orders").await.refused(401);
    server.wait_for_output(".env, line 3: JWT_SECRET").await;
    let output = server.output_lines().join("\n");
    assert!(!output.contains("abc$def"), "{output}");
}

#[tokio::test]
async fn the_tool_reads_the_same_secret() {
    let setup = with_dot_env(&format!("export JWT_SECRET=`{SECRET}`"));
    let mut mint = Command::new(paths::binary("metaia"));
    // Without `HOME`, the contexts of the person who runs the tests are not read.
    mint.env_clear()
        .args(["token", "mint", "--role", "customer", "--user", "c1"])
        .current_dir(setup.folder().path());
    let server = setup.start().await;
    let minted = Process::run(mint).await.expect_code(0);
    let api = server.anonymous().bearer(minted.stdout.trim());
    api.get("/api/orders").await.ok(200);
}

#[tokio::test]
async fn lines_of_other_programs_never_stop_the_start() {
    let text = b"alias ll='ls -l'\nfoo bar\n[section]\nTITLE=a b c\nQ='\nBYTES=\xff\xfe\n\
                 METAIA_DATA: ./elsewhere\n}\n";
    let setup = Setup::new();
    setup.folder().write(".env", text);
    let server = setup.start().await;
    server.anonymous().get("/livez").await.ok(200);
    let output = server.output_lines().join("\n");
    assert!(!output.contains(".env, line"), "{output}");
}

/// The cases by which the reader itself is tested.
#[tokio::test]
async fn npms_dotenv_reads_the_cases_as_they_say() {
    let cases = paths::package_path("fixtures/dotenv/cases.json");
    let script = "const { deepStrictEqual } = require('assert');\n\
                  const { parse } = require('dotenv');\n\
                  for (const { text, values } of require(process.argv[1]))\n\
                    deepStrictEqual({ ...parse(text) }, values, JSON.stringify(text));\n";
    let mut node = Command::new("node");
    node.args(["-e", script])
        .arg(cases)
        .current_dir(paths::js());
    Process::run(node).await.expect_code(0);
}
