//! What the desk decided of rigs and kinds. Rows are only added; where a kind stands follows from them.

use crate::database::{Connection, Row, query};
use crate::row::name_column;
use crate::{LabelStore, StoreError};
use ::quality::{Action, Mode, Rules, Standing};
use label_core::LabelKind;
use label_core::id::Name;
use label_core::wire::{KindPolicy, Policy, PolicyMode, WIRE_VERSION};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a step says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyWord {
    /// Withdraw the kind.
    Demote,
    /// Offer it again, to be judged.
    Trial,
    /// Offer it again for good.
    Restore,
    /// Offer it from another confidence on.
    Threshold,
    /// A proposal was turned down: nothing changes.
    Decline,
    /// The last step is taken back.
    Revert,
}

impl PolicyWord {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demote => "demote",
            Self::Trial => "trial",
            Self::Restore => "restore",
            Self::Threshold => "threshold",
            Self::Decline => "decline",
            Self::Revert => "revert",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::Demote,
            Self::Trial,
            Self::Restore,
            Self::Threshold,
            Self::Decline,
            Self::Revert,
        ]
        .into_iter()
        .find(|word| word.name() == name)
    }
}

impl From<Action> for PolicyWord {
    fn from(action: Action) -> Self {
        match action {
            Action::Demote => Self::Demote,
            Action::Trial => Self::Trial,
            Action::Restore => Self::Restore,
            Action::Threshold => Self::Threshold,
        }
    }
}

/// A step to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPolicyStep {
    /// Of this rig.
    pub rig: Name,
    /// Of this kind.
    pub kind: LabelKind,
    /// What it says; a revert is [`LabelStore::revert_policy_step`]'s.
    pub word: PolicyWord,
    /// The least confidence, of [`PolicyWord::Threshold`].
    pub threshold: Option<f64>,
    /// The model whose labels it rests on, as `name@version`.
    pub model: String,
    /// Who.
    pub decided_by: String,
    /// Whether nobody was asked.
    pub automatic: bool,
    /// Why, in words.
    pub words: String,
    /// Why, in figures: JSON.
    pub evidence: serde_json::Value,
    /// When.
    pub at_us: i64,
    /// The last step of this rig and kind that whoever decides has seen; 0 = none. Another one makes the decision void.
    pub after: i64,
}

/// A recorded step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyStep {
    /// Its number; later steps have greater ones.
    pub step: i64,
    /// When.
    pub at_us: i64,
    /// Of this rig.
    pub rig: Name,
    /// Of this kind.
    pub kind: LabelKind,
    /// What it says.
    pub word: PolicyWord,
    /// The least confidence, of a threshold.
    pub threshold: Option<f64>,
    /// The model whose labels it rests on.
    pub model: String,
    /// Who.
    pub decided_by: String,
    /// Whether nobody was asked.
    pub automatic: bool,
    /// Why, in words.
    pub words: String,
    /// Why, in figures.
    pub evidence: serde_json::Value,
    /// The step that a revert takes back.
    pub about: Option<i64>,
}

/// Where a kind stands on a rig, and how it came there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KindStanding {
    /// Where it stands.
    pub standing: Standing,
    /// The last step, declined ones included; 0 = none.
    pub last: i64,
    /// The step that a revert would take back.
    pub revertible: Option<i64>,
    /// Judged labels when a proposal was declined last, with what was proposed.
    pub declined: Option<(String, u64)>,
}

/// Replays the steps of one rig and kind, oldest first.
pub(crate) fn stand<'a>(steps: impl Iterator<Item = &'a PolicyStep>) -> KindStanding {
    let mut stack: Vec<(i64, Standing)> = Vec::new();
    let mut now = KindStanding::default();
    for step in steps {
        now.last = step.step;
        let mut next = now.standing.clone();
        match step.word {
            PolicyWord::Decline => {
                let judged = step.evidence["judged"].as_u64().unwrap_or(0);
                let what = step.evidence["declined"].as_str().unwrap_or_default();
                now.declined = Some((what.to_owned(), judged));
                continue;
            }
            PolicyWord::Revert => {
                if let Some((_, before)) = stack.pop() {
                    now.standing = before;
                }
                continue;
            }
            PolicyWord::Threshold => next.threshold = step.threshold,
            PolicyWord::Demote => {
                next.mode = Mode::Withdrawn;
                next.since_us = step.at_us;
                next.model = Some(step.model.clone());
            }
            PolicyWord::Trial => {
                next.mode = Mode::Trial;
                next.since_us = step.at_us;
            }
            PolicyWord::Restore => {
                next.mode = Mode::Offered;
                next.since_us = step.at_us;
                next.model = None;
            }
        }
        stack.push((step.step, std::mem::replace(&mut now.standing, next)));
    }
    now.revertible = stack.last().map(|(step, _)| *step);
    now
}

