// Who the visitor is. A host where nobody has an account is open: then everybody is `desk` and nobody is asked.

import { computed, signal } from "@preact/signals";
import * as api from "./api";
import { retryNow, unsaved } from "./delivery";
import { notice, revision } from "./host";

const SHELF = "rigel-user";

/** null until the host has said. */
export const account = signal<api.Account | null>(null);

/** Nobody has signed in, or the session is over: the page waits for it, with all that was decided. */
export const mustSignIn = computed(() => account.value !== null && account.value.user === null);

/** Asks who the visitor is, and hears of it when a session ends. */
export async function meet(): Promise<void> {
  api.whenSignedOut(() => {
    account.value = { open: false, user: null, role: null };
  });
  try {
    account.value = await api.whoAmI();
    remember(account.value);
  } catch {
    // The host is away: whoever asks next learns whether one has to sign in.
  }
}

/** Whose decisions wait in this tab. */
function remember({ user }: api.Account): void {
  if (user !== null) sessionStorage.setItem(SHELF, user);
}

/** Signs in; why not, or null. What waited is sent, under the name of whoever decided it and of nobody else. */
export async function signIn(name: string, password: string): Promise<string | null> {
  const before = sessionStorage.getItem(SHELF);
  if (unsaved.value.count > 0 && before !== null && before !== name) {
    return `what ${before} decided is not saved yet: ${before} has to sign in here first`;
  }
  try {
    account.value = await api.signIn(name, password);
    remember(account.value);
  } catch (error) {
    return error instanceof api.ApiError ? error.message : "the host does not answer";
  }
  revision.value += 1;
  retryNow();
  return null;
}

export async function signOut(): Promise<void> {
  if (unsaved.value.count > 0) {
    notice.value = { text: "Not everything you decided is saved yet; sign out when it is.", bad: true, passing: true };
    return;
  }
  await api.signOut();
  // Labels and faces leave the screen and the memory of the page.
  location.reload();
}
