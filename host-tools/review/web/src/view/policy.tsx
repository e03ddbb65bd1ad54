// What the data propose, what was decided, and within what the desk may act by itself.

import { useState } from "preact/hooks";
import { ago, type Calibration, get, type Policy, post, type Proposal, type Rules, tell, useAnswer } from "../desk";
import { percent, words } from "../format";

const ACTION_WORDS: Record<string, string> = {
  demote: "Withdraw",
  trial: "Try again",
  restore: "Restore",
  threshold: "Another threshold",
};

const DONE_WORDS: Record<string, string> = {
  demote: "withdrawn",
  trial: "on trial",
  restore: "restored",
  threshold: "threshold",
  decline: "proposal declined",
  revert: "taken back",
};

export function PolicyPanel() {
  const [policy, set, trouble] = useAnswer<Policy>("api/policy", 2000);
  const [busy, setBusy] = useState(false);
  if (policy === null) return trouble === null ? null : <p class="bad">{trouble}</p>;
  const act = async (path: string, body: unknown = {}) => {
    setBusy(true);
    try {
      set(await post<Policy>(path, body));
    } catch (error) {
      tell(error);
    }
    setBusy(false);
  };
  return (
    <section class="policy" aria-labelledby="policy">
      <div class="title">
        <h2 id="policy">What follows</h2>
        <label class="switch">
          <input
            type="checkbox"
            checked={policy.rules.automatic}
            disabled={busy}
            onChange={(event) => void act("api/policy/rules", { ...policy.rules, automatic: event.currentTarget.checked })}
          />{" "}
          carry out proposals without asking, at most {policy.rules.steps_a_day} a day of each kind and rig
        </label>
      </div>
      {policy.proposals.length === 0 ? (
        <p class="quiet">The verdicts speak for no change.</p>
      ) : (
        <ul class="proposals">
          {policy.proposals.map((one) => (
            <Offer key={one.id} one={one} busy={busy} act={act} />
          ))}
        </ul>
      )}
      <Asked policy={policy} />
      <div class="folds">
        <details>
          <summary>Decisions ({policy.steps.length})</summary>
          {policy.steps.length === 0 ? (
            <p class="quiet">None yet.</p>
          ) : (
            <ol class="steps">
              {policy.steps.map((step) => (
                <li key={step.step}>
                  <b>
                    {step.rig} · {words(step.kind)}: {DONE_WORDS[step.word] ?? step.word}
                    {step.threshold !== null && ` ${step.threshold.toFixed(2)}`}
                  </b>{" "}
                  <span class="quiet">
                    {ago(step.at_us)}, {step.automatic ? "by itself" : step.decided_by}
                  </span>{" "}
                  {policy.standings.some((standing) => standing.revertible === step.step) && (
                    <button type="button" disabled={busy} onClick={() => void act(`api/policy/steps/${step.step}/revert`)}>
                      Take back
                    </button>
                  )}
                  <br />
                  {step.words}
                </li>
              ))}
            </ol>
          )}
        </details>
        <Limits rules={policy.rules} busy={busy} act={act} />
        <Calibrations />
      </div>
    </section>
  );
}

type Act = (path: string, body?: unknown) => Promise<void>;

function Offer({ one, busy, act }: { one: Proposal; busy: boolean; act: Act }) {
  const at = `api/policy/proposals/${encodeURIComponent(one.id)}`;
  const title = `${ACTION_WORDS[one.action]}: ${words(one.kind)} on ${one.rig}`;
  return (
    <li class={`proposal ${one.action}`} aria-label={title}>
      <div>
        <h3>{title}</h3>
        <p>{one.words}</p>
      </div>
      <div class="choices">
        <button type="button" class="main" disabled={busy} onClick={() => void act(`${at}/approve`)}>
          Approve
        </button>
        <button type="button" disabled={busy} onClick={() => void act(`${at}/decline`)}>
          Not now
        </button>
      </div>
    </li>
  );
}

