//! `rigel verify`: one byte, one picture, one label that is not where it should be is found and named.

use crate::appliance::{board, project};
use crate::{Bench, FIXTURE};
use end_to_end::{Program, binary, wait_for};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{Client, MqttOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether `rigel` ended well, and all that it said.
fn rigel(bench: &Bench, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(&bench.rigel)
        .args(arguments)
        .arg("--data")
        .arg(bench.dir.path().join("host"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

fn verify(bench: &Bench, clip: &str, media: &Path) -> (bool, String) {
    let media = media.display().to_string();
    rigel(bench, &["verify", clip, "--media", &media])
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// The only clip's name, and how many messages of its boot are here.
fn clip_of(bench: &Bench, database: &Path) -> Option<(String, u64)> {
    let summary = bench.summary(database);
    let boot = summary.rigs.first()?.boots.first()?.clone();
    let closed = summary.clips.first()?.clip.frames.is_some();
    let name = format!("sim-1:{}:1", boot.boot.raw());
    (closed && boot.watermark == boot.highest).then_some((name, boot.messages))
}

#[test]
fn a_file_that_is_not_the_one_labelled_is_found_and_nothing_is_exported_beside_it() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let board = board(&bench, broker.port);
    let mut run = Command::new(binary("rigeld", FIXTURE));
    run.arg("run").arg("--board").arg(&board);
    assert!(Program::start("rigeld", &mut run).wait().success());
    let (clip, messages) = wait_for("the clip's end", || clip_of(&bench, &host.database()));

    let media = project().join(".rigel/clips/franck.mp4");
    let (good, said) = verify(&bench, &clip, &media);
    assert!(good, "{said}");
    assert!(
        said.contains("720 frames stand at the manifest's times"),
        "{said}"
    );
    assert!(
        said.contains("were not labelled"),
        "the board reads 30 s: {said}"
    );

    let other = bench.dir.path().join("other.mp4");
    std::fs::copy(&media, &other).unwrap();
    flip(&other, 100_000);
    let (good, said) = verify(&bench, &clip, &other);
    assert!(
        !good && said.contains("is not what the rig labelled"),
        "{said}"
    );

    let out = bench.dir.path().join("labels");
    let export = |media: &Path| {
        let (out, media) = (out.display().to_string(), media.display().to_string());
        let arguments = [
            "export", "--format", "csv", "--labels", "both", "--clip", &clip,
        ];
        rigel(
            &bench,
            &[&arguments[..], &["--out", &out, "--media", &media]].concat(),
        )
    };
    let (good, said) = export(&other);
    assert!(!good && said.contains("nothing is written"), "{said}");
    assert!(!out.exists());
    let (good, said) = export(&media);
    assert!(good && out.is_dir(), "{said}");

    // A label that says it is of a frame after the last.
    let boot = clip.split(':').nth(1).unwrap();
    let label = format!(
        r#"{{"v":1,"from":{{"rig":"sim-1","boot":{boot},"seq":{}}},"clip":1,"models":[],"labels":[{{"n":0,"kind":"video-quality","frames":[700,720],"pts_us":[0,1],"decision":"abstain","reason":"too-dark"}}]}}"#,
        messages + 1
    );
    let (client, mut connection) =
        Client::new(MqttOptions::new("forger", "127.0.0.1", broker.port), 4);
    client
        .publish("rigel/v1/demo/sim-1/label", QoS::AtLeastOnce, false, label)
        .unwrap();
    std::thread::spawn(move || connection.iter().all(|event| event.is_ok()));
    wait_for("the label", || {
        let known = clip_of(&bench, &host.database())?;
        (known.1 > messages).then_some(())
    });
    let (good, said) = verify(&bench, &clip, &media);
    assert!(
        !good && said.contains("labels outside the clip: video-quality at frames 700 to 720"),
        "{said}"
    );
    host.stop();
}

/// The board of a rig whose camera shows the demo clip in its own time, and which records.
pub(crate) fn recording_board(bench: &Bench, port: u16) -> (PathBuf, PathBuf) {
    let (board, folder) = (board(bench, port), bench.dir.path().join("recording"));
    let fetched = project().join(".rigel/bin/ffmpeg");
    let ffmpeg = if fetched.is_file() {
        fetched.display().to_string()
    } else {
        "ffmpeg".to_owned()
    };
    let clip = project().join(".rigel/clips/franck.mp4");
    let command = [
        &ffmpeg,
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-i",
        &clip.display().to_string(),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-",
    ];
    let text = std::fs::read_to_string(&board).unwrap();
    let (head, rest) = text.split_once("[source]").unwrap();
    let (_, rest) = rest.split_once("[perception]").unwrap();
    let text = format!(
        "{head}[source]\nkind = \"pipe\"\ncommand = {command:?}\nformat = \"i420\"\nwidth = 360\nheight = 288\n\
         fps = 24.0\ntimeout-ms = 1500\n\n[perception]{rest}\n[recording]\ndir = \"{}\"\nencoder = \"ffmpeg\"\n\
         segment-s = 2\nmax-mib = 64\nkeep-hours = 1\n",
        folder.display()
    );
    std::fs::write(&board, text).unwrap();
    (board, folder)
}

#[test]
fn one_flipped_byte_one_missing_picture_and_one_missing_segment_of_a_recording_are_named() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let (board, folder) = recording_board(&bench, broker.port);
    let mut run = Command::new(binary("rigeld", FIXTURE));
    run.arg("run").arg("--board").arg(&board);
    let rig = Program::start("rigeld", &mut run);
    let media = |number: u32| {
        let found = std::fs::read_dir(&folder).into_iter().flatten();
        let mut found = found.map(|entry| entry.unwrap().path());
        let end = format!("-{number:06}.jsonl");
        found.find(|path| path.display().to_string().ends_with(&end))
    };
    wait_for("three segments", || media(2));
    assert!(rig.terminate().success());
    let (clip, _) = wait_for("the clip's end", || clip_of(&bench, &host.database()));

    let (good, said) = verify(&bench, &clip, &folder);
    assert!(good && said.contains("each under its own frame"), "{said}");

    let index = media(1).unwrap();
    let lines = std::fs::read_to_string(&index).unwrap();
    let of_line = |line: &str, key: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["frame"][key].as_u64().unwrap()
    };
    let third = lines.lines().nth(3).unwrap();
    let (frame, offset) = (of_line(third, "frame"), of_line(third, "offset"));
    let pictures = index.with_extension("mjpeg");
    flip(&pictures, offset as usize + 200);
    let (good, said) = verify(&bench, &clip, &folder);
    assert!(!good && said.contains("its SHA-256 is"), "{said}");
    let damaged = format!("the picture of frame {frame} is damaged");
    assert!(
        said.contains(&damaged) && said.matches("is damaged").count() == 1,
        "{said}"
    );
    flip(&pictures, offset as usize + 200);

    let without: Vec<&str> = lines.lines().filter(|line| *line != third).collect();
    let without = without.join("\n") + "\n";
    std::fs::write(&index, without).unwrap();
    let (good, said) = verify(&bench, &clip, &folder);
    assert!(!good && said.contains("pictures, the rig told"), "{said}");
    std::fs::write(&index, &lines).unwrap();

    std::fs::remove_file(pictures).unwrap();
    let (good, said) = verify(&bench, &clip, &folder);
    assert!(
        !good && said.contains("segments that are not in the folder"),
        "{said}"
    );
    host.stop();
}
