//! Who may use the desk, what they show to be let in, and what was done to accounts.
//!
//! Passwords and tokens are made and compared elsewhere; here lie their hashes and digests only.

mod audit;
mod credentials;
mod lease;

pub use audit::AuditEntry;
pub(crate) use audit::insert as audit_line;
pub use credentials::{CredentialDigest, CredentialForm, StoredCredential};
pub use lease::Lease;
pub(crate) use lease::{not_held, tracks_not_held};

use crate::database::{Row, query};
use crate::{LabelStore, StoreError};
use serde::{Deserialize, Serialize};

/// What somebody may do; each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Judge labels.
    Reviewer,
    /// Decide what rigs may offer.
    Lead,
    /// Make and lock accounts.
    Administrator,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Reviewer, Self::Lead, Self::Administrator];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Lead => "lead",
            Self::Administrator => "administrator",
        }
    }

    /// The role of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The name that verdicts carry.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Locked out.
    pub locked: bool,
    /// When the account was made.
    pub made_us: i64,
}

/// Longest name of a user in bytes.
pub const MAX_USER_NAME: usize = 60;

/// Whether it may name a user: letters, digits, `.`, `-`, `_` and `@`, so that it reads the same in logs and addresses.
pub fn is_user_name(name: &str) -> bool {
    (1..=MAX_USER_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte))
}

impl LabelStore {
    /// An error where no account can be made under this name: before anybody is asked for a password.
    pub async fn free_user_name(&self, name: &str) -> Result<(), StoreError> {
        if !is_user_name(name) {
            return Err(StoreError::UserName(name.to_owned()));
        }
        match self.user(name).await? {
            Some(_) => Err(StoreError::UserExists(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Makes an account. `by` is who did it, `password` an Argon2 hash as a PHC string.
    pub async fn add_user(
        &self,
        name: &str,
        role: Role,
        password: &str,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        if !is_user_name(name) {
            return Err(StoreError::UserName(name.to_owned()));
        }
        let doing = "make an account";
        let mut tx = self.begin_write(doing).await?;
        let made = query(
            "INSERT INTO users (name, role, password, locked, made_us) VALUES ($1, $2, $3, 0, $4)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(role.name())
        .bind(password)
        .bind(at_us)
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        if made == 0 {
            return Err(StoreError::UserExists(name.to_owned()));
        }
        let what = format!("made an account for a {}", role.name());
        audit::insert(&mut tx, at_us, by, &what, name).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// Everybody with an account, by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let doing = "read accounts";
        let mut connection = self.read(doing).await?;
        query("SELECT name, role, locked, made_us FROM users ORDER BY name")
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(doing))?
            .iter()
            .map(user)
            .collect()
    }

    /// Whether anybody has an account; where nobody has, the desk is open.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        let doing = "look for accounts";
        let mut connection = self.read(doing).await?;
        let found = query("SELECT 1 FROM users LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database(doing))?;
        Ok(found.is_some())
    }

    /// An account and the hash of its password.
    pub async fn user(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let doing = "read an account";
        let mut connection = self.read(doing).await?;
        query("SELECT name, role, locked, made_us, password FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database(doing))?
            .map(|row| Ok((user(&row)?, row.get("password"))))
            .transpose()
    }

    /// Gives an account another role.
    pub async fn set_role(
        &self,
        name: &str,
        role: Role,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let change = Change {
            statement: "UPDATE users SET role = $2 WHERE name = $1",
            value: role.name().to_owned(),
            what: format!("made a {}", role.name()),
            ends: None,
        };
        self.change_user(name, change, by, at_us).await
    }

    /// Gives an account another password; whoever is signed in with the old one is signed out.
    pub async fn set_password(
        &self,
        name: &str,
        password: &str,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let change = Change {
            statement: "UPDATE users SET password = $2 WHERE name = $1",
            value: password.to_owned(),
            what: "gave another password".to_owned(),
            ends: Some("DELETE FROM credentials WHERE user_name = $1 AND form = 'session'"),
        };
        self.change_user(name, change, by, at_us).await
    }

    /// Locks an account out, with its sessions and tokens, or lets it in again.
    pub async fn set_locked(
        &self,
        name: &str,
        locked: bool,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let (value, what) = if locked {
            ("1", "locked out")
        } else {
            ("0", "let in again")
        };
        let change = Change {
            statement: "UPDATE users SET locked = CAST($2 AS BIGINT) WHERE name = $1",
            value: value.to_owned(),
            what: what.to_owned(),
            ends: locked.then_some("DELETE FROM credentials WHERE user_name = $1"),
        };
        self.change_user(name, change, by, at_us).await
    }

    async fn change_user(
        &self,
        name: &str,
        change: Change,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "change an account";
        let mut tx = self.begin_write(doing).await?;
        let changed = query(change.statement)
            .bind(name)
            .bind(change.value)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        if changed == 0 {
            return Err(StoreError::NoSuchUser(name.to_owned()));
        }
        if let Some(statement) = change.ends {
            query(statement)
                .bind(name)
                .execute(&mut tx)
                .await
                .map_err(StoreError::database(doing))?;
        }
        audit::insert(&mut tx, at_us, by, &change.what, name).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }
}

/// A change to one account.
struct Change {
    /// Of the account `$1`, to `$2`.
    statement: &'static str,
    value: String,
    /// For the audit.
    what: String,
    /// Which credentials of the account `$1` end with it.
    ends: Option<&'static str>,
}

fn user(row: &Row) -> Result<User, StoreError> {
    let role: &str = row.get("role");
    Ok(User {
        name: row.get("name"),
        role: Role::from_name(role).ok_or_else(|| StoreError::unreadable("users.role", role))?,
        locked: row.get::<i64, _>("locked") != 0,
        made_us: row.get("made_us"),
    })
}
