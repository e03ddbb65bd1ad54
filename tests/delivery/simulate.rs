//! Many rigs that say again what one recorded, on a real broker and desk.

use crate::{Bench, FIXTURE};
use end_to_end::{MadeCounts, Program, free_port, rig_command, wait_for};
use std::process::Command;

const RIGS: usize = 12;
/// The clip's end and its manifest beside them.
const MESSAGES: u64 = 30;

#[test]
fn rigs_that_say_again_what_one_recorded_have_all_of_it_committed_each_under_its_own_name() {
    let bench = Bench::new();
    // Nobody answers there: all it makes stays in its outbox.
    let mut recorded = rig_command(FIXTURE, &bench.outbox(), free_port(), MESSAGES);
    recorded.args(["--patience-s", "0"]);
    assert!(!Program::start("rig", &mut recorded).wait().success());
    let before = std::fs::read_dir(bench.outbox()).unwrap().count();

    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let played = Command::new(&bench.rigel)
        .arg("simulate")
        .args(["--rigs", &RIGS.to_string()])
        .arg("--stream")
        .arg(bench.outbox())
        .args(["--broker", &format!("127.0.0.1:{}", broker.port)])
        .args(["--seconds", "4", "--every-ms", "50"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{played:?}");
    assert!(said.contains("sent again 0, not taken 0"), "{said}");
    assert_eq!(
        std::fs::read_dir(bench.outbox()).unwrap().count(),
        before,
        "the recording stays as it was"
    );

    let summary = bench.summary(&host.database());
    assert_eq!((summary.rigs.len(), summary.quarantined), (RIGS, 0));
    for rig in &summary.rigs {
        let boot = &rig.boots[0];
        assert_eq!(
            (boot.watermark, boot.messages),
            (boot.highest, boot.highest)
        );
        assert!(boot.highest > MESSAGES + 2, "{}: it began again", rig.rig);
    }
    // What a rig said of its first clip is what was recorded, and each picture found its label.
    let first = summary.clips.iter().filter(|clip| clip.clip.id.clip == 1);
    let made = MadeCounts::upto(MESSAGES);
    for clip in first {
        let here = &clip.committed;
        assert_eq!(
            (here.offered, here.abstained, here.evidence),
            (made.offered, made.abstained, made.evidence)
        );
        assert_eq!(clip.balance, label_store::Balance::Balanced);
    }
    assert!(summary.clips.len() >= 2 * RIGS);
    wait_for("every rig to say goodbye", || {
        let summary = bench.summary(&host.database());
        let stopped = |rig: &label_store::RigSummary| rig.power.as_deref() == Some("stopped");
        summary.rigs.iter().all(stopped).then_some(())
    });

    let nobody = Command::new(&bench.rigel)
        .args([
            "simulate",
            "--rigs",
            "1",
            "--broker",
            "127.0.0.1:1",
            "--stream",
        ])
        .arg(bench.dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(
        !nobody.status.success() && said.contains("while no desk listened"),
        "{said}"
    );
    host.stop();
}

#[test]
fn rigs_that_are_stopped_say_what_they_did_and_leave_no_face_behind() {
    let bench = Bench::new();
    let mut recorded = rig_command(FIXTURE, &bench.outbox(), free_port(), MESSAGES);
    recorded.args(["--patience-s", "0"]);
    assert!(!Program::start("rig", &mut recorded).wait().success());
    let broker = bench.broker();
    let temporary = bench.dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let left = || std::fs::read_dir(&temporary).unwrap().count();
    // By Ctrl-C while they play, and by SIGTERM while they look for a broker that is not there.
    let moments = [("-INT", broker.port), ("-TERM", free_port())];
    for (signal, port) in moments {
        let said = bench.dir.path().join("said");
        let mut command = Command::new(&bench.rigel);
        command
            .args(["simulate", "--rigs", "8", "--seconds", "600", "--stream"])
            .arg(bench.outbox())
            .args(["--broker", &format!("127.0.0.1:{port}")])
            .env("TMPDIR", &temporary)
            .stdout(std::fs::File::create(&said).unwrap());
        let rigs = Program::start("rigs", &mut command);
        let words = || std::fs::read_to_string(&said).unwrap();
        wait_for("the rigs to begin", || {
            let sign = if signal == "-INT" {
                "all connected"
            } else {
                "8 rigs"
            };
            (words().contains(sign) && left() > 0).then_some(())
        });
        let sent = Command::new("kill")
            .args([signal, &rigs.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert!(!rigs.wait().success(), "ended before its time");
        assert!(words().contains("\nmade "), "{}", words());
        assert_eq!(left(), 0, "{signal}");
    }
}
