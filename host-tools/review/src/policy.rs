//! The loop: what the data propose, what a lead decides, what rigs were asked and what they obey; calibration files.

use crate::Desk;
use crate::error::ApiError;
use crate::people::Visitor;
use crate::request::{Body, read};
use ::quality::{Action, Mode, Rules};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use label_core::LabelKind;
use label_core::wire::{Health, Policy, parse_name};
use label_store::{
    KindStanding, NewPolicyStep, PolicyStep, PolicyWord, Role, StandingProposal, StoredCalibration,
    now_us,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

type Answer<T> = Result<Json<T>, ApiError>;

/// What changed is counted for this long before an answer.
const COUNT_FOR: Duration = Duration::from_millis(150);

/// Steps told at once, the newest first.
const STEPS_TOLD: usize = 200;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/policy", get(policy))
        .route("/api/policy/rules", post(set_rules))
        .route("/api/policy/proposals/{id}/approve", post(approve))
        .route("/api/policy/proposals/{id}/decline", post(decline))
        .route("/api/policy/steps", post(step))
        .route("/api/policy/steps/{step}/revert", post(revert))
        .route("/api/calibrations", get(calibrations).post(hand_in))
        .route("/api/calibrations/{sha256}", get(calibration))
        .route("/api/calibrations/{sha256}/fit", post(fit))
}

#[derive(Serialize)]
pub(crate) struct PolicyView {
    rules: Rules,
    proposals: Vec<ProposalView>,
    standings: Vec<StandingView>,
    /// What every rig was asked, and the revision that it says it obeys.
    rigs: Vec<AskedView>,
    steps: Vec<PolicyStep>,
}

#[derive(Serialize)]
struct ProposalView {
    id: String,
    rig: String,
    kind: LabelKind,
    model: String,
    action: Action,
    threshold: Option<f64>,
    words: String,
    evidence: serde_json::Value,
}

#[derive(Serialize)]
struct StandingView {
    rig: String,
    kind: LabelKind,
    mode: Mode,
    threshold: Option<f64>,
    since_us: i64,
    /// The step that a revert would take back.
    revertible: Option<i64>,
}

#[derive(Serialize)]
struct AskedView {
    rig: String,
    asked: Policy,
    obeyed: Option<u32>,
}

impl From<StandingProposal> for ProposalView {
    fn from(found: StandingProposal) -> Self {
        Self {
            id: found.id,
            rig: found.rig.as_str().to_owned(),
            kind: found.kind,
            model: found.model,
            action: found.proposal.action,
            threshold: found.proposal.threshold,
            words: found.proposal.words,
            evidence: found.evidence,
        }
    }
}

async fn policy(State(desk): State<Arc<Desk>>) -> Answer<PolicyView> {
    view(&desk).await
}

