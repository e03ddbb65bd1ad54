//! The loop closed: a rig that promises what it cannot keep is caught from verdicts, withdrawn, obeys, and comes back by evidence.
//!
//! Rig, broker and desk are the real ones, and everything is asked of the desk over HTTP, as the page does. Only the reviewer is
//! scripted: of what the bad calibration offers two in five are right, of what the good one offers all.

use crate::{Bench, FIXTURE};
use end_to_end::{Host, Program, binary, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const KIND: &str = "keypoint-left-eye";
/// Judged in each phase; the rules below ask for no fewer.
const JUDGED: usize = 20;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// One request, as a script would send it.
fn ask(host: &Host, method: &str, path: &str, body: &Value) -> (u16, String) {
    let body = if method == "GET" {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(&host.http).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        host.http,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn get(host: &Host, path: &str) -> Value {
    let (status, body) = ask(host, "GET", path, &Value::Null);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn post(host: &Host, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(host, "POST", path, body);
    assert_eq!(status, 200, "{path}: {answer}");
    serde_json::from_str(&answer).unwrap()
}

/// The shipped board with a camera that films the demo clip in pieces of three seconds, each a clip of its own.
fn board(bench: &Bench, port: u16, calibration: &Path) -> PathBuf {
    let project = project();
    let clip = project.join(".rigel/clips/franck.mp4");
    assert!(
        clip.exists(),
        "the clip is not there: run `cargo xtask setup`"
    );
    let fetched = project.join(".rigel/bin/ffmpeg");
    let ffmpeg = if fetched.is_file() {
        fetched.display().to_string()
    } else {
        "ffmpeg".to_owned()
    };
    let command = [
        &ffmpeg,
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-t",
        "3",
        "-i",
        &clip.display().to_string(),
        "-vf",
        "scale=360:288",
        "-pix_fmt",
        "yuv420p",
        "-f",
        "rawvideo",
        "-",
    ];
    let source = format!(
        "[source]\nkind = \"pipe\"\ncommand = {command:?}\nformat = \"i420\"\nwidth = 360\nheight = 288\nfps = 24.0\ntimeout-ms = 10000\n\n"
    );
    let shipped = std::fs::read_to_string(project.join("boards/sim.toml")).unwrap();
    let (before, after) = shipped.split_once("[source]").unwrap();
    let (_, after) = after.split_once("[perception]").unwrap();
    let absolute = format!("\"{}/", project.display());
    let text: String = format!("{before}{source}[perception]{after}")
        .replace("\"../", &absolute)
        .lines()
        .map(|line| match line.split('=').next().unwrap().trim() {
            "calibration" => format!("calibration = \"{}\"\n", calibration.display()),
            "dir" => format!("dir = \"{}\"\n", bench.outbox().display()),
            "port" => format!("port = {port}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let path = bench.dir.path().join("board.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Candidates of the kind that wait, once there are enough of enough clips that are not in `before`.
fn wait_for_candidates(host: &Host, before: &BTreeSet<String>) -> Vec<Value> {
    let waiting = || -> Vec<Value> {
        let path = format!("/api/labels?kind={KIND}&state=waiting&limit=500");
        get(host, &path)
            .as_array()
            .unwrap()
            .iter()
            .filter(|label| !before.contains(label["clip"].as_str().unwrap()))
            .cloned()
            .collect()
    };
    // Each two of them get their own patience: the rig films in real time, waits ten seconds for a camera whose program has ended
    // a few times, and some candidates are drawn to be answered blind.
    for share in (2..=JUDGED).step_by(2) {
        wait_for(&format!("{share} candidates of {KIND}"), || {
            (waiting().len() >= share).then_some(())
        });
    }
    let found = waiting();
    let clips: BTreeSet<_> = found
        .iter()
        .map(|label| label["clip"].to_string())
        .collect();
    assert!(
        clips.len() >= 5,
        "{} candidates in {} clips",
        found.len(),
        clips.len()
    );
    found
}

fn judge(host: &Host, label: &Value, verdict: &Value) {
    let id = label["id"].as_str().unwrap();
    post(host, &format!("/api/labels/{id}/verdicts"), verdict);
}

fn clips(host: &Host) -> BTreeSet<String> {
    let clips = get(host, "/api/clips");
    let ids = clips.as_array().unwrap().iter();
    ids.map(|clip| clip["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Approves the step that is proposed, once it is, and waits until the rig says that it obeys. Returns the step.
fn approve(host: &Host, action: &str) -> Value {
    let id = format!("sim-1:{KIND}:{action}");
    wait_for(&format!("the proposal {id}"), || {
        let policy = get(host, "/api/policy");
        policy["proposals"]
            .as_array()
            .unwrap()
            .iter()
            .any(|proposal| proposal["id"] == id.as_str())
            .then_some(())
    });
    let policy = post(
        host,
        &format!("/api/policy/proposals/{id}/approve"),
        &json!({}),
    );
    let step = policy["steps"][0].clone();
    assert_eq!(
        (step["word"].as_str(), step["automatic"].as_bool()),
        (Some(action), Some(false))
    );
    let revision = step["step"].as_i64().unwrap();
    wait_for(&format!("the rig to obey {action}"), || {
        let fleet = get(host, "/api/fleet");
        (fleet[0]["policy"]["obeyed"] == revision).then_some(())
    });
    step
}

fn asked_kinds(host: &Host) -> Value {
    get(host, "/api/fleet")[0]["policy"]["asked"]["kinds"].clone()
}

#[test]
fn a_miscalibrated_rig_is_caught_withdrawn_obeys_and_is_restored_by_evidence() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let mut rules = get(&host, "/api/policy")["rules"].clone();
    (rules["min_judged"], rules["floor_points"]) = (json!(JUDGED), json!(0.85));
    post(&host, "/api/policy/rules", &rules);

    // Sure of every eye position, whatever was measured.
    let good = project().join("models/calibration/base.toml");
    let bad_text = std::fs::read_to_string(&good)
        .unwrap()
        .lines()
        .map(|line| {
            if line.starts_with("version") {
                "version = \"bad\"\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect::<String>()
        .replace("bias = 11.737", "bias = 4.0")
        .replace(
            "weights = [2.985, -0.557, -2.952]",
            "weights = [0.0, 0.0, 0.0]",
        );
    let bad = bench.dir.path().join("bad.toml");
    std::fs::write(&bad, &bad_text).unwrap();
    let handed_in = post(&host, "/api/calibrations", &json!({ "text": bad_text }));
    let rigeld = binary("rigeld", FIXTURE);
    let start = |calibration: &Path| {
        let board = board(&bench, broker.port, calibration);
        Program::start(
            "rigeld",
            Command::new(&rigeld).arg("run").arg("--board").arg(board),
        )
    };

    // 1. It offers, and reviewers find two in five right.
    let rig = start(&bad);
    let offered = wait_for_candidates(&host, &BTreeSet::new());
    for (place, label) in offered.iter().enumerate() {
        let verdict = if place % 5 < 2 {
            json!({ "verdict": "accept", "millis": 1500 })
        } else {
            json!({ "verdict": "reject", "cause": "wrong-place", "millis": 2500 })
        };
        judge(&host, label, &verdict);
    }
    let row = wait_for("the verdicts to be counted", || {
        let quality = get(&host, &format!("/api/quality?kind={KIND}&rig=sim-1"));
        let row = quality["rows"][0].clone();
        (row["judged"] == offered.len()).then_some(row)
    });
    assert_eq!(row["standing"], "below", "{row}");
    assert_eq!(
        row["accepted"],
        (0..offered.len()).filter(|place| place % 5 < 2).count()
    );
    assert!(
        row["model"]
            .as_str()
            .unwrap()
            .ends_with("calibration-base@bad"),
        "{row}"
    );
    assert!(
        row["calibration"]["overpromise"].as_f64().unwrap() > 0.4,
        "{row}"
    );

    // 2. It is withdrawn, and its next clips are silent for that reason.
    let demoted = approve(&host, "demote");
    assert!(
        demoted["words"].as_str().unwrap().contains("beyond chance"),
        "{demoted}"
    );
    assert_eq!(
        asked_kinds(&host),
        json!([{ "kind": KIND, "mode": "abstain" }])
    );
    let before = clips(&host);
    let silent = wait_for("a clip that is silent from its first frame", || {
        let later = clips(&host);
        later.difference(&before).find_map(|clip| {
            let silence = get(&host, &format!("/api/coverage?clip={clip}&kind={KIND}"));
            let silence = silence.as_array().unwrap().clone();
            silence
                .iter()
                .any(|one| one["reason"] == "demoted")
                .then(|| clip.clone())
        })
    });
    let since = get(&host, &format!("/api/labels?kind={KIND}&clip={silent}"));
    assert_eq!(since, json!([]), "nothing is offered of what was withdrawn");

    // 3. A calibration fitted on these verdicts is taken by the rig as it is, and promises what the verdicts kept.
    let sha256 = handed_in["sha256"].as_str().unwrap();
    let fitted = post(
        &host,
        &format!("/api/calibrations/{sha256}/fit"),
        &json!({}),
    );
    let eyes = &fitted["fitted"]["eyes"];
    assert_eq!(eyes["judged"], offered.len());
    assert!(
        eyes["error_after"].as_f64() < eyes["error_before"].as_f64(),
        "{eyes}"
    );
    let fitted_sha256 = fitted["sha256"].as_str().unwrap();
    let (status, text) = ask(
        &host,
        "GET",
        &format!("/api/calibrations/{fitted_sha256}.toml"),
        &Value::Null,
    );
    assert_eq!(status, 200);
    let refit = bench.dir.path().join("refit.toml");
    std::fs::write(&refit, text).unwrap();
    assert!(rig.terminate().success());
    let rig = start(&refit);
    wait_for("the rig with the fitted calibration", || {
        let fleet = get(&host, "/api/fleet");
        let models = fleet[0]["models"].as_array().unwrap().clone();
        models
            .iter()
            .any(|model| model["sha256"] == fitted_sha256)
            .then_some(())
    });
    assert!(rig.terminate().success());

    // 4. With a good calibration it is tried, judged and restored.
    let rig = start(&good);
    approve(&host, "trial");
    assert_eq!(asked_kinds(&host), json!([]));
    let offered_again = wait_for_candidates(&host, &clips(&host));
    for label in &offered_again {
        judge(
            &host,
            label,
            &json!({ "verdict": "accept", "millis": 1500 }),
        );
    }
    let restored = approve(&host, "restore");
    assert_eq!(
        restored["evidence"]["judged"],
        offered_again.len(),
        "{restored}"
    );
    let steps = get(&host, "/api/policy")["steps"].clone();
    let words: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["word"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["restore", "trial", "demote"]);
    assert!(rig.terminate().success());
    host.stop();
}
