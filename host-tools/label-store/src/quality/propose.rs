//! Proposals: what the data of every rig and kind speak for now.

use super::births::birth_models;
use super::policy::{KindStanding, NewPolicyStep, PolicyWord};
use super::read::QualityFilter;
use crate::database::query;
use crate::row::name_column;
use crate::{LabelStore, StoreError};
use ::quality::{
    Action, Costs, DeskKind, Evidence, Mode, Proposal, Reliability, ThresholdChoice,
    choose_threshold, propose,
};
use label_core::LabelKind;
use label_core::id::Name;
use label_core::wire::ModelRef;
use serde_json::json;
use std::collections::BTreeMap;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Who decides when nobody is asked.
const NOBODY: &str = "by itself";

/// A proposal with where its kind stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StandingProposal {
    /// `rig:kind:action`, with the new threshold where there is one.
    pub id: String,
    /// The rig.
    pub rig: Name,
    /// The kind.
    pub kind: LabelKind,
    /// The model whose labels it rests on.
    pub model: String,
    /// What to do, and why in words.
    pub proposal: Proposal,
    /// Why, in figures.
    pub evidence: serde_json::Value,
    /// The last step of this rig and kind.
    pub after: i64,
}

/// `name@version` words with the versions that the rig has now.
fn updated(model: &str, birth: &[ModelRef]) -> String {
    model
        .split(' ')
        .map(|word| {
            let name = word.split('@').next().unwrap_or(word);
            birth.iter().find(|model| model.name == name).map_or_else(
                || word.to_owned(),
                |model| format!("{name}@{}", model.version),
            )
        })
        .collect::<Vec<_>>()
        .join(" ")
}

impl LabelStore {
    /// What the data speak for now, by rig and kind. Declined proposals come back when half as many verdicts again are there.
    pub async fn policy_proposals(&self, now_us: i64) -> Result<Vec<StandingProposal>, StoreError> {
        let rules = self.policy_rules().await?;
        let standings = self.policy_standings().await?;
        let births = self.latest_births().await?;
        let costs = self.costs().await?;
        let mut proposals = Vec::new();
        for (rig, kind, model) in self.latest_models().await? {
            let known = standings
                .get(&(rig.clone(), kind))
                .cloned()
                .unwrap_or_default();
            let model = births
                .get(&rig)
                .map_or_else(|| model.clone(), |birth| updated(&model, birth));
            let evidence = self
                .evidence_of(&rig, kind, model, &known, costs.get(&kind).copied(), now_us)
                .await?;
            if let Some(proposal) = propose(&rules, &known.standing, &evidence) {
                proposals.extend(stated(rig, proposal, &evidence, &known));
            }
        }
        Ok(proposals)
    }

