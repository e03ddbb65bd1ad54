// Addresses within the page: `#/review`, `#/review/<label id>`, `#/quality` … What stands after the view's name belongs
// to the view. Links of the first page, `#<label id>`, still lead to their label.

import { signal } from "@preact/signals";

export interface Route {
  /** The view's name: the first part of the address. */
  view: string;
  /** The rest of it, decoded; empty where there is none. */
  rest: string;
}

/** The view that an address without a view opens. */
export const FIRST_VIEW = "review";

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, "");
  if (!text.startsWith("/")) return { view: FIRST_VIEW, rest: decoded(text) };
  const [view = "", ...rest] = text.slice(1).split("/");
  return { view: view === "" ? FIRST_VIEW : decoded(view), rest: decoded(rest.join("/")) };
}

export function hashOf({ view, rest }: Route): string {
  const parts = rest === "" ? [view] : [view, rest];
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** An address typed by hand may hold a stray percent sign: then it stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Where the page is. */
export const route = signal<Route>({ view: FIRST_VIEW, rest: "" });

/** Begins to follow the address. */
export function followHash(): void {
  const read = () => {
    route.value = parseRoute(location.hash);
  };
  read();
  window.addEventListener("hashchange", read);
}

/** Names in the address what is shown, without a step in the browser's history. */
export function replaceRoute(next: Route): void {
  const hash = hashOf(next);
  if (location.hash !== hash) history.replaceState(null, "", hash);
  route.value = next;
}
