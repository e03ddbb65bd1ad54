//! `rigeld check` as a field engineer meets it: a good rig passes, and whatever is broken on purpose is the one item that
//! fails, with a line that says what to do.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod golden;
mod kept;

use end_to_end::{Broker, binary};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-rig");

/// A rig of its own: board file, cards, models and golden clip, all of which a test may break.
struct Bench {
    dir: tempfile::TempDir,
    rigeld: PathBuf,
    broker: Option<Broker>,
}

/// What `rigeld check --json` said.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    report: Value,
    said: String,
}

impl Outcome {
    fn item(&self, name: &str) -> &Value {
        let items = self.report["items"].as_array().unwrap();
        items
            .iter()
            .find(|item| item["item"] == name)
            .unwrap_or_else(|| panic!("no item {name} in {self:#?}"))
    }

    fn with(&self, verdict: &str) -> Vec<&str> {
        let items = self.report["items"].as_array().unwrap();
        let those = items.iter().filter(|item| item["verdict"] == verdict);
        those.map(|item| item["item"].as_str().unwrap()).collect()
    }

    /// Exactly this item failed, and what it says and what it says to do hold these words.
    fn fails_alone(&self, name: &str, said: &str, to_do: &str) {
        assert_eq!(self.with("failed"), [name], "{self:#?}");
        assert_eq!(self.code, Some(1));
        let item = self.item(name);
        for (text, words) in [("said", said), ("to_do", to_do)] {
            let text = item[text].as_str().unwrap();
            assert!(text.contains(words), "{words:?} is not in {text:?}");
        }
    }
}

impl Bench {
    /// A sim board whose clip is the golden clip, with a broker.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut bench = Self::without_broker(dir);
        let broker = Broker::start(bench.dir.path());
        bench.edit(
            "boards/sim.toml",
            "port = 1883",
            &format!("port = {}", broker.port),
        );
        bench.broker = Some(broker);
        bench
    }

    fn without_broker(dir: tempfile::TempDir) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = project.join(".rigel/models");
        assert!(
            files.join("face_landmarks_detector.tflite").is_file(),
            "{}: no models; fetch them with `cargo xtask setup`",
            files.display()
        );
        copy_folder(&project.join("models"), &dir.path().join("models"));
        copy_folder(&files, &dir.path().join(".rigel/models"));
        fs::create_dir(dir.path().join("boards")).unwrap();
        fs::create_dir(dir.path().join(".rigel/rig")).unwrap();
        let runtime = fs::canonicalize(project.join(".rigel/runtime")).unwrap();
        symlink(runtime, dir.path().join(".rigel/runtime")).unwrap();
        let board = fs::read_to_string(project.join("boards/sim.toml")).unwrap();
        let board = board.replace("../.rigel/clips/franck.mp4", "../models/golden/clip.mjpeg");
        fs::write(dir.path().join("boards/sim.toml"), board).unwrap();
        Self {
            dir,
            rigeld: binary("rigeld", FIXTURE),
            broker: None,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {path}");
        fs::write(self.path(path), text.replace(from, to)).unwrap();
    }

    /// Puts other lines in place of a block of the board file, from its head to the next.
    fn replace_block(&self, head: &str, block: &str) {
        let text = fs::read_to_string(self.path("boards/sim.toml")).unwrap();
        let start = text.find(head).unwrap();
        let end = text[start + 1..]
            .find("\n[")
            .map_or(text.len(), |at| start + 1 + at);
        let text = format!("{}{block}\n{}", &text[..start], &text[end..]);
        fs::write(self.path("boards/sim.toml"), text).unwrap();
    }

    fn check(&self, arguments: &[&str]) -> Outcome {
        let output = self.run(&[&["--json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Outcome {
            code: output.status.code(),
            report: serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{error}: {said}")),
            said,
        }
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(&self.rigeld)
            .args(["check", "--board"])
            .arg(self.path("boards/sim.toml"))
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_good_sim_rig_passes_and_says_what_it_has_not() {
    let bench = Bench::new();
    let outcome = bench.check(&[]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.report["passed"], true);
    let passed = outcome.with("passed");
    for item in [
        "board", "models", "golden", "camera", "clock", "disk", "broker",
    ] {
        assert!(passed.contains(&item), "{item}: {outcome:#?}");
    }
    assert_eq!(outcome.with("not-present"), ["panel", "pins"]);
    assert_eq!(outcome.with("failed"), [""; 0]);
    let keys: Vec<_> = outcome.report.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "at", "board", "firmware", "hardware", "items", "passed", "rig", "summary"
        ]
    );
    let names: Vec<_> = outcome.report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "board",
            "models",
            "golden",
            "camera",
            "panel",
            "pins",
            "clock",
            "disk",
            "broker",
            "temperature"
        ]
    );
}