    /// Carries out what the rules allow without asking; returns how many steps that were.
    pub async fn carry_out_proposals(&self, now_us: i64) -> Result<u64, StoreError> {
        let rules = self.policy_rules().await?;
        if !rules.automatic {
            return Ok(0);
        }
        let steps = self.policy_steps(None).await?;
        let mut done = 0;
        for proposal in self.policy_proposals(now_us).await? {
            let today = steps
                .iter()
                .filter(|step| {
                    step.automatic
                        && step.rig == proposal.rig
                        && step.kind == proposal.kind
                        && step.at_us > now_us - DAY_US
                })
                .count();
            if today < rules.steps_a_day as usize {
                self.add_policy_step(&proposal.step(NOBODY, true, now_us))
                    .await?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Mean seconds of every act of the kinds of which each was measured.
    async fn costs(&self) -> Result<BTreeMap<LabelKind, Costs>, StoreError> {
        let mut means: BTreeMap<LabelKind, BTreeMap<String, f64>> = BTreeMap::new();
        for row in self.human_seconds(None).await? {
            if let (Some(kind), Some(spent)) = (row.kind.offered(), row.times.spent()) {
                means.entry(kind).or_default().insert(row.act, spent.mean);
            }
        }
        Ok(means
            .into_iter()
            .filter_map(|(kind, of)| {
                let create = *of.get("create")?;
                let costs = Costs {
                    accept: *of.get("accept")?,
                    reject: *of.get("reject")?,
                    // Where nobody ever corrected, making it anew is the dearest it can be.
                    correct: of.get("correct").copied().unwrap_or(create),
                    create,
                };
                Some((kind, costs))
            })
            .collect())
    }

    async fn evidence_of(
        &self,
        rig: &Name,
        kind: LabelKind,
        model: String,
        known: &KindStanding,
        costs: Option<Costs>,
        now_us: i64,
    ) -> Result<Evidence, StoreError> {
        let standing = &known.standing;
        let filter = QualityFilter {
            kind: Some(kind.into()),
            model: Some(model.clone()),
            rig: Some(rig.clone()),
            // A trial is judged by what it offered; a clip that was under way when it began does not count.
            since_us: (standing.mode == Mode::Trial).then_some(standing.since_us),
            ..QualityFilter::default()
        };
        let row = self.quality(&filter).await?.pop();
        let threshold: Option<ThresholdChoice> = match costs {
            Some(costs) => {
                choose_threshold(&self.cost_bins(&filter).await?, costs, !kind.is_event())
            }
            None => None,
        };
        let moments = row.as_ref().map(|row| row.moments).unwrap_or_default();
        Ok(Evidence {
            kind,
            model,
            precision: moments.share(),
            judged: moments.judged as u64,
            clips: moments.clips,
            offered: row.as_ref().map_or(0, |row| row.offered),
            calibration_error: row
                .and_then(|row| Reliability::of(&row.bins))
                .map(|reliability| reliability.error),
            threshold,
            days: (now_us - standing.since_us) as f64 / DAY_US as f64,
        })
    }

    async fn latest_births(&self) -> Result<BTreeMap<Name, Vec<ModelRef>>, StoreError> {
        let mut connection = self.read("read birth messages").await?;
        query("SELECT rig, json FROM rig_states WHERE topic = 'birth'")
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read birth messages"))?
            .iter()
            .map(|row| Ok((name_column(row, "rig")?, birth_models(row.get("json")))))
            .collect()
    }

    /// The model of every rig and kind in the clip counted last that has the kind.
    async fn latest_models(&self) -> Result<Vec<(Name, LabelKind, String)>, StoreError> {
        let mut connection = self.read("read the models in use").await?;
        query(
            "SELECT q.rig, q.kind, max(q.model) AS model FROM quality_cells q
             JOIN (SELECT rig, kind, max(clip_id) AS clip_id FROM quality_cells GROUP BY rig, kind) AS last
                 ON last.rig = q.rig AND last.kind = q.kind AND last.clip_id = q.clip_id
             GROUP BY q.rig, q.kind ORDER BY q.rig, q.kind",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read the models in use"))?
        .iter()
        .filter_map(|row| {
            let name: &str = row.get("kind");
            match DeskKind::from_name(name) {
                Some(DeskKind::Offered(kind)) => {
                    Some(name_column(row, "rig").map(|rig| (rig, kind, row.get("model"))))
                }
                // No rig draws lines: there is nothing to ask of one.
                Some(DeskKind::Line(_)) => None,
                None => Some(Err(StoreError::unreadable("kind", name))),
            }
        })
        .collect()
    }
}

fn stated(
    rig: Name,
    proposal: Proposal,
    evidence: &Evidence,
    known: &KindStanding,
) -> Option<StandingProposal> {
    let kind = evidence.kind;
    let mut id = format!("{rig}:{kind}:{}", proposal.action.name());
    if let Some(threshold) = proposal.threshold {
        id = format!("{id}:{threshold:.2}");
    }
    if let Some((what, judged)) = &known.declined
        && *what == id
        && evidence.judged * 2 < judged * 3
    {
        return None;
    }
    let interval = evidence.precision.and_then(|share| share.interval);
    Some(StandingProposal {
        rig,
        kind,
        model: evidence.model.clone(),
        evidence: json!({
            "model": evidence.model,
            "precision": evidence.precision.map(|share| share.value),
            "low": interval.map(|interval| interval.low),
            "high": interval.map(|interval| interval.high),
            "judged": evidence.judged,
            "clips": evidence.clips,
            "offered": evidence.offered,
            "calibration_error": evidence.calibration_error,
            "seconds_by_threshold": evidence.threshold.as_ref()
                .filter(|_| proposal.action == Action::Threshold)
                .map(|choice| &choice.curve),
        }),
        proposal,
        id,
        after: known.last,
    })
}

impl StandingProposal {
    /// The step that carries it out.
    pub fn step(&self, decided_by: &str, automatic: bool, at_us: i64) -> NewPolicyStep {
        NewPolicyStep {
            rig: self.rig.clone(),
            kind: self.kind,
            word: PolicyWord::from(self.proposal.action),
            threshold: self.proposal.threshold,
            model: self.model.clone(),
            decided_by: decided_by.to_owned(),
            automatic,
            words: self.proposal.words.clone(),
            evidence: self.evidence.clone(),
            at_us,
            after: self.after,
        }
    }

    /// The step that turns it down.
    pub fn declined(&self, decided_by: &str, at_us: i64) -> NewPolicyStep {
        let mut evidence = self.evidence.clone();
        evidence["declined"] = json!(self.id);
        NewPolicyStep {
            word: PolicyWord::Decline,
            threshold: None,
            evidence,
            ..self.step(decided_by, false, at_us)
        }
    }
}
