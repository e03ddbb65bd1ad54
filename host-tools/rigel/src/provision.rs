//! `rigel provision`: a rig's own files, made at the desk, and what the site's broker and desk need; `rigel revoke`.

mod authority;
mod board_text;
mod broker_folder;
mod first_boot;
mod issued;
mod revoke;

pub(crate) use revoke::{RevokeArguments, run as run_revoke};

use crate::place;
use crate::rig_folder::{
    self, BOARD, CA, CERTIFICATE, FIRST_BOOT, KEY, Manifest, RigFile, SECRET_MODE, UPDATES,
};
use anyhow::{Context, bail};
use authority::{Authority, Made};
use board_text::Own;
use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The port of MQTT over TLS.
const TLS_PORT: u16 = 8883;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel provision rig-7 --site north --board rpi4 --broker desk.lan --out rigs/rig-7
  rigel provision rig-7 --site north --board rpi4 --broker desk.lan --out rigs/rig-7 --package rigel-firmware_0.1.0_arm64.deb
                                           for a card that has not the package yet: its first boot installs it
  rigel provision rig-7 --site north --board rpi4 --broker desk.lan --out rigs/rig-7 --new-key
                                           when its key is old, or may be known to others
  rigel flash rigs/rig-7 --to /mnt/card    what this would change on a card

Makes in the folder: the rig's board file, its certificate and its key, and what a first boot needs. Beside the folder, in
ca/SITE, lie the site's certificate authority, a folder for its broker (mosquitto: configuration, access list, certificate) and one
for the desk (`rigel serve --tls-ca …`): keep them safe, and off rigs.

A second run keeps keys and what was changed in the board file, and fills in what it is told.")]
pub(crate) struct ProvisionArguments {
    /// The rig's name
    #[arg(value_parser = parse_name)]
    rig: String,
    /// The site it belongs to
    #[arg(long, value_parser = parse_name)]
    site: String,
    /// Board to begin with: rpi4, rpi5, jetson-orin-nano, or the path of a board file
    #[arg(long)]
    board: String,
    /// The site's MQTT broker; port 8883 unless it is said
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_broker)]
    broker: Broker,
    /// Folder for the rig's files
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Package that the rig's first boot is to install
    #[arg(long, value_name = "FILE.deb")]
    package: Option<PathBuf>,
    /// Certificate by which the rig knows the updates that it may install
    #[arg(long, value_name = "FILE.crt")]
    updates: Option<PathBuf>,
    /// Give the rig another key; the old one is good until `rigel revoke RIG --but-newest`
    #[arg(long)]
    new_key: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Broker {
    host: String,
    port: u16,
}

impl std::fmt::Display for Broker {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(to, "[{}]:{}", self.host, self.port)
        } else {
            write!(to, "{}:{}", self.host, self.port)
        }
    }
}