/** What rigs were asked, and whether they say that they obey. */
function Asked({ policy }: { policy: Policy }) {
  if (policy.rigs.length === 0) return null;
  return (
    <ul class="asked" aria-label="What rigs were asked">
      {policy.rigs.map(({ rig, asked, obeyed }) => (
        <li key={rig}>
          <b>{rig}</b>{" "}
          {asked.kinds.length === 0
            ? "offers what its own files say"
            : asked.kinds
                .map((one) => `${words(one.kind)} ${one.mode === "abstain" ? "withdrawn" : `from ${(one.threshold ?? 0).toFixed(2)}`}`)
                .join(", ")}{" "}
          <span class={obeyed === asked.revision ? "good" : "quiet"}>
            {obeyed === asked.revision ? `✓ obeyed (policy ${asked.revision})` : `policy ${asked.revision} asked, ${obeyed ?? "none"} obeyed so far`}
          </span>
        </li>
      ))}
    </ul>
  );
}

const LIMITS: readonly (readonly [keyof Omit<Rules, "automatic">, string, number])[] = [
  ["floor", "least precision", 0.01],
  ["floor_points", "least precision of points", 0.01],
  ["min_judged", "judgements needed", 1],
  ["min_clips", "clips needed", 1],
  ["threshold_low", "lowest threshold", 0.05],
  ["threshold_high", "highest threshold", 0.05],
  ["steps_a_day", "steps a day without asking", 1],
  ["trial_offers", "candidates of a trial", 10],
  ["rest_days", "days until a trial without a change", 1],
];

function Limits({ rules, busy, act }: { rules: Rules; busy: boolean; act: Act }) {
  const [changed, change] = useState<Partial<Rules>>({});
  return (
    <details>
      <summary>Limits</summary>
      <form
        class="limits"
        onSubmit={(event) => {
          event.preventDefault();
          void act("api/policy/rules", { ...rules, ...changed }).then(() => change({}));
        }}
      >
        {LIMITS.map(([name, title, step]) => (
          <label key={name}>
            {title}{" "}
            <input
              type="number"
              step={step}
              min={0}
              value={changed[name] ?? rules[name]}
              onInput={(event) => change({ ...changed, [name]: event.currentTarget.valueAsNumber })}
            />
          </label>
        ))}
        <button type="submit" disabled={busy || Object.keys(changed).length === 0}>
          Save
        </button>
      </form>
    </details>
  );
}

function Calibrations() {
  const [known, set] = useAnswer<Calibration[]>("api/calibrations", 5000);
  const again = async () => set(await get<Calibration[]>("api/calibrations"));
  const fit = (sha256: string) => {
    post<Calibration>(`api/calibrations/${sha256}/fit`, {}).then(again).catch(tell);
  };
  return (
    <details>
      <summary>Calibration files ({known?.length ?? "…"})</summary>
      <ul class="calibrations">
        {(known ?? []).map((one) => (
          <li key={one.sha256}>
            <b>
              {one.name} {one.version}
            </b>{" "}
            <span class="quiet">
              {one.sha256.slice(0, 8)}, {one.at_us === 0 ? "shipped" : `${ago(one.at_us)}, ${one.decided_by}`}
            </span>{" "}
            <a href={`api/calibrations/${one.sha256}.toml`}>Download</a>{" "}
            <button type="button" onClick={() => fit(one.sha256)}>
              Fit anew on its verdicts
            </button>
            {one.fitted !== null && (
              <ul>
                {Object.entries(one.fitted).map(([part, fitted]) => (
                  <li key={part} class="quiet">
                    {words(part)}: calibration error {percent(fitted.error_before)} → {percent(fitted.error_after)} on {fitted.judged}{" "}
                    verdicts in {fitted.clips} clips
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
      <p class="quiet">
        A rig takes such a file without a build: put it where <code>calibration</code> of its board file points, and start it anew.
        To fit a file that is not here, hand it in with <code>POST /api/calibrations</code>.
      </p>
    </details>
  );
}
