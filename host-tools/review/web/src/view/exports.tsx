// Exports: what of, into which format, how far it is, and the file.

import { useEffect, useState } from "preact/hooks";
import { account } from "../account";
import { ago, post, remove, tell, useAnswer } from "../desk";
import { type Draft, type Export, FORMATS, LABELS, OF_PICTURES, said, size, standing, wishOf } from "../exports";
import { EVERYTHING, type Filter } from "../filters";
import { count, words } from "../format";
import { KINDS, LABEL_STATES, CONDITIONS, type Kind } from "../model";
import { TITLE } from "../kinds";
import { clips, filter as queue, labels, summary } from "../session";
import type { View } from "../views";
import "../style/desk.css";
import "../style/exports.css";
import { Choice, modelsOf } from "./filters";

/** Bytes of a list of people that fit into what the host reads at once. */
const LONGEST_LIST = 48_000;

/** How long the second press that deletes is waited for. */
const SURE_FOR_MS = 5000;

function Body() {
  const me = account.value;
  const may = me === null || me.open || me.role === "lead" || me.role === "administrator";
  if (!may) {
    return (
      <main class="nothing">
        <h2>Leads export here</h2>
        <p>Labels that leave the desk are for leads to hand out.</p>
      </main>
    );
  }
  return <Exports />;
}

function Exports() {
  const [all, , trouble] = useAnswer<Export[]>("api/exports", 500);
  return (
    <main class="desk exports">
      <section aria-labelledby="new-export">
        <div class="title">
          <h2 id="new-export">Export labels</h2>
          <span class="quiet">
            the same bytes as <code>rigel export</code> writes, packed into one file
          </span>
        </div>
        <Form />
      </section>
      <section aria-labelledby="exports">
        <div class="title">
          <h2 id="exports">Exports</h2>
          <span class="quiet">kept for 30 days, 16 GB at most; the oldest goes first</span>
        </div>
        {trouble !== null && <p class="bad">{trouble}</p>}
        {all !== null && (all.length === 0 ? <p>Nothing has been exported on this page.</p> : <List all={all} />)}
      </section>
    </main>
  );
}

function Form() {
  const [draft, set] = useState<Draft>({
    format: "coco",
    labels: "truth",
    filter: { ...queue.value, order: "time" },
    everyFrame: false,
    split: "",
    seed: 0,
    people: null,
  });
  const [busy, setBusy] = useState(false);
  const [list, setList] = useState<string | null>(null);
  const now = draft.filter;
  const change = (next: Partial<Draft>) => set({ ...draft, ...next });
  const narrow = (next: Partial<Filter>) => change({ filter: { ...now, ...next } });
  const percent = (text: string) => (text === "" ? null : Math.min(Math.max(Math.round(Number(text)), 0), 100));
  const ask = async () => {
    setBusy(true);
    try {
      await post<Export>("api/exports", wishOf(draft));
    } catch (error) {
      tell(error);
    }
    setBusy(false);
  };
  const readPeople = async (file: File | undefined) => {
    setList(null);
    if (file === undefined) {
      change({ people: null });
    } else if (file.size > LONGEST_LIST) {
      setList(`longer than ${size(LONGEST_LIST)}: use rigel export --people`);
      change({ people: null });
    } else {
      change({ people: await file.text() });
    }
  };
  return (
    <form
      class="wish"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <fieldset>
        <legend>What</legend>
        <Choice name="format" of={FORMATS} any={null} value={draft.format} pick={(format) => change({ format: (format ?? "coco") as Draft["format"] })} />
        <Choice name="labels" of={LABELS} any={null} value={draft.labels} pick={(which) => change({ labels: (which ?? "truth") as Draft["labels"] })} />
        {OF_PICTURES.includes(draft.format) && (
          <label class="check">
            <input type="checkbox" checked={draft.everyFrame} onChange={(event) => change({ everyFrame: event.currentTarget.checked })} />
            <span>pictures of every frame, not of keyframes alone</span>
          </label>
        )}
      </fieldset>
      <fieldset>
        <legend>
          Of these{" "}
          <button type="button" class="plain" onClick={() => change({ filter: EVERYTHING })}>
            everything
          </button>{" "}
          <button type="button" class="plain" onClick={() => change({ filter: { ...queue.value, order: "time" } })}>
            as the queue
          </button>
        </legend>
        <Choice name="rig" of={(summary.value?.rigs ?? []).map(({ rig }) => [rig, rig])} any="every rig" value={now.rig}
          pick={(rig) => narrow({ rig, clip: rig === null || clips.value.some((one) => one.id === now.clip && one.rig === rig) ? now.clip : null })} />
        <Choice name="clip" of={clips.value.filter((one) => now.rig === null || one.rig === now.rig).map((one) => [one.id, `${one.rig} · ${one.name}`])}
          any="every clip" value={now.clip} pick={(clip) => narrow({ clip })} />
        <Choice name="kind" of={KINDS.map((kind) => [kind, TITLE[kind]])} any={now.kinds.length > 1 ? "several" : "every kind"}
          value={now.kinds.length === 1 ? (now.kinds[0] ?? null) : null} pick={(kind) => narrow({ kinds: kind === null ? [] : [kind as Kind] })} />
        <Choice name="state" of={LABEL_STATES.map((state) => [state, state])} any="every state" value={now.state}
          pick={(state) => narrow({ state: state as Filter["state"] })} />
        <Choice name="model" of={modelsOf(labels.value, now.model).map((model) => [model, model.replace("@", " ")])} any="every model" value={now.model}
          pick={(model) => narrow({ model })} />
        <Choice name="seen under" of={CONDITIONS.map((one) => [one, words(one)])} any="anything" value={now.condition}
          pick={(condition) => narrow({ condition: condition as Filter["condition"] })} />
        <label>
          <span>confidence</span>
          <span class="between">
            <input type="number" min="0" max="100" placeholder="0" aria-label="Confidence from, in percent" value={now.least ?? ""}
              onChange={(event) => narrow({ least: percent(event.currentTarget.value) })} />
            –
            <input type="number" min="0" max="100" placeholder="100" aria-label="Confidence up to, in percent" value={now.most ?? ""}
              onChange={(event) => narrow({ most: percent(event.currentTarget.value) })} />
            %
          </span>
        </label>
      </fieldset>
      <fieldset>
        <legend>Divided</legend>
        <label>
          <span>subsets</span>
          <input type="text" placeholder="none; such as train=80,val=20" value={draft.split} onInput={(event) => change({ split: event.currentTarget.value })} />
        </label>
        {draft.split.trim() !== "" && (
          <>
            <label>
              <span>seed</span>
              <input type="number" min="0" max="9007199254740991" step="1" required value={draft.seed}
                onInput={(event) => change({ seed: Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0)) })} />
            </label>
            <label>
              <span>by person</span>
              <input type="file" accept=".csv,text/csv,text/plain" onChange={(event) => void readPeople(event.currentTarget.files?.[0])} />
            </label>
            <p class={list === null ? "quiet" : "bad"}>
              {list ?? (draft.people === null ? "By rig; by person with a list of lines clip,person. Neither is ever divided." : "By person, as listed.")}
            </p>
          </>
        )}
        <button type="submit" class="main" disabled={busy}>
          Export
        </button>
      </fieldset>
    </form>
  );
}

