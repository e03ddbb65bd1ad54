//! TLS with a certificate on both sides, with a real broker that takes nobody without one.

use crate::{Bench, FIXTURE};
use end_to_end::{Broker, Program, binary, free_port, rig_command, wait_for};
use label_core::wire::parse_name;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uplink::{LinkState, Outbox, OutboxHandle, OutboxLimits, Tls, Uplink, UplinkConfig};

/// Whether a certificate can still be used.
#[derive(Clone, Copy)]
enum Until {
    Now,
    Ended,
}

/// An authority, its certificate in a folder.
struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("ca.crt"), certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    /// Writes a certificate for these names, and its key, into the authority's folder.
    fn sign(&self, file: &str, names: &[&str], until: Until) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, file);
        if let Until::Ended = until {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |end| self.folder.join(format!("{file}.{end}"));
        std::fs::write(path("crt"), certificate.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
    }

    /// With certificates for a broker on this machine and for a rig.
    fn of_a_site(folder: PathBuf) -> Self {
        let authority = Self::new(folder);
        authority.sign("broker", &["localhost", "127.0.0.1"], Until::Now);
        authority.sign("rig", &["fixture"], Until::Now);
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn tls(&self, name: &str) -> Tls {
        Tls {
            ca: self.file("ca.crt"),
            cert: self.file(&format!("{name}.crt")),
            key: self.file(&format!("{name}.key")),
        }
    }
}

const HEALTH: &str = r#"{"v":1,"rig":"fixture","boot":1048577,"uptime_s":0,
    "frames":{"captured":0,"processed":0,"dropped":0,"repeated":0},
    "labels":{"offered":0,"abstained":0,"evidence":0,"messages":0,"acked":0,"evicted":0},
    "outbox":{"messages":0,"bytes":0},"stages":[],"clock":"unsynced"}"#;

/// An uplink with an outbox of its own, and nothing to send.
fn uplink(outbox: &Path, host: &str, port: u16, tls: Tls) -> Uplink {
    let rig = parse_name("fixture").unwrap();
    let (outbox, _) = Outbox::open(outbox, rig, OutboxLimits::default()).unwrap();
    let config = UplinkConfig {
        tls: Some(tls),
        ..UplinkConfig::new(parse_name("bench").unwrap(), host.to_owned(), port)
    };
    let health = || serde_json::from_str(HEALTH).unwrap();
    Uplink::start(config, OutboxHandle::new(outbox), b"{}".to_vec(), health).unwrap()
}

/// What an uplink says of why it is not connected.
fn trouble(bench: &Bench, host: &str, port: u16, tls: Tls) -> String {
    let uplink = uplink(&bench.dir.path().join("other"), host, port, tls);
    let said = wait_for("the uplink's trouble", || uplink.report().last_trouble);
    assert_ne!(uplink.report().state, LinkState::Online);
    uplink.stop(Duration::ZERO);
    said
}

