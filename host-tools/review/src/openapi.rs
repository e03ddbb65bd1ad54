//! The HTTP API in `OpenAPI` 3.1, for programs. The tests hold every route and every answer of theirs
//! to it.

use axum::http::header;
use axum::response::IntoResponse;

const DESCRIPTION: &str = include_str!("../../../docs/reference/openapi.json");

pub(crate) async fn describe() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION)
}
