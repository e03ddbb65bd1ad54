//! Finding out who asks, before anything is answered.

use super::NOBODY_IN_PARTICULAR;
use super::password::digest;
use crate::Desk;
use crate::error::ApiError;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use label_store::{CredentialForm, Role, StoreError, now_us};
use std::sync::Arc;

/// Name of the cookie that holds a session.
pub(super) const COOKIE: &str = "rigel-session";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// The name that verdicts carry.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Nobody has an account here, so nobody was asked.
    pub(crate) open: bool,
}

impl Visitor {
    /// An error for whoever may do less.
    pub(crate) fn needs(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            Ok(())
        } else {
            Err(ApiError::Role(role))
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(ApiError::SignIn)
    }
}

/// Lets in whoever has an account, and anybody to the page itself, to the door and to the sign of life.
pub(crate) async fn admit(
    State(desk): State<Arc<Desk>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let asks_who = path.starts_with("/api/") || path == "/metrics";
    let for_all = !asks_who || path == "/api/session";
    match visitor(&desk, request.headers()).await {
        Ok(Some(visitor)) => {
            request.extensions_mut().insert(visitor);
        }
        Ok(None) if for_all => {}
        Ok(None) => return ApiError::SignIn.into_response(),
        Err(error) => return ApiError::from(error).into_response(),
    }
    next.run(request).await
}

async fn visitor(desk: &Desk, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
    if !desk.store.has_users().await? {
        return Ok(Some(Visitor {
            name: NOBODY_IN_PARTICULAR.to_owned(),
            role: Role::Administrator,
            open: true,
        }));
    }
    let shown = match (token(headers), session(headers)) {
        (Some(token), _) => (token, CredentialForm::Token),
        (None, Some(session)) => (session, CredentialForm::Session),
        (None, None) => return Ok(None),
    };
    let user = desk
        .store
        .holder(&digest(shown.0), shown.1, now_us())
        .await?;
    Ok(user.map(|user| Visitor {
        name: user.name,
        role: user.role,
        open: false,
    }))
}

/// What a script shows: `Authorization: Bearer …`.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// What a browser shows.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_session_is_found_among_other_cookies_and_no_other_cookie_is_taken_for_it() {
        let of = |cookies: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
            session(&headers).map(str::to_owned)
        };
        assert_eq!(of("a=b; rigel-session=abc; c=d").as_deref(), Some("abc"));
        assert_eq!(of("rigel-session-of-another=abc"), None);
        assert_eq!(of("x-rigel-session=abc"), None);
    }
}
