import { useEffect, useRef, useState } from "preact/hooks";
import * as format from "../format";
import { markBeside } from "../marks";
import type { Label } from "../model";
import { markAt, shown } from "../session";
import { columnWidth, type Size } from "../strip";
import { Curve } from "./curve";
import { Filmstrip } from "./filmstrip";
import { Loupe } from "./loupe";
import { STATE_MARK } from "./queue";
import { VerdictBar } from "./verdict-bar";

/** Left of strip and curve: what the rows are. */
const GUTTER_PX = 76;

export function Item({ label }: { label: Label }) {
  const box = useRef<HTMLDivElement>(null);
  const { width: available } = useSize(box);
  const below = useRef<HTMLDivElement>(null);
  const room = useSize(below);
  const evidence = shown.value;
  return (
    <article aria-labelledby="item-title">
      <header class="title">
        <h2 id="item-title">
          {label.kind === "blink" ? "Blink" : "Long closure"} · frames {format.frames(label.frames)}
        </h2>
        <span class="quiet">
          {format.time(label.pts_us[0])} – {format.time(label.pts_us[1])}
        </span>
        <span class={`state ${label.state}`}>
          {STATE_MARK[label.state]} {label.state}
          {label.cause !== null && `: ${format.cause(label.cause)}`}
        </span>
        {markAt.value !== null && <span class="chip beside">⚑ {markBeside(markAt.value, label)}</span>}
        <Confidence share={label.confidence} />
      </header>
      <div class="evidence" ref={box}>
        {evidence === null ? (
          <p class="quiet waiting-evidence">Fetching the filmstrip …</p>
        ) : evidence === "none" ? (
          <p class="quiet waiting-evidence">
            No filmstrip has arrived for this label{label.has_evidence ? ", or it could not be shown" : " yet"}.
          </p>
        ) : (
          (() => {
            const width = columnWidth(available - GUTTER_PX, evidence.curve.columns.length, evidence.curve.tile[0]);
            return (
              width > 0 && (
                <>
                  <Filmstrip evidence={evidence} label={label} columnWidth={width} gutter={GUTTER_PX} />
                  <Curve curve={evidence.curve} label={label} columnWidth={width} gutter={GUTTER_PX} />
                </>
              )
            );
          })()
        )}
      </div>
      <div class="below" ref={below}>
        {evidence !== null && evidence !== "none" && <Loupe evidence={evidence} label={label} room={room} />}
        <Facts label={label} />
      </div>
      <VerdictBar label={label} />
    </article>
  );
}

/** Room inside an element in CSS pixels, kept up to date. */
function useSize(box: { current: HTMLDivElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    if (box.current === null) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      setSize({ width: Math.floor(width), height: Math.floor(height) });
    });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, [box]);
  return size;
}

function Confidence({ share }: { share: number | null }) {
  if (share === null) return <span class="confidence quiet">no confidence given</span>;
  return (
    <span class="confidence" title="The chance that a reviewer accepts this label unchanged, as the rig promises">
      <span class="quiet">confidence</span>
      <span class="bar" role="meter" aria-label="Confidence" aria-valuemin={0} aria-valuemax={1} aria-valuenow={share}>
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <strong>{format.percent(share)}</strong>
    </span>
  );
}

function Facts({ label }: { label: Label }) {
  const eyes = label.event?.eyes;
  const length = label.frames[1] - label.frames[0] + 1;
  return (
    <dl class="facts">
      <div>
        <dt>lasts</dt>
        <dd>
          {format.durationMs(label.pts_us, label.frames)} ms, {length} {length === 1 ? "frame" : "frames"}
        </dd>
      </div>
      <div>
        <dt>seen on</dt>
        <dd>{eyes === undefined ? "unknown" : eyes === "both" ? "both eyes" : `the ${eyes} eye only`}</dd>
      </div>
      {label.event !== null && (
        <div>
          <dt>smallest opening</dt>
          <dd>
            {format.percent(Math.max(label.event.opening, 0))} at frame {label.event.peak}
          </dd>
        </div>
      )}
      <div>
        <dt>person</dt>
        <dd>{label.track === null ? "none" : `track ${label.track}`}</dd>
      </div>
      <div>
        <dt>model</dt>
        <dd title={label.model?.sha256}>
          {label.model === null ? "not named" : `${label.model.name} ${label.model.version}`}
        </dd>
      </div>
      <div>
        <dt>label</dt>
        <dd class="id">{label.id}</dd>
      </div>
    </dl>
  );
}
