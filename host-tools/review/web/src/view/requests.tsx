// What a rig is asked for beyond what it sends by itself: a picture now, or the recorded frames around a label.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api";
import { ago } from "../desk";
import * as format from "../format";
import { revision } from "../host";
import "../style/requests.css";

/** How often the host is asked while something is on its way. */
const LOOK_EVERY_MS = 700;

function useRequests(path: string): [api.Asked[], string | null, () => void] {
  const [asked, setAsked] = useState<api.Asked[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [looks, look] = useState(0);
  const open = asked.some((one) => one.state === "asked" || one.state === "arriving");
  useEffect(() => {
    let current = true;
    const ask = () =>
      api.asked(path).then(
        (found) => current && setAsked(found),
        () => {},
      );
    void ask();
    const timer = open ? setInterval(ask, LOOK_EVERY_MS) : undefined;
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [path, open, looks, revision.value]);
  const want = () => {
    setTrouble(null);
    api.want(path).then(
      () => look((count) => count + 1),
      (error: unknown) => setTrouble(error instanceof Error ? error.message : "the host does not answer"),
    );
  };
  return [asked, trouble, want];
}

function standing(asked: api.Asked): string {
  switch (asked.state) {
    case "asked":
      return "asked: waiting for the rig";
    case "arriving":
      return `arriving: ${asked.bytes === null ? 0 : Math.floor((100 * asked.have) / asked.bytes)} %`;
    case "here":
      return asked.frames === null ? `here, asked ${ago(asked.asked_us)}` : `here: ${asked.pictures.length} frames`;
    case "refused":
      return `refused: ${asked.reason ?? "no reason given"}`;
  }
}

/** The button for a rig's picture, and the last one. */
export function RigPicture({ rig }: { rig: string }) {
  const [asked, trouble, want] = useRequests(`api/fleet/${encodeURIComponent(rig)}/picture`);
  const last = asked[0];
  const shown = asked.find((one) => one.state === "here")?.pictures[0];
  const of = asked.find((one) => one.state === "here");
  const waits = last?.state === "asked" || last?.state === "arriving";
  return (
    <section class="from-rig" aria-label={`A picture of ${rig}`}>
      <button type="button" onClick={want} disabled={waits}>
        Ask for a picture
      </button>
      <span class={last?.state === "refused" ? "bad" : "quiet"} role="status">
        {trouble ?? (last === undefined ? "" : standing(last))}
      </span>
      {of !== undefined && shown !== undefined && (
        <img src={`api/requests/${of.request}/${shown.frame}.jpg`} alt={`What ${rig} saw ${ago(of.asked_us)}`} />
      )}
    </section>
  );
}

/** The button for the recorded frames around a label, and what arrived, frame by frame. */
export function Frames({ label }: { label: string }) {
  const [asked, trouble, want] = useRequests(`api/labels/${encodeURIComponent(label)}/frames`);
  const [at, setAt] = useState(0);
  const last = asked[0];
  const here = asked.find((one) => one.state === "here");
  const waits = last?.state === "asked" || last?.state === "arriving";
  const picture = here?.pictures[Math.min(at, here.pictures.length - 1)];
  return (
    <section class="from-rig" aria-label="Frames from the rig">
      <button type="button" onClick={want} disabled={waits}>
        Ask the rig for its frames
      </button>
      <span class={last?.state === "refused" ? "bad" : "quiet"} role="status">
        {trouble ?? (last === undefined ? "" : standing(last))}
      </span>
      {waits && last.bytes !== null && <progress max={last.bytes} value={last.have} aria-label="Arrived" />}
      {here !== undefined && picture !== undefined && (
        <figure>
          <img src={`api/requests/${here.request}/${picture.frame}.jpg`} alt={`Frame ${picture.frame}`} />
          <figcaption>
            <input
              type="range"
              min={0}
              max={here.pictures.length - 1}
              value={Math.min(at, here.pictures.length - 1)}
              aria-label="Frame"
              onInput={(event) => setAt(Number(event.currentTarget.value))}
            />
            frame {picture.frame}, {format.time(picture.pts_us)}
          </figcaption>
        </figure>
      )}
    </section>
  );
}
