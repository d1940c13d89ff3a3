//! `metaia test`: the scenarios of `examples/scenarios` pass, and what does not pass is told to
//! people, scripts, CI and GitHub.

use std::path::PathBuf;

use metaia_tests::clients::cli::Cli;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::razorpay;
use metaia_tests::server::paths::{package_path, python};
use metaia_tests::server::process::{Process, ProcessOutput};
use metaia_tests::server::{Server, Setup};
use tokio::process::Command;

/// A scenario whose expectation is not met.
const UNMET: &str = "\
scenario: an order is confirmed by itself
people: { buyer: customer }
steps:
  - place: { as: buyer, save: order }
  - expect:
      - { as: buyer, event: order_update, match: { _id: $order, status: confirmed }, within: 1ms }
";

/// A scenario that passes.
const MET: &str = "\
scenario: an order is pending first
people: { buyer: customer }
steps:
  - place: { as: buyer }
  - expect: [{ as: buyer, event: order_update, match: { status: pending } }]
";

/// Returns the path of an example, or of all of them.
fn example(name: &str) -> String {
    let folder = package_path("../examples/scenarios");
    folder.join(name).display().to_string()
}

fn cli(server: &Server) -> Cli {
    Cli::for_server(server).env("RAZORPAY_WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET)
}

/// Runs scenarios with these texts, in this order.
async fn run(cli: &Cli, scenarios: &[&str], args: &[&str]) -> ProcessOutput {
    for (number, text) in scenarios.iter().enumerate() {
        cli.folder().write(&format!("qa/{number}.yaml"), text);
    }
    cli.run(&[&["test", "qa"], args].concat()).await
}

#[tokio::test]
async fn the_examples_pass() {
    let server = Server::start().await;
    let args = ["test", &example(""), "--jobs", "4"];
    let output = cli(&server).run(&args).await.expect_code(0);
    let passed = output.stdout.lines().filter(|line| line.starts_with('✓'));
    assert!(passed.count() > 50, "{output:#?}");
    let skipped: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with('-'))
        .collect();
    let [drain, restart] = skipped[..] else {
        panic!("two examples need a server of their own: {output:#?}");
    };
    assert!(drain.contains("it needs --var server_pid=…"), "{drain}");
    assert!(restart.contains("it needs --var restart=…"), "{restart}");
}

#[tokio::test]
async fn the_example_of_a_drain_passes_beside_its_own_server() {
    let server = Server::start().await;
    let pid = format!("server_pid={}", server.pid());
    let args = ["test", &example("drain.yaml"), "--var", &pid];
    cli(&server).run(&args).await.expect_code(0);
    server.wait_for_clean_exit().await;
}

#[tokio::test]
async fn the_example_of_a_restart_passes_beside_its_own_server() {
    let server = Setup::new().with_fixed_port().start().await;
    let cli = cli(&server);
    let restart = "restart=touch asked; until [ -e done ]; do sleep 0.05; done";
    let args = ["test", &example("restart.yaml"), "--var", restart];
    let test = cli.start(&args);
    let asked = cli.folder().join("asked");
    eventually("the restart", async || asked.exists().then_some(())).await;
    let _server = server.stop().await.start().await;
    cli.folder().write("done", "");
    test.wait_with_output().await.expect_code(0);
}

#[tokio::test]
async fn the_examples_are_read_without_a_server() {
    let cli = Cli::for_url("http://127.0.0.1:1");
    let output = cli.run(&["test", &example(""), "--check"]).await;
    let output = output.expect_code(0).output();
    assert!(output.contains("scenarios can run"), "{output}");
    let args = ["test", &example(""), "--list", "--tag", "smoke"];
    let listed = cli.run(&args).await.expect_code(0).stdout;
    assert!(listed.contains("a stranger gets nothing"), "{listed}");
    assert!(!listed.contains("a server that stops"), "{listed}");
}

#[tokio::test]
async fn the_schema_is_the_published_one() {
    let cli = Cli::for_url("http://127.0.0.1:1");
    let printed = cli.run(&["test", "--schema"]).await.expect_code(0).stdout;
    let file = package_path("../docs/metaia-scenario.schema.json");
    let published = std::fs::read_to_string(file).unwrap();
    assert_eq!(printed.trim_end(), published.trim_end());
}

#[tokio::test]
async fn an_expectation_that_is_not_met_is_exit_6_and_tells_what_came() {
    let server = Server::start().await;
    let output = run(&cli(&server), &[MET, UNMET], &[]).await.expect_code(6);
    for text in [
        "✓ an order is pending first",
        "✗ an order is confirmed by itself",
        "qa/1.yaml:6",
        "status: pending",
        "again   metaia test qa/1.yaml",
        "1 passed, 1 failed",
    ] {
        assert!(output.output().contains(text), "{text}: {output:#?}");
    }
}