#[test]
fn the_table_is_for_people_and_progress_is_not_in_it() {
    let output = Bench::new().run(&["--only", "board", "disk"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && table.starts_with("rig sim-1, board sim, rigeld "),
        "{table}"
    );
    assert!(table.ends_with("\npassed: 2 of 2\n"), "{table}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("checking disk"));
}

#[test]
fn one_wrong_byte_in_a_model_is_found_in_its_file() {
    let bench = Bench::new();
    let path = bench.path(".rigel/models/face_landmarks_detector.tflite");
    let mut bytes = fs::read(&path).unwrap();
    bytes[1_000_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    let outcome = bench.check(&[]);
    outcome.fails_alone(
        "models",
        "face_landmarks_detector.tflite: not the file that the card",
        "install the package again",
    );
    assert_eq!(outcome.item("golden")["verdict"], "skipped");
    // Asked for alone, it must not pass for want of its models.
    bench.check(&["--only", "golden"]).fails_alone(
        "golden",
        "face_landmarks_detector.tflite",
        "install the package again",
    );
}

#[test]
fn a_model_in_anothers_place_is_told_by_both_names() {
    let bench = Bench::new();
    let folder = bench.path(".rigel/models");
    fs::copy(
        folder.join("selfie_segmentation.tflite"),
        folder.join("object_detector.tflite"),
    )
    .unwrap();
    bench.check(&[]).fails_alone(
        "models",
        "holds the model person-mask, not person-detector",
        "install the package again",
    );
}

#[test]
fn a_camera_that_is_not_plugged_in_is_told_by_its_path() {
    let bench = Bench::new();
    bench.replace_block(
        "[source]",
        "[source]\nkind = \"camera\"\ndevice = \"/dev/video-of-nobody\"\nformats = [\"mjpeg\"]\nwidth = 640\nheight = 480\nfps = 30.0\ntimeout-ms = 2000",
    );
    bench.check(&[]).fails_alone(
        "camera",
        "/dev/video-of-nobody: there is no camera",
        "plug it in",
    );
}

#[test]
fn a_camera_that_streams_is_measured_and_one_under_its_cap_is_told() {
    let bench = Bench::new();
    let camera = |picture: &str| {
        let source = format!(
            "[source]\nkind = \"pipe\"\ncommand = [\"ffmpeg\", \"-v\", \"error\", \"-re\", \"-f\", \"lavfi\", \"-i\", \
             \"{picture}size=320x240:rate=25\", \"-pix_fmt\", \"yuv420p\", \"-f\", \"rawvideo\", \"-\"]\n\
             format = \"i420\"\nwidth = 320\nheight = 240\nfps = 25.0\ntimeout-ms = 5000"
        );
        bench.replace_block("[source]", &source);
        bench.check(&["--only", "camera"])
    };
    let streaming = camera("testsrc2=");
    assert_eq!(streaming.code, Some(0), "{streaming:#?}");
    let facts = &streaming.item("camera")["facts"];
    assert_eq!(
        (facts["width"].as_u64(), facts["height"].as_u64()),
        (Some(320), Some(240))
    );
    let rate = facts["measured_fps"].as_f64().unwrap();
    assert!((20.0..30.0).contains(&rate), "{facts}");
    let capped = camera("color=c=black:");
    capped.fails_alone("camera", "the picture is black", "take the cap off");
}

#[test]
fn a_broker_that_is_not_there_is_told_and_labels_are_said_to_wait() {
    let mut bench = Bench::new();
    bench.broker.take().unwrap().kill();
    bench.check(&[]).fails_alone(
        "broker",
        "nothing answers at 127.0.0.1:",
        "labels wait in the outbox",
    );
}

#[test]
fn a_disk_that_is_too_small_and_one_that_takes_nothing_are_told_apart() {
    // Memory, of which no machine has as much as this; the folder is not there yet, so nothing is kept in it.
    let bench = Bench::new();
    bench.edit("boards/sim.toml", "../.rigel/rig", "/dev/shm/rigel-check");
    bench.edit("boards/sim.toml", "max-mib = 256", "max-mib = 1048576");
    bench.check(&["--only", "disk"]).fails_alone(
        "disk",
        "may grow to 1048576 MiB",
        "lower outbox.max-mib",
    );
    let bench = Bench::new();
    // A file system that takes no files, not even from root.
    bench.edit(
        "boards/sim.toml",
        "dir = \"../.rigel/rig\"",
        "dir = \"/proc/self\"",
    );
    bench
        .check(&[])
        .fails_alone("disk", "/proc/self: cannot be written", "");
}

#[test]
fn a_display_on_a_bus_that_is_not_there_is_told_by_the_bus() {
    let bench = Bench::new();
    let board = bench.path("boards/sim.toml");
    let text = fs::read_to_string(&board).unwrap();
    fs::write(&board, format!("{text}\n[panel]\nbus = \"/dev/i2c-97\"\naddress = 0x3c\naccess = \"kernel\"\nupside-down = false\n")).unwrap();
    bench.check(&[]).fails_alone("panel", "/dev/i2c-97", "I2C");
}

#[test]
fn a_board_file_that_cannot_be_used_is_shown_with_its_line_and_nothing_else_is_tried() {
    let bench = Bench::new();
    bench.edit("boards/sim.toml", "threads = 1", "threads = \"one\"");
    let outcome = bench.check(&["--only", "disk"]);
    outcome.fails_alone("board", "sim.toml", "correct");
    assert!(
        outcome.item("board")["said"]
            .as_str()
            .unwrap()
            .contains("threads")
    );
    assert_eq!(outcome.item("disk")["verdict"], "skipped");
}
