// Which share of what comes is asked a second time, kind by kind, and who set it since when.

import { useState } from "preact/hooks";
import { account } from "../account";
import { ago, post, tell, useAnswer } from "../desk";
import { percent, words } from "../format";

const SORTS = [
  ["blind", "candidates answered unseen"],
  ["silence", "stretches nothing was said of"],
  ["self", "judged items, again to their judge"],
  ["other", "judged items, to somebody else"],
] as const;

type Shares = Record<(typeof SORTS)[number][0], number>;

interface Rule {
  entry: number;
  at_us: number;
  decided_by: string;
  seed: number;
  shares: Record<string, Shares>;
}

interface Sampling {
  rules: Rule[];
}

/** Shares of 0 to 1 as people set them: in per cent, to a tenth. */
export function inPercent(share: number): number {
  return Math.round(share * 1000) / 10;
}

export function SamplingPanel() {
  const [told, set] = useAnswer<Sampling>("api/sampling", 5000);
  const rule = told?.rules[0];
  if (told === null || rule === undefined) return null;
  const others = told.rules.slice(1);
  return (
    <div class="folds">
      <details>
        <summary>How much is asked a second time</summary>
        {/* A rule that somebody else set meanwhile is begun from anew. */}
        <Form key={rule.entry} rule={rule} set={set} />
        <p class="quiet">
          Drawn by seed {rule.seed}; what holds now was set {ago(rule.at_us)} by {rule.decided_by}. New shares hold for what comes after
          them.
        </p>
        {others.length > 0 && (
          <ol class="steps" aria-label="Earlier shares">
            {others.map((one) => (
              <li key={one.entry}>
                {one.decided_by} <span class="quiet">{ago(one.at_us)}</span>: {summary(one.shares)}
              </li>
            ))}
          </ol>
        )}
      </details>
    </div>
  );
}

/** The shares of a rule in a line: those of every kind where they are alike, else their range. */
function summary(shares: Record<string, Shares>): string {
  return SORTS.map(([sort]) => {
    const all = Object.values(shares).map((of) => of[sort]);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return `${sort} ${low === high ? percent(low) : `${percent(low)} to ${percent(high)}`}`;
  }).join(", ");
}

function Form({ rule, set }: { rule: Rule; set: (next: Sampling) => void }) {
  const [shares, change] = useState(rule.shares);
  const [busy, setBusy] = useState(false);
  const me = account.value;
  const may = me === null || me.open || me.role === "lead" || me.role === "administrator";
  const kinds = Object.keys(rule.shares);
  const save = async () => {
    setBusy(true);
    try {
      set(await post<Sampling>("api/sampling", { seed: rule.seed, shares }));
    } catch (error) {
      tell(error);
    }
    setBusy(false);
  };
  return (
    <form
      class="shares"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">share, %</th>
            {SORTS.map(([sort, title]) => (
              <th scope="col" key={sort}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind}>
              <th scope="row">{words(kind)}</th>
              {SORTS.map(([sort, title]) => (
                <td key={sort}>
                  <input
                    type="number"
                    aria-label={`${words(kind)}: ${title}, per cent`}
                    min={0}
                    max={100}
                    step={0.1}
                    required
                    disabled={!may}
                    value={inPercent(shares[kind]?.[sort] ?? 0)}
                    onChange={(event) => {
                      const of = shares[kind];
                      const typed = event.currentTarget.valueAsNumber;
                      if (of !== undefined && !Number.isNaN(typed)) change({ ...shares, [kind]: { ...of, [sort]: typed / 100 } });
                    }}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {may ? (
        <button type="submit" disabled={busy || JSON.stringify(shares) === JSON.stringify(rule.shares)}>
          Save
        </button>
      ) : (
        <p class="quiet">Leads set them.</p>
      )}
    </form>
  );
}
