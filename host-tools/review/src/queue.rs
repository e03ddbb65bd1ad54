//! `GET /api/labels`: the queue, as a request asks for it.

use crate::Desk;
use crate::address::clip_id;
use crate::error::ApiError;
use crate::label_view::LabelView;
use crate::request::{kind, understood};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderName;
use label_core::wire::parse_name;
use label_store::{Condition, ModelVersion, QueueFilter, QueueOrder, ReviewState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most labels in one answer.
const MAX_LISTED: u32 = 5000;

/// How far into a queue a page may begin; who is further in narrows the filter.
const MAX_OFFSET: u32 = 100_000;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelsQuery {
    rig: Option<String>,
    clip: Option<String>,
    kind: Option<String>,
    state: Option<String>,
    confidence_min: Option<f32>,
    confidence_max: Option<f32>,
    model: Option<String>,
    condition: Option<String>,
    order: Option<QueueOrder>,
    offset: Option<u32>,
    limit: Option<u32>,
}

impl LabelsQuery {
    /// Whether it chooses labels and says nothing of how they are listed.
    pub(crate) fn is_unordered(&self) -> bool {
        self.order.is_none() && self.offset.is_none() && self.limit.is_none()
    }
}

/// The labels that match; how many there are in all stands in a header.
pub(crate) async fn labels(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<LabelsQuery>, QueryRejection>,
) -> Result<([(HeaderName, String); 1], Json<Vec<LabelView>>), ApiError> {
    let page = desk.store.queue(&filter(understood(query)?)?).await?;
    let labels = page.items.into_iter().map(LabelView::from).collect();
    Ok(([(TOTAL, page.total.to_string())], Json(labels)))
}

pub(crate) fn filter(query: LabelsQuery) -> Result<QueueFilter, ApiError> {
    let offset = query.offset.unwrap_or(0);
    if offset > MAX_OFFSET {
        return Err(ApiError::Query(format!(
            "offset is {MAX_OFFSET} at most: narrow the filter instead"
        )));
    }
    let limit = query.limit.unwrap_or(MAX_LISTED);
    if limit > MAX_LISTED {
        return Err(ApiError::Query(format!(
            "limit is {MAX_LISTED} at most: ask for the rest by offset"
        )));
    }
    Ok(QueueFilter {
        rig: query
            .rig
            .map(|rig| {
                parse_name(&rig).map_err(|_| ApiError::Query("that is no name of a rig".to_owned()))
            })
            .transpose()?,
        clip: query.clip.as_deref().map(clip_id).transpose()?,
        kinds: words(query.kind.as_deref())
            .map(kind)
            .collect::<Result<_, _>>()?,
        state: query.state.as_deref().map(state).transpose()?,
        confidence_min: query.confidence_min.map(share).transpose()?,
        confidence_max: query.confidence_max.map(share).transpose()?,
        model: query.model.as_deref().map(model).transpose()?,
        conditions: words(query.condition.as_deref())
            .map(condition)
            .collect::<Result<_, _>>()?,
        order: query.order.unwrap_or_default(),
        offset,
        limit,
    })
}

fn words(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.into_iter().flat_map(|list| list.split(','))
}

fn state(name: &str) -> Result<ReviewState, ApiError> {
    // What is answered blind is listed to nobody.
    let listed = || {
        ReviewState::ALL
            .into_iter()
            .filter(|state| *state != ReviewState::Blind)
    };
    listed().find(|state| state.name() == name).ok_or_else(|| {
        let names: Vec<_> = listed().map(ReviewState::name).collect();
        ApiError::Query(format!("a state is one of {}", names.join(", ")))
    })
}

fn condition(name: &str) -> Result<Condition, ApiError> {
    Condition::from_name(name).ok_or_else(|| {
        let names = Condition::ALL.map(Condition::name);
        ApiError::Query(format!("a condition is one of {}", names.join(", ")))
    })
}

fn share(value: f32) -> Result<f32, ApiError> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::Query("a confidence is 0 to 1".to_owned()))
    }
}

fn model(text: &str) -> Result<ModelVersion, ApiError> {
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok(ModelVersion {
            name: name.to_owned(),
            version: version.to_owned(),
        }),
        _ => Err(ApiError::Query("a model is name@version".to_owned())),
    }
}
