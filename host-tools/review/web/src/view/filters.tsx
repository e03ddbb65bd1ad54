import { useEffect, useRef } from "preact/hooks";
import { type Filter, narrowing, ORDER_TEXT, ORDERS } from "../filters";
import * as format from "../format";
import { GROUPS, TITLE } from "../kinds";
import { CONDITIONS, type Kind, KINDS, type Label, LABEL_STATES } from "../model";
import { filterOpen } from "../panels";
import { clips, filter, labels, narrow, summary, told, total } from "../session";

/** What the queue holds, in a line; the whole filter opens below it. */
export function Filters() {
  const now = filter.value;
  return (
    <section class="filters" aria-label="Filter of the queue">
      <p class="groups" role="group" aria-label="Kinds">
        <Group name="All" kinds={[]} now={now} />
        {GROUPS.map(({ name, kinds }) => (
          <Group key={name} name={name} kinds={kinds} now={now} />
        ))}
      </p>
      <p class="found">
        <span>
          <strong>{told.value ? format.count(total.value) : "…"}</strong> {total.value === 1 ? "label" : "labels"},{" "}
          {ORDER_TEXT[now.order]}
        </span>
        <button type="button" aria-expanded={filterOpen.value} onClick={() => (filterOpen.value = !filterOpen.value)}>
          <kbd>F</kbd> Filter
        </button>
      </p>
      {narrowing(now).length > 0 && (
        <p class="narrowing">
          {narrowing(now).map((said) => (
            <span key={said} class="chip">
              {said}
            </span>
          ))}
          <button
            type="button"
            onClick={() => narrow({ ...now, state: null, least: null, most: null, model: null, condition: null })}
          >
            clear
          </button>
        </p>
      )}
      {filterOpen.value && <Form now={now} />}
    </section>
  );
}

function same(a: readonly Kind[], b: readonly Kind[]): boolean {
  return a.length === b.length && a.every((kind) => b.includes(kind));
}

function Group({ name, kinds, now }: { name: string; kinds: readonly Kind[]; now: Filter }) {
  return (
    <button
      type="button"
      aria-pressed={same(kinds, now.kinds)}
      onClick={(event) => {
        narrow({ ...now, kinds });
        event.currentTarget.blur();
      }}
    >
      {name}
    </button>
  );
}

/** The models of these labels and the one that is chosen, as a filter names them. */
export function modelsOf(of: readonly Label[], chosen: string | null): string[] {
  const named = of.flatMap((label) => (label.model === null ? [] : [`${label.model.name}@${label.model.version}`]));
  return [...new Set([...named, ...(chosen === null ? [] : [chosen])])].sort();
}

function Form({ now }: { now: Filter }) {
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  const models = modelsOf(labels.value, now.model);
  const percent = (text: string) => (text === "" ? null : Math.min(Math.max(Math.round(Number(text)), 0), 100));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        filterOpen.value = false;
      }}
    >
      <Choice name="rig" of={(summary.value?.rigs ?? []).map(({ rig }) => [rig, rig])} any="every rig" value={now.rig} input={first}
        pick={(rig) => narrow({ ...now, rig, clip: rig === null || clips.value.some((one) => one.id === now.clip && one.rig === rig) ? now.clip : null })} />
      <Choice name="clip" of={clips.value.filter((one) => now.rig === null || one.rig === now.rig).map((one) => [one.id, `${one.rig} · ${one.name}`])}
        any="every clip" value={now.clip} pick={(clip) => narrow({ ...now, clip })} />
      <Choice name="kind" of={KINDS.map((kind) => [kind, TITLE[kind]])} any={now.kinds.length > 1 ? "several" : "every kind"}
        value={now.kinds.length === 1 ? (now.kinds[0] ?? null) : null} pick={(kind) => narrow({ ...now, kinds: kind === null ? [] : [kind as Kind] })} />
      <Choice name="state" of={LABEL_STATES.map((state) => [state, state])} any="every state" value={now.state}
        pick={(state) => narrow({ ...now, state: state as Filter["state"] })} />
      <Choice name="model" of={models.map((model) => [model, model.replace("@", " ")])} any="every model" value={now.model}
        pick={(model) => narrow({ ...now, model })} />
      <Choice name="seen under" of={CONDITIONS.map((one) => [one, format.words(one)])} any="anything" value={now.condition}
        pick={(condition) => narrow({ ...now, condition: condition as Filter["condition"] })} />
      <Choice name="order" of={ORDERS.map((order) => [order, ORDER_TEXT[order]])} any={null} value={now.order}
        pick={(order) => narrow({ ...now, order: (order ?? "time") as Filter["order"] })} />
      <label>
        <span>confidence</span>
        <span class="between">
          <input type="number" min="0" max="100" placeholder="0" aria-label="Confidence from, in percent" value={now.least ?? ""}
            onChange={(event) => narrow({ ...now, least: percent(event.currentTarget.value) })} />
          –
          <input type="number" min="0" max="100" placeholder="100" aria-label="Confidence up to, in percent" value={now.most ?? ""}
            onChange={(event) => narrow({ ...now, most: percent(event.currentTarget.value) })} />
          %
        </span>
      </label>
      <button type="submit">
        Done <kbd>Esc</kbd>
      </button>
    </form>
  );
}

interface ChoiceProps {
  name: string;
  of: readonly (readonly [value: string, text: string])[];
  /** What no choice is called; null where there must be one. */
  any: string | null;
  value: string | null;
  pick: (value: string | null) => void;
  input?: { current: HTMLSelectElement | null };
}

export function Choice({ name, of, any, value, pick, input }: ChoiceProps) {
  return (
    <label>
      <span>{name}</span>
      <select
        {...(input === undefined ? {} : { ref: input })}
        value={value ?? ""}
        onChange={(event) => pick(event.currentTarget.value === "" ? null : event.currentTarget.value)}
      >
        {any !== null && <option value="">{any}</option>}
        {of.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
