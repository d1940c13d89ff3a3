//! Runs the commands and scenarios of `docs/testing-your-app.md`, and those of the README, and
//! compares the page's tables with the format.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::page::Page;
use metaia_tests::fixtures::{id_of, place_order, razorpay};
use metaia_tests::server::paths;
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::temp_folder::TempFolder;
use metaia_tests::server::{Server, ports};
use serde_json::Value;

const COMMANDS: [(&str, i32); 5] = [
    ("first check that passes", 0),
    ("first check that fails", 6),
    ("first scenarios", 0),
    ("job 1", 0),
    ("job 2", 0),
];

const SCENARIOS: [(&str, i32); 4] = [
    ("job 3", 0),
    ("job 4", 0),
    ("job 5", 0),
    ("failing scenario", 6),
];

/// The most lines that the page promises for a job.
const LINES_OF_A_JOB: usize = 15;

fn page() -> Page {
    Page::open("testing-your-app.md")
}

fn cli_for(server: &Server) -> Cli {
    Cli::for_server(server).env("RAZORPAY_WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET)
}

/// Runs a shell script in a folder that has the repository's `examples`, with the built programs on
/// the path.
async fn run(cli: &Cli, script: &str) -> ProcessOutput {
    let examples = cli.folder().join("examples");
    if !examples.exists() {
        let target = paths::package_path("../examples");
        std::os::unix::fs::symlink(target, examples).expect("a link to the examples");
    }
    let script = format!("set -e\nPATH=$(dirname \"$METAIA\"):$PATH\n{script}");
    cli.shell(&script).await
}

/// Saves a scenario, and runs it.
async fn run_scenario(cli: &Cli, name: &str) -> ProcessOutput {
    cli.folder()
        .write("qa/confirmed.yaml", page().block(name) + "\n");
    run(cli, "metaia test qa/confirmed.yaml").await
}

#[test]
fn every_block_of_the_page_is_run_here() {
    let run = COMMANDS.iter().chain(&SCENARIOS).map(|(name, _)| *name);
    let mut run: Vec<&str> = run.chain(["job 6"]).collect();
    run.sort_unstable();
    let mut marked = page().names();
    marked.sort_unstable();
    assert_eq!(marked, run);
}

#[test]
fn each_job_is_one_command_or_one_short_file() {
    for number in 1..=6 {
        let job = page().block(&format!("job {number}"));
        let lines = job.lines().count();
        let most = if number <= 2 { 1 } else { LINES_OF_A_JOB };
        assert!(lines <= most, "job {number} has {lines} lines");
    }
}

#[tokio::test]
async fn commands() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    for (name, code) in COMMANDS {
        run(&cli, &page().block(name)).await.expect_code(code);
    }
}

#[tokio::test]
async fn the_first_checks_print_what_the_page_shows() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    for name in ["first check that passes", "first check that fails"] {
        let script = page().block(name) + " || true";
        let ended = run(&cli, &script).await.expect_code(0);
        assert_eq!(stable(&ended.stdout), stable(&page().output(name)));
    }
}

#[tokio::test]
async fn the_lines_of_the_readme() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    let order = place_order(&server, "c1").await;
    let lines = Page::open("../README.md").block("test your app");
    assert_eq!(lines.lines().count(), 6);
    run(&cli, &lines.replace("ORDER", id_of(&order)))
        .await
        .expect_code(0);
}

#[tokio::test]
async fn scenarios() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    for (name, code) in SCENARIOS {
        run_scenario(&cli, name).await.expect_code(code);
    }
}

#[tokio::test]
async fn the_report_is_as_the_page_shows_it() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    let ended = run_scenario(&cli, "failing scenario").await;
    let shown = ended.stdout + &ended.stderr;
    assert_eq!(stable(&shown), stable(&page().output("failing scenario")));
}

/// Returns the words of a report, without those that differ from run to run: times, ids, numbers of
/// orders. They are sorted: on a busy machine, an event stands in a later row of the table.
fn stable(report: &str) -> Vec<&str> {
    let words = report.split_whitespace();
    let words = words.map(|word| if is_stable(word) { word } else { "#" });
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words
}