fn step_from_row(row: &Row) -> Result<PolicyStep, StoreError> {
    let (kind, word): (&str, &str) = (row.get("kind"), row.get("action"));
    let evidence: &str = row.get("evidence");
    Ok(PolicyStep {
        step: row.get("step"),
        at_us: row.get("at_us"),
        rig: name_column(row, "rig")?,
        kind: LabelKind::from_name(kind).ok_or_else(|| StoreError::unreadable("kind", kind))?,
        word: PolicyWord::from_name(word)
            .ok_or_else(|| StoreError::unreadable("policy_steps.action", word))?,
        threshold: row.get("threshold"),
        model: row.get("model"),
        decided_by: row.get("decided_by"),
        automatic: row.get("automatic"),
        words: row.get("words"),
        evidence: serde_json::from_str(evidence)
            .map_err(|_| StoreError::unreadable("policy_steps.evidence", evidence))?,
        about: row.get("about"),
    })
}

async fn insert(
    tx: &mut Connection,
    new: &NewPolicyStep,
    about: Option<i64>,
) -> Result<PolicyStep, StoreError> {
    let row = query(
        "INSERT INTO policy_steps (at_us, rig, kind, action, threshold, model, decided_by, automatic, words, evidence, about)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
    )
    .bind(new.at_us)
    .bind(new.rig.as_str())
    .bind(new.kind.name())
    .bind(new.word.name())
    .bind(new.threshold)
    .bind(&new.model)
    .bind(&new.decided_by)
    .bind(new.automatic)
    .bind(&new.words)
    .bind(new.evidence.to_string())
    .bind(about)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("record a step of policy"))?;
    step_from_row(&row)
}

async fn steps_of(
    connection: &mut Connection,
    rig: Option<&Name>,
) -> Result<Vec<PolicyStep>, StoreError> {
    query("SELECT * FROM policy_steps WHERE ($1 IS NULL OR rig = $1) ORDER BY step")
        .bind(rig.map(Name::as_str))
        .fetch_all(connection)
        .await
        .map_err(StoreError::database("read the steps of policy"))?
        .iter()
        .map(step_from_row)
        .collect()
}

