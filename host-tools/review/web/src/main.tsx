import { render } from "preact";
import { meet, mustSignIn } from "./account";
import { followDue } from "./blind/look";
import { followClip } from "./context";
import { followCases } from "./disagreements/cases";
import { followEditor } from "./editor";
import { follow, helpOpen } from "./host";
import type { Pressed } from "./keys";
import { holdWhatIsShown } from "./leases";
import { followLabel } from "./material";
import { followHash, route } from "./route";
import { reload, start } from "./session";
import "./style/base.css";
import "./style/head.css";
import "./style/clip.css";
import "./style/item.css";
import "./style/verdict.css";
import "./style/queue.css";
import "./style/picture.css";
import "./style/rubric.css";
import "./style/account.css";
import "./style/screen.css";
import { Page } from "./view/page";
import { viewNamed } from "./views";

function focused(key: string): Pressed["on"] {
  const on = document.activeElement;
  // Of a slider only the keys that move it are its own.
  if (on instanceof HTMLInputElement && on.type === "range") return /^(Arrow|Page|Home|End)/.test(key) ? "field" : "page";
  if (on instanceof HTMLInputElement || on instanceof HTMLSelectElement || on instanceof HTMLTextAreaElement) {
    return "field";
  }
  return on instanceof HTMLButtonElement || on instanceof HTMLAnchorElement ? "button" : "page";
}

window.addEventListener("keydown", (event) => {
  if (mustSignIn.value) return;
  const pressed: Pressed = {
    key: event.key,
    repeat: event.repeat,
    shift: event.shiftKey,
    modified: event.ctrlKey || event.altKey || event.metaKey,
    on: focused(event.key),
  };
  if (pressed.key === "?" && !pressed.modified && pressed.on !== "field") {
    helpOpen.value = !helpOpen.value;
    event.preventDefault();
    return;
  }
  // The open list takes Escape by itself, and nothing is judged beneath it.
  if (helpOpen.value) return;
  if (viewNamed(route.value.view)?.takeKey?.(pressed) === true) event.preventDefault();
});

// A button that was clicked lets go of the keys: Enter saves and Space plays, they do not press it once more. Who walks by
// Tab keeps the place.
window.addEventListener("click", (event) => {
  const on = document.activeElement;
  if (event.detail > 0 && (on instanceof HTMLButtonElement || on instanceof HTMLAnchorElement)) on.blur();
});

// A page that comes back by the back button has missed what happened meanwhile, and listens to nobody.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) reload();
});

const page = document.getElementById("page");
if (page !== null) {
  followHash();
  render(<Page />, page);
  void meet();
  start();
  holdWhatIsShown();
  followClip();
  followLabel();
  followEditor();
  follow();
  followDue();
  followCases();
}
