//! Over SSH: with a stand-in for `ssh` that runs the command here, and with a real server where one is installed.

use crate::{Desk, bad, everything, good, mode};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

/// Puts an `ssh` first on the path that does `what` with its last argument, the command; returns the path.
fn with_ssh(desk: &Desk, what: &str) -> String {
    let bin = desk.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/bash\ncommand=${{@: -1}}\necho \"$@\" >>{}/asked\n{what}\n",
        desk.path("").display()
    );
    fs::write(bin.join("ssh"), script).unwrap();
    // The user here need not be root: what asks for root is let through.
    fs::write(bin.join("sudo"), "#!/bin/sh\nshift\nexec \"$@\"\n").unwrap();
    for name in ["ssh", "sudo"] {
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

fn provisioned() -> Desk {
    let desk = Desk::new();
    let package = desk.package("rigel-firmware_0.1.0_arm64.deb", "one");
    good(&desk.provision(&["--package", &package]));
    desk
}

fn flash(desk: &Desk, path: &str, more: &[&str]) -> std::process::Output {
    let card = desk.path("card");
    let arguments = [
        "flash",
        "rigs/rig-7",
        "--ssh",
        "root@rig-7.lan",
        "--to",
        card.to_str().unwrap(),
    ];
    desk.rigel_with_path(&[&arguments[..], more].concat(), path)
}

#[test]
fn over_ssh_the_same_is_shown_and_written_as_onto_a_card() {
    let desk = provisioned();
    let path = with_ssh(&desk, "exec sh -c \"$command\"");
    let before = everything(&desk.path("card"));
    let shown = good(&flash(&desk, &path, &[]));
    assert_eq!(before, everything(&desk.path("card")));
    let on_card = good(&desk.flash(&["--to", "card"]));
    let table = |text: &str| {
        let lines = text.lines().filter(|line| {
            line.starts_with("  ") || line.starts_with("Note") || line.contains(" to create")
        });
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(table(&shown), table(&on_card));

    good(&flash(&desk, &path, &["--apply"]));
    assert_eq!(mode(&desk.on_card("etc/rigel/tls/rig.key")), 0o600);
    assert_eq!(mode(&desk.on_card("etc/rigel/tls")), 0o750);
    assert_eq!(mode(&desk.on_card("etc/rigel")), 0o755);
    // What was written over SSH is what would have been written onto the card.
    let again = good(&desk.flash(&["--to", "card", "--apply"]));
    assert!(again.contains("Nothing to do"), "{again}");
    assert!(good(&flash(&desk, &path, &["--apply"])).contains("Nothing to do"));
    // Another rig's card is told over SSH as well.
    let board = desk.on_card("etc/rigel/board.toml");
    let text = fs::read_to_string(&board).unwrap();
    fs::write(&board, text.replace("\"rig-7\"", "\"rig-8\"")).unwrap();
    let shown = good(&flash(&desk, &path, &[]));
    assert!(
        shown.contains("this is rig rig-8 of site north until now"),
        "{shown}"
    );
    assert_eq!(table(&shown), table(&good(&desk.flash(&["--to", "card"]))));
    let asked = fs::read_to_string(desk.path("asked")).unwrap();
    assert!(asked.contains("root@rig-7.lan") && !asked.contains("PRIVATE KEY"));
    let names: Vec<_> = everything(&desk.path("card")).into_keys().collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains("rigel-new")),
        "{names:?}"
    );
}

#[test]
fn a_line_that_breaks_in_the_middle_leaves_the_old_files() {
    let desk = provisioned();
    fs::create_dir_all(desk.on_card("etc/rigel")).unwrap();
    fs::write(desk.on_card("etc/rigel/board.toml"), "# the old one\n").unwrap();
    // 7168 bytes end between two members of the archive, the others within one.
    for bytes in [0, 100, 3000, 7168, 9000] {
        let path = with_ssh(&desk, &format!("head -c {bytes} | sh -c \"$command\""));
        let error = bad(&flash(&desk, &path, &["--apply"]));
        assert!(error.contains("root@rig-7.lan"), "{error}");
        let card = everything(&desk.path("card"));
        let board = fs::read_to_string(desk.on_card("etc/rigel/board.toml")).unwrap();
        assert_eq!(board, "# the old one\n", "after {bytes} bytes");
        assert!(
            card.keys()
                .all(|name| !name.to_string_lossy().contains("rigel-new")),
            "{card:?}"
        );
        assert!(!desk.on_card("etc/rigel/tls/rig.key").exists());
    }
}