function List({ all }: { all: readonly Export[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" class="number">
            no.
          </th>
          <th scope="col">what</th>
          <th scope="col">asked</th>
          <th scope="col">how it stands</th>
          <th scope="col">file</th>
        </tr>
      </thead>
      <tbody>
        {all.map((one) => (
          <Row key={one.export} one={one} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ one }: { one: Export }) {
  const [sure, setSure] = useState(false);
  useEffect(() => {
    if (!sure) return undefined;
    const timer = setTimeout(() => setSure(false), SURE_FOR_MS);
    return () => clearTimeout(timer);
  }, [sure]);
  const open = one.state === "waiting" || one.state === "running";
  const lost = Object.entries(one.summary?.lost ?? {});
  const verb = open ? "Stop" : "Delete";
  return (
    <tr data-export={one.export} data-state={one.state}>
      <td class="number">{one.export}</td>
      <td>
        <b>{one.wish.format}</b> <span class="quiet">{said(one).join(" · ")}</span>
      </td>
      <td class="asked">
        {one.asked_by} <span class="quiet">{ago(one.asked_us)}</span>
      </td>
      <td class={one.state === "failed" ? "bad" : undefined}>
        <span role="status">{standing(one)}</span>
        {one.state === "running" && one.total !== null && <progress max={Math.max(one.total, 1)} value={one.done} aria-label="Labels read" />}
        {(one.summary?.told ?? []).map((line) => (
          <div key={line} class="quiet">
            {line}
          </div>
        ))}
        {lost.length > 0 && (
          <details>
            <summary>what {one.wish.format} cannot hold</summary>
            <ul>
              {lost.map(([what, times]) => (
                <li key={what}>
                  {what} <span class="quiet">{count(times)} times</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </td>
      <td class="file">
        {one.state === "here" && (
          <a href={`api/exports/${one.export}/labels.zip`} download title={`SHA-256 ${one.sha256 ?? ""}`}>
            Download <span class="quiet">{size(one.bytes ?? 0)}</span>
          </a>
        )}
        <button
          type="button"
          onClick={() => {
            if (sure) remove(`api/exports/${one.export}`).catch(tell);
            else setSure(true);
          }}
        >
          {sure ? `${verb} it?` : verb}
        </button>
      </td>
    </tr>
  );
}

export const EXPORT: View = { name: "export", title: "Export", Body };
