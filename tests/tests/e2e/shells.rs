//! Completions and manual pages of `metaia`.

use metaia_tests::clients::cli::Cli;

fn cli() -> Cli {
    Cli::for_url("http://127.0.0.1:9")
}

#[tokio::test]
async fn bash_completes_commands_and_options() {
    let script = r#"
        "$METAIA" completions bash > script && bash -c '
            source ./script
            COMP_WORDS=(metaia sess); COMP_CWORD=1
            _metaia metaia sess metaia
            echo "command ${COMPREPLY[*]}"
            COMP_WORDS=(metaia expect --nev); COMP_CWORD=2
            _metaia metaia --nev expect
            echo "option ${COMPREPLY[*]}"
            COMP_WORDS=(metaia tail --transport po); COMP_CWORD=3
            _metaia metaia po --transport
            echo "value ${COMPREPLY[*]}"
            COMP_WORDS=(metaia trigger order.l); COMP_CWORD=2
            _metaia metaia order.l trigger
            echo "flow ${COMPREPLY[*]}"
            COMP_WORDS=(metaia explain slow_c); COMP_CWORD=2
            _metaia metaia slow_c explain
            echo "code ${COMPREPLY[*]}"
        '"#;
    let output = cli().shell(script).await.expect_code(0);
    let expected = "command sessions\noption --never\nvalue polling\nflow order.lifecycle\n\
                    code slow_consumer";
    assert_eq!(output.stdout, expected);
}

/// Types into a `zsh` at a terminal of its own, and prints what Tab has made of each text. Waits
/// for ever, that is until the test's limit, for a completion that does not come.
#[tokio::test]
async fn zsh_completes_commands_and_options() {
    let script = r#"
        "$METAIA" completions zsh > _metaia && cat > typing.zsh <<'END' && zsh -f typing.zsh
zmodload zsh/zpty
completes() {
    zpty z zsh -f -i
    zpty -w z 'autoload -Uz compinit; compinit -u -D; source ./_metaia; bindkey "^I" complete-word'
    zpty -w -n z "$1"$'\t'
    zpty -r z seen "*$2*"
    zpty -d z
    print "$2"
}
completes "metaia sess" "metaia sessions"
completes "metaia expect --nev" "metaia expect --never"
completes "metaia token mi" "metaia token mint"
completes "metaia tail --transport po" "metaia tail --transport polling"
completes "metaia trigger order.l" "metaia trigger order.lifecycle"
completes "metaia explain slow_c" "metaia explain slow_consumer"
END
    "#;
    let output = cli().shell(script).await.expect_code(0);
    let expected = "metaia sessions\nmetaia expect --never\nmetaia token mint\n\
                    metaia tail --transport polling\nmetaia trigger order.lifecycle\n\
                    metaia explain slow_consumer";
    assert_eq!(output.stdout, expected);
}

#[tokio::test]
async fn fish_completes_commands_and_options() {
    let script = r#"
        "$METAIA" completions fish > script && fish --no-config -c '
            source script
            complete -C "metaia sess"
            complete -C "metaia expect --nev"
            complete -C "metaia token mi"
            complete -C "metaia tail --transport po"
            complete -C "metaia trigger order.l"
            complete -C "metaia explain slow_c"
        ' | cut -f 1"#;
    let output = cli().shell(script).await.expect_code(0);
    let expected = "sessions\n--never\nmint\npolling\norder.lifecycle\nslow_consumer";
    assert_eq!(output.stdout, expected);
}

#[tokio::test]
async fn fish_completes_the_names_of_contexts() {
    let script = r#"
        mkdir bin && ln -s "$METAIA" bin/metaia && export PATH="$PWD/bin:$PATH" &&
        for name in staging production; do
            metaia -q context add "$name" --url http://127.0.0.1:1
        done && metaia completions fish > script && fish --no-config -c '
            source script
            complete -C "metaia context use st"
            complete -C "metaia tail --context pr"
        ' | cut -f 1"#;
    let output = Cli::for_contexts().shell(script).await.expect_code(0);
    assert_eq!(output.stdout, "staging\nproduction");
}

#[tokio::test]
async fn another_shell_has_no_completions() {
    let output = cli().run(&["completions", "nope"]).await.expect_code(2);
    assert!(output.stderr.contains("bash"), "{}", output.stderr);
}

#[tokio::test]
async fn a_document_that_cannot_be_written_is_a_failure() {
    for command in [
        "completions bash",
        "completions fish",
        "man",
        "test --schema",
    ] {
        let full = format!("\"$METAIA\" {command} > /dev/full");
        let output = cli().shell(&full).await.expect_code(1);
        let said = "standard output cannot be written: No space left";
        assert!(output.stderr.contains(said), "{command}: {output:#?}");
        let cut = format!("{{ \"$METAIA\" {command}; echo exit $? >&2; }} | true");
        let output = cli().shell(&cut).await;
        assert_eq!(output.stderr, "exit 0", "{command}");
    }
}

#[tokio::test]
async fn man_shows_the_pages() {
    let script = r#"
        "$METAIA" man | MANWIDTH=80 man -P cat -l - && "$METAIA" man -q pages &&
            MANWIDTH=80 man -P cat -l pages/metaia-expect.1"#;
    let output = cli().shell(script).await.expect_code(0);
    for part in [
        "metaia - The QA tool of METAIA realtime",
        "SUBCOMMANDS",
        "Watch, run a command, and check what came",
        "--never",
    ] {
        assert!(output.stdout.contains(part), "{part}: {}", output.stdout);
    }
}

#[tokio::test]
async fn each_command_has_a_manual_page() {
    let cli = cli();
    let page = cli.run(&["man"]).await.expect_code(0).stdout;
    assert!(page.contains(".TH metaia 1"), "{page}");
    cli.run(&["man", "pages"]).await.expect_code(0);
    let folder = cli.folder().path().join("pages");
    for name in [
        "metaia",
        "metaia-expect",
        "metaia-token-mint",
        "metaia-order-move",
    ] {
        let path = folder.join(format!("{name}.1"));
        let page = std::fs::read_to_string(&path).expect("a page");
        assert!(page.contains(".SH OPTIONS"), "{name}");
    }
    assert!(!folder.join("metaia-help.1").exists());
    cli.run(&["man", "/proc/nowhere"]).await.expect_code(2);
}
