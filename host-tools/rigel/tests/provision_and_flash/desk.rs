//! What is made at the desk.

use crate::{Desk, bad, everything, good, key_text, mode};
use board::Board;
use std::fs;

#[test]
fn a_second_run_changes_no_file() {
    let desk = Desk::new();
    let package = desk.package("rigel-firmware_0.1.0_arm64.deb", "one");
    good(&desk.provision(&["--package", &package]));
    let first = everything(&desk.path("rigs"));
    let report = good(&desk.provision(&["--package", &package]));
    assert!(!report.contains("  new "), "{report}");
    // The manifest is written each time, with the same text.
    let mut second = everything(&desk.path("rigs"));
    let manifest = desk.path("rigs/rig-7/rig.json");
    let (old, new) = (&first[&manifest], second.get_mut(&manifest).unwrap());
    new.1 = old.1;
    let folder = desk.path("rigs/rig-7");
    second.get_mut(&folder).unwrap().1 = first[&folder].1;
    assert_eq!(first, second);

    // Without the package named again, it stays.
    good(&desk.provision(&[]));
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains(&package), "{text}");
}

#[test]
fn keys_are_for_their_owner_alone_and_never_shown() {
    let desk = Desk::new();
    let report = good(&desk.provision(&[]));
    let keys = [
        "rigs/rig-7/root/etc/rigel/tls/rig.key",
        "rigs/ca/north/ca.key",
        "rigs/ca/north/broker-desk.lan/broker.key",
        "rigs/ca/north/desk/desk.key",
    ];
    for key in keys {
        assert_eq!(mode(&desk.path(key)), 0o600, "{key}");
        assert!(!report.contains(&key_text(&desk.path(key))));
    }
    assert_eq!(mode(&desk.path("rigs/ca/north")), 0o700);
    // And the authority's key is not among what goes onto the rig.
    assert!(!desk.path("rigs/rig-7/root/etc/rigel/tls/ca.key").exists());
}

#[test]
fn a_rig_that_was_never_made_or_a_folder_without_an_authority_cannot_be_revoked() {
    let desk = Desk::new();
    good(&desk.provision(&[]));
    let revoke =
        |rig: &str, ca: &str| bad(&desk.rigel(&["revoke", rig, "--site", "north", "--ca", ca]));
    let error = revoke("rig-9", "rigs/ca");
    assert!(error.contains("never signed for a rig rig-9"), "{error}");
    let error = revoke("rig-7", "rigs");
    assert!(
        error.contains("holds no authority of site north"),
        "{error}"
    );
    assert!(!desk.path("rigs/north").exists(), "nothing was made");
}

#[test]
fn two_rigs_of_a_site_share_an_authority_and_nothing_else() {
    let desk = Desk::new();
    good(&desk.provision(&[]));
    let other = [
        "provision",
        "rig-8",
        "--site",
        "north",
        "--board",
        "jetson-orin-nano",
        "--broker",
        "desk.lan:8884",
        "--out",
        "rigs/rig-8",
    ];
    let report = good(&desk.rigel(&other));
    assert!(report.contains("kept     site's authority"), "{report}");
    let read = |path: &str| fs::read_to_string(desk.path(path)).unwrap();
    let tls = |rig: &str, file: &str| read(&format!("rigs/{rig}/root/etc/rigel/tls/{file}"));
    assert_eq!(tls("rig-7", "ca.crt"), tls("rig-8", "ca.crt"));
    assert_ne!(tls("rig-7", "rig.crt"), tls("rig-8", "rig.crt"));
    assert_ne!(tls("rig-7", "rig.key"), tls("rig-8", "rig.key"));
    let board = Board::read(&desk.path("rigs/rig-8/root/etc/rigel/board.toml")).unwrap();
    assert_eq!(
        (board.name.as_str(), board.broker.port),
        ("jetson-orin-nano", 8884)
    );
}

#[test]
fn what_an_engineer_changed_in_the_board_file_stays() {
    let desk = Desk::new();
    good(&desk.provision(&[]));
    let board = desk.path("rigs/rig-7/root/etc/rigel/board.toml");
    let text = fs::read_to_string(&board).unwrap();
    let text = text
        .replace(
            "upside-down = false",
            "upside-down = true # hangs from the roof",
        )
        .replace("desk.lan", "old.lan");
    fs::write(&board, text).unwrap();
    let report = good(&desk.provision(&[]));
    assert!(report.contains("changed  board file"), "{report}");
    let text = fs::read_to_string(&board).unwrap();
    assert!(text.contains("upside-down = true # hangs from the roof"));
    assert!(
        text.contains("host = \"desk.lan\""),
        "the broker is as it was told"
    );

    // A board file that is wrong is told by line, and not written over.
    fs::write(&board, text.replace("fps = 30.0", "fps = 3000.0")).unwrap();
    let error = bad(&desk.provision(&[]));
    assert!(
        error.contains("board.toml:") && error.contains("source.fps: 3000.0 is out of range"),
        "{error}"
    );
    assert!(fs::read_to_string(&board).unwrap().contains("3000.0"));
}

