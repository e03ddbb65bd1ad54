//! What a field engineer reads when a board file is wrong.

use board::Board;
use std::path::Path;

const SIM: &str = include_str!("../../../boards/sim.toml");

/// The report on `text`, as every program prints it.
fn report(text: &str) -> String {
    match Board::parse(Path::new("board.toml"), text.to_owned()) {
        Ok(board) => panic!("nothing was found wrong: {board:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_what_is_allowed() {
    insta::assert_snapshot!(report(include_str!("wrong.toml")));
}

#[test]
fn an_empty_file_is_told_all_that_it_lacks() {
    insta::assert_snapshot!(report(""));
}

#[test]
fn text_that_is_no_toml_is_told_with_its_place_and_nothing_is_guessed_about_it() {
    let text = SIM
        .replace("port = 1883", "port = ")
        .replace("threads = 1", "threads = 1\nthreads = 2")
        .replace("max-mib = 256", "max-mib = 1");
    insta::assert_snapshot!(report(&text));
}

#[test]
fn a_misspelt_key_is_told_once_and_not_as_missing_besides() {
    let report = report(&SIM.replace("max-mib", "max_mb"));
    assert!(report.starts_with("board.toml: 1 problem "), "{report}");
    assert!(report.contains("`max-mib`"), "{report}");
}

#[test]
fn columns_count_characters_not_bytes() {
    let report = report(&SIM.replace("site = \"demo\"", "site = \"demö\" # ä"));
    assert!(report.contains(":8: site: \"demö\" holds 'ö'"), "{report}");
}

#[test]
fn a_raspberry_pi_s_library_is_refused_elsewhere_and_so_are_wires_of_the_panel() {
    let panel =
        "[panel]\nbus = \"/dev/i2c-1\"\naddress = 0x3c\naccess = \"rppal\"\nupside-down = false\n";
    let pins = "[pins]\naccess = \"rppal\"\nheartbeat = 3\nrecording = 27\nfault = 28\nbutton = 5\nbutton-active-low = true\n";
    let text = format!("{SIM}\n{panel}\n{pins}");
    let elsewhere = report(&text);
    assert_eq!(
        elsewhere.matches("\"rppal\" drives").count(),
        2,
        "{elsewhere}"
    );
    let on_a_pi = report(&text.replace("\"computer\"", "\"raspberry-pi\""));
    assert!(on_a_pi.contains("2 problems"), "{on_a_pi}");
    assert!(
        on_a_pi.contains("pins.heartbeat: 3 is a wire of the panel's bus"),
        "{on_a_pi}"
    );
    assert!(
        on_a_pi.contains("pins.fault: 28 is out of range"),
        "{on_a_pi}"
    );
}

#[test]
fn values_that_are_right_one_by_one_and_cannot_be_together_are_told() {
    let pi = include_str!("../../../boards/rpi4.toml");
    let pins = pi.find("# Three LEDs").unwrap();
    let text = pi[..pins]
        .replace("fps = 30.0", "fps = 10.0")
        .replace(
            "timeout-ms = 2000",
            "timeout-ms = 150\nexposure-us = 200_000",
        )
        .replace("late-ms = 250", "late-ms = 50")
        .replace("cool-c = 72.0", "cool-c = 77.0")
        .replace("start = \"at-boot\"", "start = \"by-button\"");
    insta::assert_snapshot!(report(&text));
}

#[test]
fn whatever_is_cut_out_of_a_board_file_is_told_or_does_no_harm() {
    let text = include_str!("../../../boards/rpi5.toml");
    let check = |text: String| {
        if let Err(error) = Board::parse(Path::new("board.toml"), text) {
            assert!(error.to_string().lines().count() > 1, "{error}");
        }
    };
    // As a disk that was full leaves it.
    for end in (0..text.len())
        .filter(|end| text.is_char_boundary(*end))
        .step_by(3)
    {
        check(text[..end].to_owned());
    }
    for left_out in 0..text.lines().count() {
        let lines = text.lines().enumerate();
        let rest = lines.filter(|(line, _)| *line != left_out);
        check(rest.fold(String::new(), |text, (_, line)| text + line + "\n"));
    }
}