fn is_stable(word: &str) -> bool {
    let is_run = |text: &str| text.len() == 6 && text.chars().all(|c| c.is_ascii_hexdigit());
    let is_number = word.len() == 6
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    let ending = word.rsplit(['-', '=']).next().unwrap_or_default();
    let has_digit = word.contains(|c: char| c.is_ascii_digit());
    !(has_digit || is_run(ending) || is_number)
}

#[tokio::test]
async fn the_job_of_continuous_integration() {
    let port = ports::unused();
    let cli = Cli::for_url(&format!("http://127.0.0.1:{port}"));
    let data = cli.folder().join("metaia-data");
    let cli = cli
        .data_folder(data)
        .env("PORT", &port.to_string())
        .env("METAIA_METRICS_ADDR", "127.0.0.1:0");
    let script = multi_line_command(&page().block("job 6"));
    let script = format!("trap 'kill $!; wait' EXIT\n{script}");
    run(&cli, &script).await.expect_code(0);
    let report = std::fs::read_to_string(cli.folder().join("report.xml")).unwrap();
    assert!(report.contains(r#"failures="0" errors="0""#), "{report}");
}

/// Returns the command of several lines in a workflow.
fn multi_line_command(workflow: &str) -> String {
    let (_, command) = workflow.split_once("- run: |\n").expect("a command");
    let indented = |line: &&str| line.starts_with("          ");
    let lines = command.lines().take_while(indented).map(str::trim);
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_step_of_the_table_can_be_read() {
    let folder = TempFolder::new();
    let steps = steps_of_the_table();
    let list: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    let people = "{ buyer: customer, boss: admin, sewer: tailor, rider: delivery }";
    let scenario = format!(
        "scenario: the table\npeople: {people}\nsteps:\n{}\n",
        list.join("\n")
    );
    let file = folder.write("table.yaml", scenario);
    folder.write("_part.yaml", "- wait: 1ms\n");
    let file = file.to_str().expect("a path");
    let cli = Cli::for_url("http://127.0.0.1:1");
    cli.run(&["test", "--check", file]).await.expect_code(0);
}

#[tokio::test]
async fn every_verb_and_every_member_of_the_format_is_in_the_page() {
    let cli = Cli::for_url("http://127.0.0.1:1");
    let printed = cli.run(&["test", "--schema"]).await.expect_code(0);
    let schema: Value = serde_json::from_str(&printed.stdout).unwrap();
    let page = page();
    for (kind, member) in members(&schema) {
        let is_there = [
            format!("`{member}`"),
            format!("`{member}:"),
            format!(" {member}: "),
        ];
        assert!(
            is_there.iter().any(|text| page.text().contains(text)),
            "{member} of {kind} is not in the page"
        );
    }
}

/// Returns the steps in the page's table, as they are written there.
fn steps_of_the_table() -> Vec<String> {
    let page = page();
    let (_, table) = page.text().split_once("\n## Steps\n").expect("the steps");
    let (table, _) = table.split_once("\n## ").expect("the end of the steps");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let steps = rows.filter_map(|row| row.split_once('`'));
    steps.map(|(step, _)| step.to_owned()).collect()
}

/// Returns every name in the schema of the format, with the part that has it.
fn members(schema: &Value) -> Vec<(String, String)> {
    let parts = schema["$defs"].as_object().expect("parts");
    let mut found = Vec::new();
    for (part, definition) in parts.iter().chain([(&"a scenario".to_owned(), schema)]) {
        let variants = definition["oneOf"].as_array().cloned().unwrap_or_default();
        for definition in variants.iter().chain([definition]) {
            let members = definition["properties"].as_object();
            let members = members.into_iter().flat_map(|members| members.keys());
            found.extend(members.map(|member| (part.clone(), member.clone())));
        }
    }
    assert!(found.len() > 60, "{found:?}");
    found
}
