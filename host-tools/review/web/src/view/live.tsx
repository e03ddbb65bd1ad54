// Labels as they arrive.

import { type Live, useAnswer } from "../desk";
import { count, frames, percent, words } from "../format";
import { hashOf } from "../route";
import type { View } from "../views";
import "../style/desk.css";

function Body() {
  const [live, , trouble] = useAnswer<Live>("api/live", 1000);
  if (live === null) {
    return <main class="desk">{trouble === null ? <p>Listening …</p> : <p class="bad">{trouble}</p>}</main>;
  }
  return (
    <main class="desk live">
      <section aria-labelledby="rates">
        <h2 id="rates">The last minute</h2>
        {live.kinds.length === 0 ? (
          <p class="quiet">No label arrived.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">rig</th>
                <th scope="col">kind</th>
                <th scope="col" class="number">
                  offered
                </th>
                <th scope="col" class="number">
                  silent
                </th>
                <th scope="col" class="number">
                  lag
                </th>
              </tr>
            </thead>
            <tbody>
              {live.kinds.map((one) => (
                <tr key={`${one.rig} ${one.kind}`}>
                  <th scope="row">{one.rig}</th>
                  <td>{words(one.kind)}</td>
                  <td class="number">{count(one.offered)}</td>
                  <td class="number">{count(one.abstained)}</td>
                  <td class="number">{lag(one.lag_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <p class="quiet">
          Lag: from a label's last frame until it was here. Not told of clips from files, nor where a rig's clock is not set.
        </p>
      </section>
      <section aria-labelledby="latest">
        <h2 id="latest">The latest candidates</h2>
        <ol class="latest" aria-live="off">
          {[...live.latest].reverse().map((one) => (
            <li key={one.id}>
              <time>{new Date(one.received_us / 1000).toLocaleTimeString()}</time>
              <span class="quiet">{one.rig}</span>
              <a href={hashOf({ view: "review", rest: one.id })}>
                {words(one.kind)}, frames {frames(one.frames)}
              </a>
              <span>{one.confidence === null ? "" : percent(one.confidence)}</span>
              <span class="quiet">{lag(one.lag_s)}</span>
            </li>
          ))}
        </ol>
      </section>
    </main>
  );
}

function lag(seconds: number | null): string {
  return seconds === null ? "" : `${seconds.toFixed(1)} s`;
}

export const LIVE: View = { name: "live", title: "Live", Body };
