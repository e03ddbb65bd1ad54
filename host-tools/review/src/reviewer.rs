//! Who judges.

use crate::error::ApiError;
use crate::people::Visitor;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The person behind a request: whoever signed in, or `desk` where nobody has an account.
pub(crate) struct Reviewer(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Reviewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(Visitor::from_request_parts(parts, state).await?.name))
    }
}
