//! `rigel revoke`: shuts a rig out.

use super::authority::Authority;
use super::{broker_folder, parse_name};
use anyhow::Context;
use clap::Args;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel revoke rig-7 --site north --ca rigs/ca                a rig that was stolen: no broker of the site takes it any more
  rigel revoke rig-7 --site north --ca rigs/ca --but-newest   its old keys, once the rig has a new one

Writes revoked.crl into the folder of each of the site's brokers: copy it to the broker and restart mosquitto, which also ends
the connection that the rig may have.")]
pub(crate) struct RevokeArguments {
    /// The rig's name
    #[arg(value_parser = parse_name)]
    rig: String,
    /// The site it belongs to
    #[arg(long, value_parser = parse_name)]
    site: String,
    /// The folder ca that `rigel provision` made beside the rigs' folders
    #[arg(long, value_name = "FOLDER")]
    ca: PathBuf,
    /// Leave the newest certificate good
    #[arg(long)]
    but_newest: bool,
}

pub(crate) fn run(arguments: &RevokeArguments) -> anyhow::Result<()> {
    let RevokeArguments { rig, site, .. } = arguments;
    let ca_folder = arguments.ca.join(site);
    let mut authority = Authority::existing(&ca_folder, site)?;
    let count = authority.revoke(site, rig, arguments.but_newest)?;
    let told = broker_folder::tell_revoked(&authority, &ca_folder)?;
    let mut report = match count {
        0 => format!("rig {rig} of site {site}: nothing was left to withdraw\n"),
        1 => format!("rig {rig} of site {site}: one certificate withdrawn\n"),
        _ => format!("rig {rig} of site {site}: {count} certificates withdrawn\n"),
    };
    for path in told {
        // Writing to a String cannot fail.
        let _ = writeln!(report, "  {}", path.display());
    }
    report.push_str(
        "Next: copy the list to its broker, and restart mosquitto there: until then the rig is taken as before.\n",
    );
    std::io::stdout()
        .write_all(report.as_bytes())
        .context("cannot write to standard output")
}
