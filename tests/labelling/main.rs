//! Labelling as its user meets it: `rigeld label` on files of many formats, on bad ones, and on clips made of the demo
//! clip so that what is in them is known.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod bad_input;
mod coverage;
mod driver;
mod familiar;
mod formats;
mod glasses;
mod held_shut;
mod labels;
mod rates;
mod small_face;
mod stills;

use end_to_end::{Program, binary};
use labels::Labels;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-rig");

/// Every picture as it is, in any size and pixel format: what is read back is what was put in.
const LOSSLESS: [&str; 2] = ["-c:v", "ffv1"];

/// Eyes found in both of two versions of a clip lie no further apart, in pixels.
const SAME_PLACE_PX: f64 = 3.0;

/// A part of the demo clip, in seconds.
#[derive(Clone, Copy)]
struct Part {
    start_s: f64,
    length_s: f64,
}

/// Four seconds, 96 frames, with three blinks.
const BLINKING: Part = Part {
    start_s: 46.5,
    length_s: 4.0,
};

/// A folder of its own for a test, with the programs that it needs.
struct Bench {
    dir: tempfile::TempDir,
    rigeld: PathBuf,
}

/// How `rigeld label` ended, and what it left.
#[derive(Debug)]
struct Outcome {
    succeeded: bool,
    said: String,
    out: PathBuf,
    summary: Value,
}

impl Outcome {
    /// The labels of a run that must have succeeded.
    fn labels(&self) -> Labels {
        assert!(self.succeeded, "rigeld failed: {}", self.said);
        self.written()
    }

    /// The labels that were written, however the run ended.
    fn written(&self) -> Labels {
        Labels::read(&self.out)
    }

    fn count(&self, name: &str) -> u64 {
        self.summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no {name} in {}", self.summary))
    }
}

impl Bench {
    fn new() -> Self {
        for fetched in ["clips/franck.mp4", "runtime/libLiteRt.so", "models"] {
            let path = project().join(".rigel").join(fetched);
            assert!(
                path.exists(),
                "{} is not there: run `cargo xtask setup`",
                path.display()
            );
        }
        Self {
            dir: tempfile::tempdir().unwrap(),
            rigeld: binary("rigeld", FIXTURE),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A part of the demo clip through these filters (`null`: none), encoded in this way.
    fn clip(&self, name: &str, part: Part, filters: &str, encoding: &[&str]) -> PathBuf {
        let out = self.path(name);
        let mut command = ffmpeg();
        command
            .args(["-ss", &part.start_s.to_string()])
            .args(["-t", &part.length_s.to_string()])
            .arg("-i")
            .arg(demo_clip())
            .args(["-an", "-vf", filters])
            .args(encoding)
            .arg(&out);
        run(&mut command);
        out
    }

    /// Another clip through these filters, lossless, at this rate.
    fn filtered(&self, name: &str, clip: &Path, filters: &str, fps: u64) -> PathBuf {
        let out = self.path(name);
        run(ffmpeg()
            .arg("-i")
            .arg(clip)
            .args(["-an", "-vf", filters, "-r", &fps.to_string()])
            .args(LOSSLESS)
            .arg(&out));
        out
    }

    /// Runs `rigeld label` to its end, which must come within the patience of these tests and without a panic.
    fn label(&self, clip: &Path, arguments: &[&str]) -> Outcome {
        let name = clip.file_name().unwrap_or_default().to_string_lossy();
        let out = self.path(&format!("{name}.jsonl"));
        self.label_into(&out, clip, arguments)
    }

    fn label_into(&self, out: &Path, clip: &Path, arguments: &[&str]) -> Outcome {
        let (said, summary) = (self.path("said.txt"), self.path("summary.json"));
        let _ = std::fs::remove_file(&summary);
        let mut command = Command::new(&self.rigeld);
        command
            .arg("label")
            .arg(clip)
            .arg("--out")
            .arg(out)
            .arg("--summary")
            .arg(&summary)
            .args(arguments)
            .current_dir(project())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&said).unwrap());
        let status = Program::start("rigeld", &mut command).wait();
        let said = String::from_utf8_lossy(&std::fs::read(&said).unwrap()).into_owned();
        assert!(
            status.code().is_some() && !said.contains("panicked"),
            "{status}: {said}"
        );
        let text = std::fs::read(&summary).unwrap_or_default();
        Outcome {
            succeeded: status.success(),
            said,
            out: out.to_owned(),
            summary: serde_json::from_slice(&text).unwrap_or_default(),
        }
    }

    /// Labels a clip with a line for every frame.
    fn every_frame(&self, clip: &Path) -> (Outcome, Labels) {
        let outcome = self.label(clip, &["--every-frame"]);
        let labels = outcome.labels();
        (outcome, labels)
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn demo_clip() -> PathBuf {
    project().join(".rigel/clips/franck.mp4")
}

/// Development data beside the project; it may be absent, and then a test that needs it says so and proves nothing.
#[expect(clippy::print_stderr, reason = "whoever runs the test is to know")]
fn development_data(set: &str) -> Option<PathBuf> {
    let folder = project().join("../shared/data").join(set);
    let is_there = folder.join("truth.json").is_file();
    if !is_there {
        eprintln!("skipped: no {}", folder.display());
    }
    is_there.then_some(folder)
}

/// ffmpeg, from the search path or as fetched, ready for its arguments.
fn ffmpeg() -> Command {
    let fetched = project().join(".rigel/bin/ffmpeg");
    let mut command = if fetched.is_file() {
        Command::new(fetched)
    } else {
        Command::new("ffmpeg")
    };
    command
        .args(["-hide_banner", "-nostdin", "-y", "-v", "error"])
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("ffmpeg can be started");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether ffmpeg has this encoder: not every build has all.
fn has_encoder(name: &str) -> bool {
    let listed = ffmpeg().arg("-encoders").output().unwrap();
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .any(|line| line.split_whitespace().nth(1) == Some(name))
}

/// How many pictures ffmpeg itself decodes of a clip.
fn decoded(clip: &Path) -> u64 {
    for pass_through in ["-fps_mode", "-vsync"] {
        let listed = ffmpeg()
            .arg("-i")
            .arg(clip)
            .args(["-map", "0:v:0", pass_through, "passthrough"])
            .args(["-f", "framemd5", "-"])
            .output()
            .unwrap();
        if listed.status.success() {
            let text = String::from_utf8_lossy(&listed.stdout);
            return text.lines().filter(|line| !line.starts_with('#')).count() as u64;
        }
    }
    panic!("ffmpeg cannot read {}", clip.display());
}
