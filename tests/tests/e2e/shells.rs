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
        '"#;
    let output = cli().shell(script).await.expect_code(0);
    assert_eq!(output.stdout, "command sessions\noption --never");
}

#[tokio::test]
async fn each_shell_has_completions() {
    for (shell, part) in [
        ("bash", "_metaia()"),
        ("zsh", "#compdef metaia"),
        ("fish", "complete -c metaia"),
    ] {
        let output = cli().run(&["completions", shell]).await.expect_code(0);
        assert!(output.stdout.contains(part), "{shell}");
        assert!(output.stdout.contains("sessions"), "{shell}");
    }
    cli().run(&["completions", "nope"]).await.expect_code(2);
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
