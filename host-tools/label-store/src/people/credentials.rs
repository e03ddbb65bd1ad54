//! What a browser or a script shows to be let in, by its digest.

use super::{User, audit, user};
use crate::database::query;
use crate::{LabelStore, StoreError};
use serde::{Deserialize, Serialize};

/// SHA-256 of what is shown.
pub type CredentialDigest = [u8; 32];

/// Who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialForm {
    /// A browser, in a cookie.
    Session,
    /// A script, in a header.
    Token,
}

impl CredentialForm {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// A token as its owner sees it in a list: not what is shown, which nobody keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredCredential {
    /// The first digits of its digest, by which it is revoked.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What it is for.
    pub purpose: String,
    /// When it was made.
    pub made_us: i64,
    /// When it ends by itself.
    pub ends_us: i64,
}

/// How much of a digest names a token: enough that two of a desk's are never alike.
const ID_BYTES: usize = 8;

impl LabelStore {
    /// Lets whoever shows this in as `name` until `ends_us`; what has ended is cleared away.
    pub async fn add_credential(
        &self,
        digest: &CredentialDigest,
        name: &str,
        form: CredentialForm,
        purpose: &str,
        (at_us, ends_us): (i64, i64),
    ) -> Result<(), StoreError> {
        let doing = "let somebody in";
        let mut tx = self.begin_write(doing).await?;
        query("DELETE FROM credentials WHERE ends_us <= $1")
            .bind(at_us)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        query(
            "INSERT INTO credentials (digest, user_name, form, purpose, made_us, ends_us) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&digest[..])
        .bind(name)
        .bind(form.name())
        .bind(purpose)
        .bind(at_us)
        .bind(ends_us)
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        let what = match form {
            CredentialForm::Session => "signed in".to_owned(),
            CredentialForm::Token => format!("made a token for {purpose}"),
        };
        audit::insert(&mut tx, at_us, name, &what, name).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// Who shows this, unless it has ended or they are locked out.
    pub async fn holder(
        &self,
        digest: &CredentialDigest,
        form: CredentialForm,
        now_us: i64,
    ) -> Result<Option<User>, StoreError> {
        let doing = "look up who asks";
        let mut connection = self.read(doing).await?;
        query(
            "SELECT name, role, locked, users.made_us FROM credentials JOIN users ON users.name = credentials.user_name
             WHERE digest = $1 AND form = $2 AND ends_us > $3 AND locked = 0",
        )
        .bind(&digest[..])
        .bind(form.name())
        .bind(now_us)
        .fetch_optional(&mut connection)
        .await
        .map_err(StoreError::database(doing))?
        .map(|row| user(&row))
        .transpose()
    }

    /// Signs a session out; a session that is none is out already.
    pub async fn end_session(
        &self,
        digest: &CredentialDigest,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "sign somebody out";
        let mut tx = self.begin_write(doing).await?;
        let ended = query(
            "DELETE FROM credentials WHERE digest = $1 AND form = 'session' RETURNING user_name",
        )
        .bind(&digest[..])
        .fetch_optional(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        if let Some(row) = ended {
            let name: String = row.get(0);
            audit::insert(&mut tx, at_us, &name, "signed out", &name).await?;
        }
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// The tokens that have not ended, the latest first.
    pub async fn tokens(&self, now_us: i64) -> Result<Vec<StoredCredential>, StoreError> {
        let doing = "read tokens";
        let mut connection = self.read(doing).await?;
        let rows = query(
            "SELECT digest, user_name, purpose, made_us, ends_us FROM credentials
             WHERE form = 'token' AND ends_us > $1 ORDER BY made_us DESC, digest",
        )
        .bind(now_us)
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(doing))?;
        Ok(rows
            .iter()
            .map(|row| StoredCredential {
                id: id_of(row.get("digest")),
                user: row.get("user_name"),
                purpose: row.get("purpose"),
                made_us: row.get("made_us"),
                ends_us: row.get("ends_us"),
            })
            .collect())
    }

    /// Ends the token of that id; whether there was one.
    pub async fn revoke_token(&self, id: &str, by: &str, at_us: i64) -> Result<bool, StoreError> {
        let doing = "revoke a token";
        let mut tx = self.begin_write(doing).await?;
        let rows = query("SELECT digest, user_name FROM credentials WHERE form = 'token'")
            .fetch_all(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        let found = rows.iter().find(|row| id_of(row.get("digest")) == id);
        let Some(found) = found else {
            return Ok(false);
        };
        query("DELETE FROM credentials WHERE digest = $1")
            .bind(found.get::<&[u8], _>("digest"))
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        let what = format!("revoked the token {id}");
        audit::insert(&mut tx, at_us, by, &what, found.get("user_name")).await?;
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(true)
    }
}

fn id_of(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest
        .iter()
        .take(ID_BYTES)
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
