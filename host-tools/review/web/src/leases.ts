// Who works on which label, so that two people never judge one: the shown label is held here, and what others hold is
// left to them.

import { effect, signal, untracked } from "@preact/signals";
import { account } from "./account";
import * as api from "./api";
import { revision } from "./host";
import { currentId } from "./session";

/** Labels that others work on, with their names. */
export const heldByOthers = signal<ReadonlyMap<string, string>>(new Map());

/** The host lets go of a label after three times this. */
const RENEW_MS = 30_000;

/** Of all that is held, what others hold. */
export function ofOthers(leases: readonly api.Lease[], me: string): Map<string, string> {
  return new Map(leases.filter(({ holder }) => holder !== me).map(({ item, holder }) => [item, holder]));
}

/** Begins to hold what is shown. Where everybody is `desk` there is nobody to keep off. */
export function holdWhatIsShown(): void {
  effect(() => {
    const me = account.value;
    if (me === null || me.open || me.user === null || revision.value < 0) return;
    void look(me.user);
  });
  effect(() => {
    const me = account.value;
    const item = currentId.value;
    if (me === null || me.open || me.user === null || item === null) return undefined;
    const hold = () => void take(item, me.user ?? "");
    untracked(hold);
    const timer = setInterval(hold, RENEW_MS);
    return () => {
      clearInterval(timer);
      void api.giveBack(item).catch(() => undefined);
    };
  });
}

async function look(me: string): Promise<void> {
  try {
    heldByOthers.value = ofOthers(await api.leases(), me);
  } catch {
    // The host is away, or the session over; both are said elsewhere.
  }
}

async function take(item: string, me: string): Promise<void> {
  try {
    const { holder } = await api.take(item);
    const others = new Map(heldByOthers.value);
    if (holder === me) others.delete(item);
    else others.set(item, holder);
    heldByOthers.value = others;
  } catch {
    // A label that is on its way to the host cannot be held yet.
  }
}
