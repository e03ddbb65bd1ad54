//! A site's own certificate authority, and what it signs: a certificate a rig, one for the broker, one for the desk. It keeps
//! a list of all that it signed, since a rig that is lost is shut out by the numbers of its certificates.
//!
//! Keys are made here, on P-256, and never leave their files, which their owner alone can read. Certificates are valid
//! from 2020 on: a rig without a clock of its own starts with the time of its system's image.

use super::issued::Issued;
use crate::place;
use anyhow::{Context, bail};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevocationReason, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use std::fs::{self, File};
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Years for which a site's authority is valid.
const AUTHORITY_YEARS: i32 = 30;
/// Years for which what it signs is valid.
const SIGNED_YEARS: i32 = 10;

/// What was found and what was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    New,
    Kept,
}

/// A site's authority.
pub(crate) struct Authority {
    folder: PathBuf,
    /// Its certificate.
    pub(crate) certificate: String,
    issuer: Issuer<'static, KeyPair>,
    pub(crate) made: Made,
    issued: Issued,
    /// Held while keys are made, so that two runs do not make two authorities.
    _lock: File,
}

impl Authority {
    /// Opens the authority in a folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path, site: &str) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let lock = File::open(folder)
            .and_then(|folder| folder.lock().map(|()| folder))
            .with_context(|| format!("cannot lock the folder {}", folder.display()))?;
        let (key_path, path) = (folder.join("ca.key"), folder.join("ca.crt"));
        if path.exists() && !key_path.exists() {
            bail!(
                "{} is there and {} is not: put the key back; or move the certificate away for a new authority, and provision \
                 every rig of the site again",
                path.display(),
                key_path.display()
            );
        }
        let (key, _) = key_at(&key_path)?;
        let (certificate, made) = if path.exists() {
            (read(&path)?, Made::Kept)
        } else {
            let mut params = params(&format!("Rigel authority of {site}"), site, AUTHORITY_YEARS);
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let text = params
                .self_signed(&key)
                .context("cannot make the authority's certificate")?
                .pem();
            write(&path, &text, 0o644)?;
            (text, Made::New)
        };
        let issuer = Issuer::from_ca_cert_pem(&certificate, key)
            .with_context(|| format!("{} is no certificate of an authority", path.display()))?;
        let issued = Issued::read(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            certificate,
            issuer,
            made,
            issued,
            _lock: lock,
        })
    }

    /// Opens the authority of a site that has one.
    pub(crate) fn existing(folder: &Path, site: &str) -> anyhow::Result<Self> {
        if !folder.join("ca.crt").exists() {
            bail!(
                "{} holds no authority of site {site}: give the folder ca beside the rigs' folders, as `rigel provision` made it",
                folder.display()
            );
        }
        Self::open(folder, site)
    }

    /// Signs a rig's certificate for the key at `key`, which is made where there is none.
    ///
    /// Its name is SITE/RIG, the rig's branch of topics: a broker that takes the name for the user's can hold each rig to its
    /// branch by one rule.
    pub(crate) fn sign_rig(
        &mut self,
        site: &str,
        rig: &str,
        key: &Path,
        certificate: &Path,
    ) -> anyhow::Result<()> {
        let (key, _) = key_at(key)?;
        let mut params = params(&format!("{site}/{rig}"), site, SIGNED_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, &key, certificate)
    }

    /// The broker's certificate and key for `host` in `folder`, made where there are none.
    pub(crate) fn broker(&mut self, site: &str, host: &str, folder: &Path) -> anyhow::Result<Made> {
        let mut params = params(host, site, SIGNED_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(
                host.try_into()
                    .with_context(|| format!("{host} is no name of a host"))?,
            ),
        }];
        self.pair(params, folder, "broker")
    }

    /// The desk's certificate and key in `folder`, made where there are none.
    pub(crate) fn desk(&mut self, site: &str, folder: &Path) -> anyhow::Result<Made> {
        let mut params = params(&desk_name(site), site, SIGNED_YEARS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.pair(params, folder, "desk")
    }

    fn pair(
        &mut self,
        params: CertificateParams,
        folder: &Path,
        name: &str,
    ) -> anyhow::Result<Made> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let path = folder.join(format!("{name}.crt"));
        let (key, key_made) = key_at(&folder.join(format!("{name}.key")))?;
        if path.exists() && key_made == Made::Kept && self.made == Made::Kept {
            return Ok(Made::Kept);
        }
        self.sign(params, &key, &path)?;
        Ok(Made::New)
    }

    /// Whether the newest certificate of a rig was withdrawn.
    pub(crate) fn is_shut_out(&self, site: &str, rig: &str) -> bool {
        self.issued.is_shut_out(&format!("{site}/{rig}"))
    }

    /// Withdraws a rig's certificates, all or all but the newest; how many of them were not withdrawn before.
    pub(crate) fn revoke(
        &mut self,
        site: &str,
        rig: &str,
        but_newest: bool,
    ) -> anyhow::Result<usize> {
        let name = format!("{site}/{rig}");
        if !self.issued.knows(&name) {
            bail!(
                "site {site} never signed for a rig {rig}: see issued.json in {}",
                self.folder.display()
            );
        }
        let count = self.issued.revoke(&name, but_newest);
        if count > 0 {
            self.issued.write(&self.folder)?;
        }
        Ok(count)
    }

    /// The list of what was withdrawn, signed, in PEM. It has no end: a broker refuses everybody whose list is over.
    pub(crate) fn revoked(&self) -> anyhow::Result<String> {
        let now = date_time_ymd(2020, 1, 1);
        let revoked_certs = self
            .issued
            .revoked()
            .map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: now,
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect::<Vec<_>>();
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: date_time_ymd(9999, 12, 31),
            crl_number: SerialNumber::from(revoked_certs.len() as u64 + 1),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)
            .and_then(|list| list.pem())
            .context("cannot sign the list of withdrawn certificates")
    }

    /// Signs, after what is signed stands in the list: a certificate that is not there could not be withdrawn.
    fn sign(
        &mut self,
        mut params: CertificateParams,
        key: &KeyPair,
        path: &Path,
    ) -> anyhow::Result<()> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let name = params.distinguished_name.get(&DnType::CommonName);
        let name = match name {
            Some(DnValue::Utf8String(name)) => name.clone(),
            _ => bail!("{} is to be signed for nobody", path.display()),
        };
        let serial = params.serial_number.as_ref();
        let serial = serial.context("every certificate has a number")?.to_bytes();
        self.issued.add(&name, serial);
        self.issued.write(&self.folder)?;
        let certificate = params
            .signed_by(key, &self.issuer)
            .with_context(|| format!("cannot sign {}", path.display()))?;
        write(path, &certificate.pem(), 0o644)
    }
}

