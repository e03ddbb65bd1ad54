import { render } from "preact";
import { commandFor, type Pressed } from "./keys";
import { mode, obey, start } from "./session";
import "./style/base.css";
import "./style/head.css";
import "./style/clip.css";
import "./style/item.css";
import "./style/verdict.css";
import "./style/screen.css";
import { Page } from "./view/page";

function focused(): Pressed["on"] {
  const on = document.activeElement;
  if (on instanceof HTMLInputElement || on instanceof HTMLSelectElement || on instanceof HTMLTextAreaElement) {
    return "field";
  }
  return on instanceof HTMLButtonElement ? "button" : "page";
}

window.addEventListener("keydown", (event) => {
  const command = commandFor(
    {
      key: event.key,
      repeat: event.repeat,
      modified: event.ctrlKey || event.altKey || event.metaKey,
      on: focused(),
    },
    mode.value,
  );
  if (command === null) return;
  event.preventDefault();
  obey(command);
});

const page = document.getElementById("page");
if (page !== null) {
  render(<Page />, page);
  start();
}