#[test]
fn a_certificate_is_signed_anew_when_the_authority_is_another_and_the_key_stays() {
    let desk = Desk::new();
    good(&desk.provision(&[]));
    let tls = desk.path("rigs/rig-7/root/etc/rigel/tls");
    let read = |file: &str| fs::read_to_string(tls.join(file)).unwrap();
    let (key, certificate) = (read("rig.key"), read("rig.crt"));
    fs::remove_dir_all(desk.path("rigs/ca")).unwrap();
    let report = good(&desk.provision(&[]));
    assert!(report.contains("new      rig's certificate"), "{report}");
    assert_eq!(key, read("rig.key"));
    assert_ne!(certificate, read("rig.crt"));

    // Half an authority is not completed on the quiet: its certificate is on rigs already.
    fs::remove_file(desk.path("rigs/ca/north/ca.key")).unwrap();
    let error = bad(&desk.provision(&[]));
    assert!(error.contains("put the key back"), "{error}");
}

#[test]
fn another_package_takes_the_place_of_the_old_one() {
    let desk = Desk::new();
    let old = desk.package("rigel-firmware_0.1.0_arm64.deb", "one");
    let new = desk.package("rigel-firmware_0.2.0_arm64.deb", "two");
    good(&desk.provision(&["--package", &old]));
    good(&desk.provision(&["--package", &new]));
    let folder = desk.path("rigs/rig-7/root/var/lib/rigel-first-boot");
    assert!(!folder.join(&old).exists() && folder.join(&new).exists());
    let unit = desk.path("rigs/rig-7/root/etc/systemd/system/rigel-first-boot.service");
    assert!(fs::read_to_string(unit).unwrap().contains(&new));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let desk = Desk::new();
    fs::write(desk.path("photo.deb"), "JFIF").unwrap();
    for (more, why) in [
        (
            &["--package", "none.deb"][..],
            "cannot read the package none.deb",
        ),
        (
            &["--package", "photo.deb"][..],
            "photo.deb is no Debian package",
        ),
    ] {
        let error = bad(&desk.provision(more));
        assert!(error.contains(why), "{error}");
    }
    let with = |board: &'static str, out: &'static str| {
        let site = ["--site", "north", "--broker", "desk.lan"];
        desk.rigel(
            &[
                &["provision", "rig-7", "--board", board, "--out", out][..],
                &site,
            ]
            .concat(),
        )
    };
    let error = bad(&with("rpi3", "rigs/rig-7"));
    assert!(
        error.contains("boards: rpi4, rpi5, jetson-orin-nano"),
        "{error}"
    );
    let error = bad(&with("rpi4", "rigs/ca"));
    assert!(error.contains("name it after the rig"), "{error}");
    let error = bad(&with("rpi4", "card"));
    assert!(error.contains("no rig.json"), "{error}");
    assert!(!desk.path("rigs").exists());

    good(&desk.provision(&[]));
    let error = bad(&desk.rigel(&[
        "provision",
        "rig-8",
        "--site",
        "north",
        "--board",
        "rpi4",
        "--broker",
        "desk.lan",
        "--out",
        "rigs/rig-7",
    ]));
    assert!(
        error.contains("belongs to rig rig-7 of site north"),
        "{error}"
    );
}

#[test]
fn the_certificate_of_updates_goes_with_the_rig_and_stays() {
    let desk = Desk::new();
    fs::write(desk.path("update.key"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    fs::write(desk.path("notes.txt"), "hello\n").unwrap();
    let error = bad(&desk.provision(&["--updates", "update.key"]));
    assert!(error.contains("belongs on no rig"), "{error}");
    let error = bad(&desk.provision(&["--updates", "notes.txt"]));
    assert!(error.contains("no certificate"), "{error}");

    let text = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    fs::write(desk.path("update.crt"), text).unwrap();
    let package = desk.package("rigel-firmware_0.1.0_arm64.deb", "one");
    good(&desk.provision(&["--updates", "update.crt", "--package", &package]));
    let report = good(&desk.provision(&[]));
    assert!(report.contains("kept     updates' certificate"), "{report}");
    good(&desk.flash(&["--to", "card", "--apply"]));
    let there = fs::read_to_string(desk.on_card("etc/rigel/update.crt")).unwrap();
    assert_eq!(there, text);
    assert!(
        desk.on_card(&format!("var/lib/rigel-first-boot/{package}"))
            .exists()
    );
}