async fn view(desk: &Desk) -> Answer<PolicyView> {
    let store = &desk.store;
    store.refresh_quality(COUNT_FOR).await?;
    let fleet = store.fleet(now_us()).await?;
    let obeyed = |rig: &str| {
        let (health, _) = fleet
            .iter()
            .find(|known| known.rig == rig)?
            .health
            .as_ref()?;
        serde_json::from_value::<Health>(health.clone())
            .ok()?
            .policy
    };
    let rigs = store
        .policies()
        .await?
        .into_iter()
        .map(|(_, rig, asked)| AskedView {
            obeyed: obeyed(rig.as_str()),
            rig: rig.as_str().to_owned(),
            asked,
        })
        .collect();
    let standings = store
        .policy_standings()
        .await?
        .into_iter()
        .map(|((rig, kind), known): (_, KindStanding)| StandingView {
            rig: rig.as_str().to_owned(),
            kind,
            mode: known.standing.mode,
            threshold: known.standing.threshold,
            since_us: known.standing.since_us,
            revertible: known.revertible,
        })
        .collect();
    let mut steps = store.policy_steps(None).await?;
    steps.reverse();
    steps.truncate(STEPS_TOLD);
    Ok(Json(PolicyView {
        rules: store.policy_rules().await?,
        proposals: store
            .policy_proposals(now_us())
            .await?
            .into_iter()
            .map(ProposalView::from)
            .collect(),
        standings,
        rigs,
        steps,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn proposal(desk: &Desk, id: &str) -> Result<StandingProposal, ApiError> {
    desk.store
        .policy_proposals(now_us())
        .await?
        .into_iter()
        .find(|proposal| proposal.id == id)
        .ok_or(ApiError::Outdated)
}

async fn approve(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    visitor: Visitor,
    body: Body<Nothing>,
) -> Answer<PolicyView> {
    visitor.needs(Role::Lead)?;
    let Nothing {} = read(body)?;
    let found = proposal(&desk, &id).await?;
    desk.store
        .add_policy_step(&found.step(&visitor.name, false, now_us()))
        .await?;
    view(&desk).await
}

async fn decline(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    visitor: Visitor,
    body: Body<Nothing>,
) -> Answer<PolicyView> {
    visitor.needs(Role::Lead)?;
    let Nothing {} = read(body)?;
    let found = proposal(&desk, &id).await?;
    desk.store
        .add_policy_step(&found.declined(&visitor.name, now_us()))
        .await?;
    view(&desk).await
}

/// A step by hand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepBody {
    rig: String,
    kind: LabelKind,
    action: Action,
    threshold: Option<f64>,
    words: String,
}

async fn step(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<StepBody>,
) -> Answer<PolicyView> {
    visitor.needs(Role::Lead)?;
    let body = read(body)?;
    let words = body.words.trim();
    if words.is_empty() || words.len() > 500 {
        return Err(ApiError::Verdict(
            "a step by hand says why, in 1 to 500 bytes".to_owned(),
        ));
    }
    let rig = parse_name(&body.rig).map_err(|_| ApiError::NotFound("such rig"))?;
    let known = desk.store.policy_standings().await?;
    let after = known
        .get(&(rig.clone(), body.kind))
        .map_or(0, |known| known.last);
    let new = NewPolicyStep {
        rig,
        kind: body.kind,
        word: PolicyWord::from(body.action),
        threshold: body.threshold,
        model: String::new(),
        decided_by: visitor.name,
        automatic: false,
        words: words.to_owned(),
        evidence: serde_json::Value::Null,
        at_us: now_us(),
        after,
    };
    desk.store.add_policy_step(&new).await?;
    view(&desk).await
}

async fn revert(
    State(desk): State<Arc<Desk>>,
    Path(step): Path<String>,
    visitor: Visitor,
    body: Body<Nothing>,
) -> Answer<PolicyView> {
    visitor.needs(Role::Lead)?;
    let Nothing {} = read(body)?;
    let step = step
        .parse()
        .map_err(|_| ApiError::Query("a step is named by a number".to_owned()))?;
    desk.store
        .revert_policy_step(step, &visitor.name, now_us())
        .await?;
    view(&desk).await
}

async fn set_rules(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<Rules>,
) -> Answer<PolicyView> {
    visitor.needs(Role::Lead)?;
    desk.store
        .set_policy_rules(&read(body)?, &visitor.name, now_us())
        .await?;
    view(&desk).await
}

async fn calibrations(State(desk): State<Arc<Desk>>) -> Answer<Vec<StoredCalibration>> {
    Ok(Json(desk.store.calibrations().await?))
}

/// `{sha256}.toml`: the file, as a rig's board names it.
async fn calibration(
    State(desk): State<Arc<Desk>>,
    Path(file): Path<String>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("such calibration");
    let sha256 = file.strip_suffix(".toml").ok_or_else(missing)?;
    let found = desk
        .store
        .calibrations()
        .await?
        .into_iter()
        .find(|known| known.sha256 == sha256)
        .ok_or_else(missing)?;
    // Sent as a file: its name must hold nothing that a header or a folder would read otherwise.
    let safe: String = format!("{}-{}", found.name, found.version)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+'))
        .collect();
    Ok((
        [
            (header::CONTENT_TYPE, "application/toml".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{safe}.toml\""),
            ),
        ],
        found.text,
    )
        .into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBody {
    text: String,
}

async fn hand_in(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<TextBody>,
) -> Answer<StoredCalibration> {
    visitor.needs(Role::Lead)?;
    let text = read(body)?.text;
    Ok(Json(
        desk.store
            .add_calibration(&text, &visitor.name, now_us())
            .await?,
    ))
}

async fn fit(
    State(desk): State<Arc<Desk>>,
    Path(sha256): Path<String>,
    visitor: Visitor,
    body: Body<Nothing>,
) -> Answer<StoredCalibration> {
    visitor.needs(Role::Lead)?;
    let Nothing {} = read(body)?;
    Ok(Json(
        desk.store
            .fit_calibration(&sha256, &visitor.name, now_us())
            .await?,
    ))
}
