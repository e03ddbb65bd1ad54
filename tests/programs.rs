//! Starting and ending programs.

use crate::{PATIENCE, wait_for, wait_for_at_most};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    child: Child,
}

impl Program {
    /// Starts it. Its output goes where the test's goes, so that a failure shows it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(name: &'static str, command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({command:?}): {error}"));
        Self { name, child }
    }

    /// SIGKILL: no chance to tidy up. Returns when it is gone.
    ///
    /// # Panics
    ///
    /// If it had ended by itself: the test would then show nothing.
    pub fn kill(mut self) {
        let ended = self.child.try_wait().expect("a child can be asked");
        assert_eq!(ended, None, "{} ended before it could be killed", self.name);
        self.child.kill().expect("a running child can be killed");
        self.child.wait().expect("a killed child can be waited for");
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and how it ended.
    pub fn terminate(self) -> ExitStatus {
        let sent = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "cannot send SIGTERM to {}",
            self.name
        );
        self.wait()
    }

    /// How it ended.
    pub fn wait(self) -> ExitStatus {
        self.wait_at_most(PATIENCE)
    }

    /// The same of something that takes longer.
    pub fn wait_at_most(mut self, patience: Duration) -> ExitStatus {
        let name = self.name;
        wait_for_at_most(patience, &format!("{name} to end"), || {
            self.child.try_wait().expect("a child can be asked")
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
///
/// # Panics
///
/// If this machine has no free port.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port on loopback")
        .port()
}

/// A binary of this workspace, built as the tests are: packages' binaries are not built for other packages' tests, so
/// this asks cargo. `cargo xtask test` has built everything before, and says so in `RIGEL_BUILT`: one package alone is
/// another choice of features, for which cargo would build much of it once more.
///
/// # Panics
///
/// If it does not build.
pub fn binary(package: &str, fixture: &str) -> PathBuf {
    let built = Path::new(fixture).with_file_name(package);
    if std::env::var_os("RIGEL_BUILT").is_some() {
        assert!(built.is_file(), "{} is not built", built.display());
        return built;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", package, "--bin", package]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let status = build.status().expect("cargo can be started");
    assert!(status.success(), "{package} does not build");
    built
}

/// The fixture rig.
pub fn rig_command(fixture: &str, outbox: &Path, broker: u16, messages: u64) -> Command {
    let mut command = Command::new(fixture);
    command
        .arg("--outbox")
        .arg(outbox)
        .args(["--broker", &format!("127.0.0.1:{broker}")])
        .args(["--messages", &messages.to_string()]);
    command
}

/// A mosquitto on a port of its own.
#[derive(Debug)]
pub struct Broker {
    /// Its port on 127.0.0.1; the same again after [`Self::restart`].
    pub port: u16,
    configuration: PathBuf,
    program: Option<Program>,
}

impl Broker {
    /// Starts one that keeps nothing over its own death: the worst case for delivery.
    ///
    /// # Panics
    ///
    /// If mosquitto is not installed, or does not start.
    pub fn start(dir: &Path) -> Self {
        Self::start_with(dir, "")
    }

    /// The same with TLS: it shows `broker.crt` of this folder, and takes only who has a certificate by its `ca.crt`.
    pub fn start_protected(dir: &Path, certificates: &Path) -> Self {
        let folder = certificates.display();
        let text = format!(
            "cafile {folder}/ca.crt\ncertfile {folder}/broker.crt\nkeyfile {folder}/broker.key\nrequire_certificate true\n"
        );
        Self::start_with(dir, &text)
    }

    /// As `rigel provision` set it up in this folder for this port; everything but where the folder lies is as shipped.
    ///
    /// # Panics
    ///
    /// If there is no such configuration.
    pub fn start_shipped(dir: &Path, folder: &Path, port: u16) -> Self {
        let shipped = folder.join("mosquitto.conf");
        let shipped = std::fs::read_to_string(&shipped).expect("provision wrote the file");
        let placed = shipped.replace("/etc/mosquitto/rigel", &folder.display().to_string());
        assert_ne!(placed, shipped, "it names files of its folder");
        // The distribution's own configuration has the broker be `mosquitto`, to whom the folder would belong.
        Self::start_at(dir, port, &format!("user root\n{placed}"))
    }

    /// The same with a second port, at which one may read everything and write nothing.
    ///
    /// # Panics
    ///
    /// As [`Self::start`].
    pub fn start_with_onlookers(dir: &Path) -> (Self, u16) {
        let (port, onlookers) = (free_port(), free_port());
        let acl = dir.join("onlookers");
        std::fs::write(&acl, "topic read rigel/#\n").expect("a temporary folder can be written");
        let text = format!(
            "user root\nper_listener_settings true\nlistener {port} 127.0.0.1\nallow_anonymous true\n\
             listener {onlookers} 127.0.0.1\nallow_anonymous true\nacl_file {}\n",
            acl.display()
        );
        (Self::start_at(dir, port, &text), onlookers)
    }

    /// The same for every network of this machine, where the only user is root.
    pub fn start_for_all(dir: &Path) -> Self {
        let port = free_port();
        let text = format!("user root\nlistener {port}\nallow_anonymous true\n");
        Self::start_at(dir, port, &text)
    }

    /// The same with a store on disk, to which it writes every change at once.
    pub fn start_keeping(dir: &Path) -> Self {
        let store = dir.join("mosquitto");
        std::fs::create_dir(&store).expect("a temporary folder can be written");
        // The distribution's own configuration has the broker be `mosquitto`, to whom the folder would belong.
        let text = format!(
            "user root\npersistence_location {}/\nautosave_interval 1\nautosave_on_changes true\n",
            store.display()
        );
        let mut broker = Self::start_with(dir, &text);
        broker.kill();
        let kept = std::fs::read_to_string(&broker.configuration)
            .expect("it was written just now")
            .replace("persistence false", "persistence true");
        std::fs::write(&broker.configuration, kept).expect("a temporary folder can be written");
        broker.restart();
        broker
    }

    /// Deletes what it kept, while it is not running.
    ///
    /// # Panics
    ///
    /// If it had kept nothing: nothing would be lost with it.
    pub fn forget(&self) -> std::io::Result<()> {
        let store = self.configuration.with_file_name("mosquitto");
        let mut kept = 0;
        for file in std::fs::read_dir(&store)? {
            std::fs::remove_file(file?.path())?;
            kept += 1;
        }
        assert!(kept > 0, "the broker had kept nothing");
        Ok(())
    }

    fn start_with(dir: &Path, more: &str) -> Self {
        let port = free_port();
        Self::start_at(
            dir,
            port,
            &format!("listener {port} 127.0.0.1\nallow_anonymous true\n{more}"),
        )
    }

    fn start_at(dir: &Path, port: u16, text: &str) -> Self {
        let mut broker = Self {
            port,
            configuration: dir.join("mosquitto.conf"),
            program: None,
        };
        let text = format!("persistence false\nlog_type error\nlog_type warning\n{text}");
        std::fs::write(&broker.configuration, text).expect("a temporary folder can be written");
        broker.restart();
        broker
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        let mut command = Command::new(mosquitto());
        command.arg("-c").arg(&self.configuration);
        self.program = Some(Program::start("mosquitto", &mut command));
        let port = self.port;
        wait_for("mosquitto to answer", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// SIGKILL.
    ///
    /// # Panics
    ///
    /// If it is not running.
    pub fn kill(&mut self) {
        self.program.take().expect("it is running").kill();
    }
}

fn mosquitto() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join("mosquitto"))
        .find(|program| program.is_file())
        .expect("these tests need the MQTT broker mosquitto: apt-get install mosquitto")
}

/// A `rigel serve`.
#[derive(Debug)]
pub struct Host {
    /// Its data folder.
    pub data: PathBuf,
    /// The page's address.
    pub http: String,
    /// The broker's port.
    pub broker: u16,
    program: Program,
}

impl Host {
    /// Starts it with these arguments besides the folder and the page's address, and waits until it serves.
    ///
    /// # Panics
    ///
    /// If it does not begin to serve.
    pub fn start(rigel: &Path, data: &Path, arguments: &[&str]) -> Self {
        let announcement = data.join("serve.json");
        let _ = std::fs::remove_file(&announcement);
        let mut command = Command::new(rigel);
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments);
        let program = Program::start("rigel serve", &mut command);
        let said = wait_for("rigel serve to write serve.json", || {
            let text = std::fs::read(&announcement).ok()?;
            serde_json::from_slice::<serde_json::Value>(&text).ok()
        });
        let port = |address: &serde_json::Value| address.as_str()?.rsplit_once(':')?.1.parse().ok();
        Self {
            data: data.to_owned(),
            http: said["http"].as_str().expect("an address").to_owned(),
            broker: port(&said["broker"]).expect("an address"),
            program,
        }
    }

    /// SIGKILL.
    pub fn kill(self) {
        self.program.kill();
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// SIGTERM; it must end in order and take its announcement away.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn stop(self) {
        assert!(self.program.terminate().success(), "an orderly end");
        assert!(
            !self.data.join("serve.json").exists(),
            "serve.json is gone after an orderly end"
        );
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("rigel.sqlite")
    }
}
