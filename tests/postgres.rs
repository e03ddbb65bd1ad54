//! A real Postgres server for one test: its own cluster in a temporary folder, gone with it. Also part of the tests of
//! `label-store`, which name this file: no crate below may depend on this one.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The server, stopped when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    databases: AtomicU32,
    fsync: &'static str,
    server: Mutex<Option<Child>>,
}

/// The password of the only user, `rigel`.
const PASSWORD: &str = "only-of-this-test";

impl Postgres {
    /// Starts one on a free port of this machine. What is committed is on disk, as on a server that somebody uses.
    ///
    /// # Panics
    /// Where Postgres is not installed, or does not start.
    pub fn start() -> Self {
        Self::start_with_fsync("on")
    }

    /// The same with a disk that is not waited for: quicker, for tests in which no power is cut.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_unsynced() -> Self {
        Self::start_with_fsync("off")
    }

    fn start_with_fsync(fsync: &'static str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rigel-postgres-")
            .tempdir()
            .expect("a temporary folder can be made");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).expect("our own folder");
        let server = Self {
            programs: programs(),
            port: free_port(),
            databases: AtomicU32::new(0),
            fsync,
            server: Mutex::new(None),
            folder,
        };
        let own = server.folder.path().join("own");
        std::fs::create_dir(&own).expect("our own folder");
        if let Some((user, group)) = somebody_else() {
            std::os::unix::fs::chown(&own, Some(user), Some(group)).expect("root may give it away");
        }
        let password = server.folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("our own folder");
        let data = own.join("data");
        server.run(
            "initdb",
            Command::new(server.programs.join("initdb"))
                .arg("--pgdata")
                .arg(&data)
                .arg("--pwfile")
                .arg(&password)
                .args([
                    "--username=rigel",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                ])
                // Another order of text than ours: statements must not lean on the database's.
                .args(["--locale-provider=icu", "--icu-locale=en"])
                .arg("--no-sync"),
        );
        server.resume();
        server
    }

    /// Starts it again after [`Self::halt`].
    ///
    /// # Panics
    /// Where it does not start.
    pub fn resume(&self) {
        let own = self.folder.path().join("own");
        // A test that is killed cannot stop its server: the system does, when its parent is gone.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if let Some((user, group)) = somebody_else() {
            command.arg(format!("--reuid={user}"));
            command
                .arg(format!("--regid={group}"))
                .arg("--clear-groups");
        }
        command
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(own.join("data"))
            .args(["-c", &format!("port={}", self.port)])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", &format!("fsync={}", self.fsync)])
            .args(["-c", &format!("unix_socket_directories={}", own.display())])
            .args(["-c", "max_connections=200", "-c", "autovacuum_naptime=1"]);
        let server = self.quiet(&mut command).spawn().expect("setpriv is there");
        *self.server.lock().expect("nobody panics with it") = Some(server);
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut ready = Command::new(self.programs.join("pg_isready"));
        ready.args(["--quiet", "--host=127.0.0.1"]);
        ready.arg(format!("--port={}", self.port));
        while !self
            .quiet(&mut ready)
            .status()
            .is_ok_and(|status| status.success())
        {
            assert!(Instant::now() < deadline, "no answer\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it at once, as if the power went.
    pub fn halt(&self) {
        let server = self.server.lock().ok().and_then(|mut server| server.take());
        if let Some(mut server) = server {
            let pid = server.id().to_string();
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
            let _ = server.wait();
        }
    }

    /// The address of a new, empty database.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn database(&self) -> String {
        self.create_database("template1")
    }

    /// The address of a new database with what is in the one of this address, which nobody may use meanwhile.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn copy_of(&self, address: &str) -> String {
        let (_, name) = address.rsplit_once('/').expect("an address of ours");
        self.create_database(name)
    }

    fn create_database(&self, template: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("desk{number}");
        self.run(
            "createdb",
            Command::new(self.programs.join("createdb"))
                .args(["--host=127.0.0.1", "--username=rigel", "--no-password"])
                .arg(format!("--port={}", self.port))
                .arg(format!("--template={template}"))
                .arg(&name)
                .env("PGPASSWORD", PASSWORD),
        );
        format!("postgres://rigel:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    fn run(&self, what: &str, command: &mut Command) {
        if let Some((user, group)) = somebody_else() {
            command.uid(user).gid(group);
        }
        let status = self.quiet(command).status();
        assert!(
            status.as_ref().is_ok_and(std::process::ExitStatus::success),
            "{what}: {status:?}\n{}",
            self.said()
        );
    }

    /// What it says goes into a file, which is shown where something fails.
    fn quiet<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let said = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("said"))
            .expect("our own folder");
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("an open file"))
            .stderr(said)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.halt();
    }
}

/// The programs of the distribution's newest version: they are not on the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .max()
        .expect("PostgreSQL is not installed: `cargo xtask setup` as root, or apt-get install postgresql")
}

/// Postgres refuses to be root: `nobody` of Debian, where we are.
fn somebody_else() -> Option<(u32, u32)> {
    let root = std::fs::metadata("/proc/self").ok()?;
    (std::os::unix::fs::MetadataExt::uid(&root) == 0).then_some((65534, 65534))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a free port")
        .port()
}
