import { render } from "preact";
import { follow, helpOpen } from "./host";
import type { Pressed } from "./keys";
import { followHash, route } from "./route";
import { start } from "./session";
import "./style/base.css";
import "./style/head.css";
import "./style/clip.css";
import "./style/item.css";
import "./style/verdict.css";
import "./style/screen.css";
import { Page } from "./view/page";
import { viewNamed } from "./views";

function focused(): Pressed["on"] {
  const on = document.activeElement;
  if (on instanceof HTMLInputElement || on instanceof HTMLSelectElement || on instanceof HTMLTextAreaElement) {
    return "field";
  }
  return on instanceof HTMLButtonElement || on instanceof HTMLAnchorElement ? "button" : "page";
}

window.addEventListener("keydown", (event) => {
  const pressed: Pressed = {
    key: event.key,
    repeat: event.repeat,
    modified: event.ctrlKey || event.altKey || event.metaKey,
    on: focused(),
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

const page = document.getElementById("page");
if (page !== null) {
  followHash();
  render(<Page />, page);
  start();
  follow();
}
