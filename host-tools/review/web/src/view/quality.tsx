// Quality: how good every labeller is by what reviewers said, and what follows from it.

import { useState } from "preact/hooks";
import { type Coverage, type Quality, type QualityRow, STANDING_MARK, STANDING_WORDS, useAnswer } from "../desk";
import { count, percent, words } from "../format";
import type { View } from "../views";
import "../style/desk.css";
import { AgreementPanel } from "./agreement";
import { CoverageBar, PrecisionBar, ReliabilityPlot, SecondsPlot } from "./plots";
import { PolicyPanel } from "./policy";

const SPLITS = [
  ["", "kind and model"],
  ["rig", "rig"],
  ["glasses", "glasses"],
  ["light", "light"],
  ["distance", "distance"],
] as const;

type Split = (typeof SPLITS)[number][0];

function keyOf(row: QualityRow): string {
  return [row.kind, row.model, row.rig, row.glasses, row.light, row.distance].join("|");
}

/** What the row was split by, as one reads it; a rig by its name. */
function splitOf(row: QualityRow, by: Split): string {
  if (by === "") return "";
  return by === "rig" ? (row.rig ?? "") : words(row[by] ?? "");
}

function coverageOf(all: readonly Coverage[], row: QualityRow): { value: number; silent: Record<string, number> } {
  const silent: Record<string, number> = {};
  let value = 0;
  for (const one of all) {
    if (one.kind !== row.kind || (row.rig !== undefined && one.rig !== row.rig)) continue;
    value += one.value;
    for (const [reason, frames] of Object.entries(one.silent)) silent[reason] = (silent[reason] ?? 0) + frames;
  }
  return { value, silent };
}

function Body() {
  const [by, setBy] = useState<Split>("");
  const [chosen, choose] = useState<string | null>(null);
  const [quality, , trouble] = useAnswer<Quality>(`api/quality?by=${by}`, 2000);
  if (quality === null) {
    return <main class="desk">{trouble === null ? <p>Counting …</p> : <p class="bad">{trouble}</p>}</main>;
  }
  const shown = quality.rows.find((row) => keyOf(row) === chosen) ?? quality.rows.find((row) => row.judged > 0) ?? quality.rows[0];
  return (
    <main class="desk">
      <PolicyPanel />
      <section aria-labelledby="rows">
        <div class="title">
          <h2 id="rows">Labellers</h2>
          <label>
            split by{" "}
            <select value={by} onChange={(event) => setBy(event.currentTarget.value as Split)}>
              {SPLITS.map(([name, title]) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          {quality.behind > 0 && (
            <span class="quiet" role="status">
              {count(quality.behind)} clips are being counted anew
            </span>
          )}
        </div>
        {quality.rows.length === 0 ? (
          <p>Nothing has been offered yet.</p>
        ) : (
          <table class="quality">
            <thead>
              <tr>
                <th scope="col">kind</th>
                <th scope="col">model</th>
                {by !== "" && <th scope="col">{by}</th>}
                <th scope="col" class="number">
                  judged
                </th>
                <th scope="col" class="number">
                  clips
                </th>
                <th scope="col">right, and the line to clear</th>
                <th scope="col">standing</th>
                <th scope="col" class="number">
                  calibration error
                </th>
                {by !== "glasses" && by !== "light" && by !== "distance" && <th scope="col">coverage</th>}
              </tr>
            </thead>
            <tbody>
              {quality.rows.map((row) => (
                <tr key={keyOf(row)} aria-current={row === shown ? "true" : undefined} class={row === shown ? "chosen" : ""}>
                  <th scope="row">
                    <button type="button" class="plain" onClick={() => choose(keyOf(row))}>
                      {words(row.kind)}
                    </button>
                  </th>
                  <td class="quiet model">{row.model.replaceAll("@", " ").replace(/ (?=calibration)/, ", ")}</td>
                  {by !== "" && <td>{splitOf(row, by)}</td>}
                  <td class="number" title={`${count(row.offered)} offered`}>
                    {count(row.judged)}
                    <span class="quiet"> of {count(row.offered)}</span>
                  </td>
                  <td class="number">{row.clips}</td>
                  <td class="share">
                    <PrecisionBar share={row.precision} floor={row.floor} label={words(row.kind)} />
                    <span>{row.precision === null ? "" : percent(row.precision.value)}</span>
                  </td>
                  <td class={`standing is-${row.standing}`}>
                    <span aria-hidden="true">{STANDING_MARK[row.standing]}</span> {STANDING_WORDS[row.standing]}
                  </td>
                  <td class="number">{row.calibration === null ? "" : percent(row.calibration.error)}</td>
                  {by !== "glasses" && by !== "light" && by !== "distance" && (
                    <td>
                      <CoverageBar {...coverageOf(quality.coverage, row)} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <p class="quiet">
          Dot: share right by the standard. Bar: 95 % interval by clip; none under {quality.least.clips} clips or{" "}
          {quality.least.judged} judgements. Upright line: the line to clear.
        </p>
      </section>
      {shown !== undefined && <Detail row={shown} quality={quality} by={by} />}
      <AgreementPanel />
    </main>
  );
}

function Detail({ row, quality, by }: { row: QualityRow; quality: Quality; by: Split }) {
  const of = [words(row.kind), splitOf(row, by)].filter((part) => part !== "").join(", ");
  const seconds = quality.seconds.filter((one) => one.kind === row.kind);
  return (
    <section class="detail" aria-label={`More of ${of}`}>
      <figure>
        <figcaption>
          <h3>Does confidence keep its promise? {of}</h3>
        </figcaption>
        {row.calibration === null ? (
          <p class="quiet">Nothing judged yet.</p>
        ) : (
          <>
            <ReliabilityPlot curve={row.calibration.curve} of={of} />
            <p>{promise(row.calibration.overpromise)}</p>
          </>
        )}
      </figure>
      <figure>
        <figcaption>
          <h3>Human seconds, all rigs</h3>
        </figcaption>
        <SecondsPlot seconds={seconds} of={words(row.kind)} />
        <h3>Verdicts</h3>
        <dl class="verdict-counts">
          <Count name="accepted" value={row.accepted} />
          <Count name="corrected, within the standard" value={row.corrected_right} />
          <Count name="corrected, beyond it" value={row.corrected_wrong} />
          <Count name="rejected" value={row.rejected} />
          <Count name="nobody can tell" value={row.cannot_tell} />
        </dl>
        {row.boundary_frames !== null && (
          <p class="quiet">Of those right, an end was moved by {row.boundary_frames.toFixed(2)} frames on average.</p>
        )}
      </figure>
    </section>
  );
}

/** How far confidence and truth lie apart, in words. */
export function promise(overpromise: number): string {
  const off = Math.abs(overpromise);
  if (off < 0.03) return "On average it keeps what it promises.";
  return overpromise > 0
    ? `It promises ${percent(off)} more than it keeps: points lie below the diagonal.`
    : `It is better than it says by ${percent(off)}: points lie above the diagonal.`;
}

function Count({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{count(value)}</dd>
    </div>
  );
}

export const QUALITY: View = { name: "quality", title: "Quality", Body };