#[tokio::test]
async fn one_wrong_file_is_exit_2_and_nothing_runs() {
    let server = Server::start().await;
    let wrong = MET.replace("place:", "plase:");
    let output = run(&cli(&server), &[MET, &wrong], &[]).await.expect_code(2);
    let output = output.output();
    assert!(output.contains("did you mean `place`?"), "{output}");
    assert!(output.contains("qa/1.yaml:4"), "{output}");
    assert!(!output.contains('✓'), "{output}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_exit_3_and_no_failure_of_the_scenario() {
    let nowhere = Cli::for_url("http://127.0.0.1:1");
    let output = run(&nowhere, &[MET], &[]).await.expect_code(3);
    assert!(
        output.output().contains("1 could not be judged"),
        "{output:#?}"
    );
}

#[tokio::test]
async fn a_report_for_ci_has_each_case() {
    let server = Server::start().await;
    let cli = cli(&server);
    let skipped = MET.replace("people:", "vars: { pid: null }\npeople:");
    let repeated = "matrix: { n: [1, 2] }\npeople:";
    let repeated = MET.replace("people:", repeated);
    let scenarios = [&repeated, UNMET, &skipped];
    let output = run(&cli, &scenarios, &["--junit", "report.xml"]).await;
    output.expect_code(6);
    let script = "import sys, xml.etree.ElementTree as xml\n\
                  for suite in xml.parse(sys.argv[1]).getroot():\n\
                  \x20   counts = [suite.get(n) for n in ('tests', 'failures', 'errors')]\n\
                  \x20   print(suite.get('name'), *counts, [e.tag for e in suite.findall('*/*')])";
    let mut read = Command::new(python());
    let report: PathBuf = cli.folder().join("report.xml");
    read.args(["-c", script]).arg(report);
    let read = Process::run(read).await.expect_code(0);
    assert_eq!(
        read.stdout,
        "qa/0.yaml 2 0 0 []\nqa/1.yaml 1 1 0 ['failure', 'system-out']\nqa/2.yaml 1 0 0 ['skipped']"
    );
}

#[tokio::test]
async fn github_marks_the_line_and_shows_a_table() {
    let server = Server::start().await;
    let cli = cli(&server)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "summary.md");
    let output = run(&cli, &[MET, UNMET], &[]).await.expect_code(6);
    let is_annotation = |line: &&str| line.starts_with("::error ");
    let annotations: Vec<&str> = output.stdout.lines().filter(is_annotation).collect();
    assert_eq!(annotations.len(), 1, "{output:#?}");
    let place = "::error file=qa/1.yaml,line=6,col=";
    assert!(annotations[0].starts_with(place), "{annotations:?}");
    let summary = std::fs::read_to_string(cli.folder().join("summary.md")).unwrap();
    assert!(
        summary.contains("| ✅ | an order is pending first |"),
        "{summary}"
    );
    assert!(
        summary.contains("| ❌ | an order is confirmed by itself |"),
        "{summary}"
    );
}

#[tokio::test]
async fn a_scenario_that_is_alone_runs_when_the_others_have_ended() {
    let server = Server::start().await;
    let alone = MET.replace("people:", "alone: true\npeople:");
    let alone = alone.replace("an order", "an order alone");
    let output = run(&cli(&server), &[&alone, MET, MET], &["--jobs", "3"]).await;
    let output = output.expect_code(0);
    let last = output.stdout.lines().rfind(|line| line.starts_with('✓'));
    assert!(last.unwrap().contains("alone"), "{output:#?}");
}

#[tokio::test]
async fn rounds_at_the_same_time_count_for_themselves() {
    let server = Server::start().await;
    let text = "\
scenario: each repetition has its own number
people: { boss: admin, first: customer, second: customer }
steps:
  - parallel:
      - repeat: { times: 4, steps: [notify: { as: boss, to: $first, title: t $n }] }
      - repeat: { times: 3, steps: [notify: { as: boss, to: $second, title: t $n }] }
  - expect:
      - { as: first, sequence: new_notification, of: .data.title, is: [t 1, t 2, t 3, t 4] }
      - { as: second, sequence: new_notification, of: .data.title, is: [t 1, t 2, t 3] }
";
    run(&cli(&server), &[text], &[]).await.expect_code(0);
}

#[tokio::test]
async fn a_repetition_that_is_never_met_fails_as_its_last_round() {
    let server = Server::start().await;
    let text = "\
scenario: an order that nobody placed is there
people: { boss: admin }
steps:
  - repeat:
      times: 3
      until_met: true
      steps: [rest: { as: boss, get: /api/orders/nothing, expect: { status: 200 } }]
";
    let output = run(&cli(&server), &[text], &[]).await.expect_code(6);
    let output = output.output();
    assert!(output.contains("the answer is 404, not 200"), "{output}");
    assert!(output.contains("   3 GET /api/orders/nothing"), "{output}");
    assert!(!output.contains("   4 GET"), "{output}");
}

#[tokio::test]
async fn the_time_of_the_first_expectation_begins_when_everybody_is_live() {
    let server = Server::start().await;
    let text = "\
scenario: who connects is live
people: { buyer: customer, boss: { role: admin, transport: upgrade } }
steps:
  - expect: [{ as: buyer, event: 'rt:ready', within: 1ms }]
  - wait: 20ms
  - expect: [{ as: buyer, never: '*' }, { as: boss, event: 'rt:ready', within: 1ms }]
";
    run(&cli(&server), &[text], &["--repeat", "5"])
        .await
        .expect_code(0);
}
