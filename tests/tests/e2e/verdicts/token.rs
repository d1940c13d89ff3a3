//! The token of a command: `METAIA_TOKEN` is `--token`, and a refused one names its place.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::{Token, token};
use metaia_tests::server::Server;

use super::objects;

#[tokio::test]
async fn a_token_of_the_environment_acts_as_its_owner() {
    let server = Server::start().await;
    let jwt = token("customer", "u1");
    let cli = Cli::for_server(&server);
    let flag = ["trigger", "order_update", "-o", "ndjson", "--token", &jwt];
    let by_flag = cli.run(&flag).await.expect_code(0);
    let cli = Cli::for_server(&server).env("METAIA_TOKEN", &jwt);
    let by_variable = cli.run(&flag[..4]).await.expect_code(0);
    for ended in [by_flag, by_variable] {
        let placed = &objects(&ended.stdout)[0];
        assert_eq!(placed["as"], "customer:u1", "{ended:#?}");
        assert_eq!(placed["data"]["order"]["customer"], "u1");
    }
}

#[tokio::test]
async fn a_token_of_the_environment_comes_before_an_api_key_as_the_option_does() {
    let server = Server::start().await;
    let jwt = token("customer", "u1");
    let cli = Cli::for_server(&server).env("METAIA_API_KEY", metaia_tests::server::API_KEY);
    cli.run(&["emit", "user:u1", "x"]).await.expect_code(0);
    let args = ["emit", "user:u1", "x", "--token", &jwt];
    cli.run(&args).await.expect_code(5);
    let cli = cli.env("METAIA_TOKEN", &jwt);
    cli.run(&args[..3]).await.expect_code(5);
}

#[tokio::test]
async fn an_explicit_role_replaces_the_token_of_the_environment() {
    let server = Server::start().await;
    let jwt = token("customer", "u1");
    let cli = Cli::for_server(&server).env("METAIA_TOKEN", &jwt);
    let emit = ["emit", "user:u1", "x", "--as", "admin:a1"];
    cli.run(&emit).await.expect_code(0);
    let both = [&emit[..], &["--token", &jwt]].concat();
    cli.run(&both).await.expect_code(2);
}

#[tokio::test]
async fn an_expired_token_names_its_place() {
    let server = Server::start().await;
    let claims = r#"{"userId":"a1","role":"admin","exp":1.7e9}"#;
    let expired = Token::with_raw_claims(claims).sign();
    let plain = Cli::for_server(&server);
    plain.folder().write("token", &expired);
    let by_variable = Cli::for_server(&server).env("METAIA_TOKEN", &expired);
    let by_dotenv = Cli::for_server(&server);
    let dotenv = format!("METAIA_TOKEN={expired}\n");
    by_dotenv.folder().write(".env", &dotenv);
    for (cli, option, place) in [
        (&plain, &["--token", &expired][..], "--token"),
        (
            &plain,
            &["--token-file", "token"],
            "the file of --token-file",
        ),
        (&by_variable, &[], "METAIA_TOKEN"),
        (&by_dotenv, &[], "METAIA_TOKEN in .env"),
    ] {
        for command in [&["tail", "--for", "0s"][..], &["emit", "user:u1", "x"]] {
            let ended = cli.run(&[command, option].concat()).await.expect_code(4);
            let said = format!("(the token is from {place})");
            assert!(ended.stderr.contains(&said), "no {said:?}: {ended:#?}");
        }
    }
}
