//! Onto a folder that stands for a mounted card.

use crate::{Desk, bad, everything, good, key_text, mode};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const TO_CARD: [&str; 2] = ["--to", "card"];
const APPLY: [&str; 3] = ["--to", "card", "--apply"];

fn provisioned() -> Desk {
    let desk = Desk::new();
    let package = desk.package("rigel-firmware_0.1.0_arm64.deb", "one");
    good(&desk.provision(&["--package", &package]));
    desk
}

#[test]
fn without_apply_everything_is_shown_and_nothing_is_written() {
    let desk = provisioned();
    let before = everything(&desk.path("card"));
    let shown = good(&desk.flash(&TO_CARD));
    assert_eq!(before, everything(&desk.path("card")));
    assert!(
        shown.contains("rig rig-7 of site north (rpi4) → card, Debian GNU/Linux 12 (bookworm)"),
        "{shown}"
    );
    assert!(
        shown.contains("8 to create, 0 to change, 0 to keep. Nothing is written yet"),
        "{shown}"
    );
    assert!(shown.contains("create  0644"), "{shown}");
    let key = shown
        .lines()
        .find(|line| line.ends_with("/etc/rigel/tls/rig.key"))
        .unwrap();
    assert!(key.contains("0600") && key.contains("secret"), "{key}");
}

#[test]
fn what_is_written_has_its_modes_and_a_second_run_has_nothing_to_do() {
    let desk = provisioned();
    let written = good(&desk.flash(&APPLY));
    assert!(
        written.contains("Written: 8 created, 0 changed."),
        "{written}"
    );
    for (path, bits) in [
        ("etc/rigel/board.toml", 0o644),
        ("etc/rigel/tls", 0o750),
        ("etc/rigel/tls/ca.crt", 0o644),
        ("etc/rigel/tls/rig.key", 0o600),
        ("etc/systemd/system/rigel-first-boot.service", 0o644),
        ("var/lib/rigel-first-boot/install", 0o755),
        (
            "var/lib/rigel-first-boot/rigel-firmware_0.1.0_arm64.deb",
            0o644,
        ),
    ] {
        assert_eq!(mode(&desk.on_card(path)), bits, "{path}");
    }
    let link = desk.on_card("etc/systemd/system/multi-user.target.wants/rigel-first-boot.service");
    assert_eq!(
        fs::canonicalize(link).unwrap(),
        fs::canonicalize(desk.on_card("etc/systemd/system/rigel-first-boot.service")).unwrap()
    );

    let before = everything(&desk.path("card"));
    let again = good(&desk.flash(&APPLY));
    assert!(
        again.ends_with("Nothing to do: all of it is there.\n"),
        "{again}"
    );
    assert_eq!(before, everything(&desk.path("card")));
}

#[test]
fn only_what_differs_is_changed_and_the_table_says_from_what_to_what() {
    let desk = provisioned();
    good(&desk.flash(&APPLY));
    let certificate = fs::metadata(desk.on_card("etc/rigel/tls/ca.crt"))
        .unwrap()
        .ino();
    fs::write(desk.on_card("etc/rigel/board.toml"), "# another one\n").unwrap();
    fs::set_permissions(
        desk.on_card("etc/rigel/tls/rig.key"),
        fs::Permissions::from_mode(0o666),
    )
    .unwrap();
    let shown = good(&desk.flash(&TO_CARD));
    assert!(
        shown.contains("0 to create, 2 to change, 6 to keep"),
        "{shown}"
    );
    let line = |path: &str| {
        shown
            .lines()
            .find(|line| line.ends_with(path))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("board.toml").contains("change") && line("board.toml").contains(" → "),
        "{shown}"
    );
    assert!(
        line("rig.key").contains("0666 → 0600") && line("rig.key").contains("secret, the same"),
        "{shown}"
    );
    good(&desk.flash(&APPLY));
    assert_eq!(mode(&desk.on_card("etc/rigel/tls/rig.key")), 0o600);
    assert_eq!(
        certificate,
        fs::metadata(desk.on_card("etc/rigel/tls/ca.crt"))
            .unwrap()
            .ino()
    );
}

