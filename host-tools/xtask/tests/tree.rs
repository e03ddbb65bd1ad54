//! The rules of the tree: which crate may use which, where files may lie, what no file may name.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests may panic, and say why they skip"
)]
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The folder right under the root in which a package lies.
fn side(package: &Value) -> String {
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let relative = manifest.strip_prefix(root()).unwrap();
    relative
        .iter()
        .next()
        .unwrap()
        .to_string_lossy()
        .into_owned()
}

fn dependencies(package: &Value) -> Vec<&str> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

/// Tracked files, or none where this is no checkout.
fn tracked_files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: not a git checkout");
        return Vec::new();
    };
    String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    for package in packages() {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let taken = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(
            taken,
            Some(true),
            "{} needs `[lints] workspace = true`",
            name(&package)
        );
    }
}

#[test]
fn every_arrow_points_towards_label_core() {
    let packages = packages();
    for package in &packages {
        for other in &packages {
            if !dependencies(package).contains(&name(other)) {
                continue;
            }
            let (from, to) = (name(package), name(other));
            let allowed = match side(package).as_str() {
                _ if from == "label-core" || to == "xtask" => false,
                // It asks for labels by the names of their kinds, and links nothing else of the product.
                _ if from == "xtask" => to == "label-core",
                "firmware" => side(other) == "firmware",
                // `rigel simulate` plays rigs, with a rig's own outbox and uplink.
                "host-tools" if (from, to) == ("rigel", "uplink") => true,
                // A host checks board files and goes to the broker as rigs do; all else it knows of a rig came over the wire.
                "host-tools" => {
                    side(other) == "host-tools"
                        || ["label-core", "board", "broker-tls"].contains(&to)
                }
                _ => true,
            };
            assert!(allowed, "{from} must not depend on {to}");
        }
    }
}

#[test]
fn models_cameras_pins_and_displays_each_have_one_crate_that_names_them() {
    let wardens = [
        ("libloading", "perception"),
        ("tflite", "perception"),
        ("v4l", "capture"),
        ("rppal", "panel"),
        ("gpiocdev", "panel"),
        ("linux-embedded-hal", "panel"),
        ("ssd1306", "panel"),
    ];
    for package in packages() {
        for (guarded, warden) in wardens {
            let named = dependencies(&package).contains(&guarded);
            assert!(
                !named || name(&package) == warden,
                "{} names {guarded}, which is {warden}'s to name",
                name(&package)
            );
        }
    }
}

#[test]
fn tracked_files_lie_in_the_folders_of_the_design() {
    let folders = [
        ".cargo",
        ".ci",
        ".config",
        "boards",
        "docs",
        "firmware",
        "host-tools",
        "models",
        "tests",
    ];
    for file in tracked_files() {
        if let Some((folder, _)) = file.split_once('/') {
            assert!(
                folders.contains(&folder),
                "{file}: the design knows no folder {folder}"
            );
        }
    }
}

#[test]
fn no_tracked_file_names_a_registry_or_a_folder_of_one_machine() {
    // Put together here, so that this file does not name them either.
    let forbidden: Vec<String> = [
        ["py", "pi.org"],
        ["python", "hosted.org"],
        ["registry.", "npmjs"],
        ["deb.", "debian.org"],
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["/home", "/"],
        ["/wo", "rk/"],
    ]
    .map(|parts| parts.concat())
    .to_vec();
    for file in tracked_files() {
        // The lock file is cargo's own; pictures and clips are no text.
        if file == "Cargo.lock" {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for host in &forbidden {
            assert!(!text.contains(host.as_str()), "{file} names {host}");
        }
    }
}
