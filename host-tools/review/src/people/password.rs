//! Passwords and tokens: made, hashed, compared.

use label_store::CredentialDigest;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Fewest characters of a password, the least that NIST SP 800-63B (revision 4, 3.1.1.2) allows beside nothing else.
const MIN_PASSWORD_CHARS: usize = 15;

/// Longest password in bytes: hashing takes time with its length.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Random bytes of a session or token: more than can be guessed (OWASP asks for 8 at least).
const SECRET_BYTES: usize = 32;

/// What tokens begin with, so that those who look for leaked secrets find them.
const TOKEN_PREFIX: &str = "rgl_";

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short to keep anybody out.
    #[error("a password has at least 15 characters; a few words one remembers are best")]
    TooShort,
    /// Longer than anybody types.
    #[error("a password has at most 1024 bytes")]
    TooLong,
}

/// Argon2id of a new password with a salt of its own, as a PHC string.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    Ok(password_auth::generate_hash(password))
}

/// Whether it is the password of that hash. Takes tens of milliseconds on purpose: not on a runtime's thread.
pub(super) fn is_password(password: &str, hash: &str) -> bool {
    password.len() <= MAX_PASSWORD_BYTES && password_auth::verify_password(password, hash).is_ok()
}

/// A new token for a script, and the digest to keep of it.
pub fn new_token() -> std::io::Result<(String, CredentialDigest)> {
    let token = format!("{TOKEN_PREFIX}{}", new_secret()?);
    let digest = digest(&token);
    Ok((token, digest))
}

/// A secret of letters and digits.
pub(super) fn new_secret() -> std::io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    let mut secret = String::with_capacity(2 * SECRET_BYTES);
    for byte in bytes {
        write!(secret, "{byte:02x}").map_err(std::io::Error::other)?;
    }
    Ok(secret)
}

/// What is kept of a secret.
pub(super) fn digest(secret: &str) -> CredentialDigest {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_another_is_not() {
        let password = "four words in a row";
        let hash = hash_password(password).unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(is_password(password, &hash));
        assert!(!is_password("four words in a Row", &hash));
        assert!(!is_password("", &hash));
        assert_ne!(hash, hash_password(password).unwrap(), "each has its salt");
    }

    #[test]
    fn passwords_that_keep_nobody_out_are_refused() {
        assert_eq!(hash_password("short"), Err(PasswordError::TooShort));
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert_eq!(hash_password(&long), Err(PasswordError::TooLong));
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, of_one) = new_token().unwrap();
        let (other, of_other) = new_token().unwrap();
        assert_ne!(one, other);
        assert_ne!(of_one, of_other);
        assert_eq!(one.len(), TOKEN_PREFIX.len() + 2 * SECRET_BYTES);
    }
}