impl LabelStore {
    /// The rules in force.
    pub async fn policy_rules(&self) -> Result<Rules, StoreError> {
        let mut connection = self.read("read the rules of policy").await?;
        let row = query("SELECT rules FROM policy_rules ORDER BY entry DESC LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database("read the rules of policy"))?;
        row.map_or_else(
            || Ok(Rules::default()),
            |row| {
                let text: &str = row.get(0);
                serde_json::from_str(text)
                    .map_err(|_| StoreError::unreadable("policy_rules.rules", text))
            },
        )
    }

    /// Puts other rules in force; the former stay on record.
    pub async fn set_policy_rules(
        &self,
        rules: &Rules,
        decided_by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        if let Some(problem) = rules.problem() {
            return Err(StoreError::Policy(problem));
        }
        let mut tx = self.begin_write("change the rules of policy").await?;
        query("INSERT INTO policy_rules (at_us, decided_by, rules) VALUES ($1, $2, $3)")
            .bind(at_us)
            .bind(decided_by)
            .bind(serde_json::to_string(rules).expect("plain numbers always encode"))
            .execute(&mut tx)
            .await
            .map_err(StoreError::database("change the rules of policy"))?;
        tx.commit()
            .await
            .map_err(StoreError::database("change the rules of policy"))
    }

    /// Every step, oldest first, of one rig or of all.
    pub async fn policy_steps(&self, rig: Option<&Name>) -> Result<Vec<PolicyStep>, StoreError> {
        let mut connection = self.read("read the steps of policy").await?;
        steps_of(&mut connection, rig).await
    }

    /// Where every kind stands of which anything was ever decided.
    pub async fn policy_standings(
        &self,
    ) -> Result<BTreeMap<(Name, LabelKind), KindStanding>, StoreError> {
        let mut steps: BTreeMap<(Name, LabelKind), Vec<PolicyStep>> = BTreeMap::new();
        for step in self.policy_steps(None).await? {
            steps
                .entry((step.rig.clone(), step.kind))
                .or_default()
                .push(step);
        }
        Ok(steps
            .into_iter()
            .map(|(key, steps)| (key, stand(steps.iter())))
            .collect())
    }

    /// Records a step.
    pub async fn add_policy_step(&self, new: &NewPolicyStep) -> Result<PolicyStep, StoreError> {
        const DOING: &str = "record a step of policy";
        match (new.word, new.threshold) {
            (PolicyWord::Revert, _) => {
                return Err(StoreError::Policy("a step is taken back by reverting it"));
            }
            (PolicyWord::Threshold, Some(threshold)) if (0.0..=1.0).contains(&threshold) => {}
            (PolicyWord::Threshold, _) => {
                return Err(StoreError::Policy("a threshold lies between 0 and 1"));
            }
            (_, Some(_)) => {
                return Err(StoreError::Policy("only a threshold step has a threshold"));
            }
            _ => {}
        }
        let mut tx = self.begin_write(DOING).await?;
        let steps = steps_of(&mut tx, Some(&new.rig)).await?;
        let last = steps.iter().rev().find(|step| step.kind == new.kind);
        if last.map_or(0, |step| step.step) != new.after {
            return Err(StoreError::Policy(
                "something else was decided of this kind meanwhile; look again",
            ));
        }
        let known = query("SELECT 1 FROM rigs WHERE rig = $1")
            .bind(new.rig.as_str())
            .fetch_optional(&mut tx)
            .await
            .map_err(StoreError::database(DOING))?;
        if known.is_none() {
            return Err(StoreError::Policy("there is no such rig"));
        }
        let step = insert(&mut tx, new, None).await?;
        tx.commit().await.map_err(StoreError::database(DOING))?;
        Ok(step)
    }

    /// Takes back the last step of a rig and kind, so that all is as before it.
    pub async fn revert_policy_step(
        &self,
        step: i64,
        decided_by: &str,
        at_us: i64,
    ) -> Result<PolicyStep, StoreError> {
        const DOING: &str = "take back a step of policy";
        let mut tx = self.begin_write(DOING).await?;
        let all = steps_of(&mut tx, None).await?;
        let Some(wanted) = all.iter().find(|known| known.step == step) else {
            return Err(StoreError::Policy("there is no such step"));
        };
        let of_kind = all
            .iter()
            .filter(|known| known.rig == wanted.rig && known.kind == wanted.kind);
        if stand(of_kind).revertible != Some(step) {
            return Err(StoreError::Policy(
                "only the last step that holds can be taken back; take back what came after it first",
            ));
        }
        let revert = NewPolicyStep {
            rig: wanted.rig.clone(),
            kind: wanted.kind,
            word: PolicyWord::Revert,
            threshold: None,
            model: wanted.model.clone(),
            decided_by: decided_by.to_owned(),
            automatic: false,
            words: format!("Step {step} ({}) taken back.", wanted.word.name()),
            evidence: serde_json::Value::Null,
            at_us,
            after: 0,
        };
        let recorded = insert(&mut tx, &revert, Some(step)).await?;
        tx.commit().await.map_err(StoreError::database(DOING))?;
        Ok(recorded)
    }

    /// The number of the last step: another one means that policies have to be told anew.
    pub async fn policy_head(&self) -> Result<i64, StoreError> {
        let mut connection = self.read("look for steps of policy").await?;
        Ok(query("SELECT coalesce(max(step), 0) FROM policy_steps")
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::database("look for steps of policy"))?
            .get(0))
    }

    /// What every rig may do of which anything was ever decided: site, rig, message. A source of imported labels is no rig: nobody
    /// is there to be told.
    pub async fn policies(&self) -> Result<Vec<(Name, Name, Policy)>, StoreError> {
        let steps = self.policy_steps(None).await?;
        let standings = self.policy_standings().await?;
        let mut connection = self.read("read the policies").await?;
        let mut policies = Vec::new();
        for row in &query(
            "SELECT rig, site FROM rigs r WHERE rig IN (SELECT rig FROM policy_steps)
               AND NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = r.rig
                   AND NOT EXISTS (SELECT 1 FROM rig_states s WHERE s.rig = i.source)) ORDER BY rig",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read the policies"))?
        {
            let rig = name_column(row, "rig")?;
            let revision = steps
                .iter()
                .rev()
                .find(|step| step.rig == rig && step.word != PolicyWord::Decline);
            let Some(revision) = revision else { continue };
            let kinds = standings
                .iter()
                .filter(|((of, _), _)| *of == rig)
                .filter_map(|((_, kind), known)| asked(*kind, &known.standing))
                .collect();
            let policy = Policy {
                v: WIRE_VERSION,
                revision: revision.step as u32,
                picture_bytes_a_minute: None,
                kinds,
            };
            policies.push((name_column(row, "site")?, rig, policy));
        }
        Ok(policies)
    }
}

/// What the rig is told of a kind; nothing where its own files hold.
fn asked(kind: LabelKind, standing: &Standing) -> Option<KindPolicy> {
    let threshold = standing.threshold.map(|threshold| threshold as f32);
    match standing.mode {
        Mode::Withdrawn => Some(KindPolicy {
            kind,
            mode: PolicyMode::Abstain,
            threshold: None,
        }),
        Mode::Offered | Mode::Trial => threshold.map(|threshold| KindPolicy {
            kind,
            mode: PolicyMode::Offer,
            threshold: Some(threshold),
        }),
    }
}
