use super::*;
use rcgen::{CertificateParams, KeyPair};
use rumqttc::v5::ConnectionError;
use std::fs;

/// A certificate that signs itself, and its key.
fn made(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[test]
fn each_file_that_is_missing_or_something_else_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (cert, key) = made("rig");
    let (_, other_key) = made("other");
    fs::write(path("ca.crt"), made("ca").0).unwrap();
    fs::write(path("rig.crt"), &cert).unwrap();
    fs::write(path("rig.key"), &key).unwrap();
    fs::write(path("other.key"), other_key).unwrap();
    fs::write(path("text"), "no certificate at all\n").unwrap();
    fs::write(
        path("bad.crt"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    fs::write(
        path("bad.key"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    let tls = |ca: &str, cert: &str, key: &str| Tls {
        ca: path(ca),
        cert: path(cert),
        key: path(key),
    };
    tls("ca.crt", "rig.crt", "rig.key").transport().unwrap();
    for (files, expected) in [
        (
            ["none", "rig.crt", "rig.key"],
            "cannot read the certificate of the broker's authority DIR/none: No such file or directory (os error 2)",
        ),
        (
            ["ca.crt", "none", "rig.key"],
            "cannot read the certificate DIR/none: No such file or directory (os error 2)",
        ),
        (
            ["ca.crt", "rig.crt", "none"],
            "cannot read the private key DIR/none: No such file or directory (os error 2)",
        ),
        (
            ["ca.crt", "rig.crt", "."],
            "cannot read the private key DIR/.: Is a directory (os error 21)",
        ),
        (
            ["text", "rig.crt", "rig.key"],
            "DIR/text holds no certificate of the broker's authority in PEM",
        ),
        (
            ["ca.crt", "rig.key", "rig.key"],
            "DIR/rig.key holds no certificate in PEM",
        ),
        (
            ["ca.crt", "rig.crt", "rig.crt"],
            "DIR/rig.crt holds no private key in PEM",
        ),
        (
            ["ca.crt", "rig.crt", "other.key"],
            "the key DIR/other.key is not that of the certificate DIR/rig.crt",
        ),
        (
            ["bad.crt", "rig.crt", "rig.key"],
            "DIR/bad.crt holds a certificate of the broker's authority that cannot be used: invalid peer certificate: BadEncoding",
        ),
        (
            ["ca.crt", "bad.crt", "rig.key"],
            "DIR/bad.crt holds a certificate that cannot be used: invalid peer certificate: BadEncoding",
        ),
        (
            ["ca.crt", "rig.crt", "bad.key"],
            "DIR/bad.key holds a private key that cannot be used: unexpected error: failed to parse private key as RSA, ECDSA, or EdDSA",
        ),
    ] {
        let [ca, cert, key] = files;
        let error = tls(ca, cert, key).transport().err().unwrap();
        let said = whole(&error).replace(&folder.path().display().to_string(), "DIR");
        assert_eq!(said, expected);
    }
}

#[test]
fn an_error_of_tls_is_found_wherever_it_is_wrapped_and_others_are_left_alone() {
    let tls = Tls {
        ca: "/etc/rigel/tls/ca.crt".into(),
        cert: "/etc/rigel/tls/rig.crt".into(),
        key: "/etc/rigel/tls/rig.key".into(),
    };
    let io = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    let invalid = |error: CertificateError| io(rustls::Error::InvalidCertificate(error));
    for (error, expected) in [
        (
            invalid(CertificateError::UnknownIssuer),
            "the broker's certificate is not signed by the authority of /etc/rigel/tls/ca.crt",
        ),
        (
            invalid(CertificateError::NotValidForName),
            "the broker's certificate is not for the name desk.lan",
        ),
        (
            invalid(CertificateError::Expired),
            "the broker's certificate has expired, or this machine's clock is wrong",
        ),
        (
            invalid(CertificateError::NotValidYet),
            "the broker's certificate is not valid yet, or this machine's clock is wrong",
        ),
        (
            io(rustls::Error::AlertReceived(
                AlertDescription::CertificateExpired,
            )),
            "the broker says that /etc/rigel/tls/rig.crt has expired",
        ),
        (
            io(rustls::Error::AlertReceived(AlertDescription::UnknownCA)),
            "the broker does not know the authority that signed /etc/rigel/tls/rig.crt",
        ),
    ] {
        let text = tls.explain("desk.lan", &error).unwrap();
        assert!(text.starts_with(&format!("{expected} (")), "{text}");
        let client = ConnectionError::Io(error);
        assert_eq!(tls.explain("desk.lan", &client), Some(text.clone()));
        // A broker that speaks TLS 1.3 refuses a certificate only after the connection is made.
        let ConnectionError::Io(error) = client else {
            unreachable!("made above")
        };
        let later = StateError::Deserialization(rumqttc::v5::mqttbytes::Error::Io(error));
        let later = ConnectionError::MqttState(later);
        assert_eq!(tls.explain("desk.lan", &later), Some(text));
    }
    let plain = ConnectionError::Io(io::ErrorKind::ConnectionRefused.into());
    assert_eq!(tls.explain("desk.lan", &plain), None);
}