/// The desk's name in its certificate: no rig's, whose names have no `@`.
pub(crate) fn desk_name(site: &str) -> String {
    format!("desk@{site}")
}

fn params(name: &str, site: &str, years: i32) -> CertificateParams {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let year = 1970 + (now.as_secs() / 31_556_952) as i32;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, site);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year + years, 12, 31);
    // Another one for each certificate, also where a key gets a second one.
    let seed = format!("{name} {}", now.as_nanos());
    params.serial_number = Some(SerialNumber::from_slice(&seed_bytes(&seed)));
    params
}

/// 16 bytes, the first of which is positive and not 0, as serial numbers are to be.
fn seed_bytes(seed: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, pair) in bytes
        .iter_mut()
        .zip(place::sha256(seed.as_bytes()).as_bytes().chunks(2))
    {
        let digits = std::str::from_utf8(pair).unwrap_or("0");
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    bytes[0] = bytes[0] & 0x7f | 0x01;
    bytes
}

/// The key in a file, made where there is none.
fn key_at(path: &Path) -> anyhow::Result<(KeyPair, Made)> {
    if path.exists() {
        let key = KeyPair::from_pem(&read(path)?)
            .with_context(|| format!("{} holds no key", path.display()))?;
        return Ok((key, Made::Kept));
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot make a key")?;
    write(path, &key.serialize_pem(), 0o600)?;
    Ok((key, Made::New))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    place::write_whole(path, text.as_bytes(), mode)
        .with_context(|| format!("cannot write {}", path.display()))
}