#[test]
fn a_key_is_never_shown() {
    let desk = provisioned();
    let text = key_text(&desk.path("rigs/rig-7/root/etc/rigel/tls/rig.key"));
    let digest = {
        let output = std::process::Command::new("sha256sum")
            .arg(desk.path("rigs/rig-7/root/etc/rigel/tls/rig.key"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()[..8].to_owned()
    };
    for more in [&TO_CARD[..], &APPLY, &TO_CARD] {
        let shown = good(&desk.flash(more));
        assert!(
            !shown.contains(&text) && !shown.contains(&digest),
            "{shown}"
        );
    }
}

#[test]
fn where_the_package_is_there_already_the_key_is_for_its_group() {
    let desk = provisioned();
    // The group of this test's own user, to which it may give files.
    let group = fs::metadata(desk.path("card")).unwrap().gid();
    fs::write(
        desk.on_card("etc/group"),
        format!("root:x:0:\nrigel:x:{group}:\n"),
    )
    .unwrap();
    good(&desk.flash(&APPLY));
    let key = desk.on_card("etc/rigel/tls/rig.key");
    assert_eq!(
        (mode(&key), fs::metadata(&key).unwrap().gid()),
        (0o640, group)
    );
    assert!(good(&desk.flash(&APPLY)).contains("Nothing to do"));
}

#[test]
fn when_one_file_cannot_be_written_no_file_is_changed() {
    let desk = provisioned();
    fs::create_dir_all(desk.on_card("etc/rigel")).unwrap();
    fs::write(desk.on_card("etc/rigel/board.toml"), "# the old one\n").unwrap();
    // Where a later file is to wait, there is a folder.
    let blocked = desk.on_card("etc/systemd/system/.rigel-first-boot.service.rigel-new");
    fs::create_dir_all(blocked).unwrap();
    let error = bad(&desk.flash(&APPLY));
    assert!(error.contains("nothing is changed"), "{error}");
    assert!(!desk.on_card("etc/rigel/tls/rig.key").exists());
    assert_eq!(
        fs::read_to_string(desk.on_card("etc/rigel/board.toml")).unwrap(),
        "# the old one\n"
    );
    let names: Vec<_> = fs::read_dir(desk.on_card("etc/rigel"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains("rigel-new")),
        "{names:?}"
    );
}

#[test]
fn what_a_killed_run_left_is_cleared_away() {
    let desk = provisioned();
    fs::create_dir_all(desk.on_card("etc/rigel")).unwrap();
    fs::write(desk.on_card("etc/rigel/.board.toml.rigel-new"), "# ha").unwrap();
    good(&desk.flash(&APPLY));
    assert!(!desk.on_card("etc/rigel/.board.toml.rigel-new").exists());
    assert!(
        fs::read_to_string(desk.on_card("etc/rigel/board.toml"))
            .unwrap()
            .contains("rig-7")
    );
}

#[test]
fn what_is_no_card_is_refused_with_what_to_do() {
    let desk = provisioned();
    fs::create_dir(desk.path("empty")).unwrap();
    fs::create_dir(desk.path("boot")).unwrap();
    fs::write(desk.path("boot/cmdline.txt"), "").unwrap();
    for (to, why) in [
        ("nowhere", "mount the card's second partition"),
        ("empty", "has no etc/"),
        ("boot", "boot partition: mount the second"),
        ("/", "this machine's own system"),
    ] {
        let error = bad(&desk.flash(&["--to", to, "--apply"]));
        assert!(error.contains(why), "{error}");
    }
    // A link on the card that leads out of it.
    symlink(desk.path("empty"), desk.on_card("etc/rigel")).unwrap();
    let error = bad(&desk.flash(&APPLY));
    assert!(error.contains("lead out of the card"), "{error}");
    assert_eq!(fs::read_dir(desk.path("empty")).unwrap().count(), 0);
    fs::remove_file(desk.on_card("etc/rigel")).unwrap();

    fs::create_dir_all(desk.on_card("etc/rigel/board.toml")).unwrap();
    let error = bad(&desk.flash(&APPLY));
    assert!(
        error.contains("/etc/rigel/board.toml is a folder or a device there"),
        "{error}"
    );
}

#[test]
fn a_folder_that_provision_did_not_make_or_that_lost_files_is_refused() {
    let desk = Desk::new();
    let error = bad(&desk.flash(&TO_CARD));
    assert!(
        error.contains("`rigel provision` makes such a folder"),
        "{error}"
    );
    good(&desk.provision(&[]));
    let board = desk.path("rigs/rig-7/root/etc/rigel/board.toml");
    let text = fs::read_to_string(&board).unwrap();
    fs::write(&board, text.replace("late-ms = 250", "late-ms = 1")).unwrap();
    let error = bad(&desk.flash(&TO_CARD));
    assert!(
        error.contains("budget.late-ms: 1 is out of range"),
        "{error}"
    );
    fs::write(&board, text).unwrap();
    fs::remove_file(desk.path("rigs/rig-7/root/etc/rigel/tls/rig.crt")).unwrap();
    let error = bad(&desk.flash(&TO_CARD));
    assert!(error.contains("run `rigel provision` again"), "{error}");
}

#[test]
fn what_would_not_work_on_the_card_is_noted() {
    let desk = Desk::new();
    good(&desk.provision(&[]));
    fs::remove_file(desk.on_card("usr/lib/ld-linux-aarch64.so.1")).unwrap();
    let shown = good(&desk.flash(&TO_CARD));
    assert!(
        shown.contains("Note: this is no 64-bit ARM system"),
        "{shown}"
    );
    assert!(shown.contains("provision it with --package"), "{shown}");
}

#[test]
fn a_card_of_another_rig_is_noted() {
    let desk = provisioned();
    good(&desk.flash(&APPLY));
    assert!(!good(&desk.flash(&TO_CARD)).contains("would become"));
    let board = desk.on_card("etc/rigel/board.toml");
    let text = fs::read_to_string(&board).unwrap();
    fs::write(&board, text.replace("\"rig-7\"", "\"rig-8\"")).unwrap();
    let shown = good(&desk.flash(&TO_CARD));
    assert!(
        shown.contains("Note: this is rig rig-8 of site north until now, and would become rig rig-7 of site north."),
        "{shown}"
    );
}