#[test]
fn with_the_right_certificates_everything_is_delivered_once_and_with_another_authoritys_nothing_is_lost()
 {
    let bench = Bench::new();
    let site = Authority::of_a_site(bench.dir.path().join("site"));
    let other = Authority::of_a_site(bench.dir.path().join("other-site"));
    // It trusts the right broker, but is itself signed by somebody else.
    std::fs::copy(site.file("ca.crt"), other.file("ca.crt")).unwrap();
    site.sign("host", &["host"], Until::Now);
    let broker = Broker::start_protected(bench.dir.path(), &site.folder);
    let host = bench.host(&[
        "--broker",
        &format!("localhost:{}", broker.port),
        "--tls-ca",
        &site.file("ca.crt").display().to_string(),
        "--tls-cert",
        &site.file("host.crt").display().to_string(),
        "--tls-key",
        &site.file("host.key").display().to_string(),
    ]);
    let rig = |folder: &Path, messages: u64, patience: &str| {
        let mut command = rig_command(FIXTURE, &bench.outbox(), broker.port, messages);
        command.arg("--tls").arg(folder);
        command.args(["--patience-s", patience]);
        Program::start("rig", &mut command).wait()
    };

    let ended = rig(&other.folder, 300, "3");
    assert!(!ended.success(), "a rig of another authority was let in");
    assert_eq!(bench.summary(&host.database()).rigs, []);

    let ended = rig(&site.folder, 0, "60");
    assert!(ended.success(), "the rig saw everything committed");
    let (boot, last) = bench.journal().unwrap();
    crate::assert_all_here_once(&bench.summary(&host.database()), boot, last, true);
    host.stop();
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_with_its_file() {
    let bench = Bench::new();
    let site = Authority::of_a_site(bench.dir.path().join("site"));
    let other = Authority::of_a_site(bench.dir.path().join("other-site"));
    let broker = Broker::start_protected(bench.dir.path(), &site.folder);
    let said = |tls: Tls| trouble(&bench, "localhost", broker.port, tls);

    let foreign = Tls {
        ca: site.file("ca.crt"),
        ..other.tls("rig")
    };
    let text = said(foreign);
    assert!(
        text.starts_with("the broker does not know the authority that signed")
            && text.contains("other-site/rig.crt"),
        "{text}"
    );

    site.sign("old", &["fixture"], Until::Ended);
    let text = said(site.tls("old"));
    assert!(
        text.starts_with("the broker says that") && text.contains("site/old.crt has expired"),
        "{text}"
    );

    let misled = Tls {
        ca: other.file("ca.crt"),
        ..site.tls("rig")
    };
    let text = said(misled);
    assert!(
        text.starts_with("the broker's certificate is not signed by the authority of")
            && text.contains("other-site/ca.crt"),
        "{text}"
    );

    let text = said(site.tls("missing"));
    assert!(
        text.contains("cannot read the certificate") && text.contains("site/missing.crt"),
        "{text}"
    );

    // Brokers with a certificate that is over, and for another name; and one that does not speak TLS.
    let of_broker = |names: &[&str], until| {
        let folder = tempfile::tempdir_in(bench.dir.path()).unwrap();
        site.sign("broker", names, until);
        let broker = Broker::start_protected(folder.path(), &site.folder);
        trouble(&bench, "localhost", broker.port, site.tls("rig"))
    };
    let text = of_broker(&["localhost"], Until::Ended);
    assert!(
        text.starts_with("the broker's certificate has expired, or this machine's clock is wrong"),
        "{text}"
    );
    let text = of_broker(&["desk.lan"], Until::Now);
    assert!(
        text.starts_with("the broker's certificate is not for the name localhost"),
        "{text}"
    );
    let folder = tempfile::tempdir_in(bench.dir.path()).unwrap();
    let plain = Broker::start(folder.path());
    let text = trouble(&bench, "localhost", plain.port, site.tls("rig"));
    assert!(text.contains("does it speak TLS at this port?"), "{text}");
}

#[test]
fn a_file_put_right_is_read_at_the_next_attempt() {
    let bench = Bench::new();
    let site = Authority::of_a_site(bench.dir.path().join("site"));
    let broker = Broker::start_protected(bench.dir.path(), &site.folder);
    let parked = site.file("parked");
    std::fs::rename(site.file("rig.crt"), &parked).unwrap();
    let uplink = uplink(&bench.outbox(), "localhost", broker.port, site.tls("rig"));
    wait_for("the uplink's trouble", || uplink.report().last_trouble);
    std::fs::rename(&parked, site.file("rig.crt")).unwrap();
    wait_for("a connection", || {
        (uplink.report().state == LinkState::Online).then_some(())
    });
    uplink.stop(Duration::ZERO);
}

#[test]
fn a_host_whose_files_are_missing_says_so_and_goes_on() {
    let bench = Bench::new();
    let site = Authority::of_a_site(bench.dir.path().join("site"));
    let rigel = binary("rigel", FIXTURE);
    let half = std::process::Command::new(&rigel)
        .args(["serve", "--broker", "localhost:1", "--tls-ca", "ca.crt"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&half.stderr).into_owned();
    assert!(
        said.contains("--tls-cert") && said.contains("--tls-key"),
        "{said}"
    );
    let missing = site.file("host.crt").display().to_string();
    let host = bench.host(&[
        "--broker",
        &format!("localhost:{}", free_port()),
        "--tls-ca",
        &site.file("ca.crt").display().to_string(),
        "--tls-cert",
        &missing,
        "--tls-key",
        &site.file("rig.key").display().to_string(),
    ]);
    host.stop();
}
