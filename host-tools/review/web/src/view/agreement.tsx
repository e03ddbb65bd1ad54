// Does acceptance mean what it says? What people said with the value in view beside what they said without, whether silence was
// right, and how far people agree with themselves and with each other.

import { type Share, useAnswer } from "../desk";
import { count, percent, words } from "../format";
import { PrecisionBar } from "./plots";
import { SamplingPanel } from "./sampling";

interface Range {
  value: number;
  low: number;
  high: number;
}

interface Counted {
  agreed: number;
  told: number;
  untold: number;
  clips: number;
  share: Share | null;
  alpha: Range | null;
}

interface KindAgreement {
  kind: string;
  seen: Counted | null;
  blind: Counted | null;
  politeness: Range | null;
  silence: Counted | null;
  self: Counted | null;
  other: Counted | null;
}

interface Agreement {
  kinds: KindAgreement[];
  alone: boolean;
  behind: number;
  least: { clips: number; judged: number };
}

export function AgreementPanel() {
  const [told, , trouble] = useAnswer<Agreement>("api/agreement", 2000);
  if (told === null) return trouble === null ? null : <p class="bad">{trouble}</p>;
  const asked = told.kinds.filter(({ blind, silence, self, other }) => [blind, silence, self, other].some((of) => of !== null));
  return (
    <section aria-labelledby="agreement">
      <div class="title">
        <h2 id="agreement">Second looks</h2>
      </div>
      {asked.length === 0 ? (
        <p class="quiet">Nobody has answered a second look yet: whether acceptance is politeness cannot be told.</p>
      ) : (
        <table class="quality agreement">
          <thead>
            <tr>
              <th scope="col">kind</th>
              <th scope="col">accepted when seen</th>
              <th scope="col">agreed when blind</th>
              <th scope="col">seen less blind</th>
              <th scope="col">rightly silent</th>
              <th scope="col">agrees with oneself</th>
              <th scope="col">agrees with others</th>
            </tr>
          </thead>
          <tbody>
            {asked.map((one) => (
              <tr key={one.kind}>
                <th scope="row">{words(one.kind)}</th>
                <Cell of={one.seen} label={`${words(one.kind)} accepted when seen`} />
                <Cell of={one.blind} label={`${words(one.kind)} agreed when blind`} />
                <td class="share">{politeness(one.politeness)}</td>
                <Cell of={one.silence} />
                <Cell of={one.self} />
                <Cell of={one.other} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="quiet">
        Answered from scratch, before what the rig or somebody else said was shown. Bars as above; none under {told.least.clips} clips or{" "}
        {told.least.judged} answers. Seen less blind, in points: where it is above nought beyond chance, people accept what they would not have
        said themselves. α: agreement beyond chance, of yes and no; 1 is always, 0 no more than chance.
        {told.alone && asked.every((one) => one.other === null) && " One person works at this desk: only agreement with oneself can be known."}
      </p>
      <SamplingPanel />
    </section>
  );
}

function Cell({ of, label }: { of: Counted | null; label?: string }) {
  if (of === null) return <td class="quiet">not asked</td>;
  const { share, alpha } = of;
  const title = `${count(of.agreed)} of ${count(of.told)} in ${of.clips} clips` + (of.untold > 0 ? `; ${count(of.untold)} could not be told` : "");
  return (
    <td class={label === undefined ? undefined : "share"} title={title}>
      {label !== undefined && <PrecisionBar share={share} floor={null} label={label} />}
      <span>
        {share === null ? "" : percent(share.value)}
        {label === undefined && share?.low != null && share.high !== null && (
          <span class="quiet">
            {" "}
            ({Math.round(share.low * 100)}–{Math.round(share.high * 100)} %)
          </span>
        )}{" "}
        <span class="quiet">of {count(of.told)}</span>
        {share !== null && share.low === null && <span class="quiet">, cannot tell yet</span>}
        {alpha !== null && (
          <span class="quiet alpha" title={`95 % interval ${alpha.low.toFixed(2)} to ${alpha.high.toFixed(2)}`}>
            α {alpha.value.toFixed(2)}
          </span>
        )}
      </span>
    </td>
  );
}

/** Whether people accept what they would not have said themselves. */
export function politeness(difference: Range | null): string {
  if (difference === null) return "? cannot tell yet";
  const points = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(0)}`;
  const range = `${points(difference.value)} (${points(difference.low)} to ${points(difference.high)})`;
  return `${difference.low > 0 ? "✗ polite" : "✓"} ${range}`;
}
