//! `rigel user`, `rigel token`, and a desk that listens beyond this machine.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PASSWORD: &str = "a long walk in the rain\n";

fn rigel(data: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rigel"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn an_account_is_made_listed_changed_and_locked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let add = ["user", "add", "ann", "--stdin"];
    assert!(refused(&rigel(data, &add, "short\n")).contains("at least 15 characters"));
    let text = said(&rigel(data, &add, PASSWORD));
    assert!(text.contains("everybody has to sign in"), "{text}");
    // Told before a password is asked for: the one given here would be refused, too.
    assert!(refused(&rigel(data, &add, "short\n")).contains("an account \"ann\" already"));
    let unfit = ["user", "add", "ann/../bea", "--stdin"];
    assert!(refused(&rigel(data, &unfit, "short\n")).contains("cannot name a user"));
    said(&rigel(data, &["user", "role", "ann", "lead"], ""));
    said(&rigel(data, &["user", "lock", "ann"], ""));
    let list = said(&rigel(data, &["user", "list"], ""));
    let words: Vec<&str> = list.split_whitespace().collect();
    assert_eq!(words, ["ann", "lead", "locked"]);
    assert!(refused(&rigel(data, &["user", "lock", "bea"], "")).contains("no account \"bea\""));
}

#[test]
fn a_token_is_shown_once_and_worth_nothing_when_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let add = ["token", "add", "ann", "--purpose", "nightly export"];
    assert!(refused(&rigel(data, &add, "")).contains("rigel user add ann"));
    said(&rigel(data, &["user", "add", "ann", "--stdin"], PASSWORD));
    let token = said(&rigel(data, &add, ""));
    assert!(token.starts_with("rgl_"), "{token}");
    let list = said(&rigel(data, &["token", "list"], ""));
    assert!(
        list.contains("nightly export") && !list.contains(token.trim()),
        "{list}"
    );
    let id = list.split_whitespace().next().unwrap();
    said(&rigel(data, &["token", "revoke", id], ""));
    assert_eq!(said(&rigel(data, &["token", "list"], "")), "");
    assert!(refused(&rigel(data, &["token", "revoke", id], "")).contains("rigel token list"));
}

#[test]
fn a_desk_without_accounts_is_not_opened_to_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let serve = [
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--embedded-broker",
        "127.0.0.1:0",
    ];
    let why = refused(&rigel(folder.path(), &serve, ""));
    assert!(why.contains("rigel user add NAME"), "{why}");
}