fn parse_name(text: &str) -> Result<String, String> {
    // `.` and `..` are names of folders.
    if text.bytes().all(|byte| byte == b'.') {
        return Err("the name needs a letter or a digit".to_owned());
    }
    label_core::wire::parse_name(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn parse_broker(text: &str) -> Result<Broker, String> {
    let wanted = "give it as HOST or HOST:PORT, for example desk.lan:8883";
    let broker = |host: &str, port: &str| {
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(wanted)?;
        let is_name = host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        if host.is_empty() || !(is_name || is_address) {
            return Err(wanted.to_owned());
        }
        Ok(Broker {
            host: host.to_owned(),
            port,
        })
    };
    let default = TLS_PORT.to_string();
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or(wanted)?;
        return broker(host, port.strip_prefix(':').unwrap_or(&default));
    }
    match text.rsplit_once(':') {
        // An IPv6 address without a port.
        Some((host, _)) if host.contains(':') => broker(text, &default),
        Some((host, port)) => broker(host, port),
        None => broker(text, &default),
    }
}

pub(crate) fn run(arguments: &ProvisionArguments) -> anyhow::Result<()> {
    let report = provision(arguments)?;
    std::io::stdout()
        .write_all(report.as_bytes())
        .context("cannot write to standard output")
}

fn provision(arguments: &ProvisionArguments) -> anyhow::Result<String> {
    let (folder, site, rig) = (&arguments.out, &arguments.site, &arguments.rig);
    let old = Manifest::read(folder)?;
    if let Some(old) = &old
        && (&old.rig, &old.site) != (rig, site)
    {
        bail!(
            "{} belongs to rig {} of site {}: give rig {rig} of site {site} a folder of its own",
            folder.display(),
            old.rig,
            old.site
        );
    }
    // Everything that may be wrong is looked at before anything is made.
    let package = arguments
        .package
        .as_deref()
        .map(first_boot::read_package)
        .transpose()?;
    let updates = arguments
        .updates
        .as_deref()
        .map(read_certificate)
        .transpose()?;
    let (board, board_is) = board_for(arguments)?;
    let ca_folder = ca_folder(folder, site)?;
    let in_folder = |on_rig: &str| rig_folder::in_folder(folder, on_rig);

    for on_rig in [BOARD, KEY] {
        let place = in_folder(on_rig);
        let parent = place.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    let mut authority = Authority::open(&ca_folder, site)?;
    if authority.is_shut_out(site, rig) && !arguments.new_key {
        bail!(
            "rig {rig} of site {site} was shut out by `rigel revoke`: give --new-key for the rig that is to have its name"
        );
    }
    let authority_digest = place::sha256(authority.certificate.as_bytes());
    let Broker { host, port } = &arguments.broker;
    let (broker_folder, broker_made) =
        broker_folder::make(&mut authority, &ca_folder, site, host, *port)?;
    let desk_folder = ca_folder.join("desk");
    let desk_made = authority.desk(site, &desk_folder)?;
    write(
        &desk_folder.join("ca.crt"),
        authority.certificate.as_bytes(),
        0o644,
    )?;

    if arguments.new_key {
        // The certificate first: a key without one gets one, a certificate without its key is of no use.
        for on_rig in [CERTIFICATE, KEY] {
            remove(&in_folder(on_rig))?;
        }
    }
    let key_made = if in_folder(KEY).exists() {
        Made::Kept
    } else {
        Made::New
    };
    let certificate_is_good = old
        .as_ref()
        .is_some_and(|old| old.authority == authority_digest)
        && key_made == Made::Kept
        && in_folder(CERTIFICATE).exists();
    if !certificate_is_good {
        authority.sign_rig(site, rig, &in_folder(KEY), &in_folder(CERTIFICATE))?;
    }
    let mut files = vec![
        RigFile::file(BOARD, 0o644),
        RigFile::file(CA, 0o644),
        RigFile::file(CERTIFICATE, 0o644),
        RigFile::file(KEY, SECRET_MODE),
    ];
    write(&in_folder(BOARD), board.as_bytes(), 0o644)?;
    write(&in_folder(CA), authority.certificate.as_bytes(), 0o644)?;

    let kept = |which: fn(&RigFile) -> bool| {
        let files = old.iter().flat_map(|old| &old.files);
        files.filter(move |file| which(file)).cloned()
    };
    if let Some(text) = updates {
        write(&in_folder(UPDATES), text.as_bytes(), 0o644)?;
        files.push(RigFile::file(UPDATES, 0o644));
    } else {
        files.extend(kept(is_of_updates));
    }

    let mut manifest = Manifest::new(site, rig);
    manifest.board = board_text::name_of(&board).unwrap_or_default();
    manifest.broker = arguments.broker.to_string();
    manifest.authority = authority_digest;
    let old_package = old.as_ref().and_then(|old| old.package.clone());
    if let Some((name, bytes)) = package {
        for one in first_boot::files(&name, bytes) {
            if let Some(mode) = one.file.mode_bits() {
                write(&in_folder(&one.file.path), &one.bytes, mode)?;
            }
            files.push(one.file);
        }
        if let Some(old_name) = old_package.filter(|old_name| *old_name != name) {
            let path = in_folder(&format!("{FIRST_BOOT}/{old_name}"));
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        manifest.package = Some(name);
    } else if let Some(old) = &old {
        files.extend(kept(is_first_boot));
        manifest.package.clone_from(&old.package);
    }
    manifest.files = files;
    // Last, since `rigel flash` goes by it.
    manifest.write(folder)?;

    let mut report = format!("rig {rig} of site {site}, in {}\n\n", folder.display());
    let mut line = |is: &str, what: &str, path: &Path| {
        // Writing to a String cannot fail.
        let _ = writeln!(report, "  {is:<8} {what:<24} {}", path.display());
    };
    line(board_is, "board file", &in_folder(BOARD));
    line(word(key_made), "rig's key", &in_folder(KEY));
    let certificate_made = if certificate_is_good {
        Made::Kept
    } else {
        Made::New
    };
    line(
        word(certificate_made),
        "rig's certificate",
        &in_folder(CERTIFICATE),
    );
    line(
        word(authority.made),
        "site's authority",
        &ca_folder.join("ca.crt"),
    );
    line(word(broker_made), "broker's certificate", &broker_folder);
    line(word(desk_made), "desk's certificate", &desk_folder);
    if manifest.files.iter().any(is_of_updates) {
        let is = if arguments.updates.is_some() {
            "taken"
        } else {
            "kept"
        };
        line(is, "updates' certificate", &in_folder(UPDATES));
    }
    if let Some(name) = &manifest.package {
        let path = in_folder(&format!("{FIRST_BOOT}/{name}"));
        line(
            if arguments.package.is_some() {
                "taken"
            } else {
                "kept"
            },
            "package",
            &path,
        );
    }
    let _ = write!(
        report,
        "\n{}\nNext: `rigel flash {} --to /mnt/card` shows what it would write onto a card mounted there.\n\
         The broker at {} is set up with {}, as mosquitto.conf there says, and the desk with\n  \
         rigel serve --broker {} --tls-ca {desk}/ca.crt --tls-cert {desk}/desk.crt --tls-key {desk}/desk.key\n",
        crate::board::summary(&board::Board::parse(&in_folder(BOARD), board)?),
        folder.display(),
        manifest.broker,
        broker_folder.display(),
        manifest.broker,
        desk = desk_folder.display()
    );
    Ok(report)
}

/// The rig's board file: the one it has, if it is of the same board, else the shipped one; and which of the two.
fn board_for(arguments: &ProvisionArguments) -> anyhow::Result<(String, &'static str)> {
    let own = Own {
        site: &arguments.site,
        rig: &arguments.rig,
        host: &arguments.broker.host,
        port: arguments.broker.port,
    };
    let shipped = board_text::find(&arguments.board)?;
    let path = rig_folder::in_folder(&arguments.out, BOARD);
    match fs::read_to_string(&path) {
        Ok(text) if board_text::name_of(&text) == board_text::name_of(&shipped) => {
            let filled = board_text::fill_in(&text, &path, own)?;
            let is = if filled == text { "kept" } else { "changed" };
            Ok((filled, is))
        }
        Ok(text) if board_text::name_of(&text).is_none() => {
            // Not to be written over: somebody is in the middle of changing it.
            board_text::fill_in(&text, &path, own).map(|text| (text, "changed"))
        }
        _ => {
            let from = PathBuf::from(&arguments.board);
            Ok((board_text::fill_in(&shipped, &from, own)?, "new"))
        }
    }
}

/// Where the site's authority lies: beside the folders of its rigs.
fn ca_folder(folder: &Path, site: &str) -> anyhow::Result<PathBuf> {
    let name = folder.file_name().with_context(|| {
        format!(
            "{} has no name of its own: give the rig a folder such as rigs/rig-7",
            folder.display()
        )
    })?;
    if name == "ca" {
        bail!(
            "{}: a folder named ca is for the authorities: name it after the rig",
            folder.display()
        );
    }
    Ok(folder.with_file_name("ca").join(site))
}

fn is_of_updates(file: &RigFile) -> bool {
    file.path == UPDATES
}

fn is_first_boot(file: &RigFile) -> bool {
    ![BOARD, CA, CERTIFICATE, KEY, UPDATES].contains(&file.path.as_str())
}

/// Reads a certificate, and refuses what is none or holds a key besides.
fn read_certificate(path: &Path) -> anyhow::Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if text.contains("PRIVATE KEY") {
        bail!(
            "{} holds a private key, which belongs on no rig: give the certificate alone",
            path.display()
        );
    }
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        bail!("{} holds no certificate in PEM form", path.display());
    }
    Ok(text)
}

fn word(made: Made) -> &'static str {
    match made {
        Made::New => "new",
        Made::Kept => "kept",
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    // What is there already is not written again: a second run changes no file.
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    place::write_whole(path, bytes, mode)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_a_host_with_or_without_a_port() {
        let broker = |text: &str| parse_broker(text).map(|broker| broker.to_string());
        assert_eq!(broker("desk.lan").unwrap(), "desk.lan:8883");
        assert_eq!(broker("10.0.0.2:1884").unwrap(), "10.0.0.2:1884");
        assert_eq!(broker("fe80::1").unwrap(), "[fe80::1]:8883");
        assert_eq!(broker("[fe80::1]:1").unwrap(), "[fe80::1]:1");
        for wrong in [
            "",
            "a b",
            "mqtt://desk",
            "desk:0",
            "desk:x",
            "desk:70000",
            "[::1",
        ] {
            assert!(broker(wrong).is_err(), "{wrong}");
        }
        assert!(
            parse_name("..").is_err() && parse_name("a/b").is_err() && parse_name("rig-7").is_ok()
        );
    }
}
