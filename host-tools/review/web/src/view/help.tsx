import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { KEY_LIST } from "../keys";
import { mode } from "../session";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useSignalEffect(() => {
    const open = mode.value === "help";
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open && dialog.current?.open === true) dialog.current.close();
  });
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={() => {
        if (mode.value === "help") mode.value = "review";
      }}
    >
      <h2 id="help-title">Keys</h2>
      <dl>
        {KEY_LIST.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>What counts</h2>
      <p>
        A blink runs from the first frame in which a lid moves down to the last one before the eye is fully open again.
        Accept it when your own marking and this one would share at least half of the frames that either covers. Hatched
        means that the eye was not looked at: it is neither open nor shut.
      </p>
      <button
        type="button"
        onClick={() => {
          mode.value = "review";
        }}
      >
        Close <kbd>Esc</kbd>
      </button>
    </dialog>
  );
}
