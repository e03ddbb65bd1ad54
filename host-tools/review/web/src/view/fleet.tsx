// The fleet: every rig, what is wrong with it in words, and how it fared.

import { ago, type FleetRig, type HealthPoint, useAnswer } from "../desk";
import { count, percent, words } from "../format";
import type { View } from "../views";
import "../style/desk.css";
import { Spark } from "./plots";
import { RigPicture } from "./requests";

function Body() {
  const [fleet, , trouble] = useAnswer<FleetRig[]>("api/fleet", 2000);
  if (fleet === null) {
    return <main class="desk">{trouble === null ? <p>Asking the host …</p> : <p class="bad">{trouble}</p>}</main>;
  }
  if (fleet.length === 0) {
    return (
      <main class="nothing">
        <h2>No rig has been heard yet</h2>
        <p>As soon as one connects, it appears here by itself.</p>
      </main>
    );
  }
  const troubled = fleet.filter((rig) => rig.alarms.length > 0).length;
  const order = [...fleet].sort((a, b) => b.alarms.length - a.alarms.length || a.rig.localeCompare(b.rig));
  return (
    <main class="desk">
      <h2>
        {fleet.length === 1 ? "1 rig" : `${fleet.length} rigs`}
        {troubled > 0 ? `, ${troubled} of them with something to look at` : ", nothing to look at"}
      </h2>
      <ul class="rigs">
        {order.map((rig) => (
          <Rig key={rig.rig} rig={rig} />
        ))}
      </ul>
    </main>
  );
}

function Rig({ rig }: { rig: FleetRig }) {
  const [history] = useAnswer<HealthPoint[]>(`api/fleet/${encodeURIComponent(rig.rig)}/history?hours=24`, 60_000);
  const { health, balance, policy } = rig;
  const told = history ?? [];
  return (
    <li class={rig.alarms.length > 0 ? "rig troubled" : "rig"} aria-label={`The rig ${rig.rig}`}>
      <div class="title">
        <h3>{rig.rig}</h3>
        <span class={`link ${rig.link}`}>
          <span class="dot" aria-hidden="true" /> {rig.link}
        </span>
        <span class="quiet">
          {rig.site}, heard {ago(rig.last_seen_us)}
        </span>
      </div>
      {rig.alarms.map((alarm) => (
        <p key={alarm.name} class="alarm" role="status">
          <b>{words(alarm.name)}</b> {alarm.words}
        </p>
      ))}
      <dl class="facts">
        <Fact name="self-test">{rig.self_test ?? "not run"}</Fact>
        <Fact name="clock">{health?.clock ?? "not told yet"}</Fact>
        <Fact name="outbox">{health === null ? "not told yet" : `${count(health.outbox.messages)} messages wait`}</Fact>
        <Fact name="balance">
          {count(balance.made)} made {balance.made === balance.committed ? "=" : "≠"} {count(balance.committed)} committed
          <br />
          {count(balance.offered)} offered = {count(balance.reviewed)} reviewed + {count(balance.waiting)} waiting
          {balance.imbalance.lost > 0 && <b class="bad">; {count(balance.imbalance.lost)} nowhere</b>}
          {balance.given_up > 0 && `; ${count(balance.given_up)} given up for want of room`}
          {balance.open_clips > 0 && `; ${balance.open_clips} of ${balance.clips} clips open`}
        </Fact>
        {health !== null && (
          <>
            <Fact name="quiet because">
              {health.quiet.length === 0
                ? "everything had a value"
                : [...health.quiet]
                    .sort((a, b) => b.share - a.share)
                    .slice(0, 3)
                    .map((one) => `${words(one.reason)} ${percent(one.share)}`)
                    .join(", ")}
            </Fact>
            {health.scene !== null && (
              <Fact name="picture">
                {light(health.scene.light)}
                {health.scene.chroma < 2 ? ", grey or one tint" : ""}
                {health.scene.limit !== undefined && `, limited by ${words(health.scene.limit)}`}
              </Fact>
            )}
            {health.camera !== null && (
              <Fact name="camera">
                {health.camera.state}, {health.camera.measured_fps.toFixed(0)} of {health.camera.asked_fps.toFixed(0)} frames a second
              </Fact>
            )}
            {health.shed !== "nothing" && <Fact name="leaves out">{words(health.shed)}</Fact>}
            {health.throttled === true && <Fact name="processor">slowed down for heat or want of power</Fact>}
          </>
        )}
        <Fact name="policy">
          {policy === null ? (
            "its own files"
          ) : (
            <>
              {policy.asked.kinds.length === 0
                ? "its own files"
                : policy.asked.kinds
                    .map((one) => `${words(one.kind)} ${one.mode === "abstain" ? "withdrawn" : `from ${(one.threshold ?? 0).toFixed(2)}`}`)
                    .join(", ")}
              <br />
              <span class={policy.obeyed === policy.asked.revision ? "good" : "quiet"}>
                {policy.obeyed === policy.asked.revision
                  ? `✓ obeyed (${policy.asked.revision})`
                  : `asked ${policy.asked.revision}, obeyed ${policy.obeyed ?? "none"}`}
              </span>
            </>
          )}
        </Fact>
        <Fact name="made of">
          {[rig.hardware, rig.board && `board ${rig.board}`, rig.firmware && `firmware ${rig.firmware}`].filter(Boolean).join(", ") || "not told yet"}
        </Fact>
      </dl>
      <RigPicture rig={rig.rig} />
      {told.length > 1 && (
        <div class="sparks">
          <Spark name="outbox" unit="messages" points={told.map((one) => [one.heard_us, one.outbox_messages])} />
          <Spark name="temperature" unit="°C" points={told.map((one) => [one.heard_us, one.temperature_c])} />
          <Spark name="frame to label" unit="ms" points={told.map((one) => [one.heard_us, one.latency_ms])} />
        </div>
      )}
      {rig.models.length > 0 && (
        <details>
          <summary>{rig.models.length} models</summary>
          <ul class="models">
            {rig.models.map((model) => (
              <li key={`${model.name} ${model.sha256}`}>
                {model.name} {model.version} <span class="quiet">{model.sha256.slice(0, 8)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function light(level: number): string {
  return level < 40 ? "dark" : level > 200 ? "very bright" : "lit";
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export const FLEET: View = { name: "fleet", title: "Fleet", Body };
