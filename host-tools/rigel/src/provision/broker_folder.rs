//! What a site's broker is set up with: one folder to copy to it, and a list of who may read and write what.

use super::authority::{Authority, Made, desk_name};
use anyhow::Context;
use label_core::wire::{MAX_EVIDENCE_BYTES, TOPIC_ROOT, Topic};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the folder is to lie on the broker's machine; the configuration names its files there.
const PLACE: &str = "/etc/mosquitto/rigel";
/// Room for a topic and MQTT's own fields beside the largest message.
const AROUND_A_MESSAGE: usize = 4096;
/// What the folder of a host's broker is called.
const FOLDER: &str = "broker-";
/// Whom the broker is not to let in.
const REVOKED: &str = "revoked.crl";

/// Makes the folder of the broker at `host`, or what it lacks; its path, and whether its certificate is new.
pub(super) fn make(
    authority: &mut Authority,
    ca_folder: &Path,
    site: &str,
    host: &str,
    port: u16,
) -> anyhow::Result<(PathBuf, Made)> {
    // An IPv6 address has colons, which some file systems do not take.
    let folder = ca_folder.join(format!("{FOLDER}{}", host.replace(':', "_")));
    let made = authority.broker(site, host, &folder)?;
    let write = |name: &str, text: &str| super::write(&folder.join(name), text.as_bytes(), 0o644);
    write("ca.crt", &authority.certificate)?;
    write("acl", &access_list(site))?;
    write("mosquitto.conf", &configuration(site, port))?;
    if !folder.join(REVOKED).exists() || made == Made::New {
        write(REVOKED, &authority.revoked()?)?;
    }
    Ok((folder, made))
}

/// Writes the list of withdrawn certificates into the folder of each of the site's brokers; their paths.
pub(super) fn tell_revoked(
    authority: &Authority,
    ca_folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let text = authority.revoked()?;
    let listing =
        fs::read_dir(ca_folder).with_context(|| format!("cannot list {}", ca_folder.display()))?;
    let mut told = Vec::new();
    for entry in listing {
        let entry = entry.with_context(|| format!("cannot list {}", ca_folder.display()))?;
        if entry.file_name().to_string_lossy().starts_with(FOLDER) && entry.path().is_dir() {
            let path = entry.path().join(REVOKED);
            super::write(&path, text.as_bytes(), 0o644)?;
            told.push(path);
        }
    }
    told.sort();
    Ok(told)
}

/// By the name in a client's certificate: a rig's is SITE/RIG, which is its branch.
fn access_list(site: &str) -> String {
    let rules = |rule: &str, branch: &str, [from_rig, from_desk]: [&str; 2]| {
        Topic::ALL.iter().fold(String::new(), |mut text, topic| {
            let right = if topic.is_from_rig() {
                from_rig
            } else {
                from_desk
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{rule} {right} {TOPIC_ROOT}/{branch}/{}",
                topic.leaf()
            );
            text
        })
    };
    format!(
        "\
# Who may read and write what, by the name in a client's certificate. `rigel provision` writes this file.

# A rig: it writes to its own branch, but not what the desk says there, and reads that alone.
{}
# The desk: the other way round, for every rig of the site.
user {}
{}",
        rules("pattern", "%u", ["write", "read"]),
        desk_name(site),
        rules("topic", &format!("{site}/+"), ["read", "write"])
    )
}

fn configuration(site: &str, port: u16) -> String {
    let size = MAX_EVIDENCE_BYTES + AROUND_A_MESSAGE;
    format!(
        "\
# The broker of site {site}, for mosquitto 2. `rigel provision` writes this file; put settings of your own into another one.
#
#   sudo cp -r THIS-FOLDER {PLACE}
#   sudo chown -R mosquitto: {PLACE}
#   sudo ln -s {PLACE}/mosquitto.conf /etc/mosquitto/conf.d/rigel.conf
#   sudo systemctl restart mosquitto

# Nobody without a certificate of the site's authority, and everybody by the name in it.
per_listener_settings false
allow_anonymous false
acl_file {PLACE}/acl

listener {port}
tls_version tlsv1.3
cafile {PLACE}/ca.crt
certfile {PLACE}/broker.crt
keyfile {PLACE}/broker.key
crlfile {PLACE}/{REVOKED}
require_certificate true
use_identity_as_username true

# The largest message a rig sends. More of one is refused before it is read.
max_packet_size {size}
# What a subscriber that is away misses, rigs send again; more than one of them sends unasked.
max_queued_messages 1000
"
    )
}
