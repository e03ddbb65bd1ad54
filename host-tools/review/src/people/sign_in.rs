//! The door: signing in and out, and how fast one may try.

use super::access::{COOKIE, Visitor, session};
use super::password::{digest, is_password, new_secret};
use crate::Desk;
use crate::error::ApiError;
use crate::request::{Body, read};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use label_store::{AuditEntry, CredentialForm, Role, User, is_user_name, now_us};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A session ends so long after signing in: a day's work.
const SESSION: Duration = Duration::from_hours(12);

/// Attempts with a wrong password that cost nothing.
const FREE_ATTEMPTS: u32 = 5;

/// The longest wait after a wrong one; it doubles up to that. Long enough that guessing leads nowhere, short enough that
/// nobody can lock another out.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Names whose failures are remembered.
const MAX_NAMES: usize = 10_000;

/// Passwords compared at a time: each takes 19 MiB and a core for some tens of milliseconds.
const AT_A_TIME: usize = 2;

/// Lines of the audit in one answer.
const AUDIT_LINES: u32 = 500;

/// Where people come in.
pub(crate) struct Door {
    failures: Mutex<HashMap<String, Failures>>,
    comparing: Semaphore,
    /// Compared with where nobody has the name, so that it takes as long.
    nobody: String,
}

struct Failures {
    count: u32,
    last: Instant,
}

impl Door {
    pub(crate) fn new() -> Self {
        Self {
            failures: Mutex::default(),
            comparing: Semaphore::new(AT_A_TIME),
            nobody: password_auth::generate_hash("no account has this hash"),
        }
    }

    /// How long this name has to wait before its next attempt.
    fn wait(&self, name: &str, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let known = failures.get(name)?;
        let doublings = known.count.checked_sub(FREE_ATTEMPTS)?;
        let wait = Duration::from_secs(1 << doublings.min(16)).min(LONGEST_WAIT);
        wait.checked_sub(now.duration_since(known.last))
            .filter(|left| !left.is_zero())
    }

    fn failed(&self, name: &str, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_NAMES {
            failures.retain(|_, known| now.duration_since(known.last) < LONGEST_WAIT);
        }
        if failures.len() < MAX_NAMES || failures.contains_key(name) {
            let known = failures.entry(name.to_owned()).or_insert(Failures {
                count: 0,
                last: now,
            });
            known.count = known.count.saturating_add(1);
            known.last = now;
        }
    }

    fn succeeded(&self, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(name);
    }
}

/// Body of `POST /api/session`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInBody {
    name: String,
    password: String,
}

/// Answer of `GET /api/session`.
#[derive(Serialize)]
pub(crate) struct Who {
    /// Nobody has an account: whoever reaches the desk may use it.
    open: bool,
    /// `null` until signed in.
    user: Option<String>,
    role: Option<Role>,
}

impl From<Option<Visitor>> for Who {
    fn from(visitor: Option<Visitor>) -> Self {
        Self {
            open: visitor.as_ref().is_some_and(|visitor| visitor.open),
            role: visitor.as_ref().map(|visitor| visitor.role),
            user: visitor.map(|visitor| visitor.name),
        }
    }
}

/// Who the page's visitor is.
pub(crate) async fn who_am_i(visitor: Option<axum::Extension<Visitor>>) -> Json<Who> {
    Json(visitor.map(|extension| extension.0).into())
}

/// Signs in. The session is new each time: one that was there before, whoever put it there, is worth nothing.
pub(crate) async fn sign_in(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body<SignInBody>,
) -> Result<Response, ApiError> {
    let SignInBody { name, password } = read(body)?;
    if !is_user_name(&name) {
        return Err(ApiError::Password);
    }
    if let Some(wait) = desk.door.wait(&name, Instant::now()) {
        return Err(ApiError::TooFast(wait));
    }
    let known = desk.store.user(&name).await?;
    let hash = known
        .as_ref()
        .map_or_else(|| desk.door.nobody.clone(), |(_, hash)| hash.clone());
    let right = {
        let _turn = desk.door.comparing.acquire().await;
        tokio::task::spawn_blocking(move || is_password(&password, &hash))
            .await
            .unwrap_or(false)
    };
    let user = match known {
        Some((user, _)) if right && !user.locked => user,
        _ => {
            desk.door.failed(&name, Instant::now());
            let at_us = now_us();
            desk.store
                .note(&name, "could not sign in", &name, at_us)
                .await?;
            return Err(ApiError::Password);
        }
    };
    desk.door.succeeded(&name);
    let secret = new_secret().map_err(ApiError::Secret)?;
    let at_us = now_us();
    let ends_us = at_us + SESSION.as_micros() as i64;
    let form = CredentialForm::Session;
    desk.store
        .add_credential(&digest(&secret), &user.name, form, "", (at_us, ends_us))
        .await?;
    if let Some(before) = session(&headers) {
        desk.store.end_session(&digest(before), at_us).await?;
    }
    let who = Who {
        open: false,
        user: Some(user.name),
        role: Some(user.role),
    };
    let cookie = cookie(&headers, &secret, SESSION.as_secs());
    Ok(([(header::SET_COOKIE, cookie)], Json(who)).into_response())
}

/// Signs out.
pub(crate) async fn sign_out(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(secret) = session(&headers) {
        desk.store.end_session(&digest(secret), now_us()).await?;
    }
    let cookie = cookie(&headers, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Out of reach of scripts, only for what lies beside `/api/session` (a cookie without a path belongs to the folder it was set in, below a
/// proxy's too), never sent along with another site's request, and only over TLS where the visitor came by it.
fn cookie(headers: &HeaderMap, secret: &str, seconds: u64) -> HeaderValue {
    let by_tls = headers
        .get("x-forwarded-proto")
        .is_some_and(|by| by == "https");
    let secure = if by_tls { "; Secure" } else { "" };
    let text = format!("{COOKIE}={secret}; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).expect("a secret is hexadecimal")
}

/// Everybody with an account, for administrators.
pub(crate) async fn users(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
) -> Result<Json<Vec<User>>, ApiError> {
    visitor.needs(Role::Administrator)?;
    Ok(Json(desk.store.users().await?))
}

/// What was done to accounts and settings, for administrators.
pub(crate) async fn audit(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
) -> Result<Json<Vec<AuditEntry>>, ApiError> {
    visitor.needs(Role::Administrator)?;
    Ok(Json(desk.store.audit(AUDIT_LINES).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_a_success_forgives() {
        let door = Door::new();
        let now = Instant::now();
        for _ in 0..FREE_ATTEMPTS - 1 {
            door.failed("ann", now);
            assert_eq!(door.wait("ann", now), None);
        }
        door.failed("ann", now);
        assert_eq!(door.wait("ann", now), Some(Duration::from_secs(1)));
        assert_eq!(door.wait("ann", now + Duration::from_secs(1)), None);
        assert_eq!(door.wait("bob", now), None, "others do not wait for it");
        for _ in 0..40 {
            door.failed("ann", now);
        }
        assert_eq!(door.wait("ann", now), Some(LONGEST_WAIT));
        door.succeeded("ann");
        assert_eq!(door.wait("ann", now), None);
    }

    #[test]
    fn a_flood_of_names_is_not_remembered_without_bound() {
        let door = Door::new();
        let now = Instant::now();
        for number in 0..MAX_NAMES + 10 {
            door.failed(&format!("name-{number}"), now);
        }
        assert_eq!(door.failures.lock().unwrap().len(), MAX_NAMES);
        door.failed("ann", now + LONGEST_WAIT);
        assert_eq!(door.failures.lock().unwrap().len(), 1);
    }
}
