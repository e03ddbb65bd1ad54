//! `docs/reference/board.md` against what is read: each knows every key of the other.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use board::Board;
use std::path::Path;

const REFERENCE: &str = include_str!("../../../docs/reference/board.md");
const RPI5: &str = include_str!("../../../boards/rpi5.toml");
const SIM: &str = include_str!("../../../boards/sim.toml");

/// The first column of the table below a heading.
fn documented(heading: &str) -> Vec<String> {
    let (_, below) = REFERENCE
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let section = below.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut keys: Vec<String> = rows
        .map(|row| row.split('`').next().unwrap().to_owned())
        .collect();
    keys.sort();
    keys
}

/// The keys that a table of a board may have, as the report on an unknown one lists them.
fn known(text: &str, table: &str) -> Vec<String> {
    let marked = if table.is_empty() {
        format!("surely-unknown = 1\n{text}")
    } else {
        let head = format!("[{table}]\n");
        assert!(text.contains(&head), "no table {table}");
        text.replacen(&head, &format!("{head}surely-unknown = 1\n"), 1)
    };
    let report = Board::parse(Path::new("b.toml"), marked)
        .unwrap_err()
        .to_string();
    let line = report
        .lines()
        .find(|line| line.contains("surely-unknown: "))
        .unwrap();
    let (_, names) = line.split_once("; allowed: ").unwrap();
    let mut keys: Vec<String> = names.split(", ").map(str::to_owned).collect();
    keys.sort();
    keys
}

#[test]
fn every_key_that_is_read_is_documented_and_no_other() {
    let tls = "\n[broker.tls]\nca = \"a\"\ncert = \"b\"\nkey = \"c\"\n";
    let full = format!("{RPI5}{tls}");
    let recording = format!(
        "{SIM}\n[recording]\ndir = \"r\"\nencoder = \"camera\"\nsegment-s = 10\nmax-mib = 64\nkeep-hours = 1\n"
    );
    let pipe = RPI5.replace("kind = \"camera\"", "kind = \"pipe\"");
    for (heading, text, table) in [
        ("The rig", RPI5, ""),
        ("[source], a camera", RPI5, "source"),
        ("[source], a pipe", &pipe, "source"),
        ("[source], a clip", SIM, "source"),
        ("[perception]", RPI5, "perception"),
        ("[budget]", RPI5, "budget"),
        ("[session]", RPI5, "session"),
        ("[outbox]", RPI5, "outbox"),
        ("[recording]", &recording, "recording"),
        ("[broker]", RPI5, "broker"),
        ("[broker.tls]", &full, "broker.tls"),
        ("[panel]", RPI5, "panel"),
        ("[pins]", RPI5, "pins"),
    ] {
        assert_eq!(documented(heading), known(text, table), "{heading}");
    }
}

#[test]
fn every_shipped_value_in_the_reference_is_the_shipped_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards");
    let board = |name: &str| Board::read(&folder.join(format!("{name}.toml"))).unwrap();
    let (rpi4, rpi5, jetson, sim) = (
        board("rpi4"),
        board("rpi5"),
        board("jetson-orin-nano"),
        board("sim"),
    );
    let row = |key: &str| {
        let begins = format!("| `{key}`");
        let rows = REFERENCE.lines().filter(|line| line.starts_with(&begins));
        rows.collect::<Vec<_>>().join("\n")
    };
    let holds = |key: &str, text: String| assert!(row(key).contains(&text), "{}: {text}", row(key));
    holds(
        "threads",
        format!(
            "rpi4, rpi5: {}; jetson-orin-nano: {}; sim: {}",
            rpi4.perception.threads, jetson.perception.threads, sim.perception.threads
        ),
    );
    holds(
        "hot-c",
        format!(
            "rpi4, rpi5: {}; jetson-orin-nano: {}; sim: {}",
            rpi5.budget.hot_c, jetson.budget.hot_c, sim.budget.hot_c
        ),
    );
    holds(
        "late-ms",
        format!(
            "rpi4: {}; rpi5, jetson-orin-nano: {}; sim: {}",
            rpi4.budget.late_ms, rpi5.budget.late_ms, sim.budget.late_ms
        ),
    );
    holds(
        "max-mib",
        format!(
            "rpi4, rpi5: {}; jetson-orin-nano: {}; sim: {}",
            rpi4.outbox.max_mib, jetson.outbox.max_mib, sim.outbox.max_mib
        ),
    );
    let pis = rpi4.pins.clone().unwrap();
    let its = jetson.pins.unwrap();
    for (key, pi, jetson) in [
        ("heartbeat", pis.heartbeat, its.heartbeat),
        ("recording", pis.recording, its.recording),
        ("fault", pis.fault, its.fault),
        ("button", pis.button, its.button),
    ] {
        assert!(row(key).contains(&format!("| {pi} (")), "{}", row(key));
        assert!(row(key).contains(&format!("| {jetson} (")), "{}", row(key));
    }
    for board in [&rpi5, &rpi4] {
        assert!((board.budget.hot_c - board.budget.cool_c - 5.0).abs() < 0.01);
    }
}