#[test]
fn what_ssh_and_the_other_side_say_is_told_with_what_to_do() {
    let desk = provisioned();
    for (what, why) in [
        (
            "echo 'Connection refused' >&2; exit 255",
            "ssh cannot reach root@rig-7.lan: Connection refused. Try `ssh root@rig-7.lan true`",
        ),
        ("exit 91", "may not act as root without a password"),
        ("exec sh -c \"${command//card/nowhere}\"", "no folder"),
        ("echo hello", "told of 0 files"),
    ] {
        let path = with_ssh(&desk, what);
        let error = bad(&flash(&desk, &path, &[]));
        assert!(error.contains(why), "{error}");
    }
    // What a login shell prints before does no harm.
    let path = with_ssh(&desk, "echo 'Welcome to the rig'; exec sh -c \"$command\"");
    good(&flash(&desk, &path, &[]));
}

/// A server of one's own on a free port, for one's own key alone.
struct Server {
    process: Child,
    config: String,
}

impl Server {
    /// `None` where no server is installed.
    fn start(desk: &Desk) -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/bin/sshd"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap())?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = desk.path("ssh");
        fs::create_dir(&folder).unwrap();
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key))
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(folder.join("user.pub"), folder.join("allowed")).unwrap();
        let at = folder.display();
        fs::write(
            folder.join("sshd_config"),
            format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/allowed\nStrictModes no\n\
                 PasswordAuthentication no\nPermitRootLogin yes\nPidFile none\nUsePAM no\n"
            ),
        )
        .unwrap();
        fs::write(
            folder.join("config"),
            format!(
                "Host rig-7.lan\nHostName 127.0.0.1\nPort {port}\nIdentityFile {at}/user\nIdentitiesOnly yes\n\
                 UserKnownHostsFile {at}/known\nStrictHostKeyChecking accept-new\n"
            ),
        )
        .unwrap();
        // Where the server keeps its unprivileged half; the distribution's unit makes it.
        let _ = fs::create_dir_all("/run/sshd");
        let mut process = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listens = lines
            .map_while(Result::ok)
            .find(|line| line.contains("listening"));
        assert!(listens.is_some(), "the server does not listen");
        Some(Self {
            process,
            config: folder.join("config").display().to_string(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_real_server_takes_a_rig_s_files() {
    let desk = provisioned();
    let Some(server) = Server::start(&desk) else {
        println!("skipped: no OpenSSH server is installed");
        return;
    };
    // The real client, with this test's settings in place of the user's.
    let path = std::env::var("PATH").unwrap();
    let ssh = std::env::split_paths(&path)
        .map(|folder| folder.join("ssh"))
        .find(|ssh| ssh.exists())
        .unwrap();
    let path = with_ssh(
        &desk,
        &format!("exec {} -F {} \"$@\"", ssh.display(), server.config),
    );
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let host = format!("{}@rig-7.lan", user.trim());
    let card = desk.path("card");
    let run = |more: &[&str]| {
        let arguments = [
            "flash",
            "rigs/rig-7",
            "--ssh",
            &host,
            "--to",
            card.to_str().unwrap(),
        ];
        desk.rigel_with_path(&[&arguments[..], more].concat(), &path)
    };
    if user.trim() != "root" {
        // The server's side has no stand-in for sudo.
        let output = run(&[]);
        assert!(output.status.success() || bad(&output).contains("may not act as root"));
        return;
    }
    let before = everything(&card);
    assert!(good(&run(&[])).contains("8 to create"));
    assert_eq!(before, everything(&card));
    good(&run(&["--apply"]));
    assert!(good(&run(&["--apply"])).contains("Nothing to do"));
    assert!(good(&desk.flash(&["--to", "card", "--apply"])).contains("Nothing to do"));
}
