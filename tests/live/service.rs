//! What the service manager hears: ready, alive, in trouble, at the end.

use crate::{FIXTURE, Rig};
use end_to_end::{Program, binary, wait_for};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

/// Stands for systemd.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<(Instant, String)>,
}

impl Manager {
    fn new(rig: &Rig, command: &mut Command) -> Self {
        let path = rig.dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        command
            .env("NOTIFY_SOCKET", path)
            .env("WATCHDOG_USEC", "4000000");
        Self {
            socket,
            heard: Vec::new(),
        }
    }

    fn listen(&mut self) {
        let mut message = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            self.heard.push((Instant::now(), text));
        }
    }

    fn wait_for(&mut self, what: &str) {
        wait_for(what, || {
            self.listen();
            self.heard
                .iter()
                .any(|(_, text)| text.contains(what))
                .then_some(())
        });
    }

    /// The longest time without food since a moment.
    fn longest_hunger(&self, since: Instant) -> Duration {
        let fed = self
            .heard
            .iter()
            .filter(|(at, text)| *at >= since && text.contains("WATCHDOG=1"));
        let mut before = since;
        let mut longest = Duration::ZERO;
        for (at, _) in fed {
            longest = longest.max(at.duration_since(before));
            before = *at;
        }
        longest.max(before.elapsed())
    }

    fn forget(&mut self) {
        self.listen();
        self.heard.clear();
    }
}

/// The processes that this one started and that still run.
fn children_of(parent: u32) -> Vec<u32> {
    let listed = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &parent.to_string()])
        .output()
        .unwrap();
    String::from_utf8(listed.stdout)
        .unwrap()
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn the_service_manager_hears_of_readiness_of_progress_of_a_stalled_camera_and_of_the_end() {
    let rig = Rig::new();
    let mut command = rig.command(&binary("rigeld", FIXTURE));
    let mut manager = Manager::new(&rig, &mut command);
    let program = Program::start("rigeld", &mut command);
    manager.wait_for("READY=1");
    manager.wait_for("STATUS=labelling");
    let labelling = Instant::now();
    wait_for("three seconds of labelling", || {
        manager.listen();
        (labelling.elapsed() > Duration::from_secs(3)).then_some(())
    });
    let hunger = manager.longest_hunger(labelling);
    assert!(
        hunger < Duration::from_secs(2),
        "{hunger:?} while frames come"
    );

    // The camera stands still: the waits for it end in time, so the rig lives on and says what it waits for.
    let writer = children_of(program.id());
    assert_eq!(writer.len(), 1, "one program writes frames");
    manager.forget();
    let stalled = Instant::now();
    signal("-STOP", writer[0]);
    manager.wait_for("STATUS=stalled");
    manager.wait_for("STATUS=labelling");
    let hunger = manager.longest_hunger(stalled);
    assert!(hunger < Duration::from_secs(4), "{hunger:?} around a stall");
    let clips = rig.clips();
    let damage = clips[0].closed().damage.as_deref().unwrap_or_default();
    assert!(damage.contains("no frame for"), "{damage:?}");
    assert!(clips.len() >= 2, "the camera is back, in a clip of its own");

    // A process that hangs feeds nobody, although every thread of it is there.
    signal("-STOP", program.id());
    manager.forget();
    let hangs = Instant::now();
    wait_for("two seconds of silence", || {
        manager.listen();
        (hangs.elapsed() > Duration::from_secs(2)).then_some(())
    });
    assert_eq!(manager.heard.len(), 0, "{:?}", manager.heard);
    signal("-CONT", program.id());
    manager.wait_for("WATCHDOG=1");
    assert!(program.terminate().success(), "an orderly end");
    manager.wait_for("STOPPING=1");
    let gone = children_of(std::process::id());
    assert!(!gone.contains(&writer[0]), "the stalled program was ended");
}
